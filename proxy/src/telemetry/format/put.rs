//! Values, appended, with what kind they turned out to be.

use std::fmt::Display;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing, since it is not known.
    Missing,
    /// A number.
    Number,
    /// Anything else.
    Text,
}

/// A number.
pub(super) fn number(number: impl itoa::Integer, out: &mut Vec<u8>) -> Kind {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    Kind::Number
}

/// A text; an empty one is not known.
pub(super) fn text(text: &str, out: &mut Vec<u8>) -> Kind {
    if text.is_empty() {
        return Kind::Missing;
    }
    out.extend_from_slice(text.as_bytes());
    Kind::Text
}

/// With `_` for spaces, so that a line still falls apart at its spaces.
pub(super) fn joined(details: &str, out: &mut Vec<u8>) -> Kind {
    let start = out.len();
    let kind = text(details, out);
    out.iter_mut().skip(start).filter(|byte| byte.is_ascii_whitespace()).for_each(|byte| *byte = b'_');
    kind
}

/// Texts, comma separated.
pub(super) fn list(list: &[String], out: &mut Vec<u8>) -> Kind {
    for (at, one) in list.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(one.as_bytes());
    }
    if list.is_empty() { Kind::Missing } else { Kind::Text }
}

/// What can be displayed.
pub(super) fn display(value: Option<impl Display>, out: &mut Vec<u8>) -> Kind {
    let Some(value) = value else { return Kind::Missing };
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value}");
    Kind::Text
}

/// An address without its port.
pub(super) fn host(address: Option<SocketAddr>, out: &mut Vec<u8>) -> Kind {
    display(address.map(|address| address.ip()), out)
}

/// The port of an address.
pub(super) fn port(address: Option<SocketAddr>, out: &mut Vec<u8>) -> Kind {
    address.map_or(Kind::Missing, |address| number(address.port(), out))
}

/// Whole milliseconds.
pub(super) fn millis(duration: Option<Duration>, out: &mut Vec<u8>) -> Kind {
    duration.map_or(Kind::Missing, |duration| number(duration.as_millis(), out))
}
