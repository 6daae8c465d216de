//! What a format makes of a request: lines of access logs, and values of fields that are added.
//!
//! A [`Format`] is prepared once, when a policy is read; then each request costs its bytes alone.

mod command;
mod put;
pub(crate) mod standard;
#[cfg(test)]
mod tests;
mod time;

use super::{StreamInfo, escape};
use crate::policy::{Format, LogFormat, Piece};
use command::What;
use put::Kind;

/// A value in a log is cut to so many bytes, unless its format says otherwise.
const LONGEST: usize = 1024;

/// A format, prepared.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Value { what: What, max_length: Option<usize> },
}

/// Where a value stands, which decides how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// In a line of text.
    Text,
    /// In a JSON string.
    Json,
    /// In a field.
    Field,
}

impl Template {
    /// Prepares `format`; `hostname` is that of this machine.
    pub(crate) fn new(format: &Format, hostname: &str) -> Self {
        let part = |piece: &Piece| match piece {
            Piece::Text(text) => Part::Text(text.clone()),
            Piece::Command(command) => {
                Part::Value { what: What::new(command, hostname), max_length: command.max_length }
            }
        };
        Self { parts: format.pieces.iter().map(part).collect() }
    }

    /// Appends the value of a field; what is missing is empty.
    pub(crate) fn field(&self, info: &StreamInfo<'_>, out: &mut Vec<u8>) {
        for part in &self.parts {
            part.write(info, Dialect::Field, out);
        }
    }

    /// Appends a text; what is missing is `-`.
    fn text(&self, info: &StreamInfo<'_>, dialect: Dialect, out: &mut Vec<u8>) {
        for part in &self.parts {
            if part.write(info, dialect, out) == Kind::Missing {
                out.push(b'-');
            }
        }
    }

    /// Appends a JSON value: that of a single command has its type, and is null if it is missing.
    fn json(&self, info: &StreamInfo<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        out.push(b'"');
        let kind = if let [one @ Part::Value { .. }] = self.parts.as_slice() {
            one.write(info, Dialect::Json, out)
        } else {
            self.text(info, Dialect::Json, out);
            Kind::Text
        };
        match kind {
            Kind::Text => out.push(b'"'),
            Kind::Number => drop(out.remove(start)),
            Kind::Missing => {
                out.truncate(start);
                out.extend_from_slice(b"null");
            }
        }
    }
}

impl Part {
    fn write(&self, info: &StreamInfo<'_>, dialect: Dialect, out: &mut Vec<u8>) -> Kind {
        let start = out.len();
        let (kind, max_length) = match self {
            // What the policy says stands as it is, line ends included.
            Self::Text(text) if dialect != Dialect::Json => {
                out.extend_from_slice(text.as_bytes());
                return Kind::Text;
            }
            Self::Text(text) => {
                escape::json(text.as_bytes(), out);
                return Kind::Text;
            }
            Self::Value { what, max_length } => (what.write(info, out), max_length),
        };
        let longest = max_length.unwrap_or(if dialect == Dialect::Field { usize::MAX } else { LONGEST });
        out.truncate(start.saturating_add(longest));
        if kind == Kind::Text && !out.get(start..).is_some_and(escape::is_plain) {
            let raw = out.split_off(start);
            match dialect {
                Dialect::Text => escape::text(&raw, out),
                Dialect::Json => escape::json(&raw, out),
                Dialect::Field => escape::field(&raw, out),
            }
        }
        kind
    }
}

/// The format of an access log, prepared.
#[derive(Debug, Clone)]
pub(crate) enum LineTemplate {
    /// A text, with its line end.
    Text(Template),
    /// An object: `"key":`, and its value.
    Json(Vec<(Vec<u8>, Template)>),
}

impl LineTemplate {
    /// Prepares `format`; `hostname` is that of this machine.
    pub(crate) fn new(format: &LogFormat, hostname: &str) -> Self {
        let pair = |(key, format): &(String, Format)| {
            let mut quoted = vec![b'"'];
            escape::json(key.as_bytes(), &mut quoted);
            quoted.extend_from_slice(b"\":");
            (quoted, Template::new(format, hostname))
        };
        match format {
            LogFormat::Text(format) => Self::Text(Template::new(format, hostname)),
            LogFormat::Json(pairs) => Self::Json(pairs.iter().map(pair).collect()),
        }
    }

    /// Appends the line of a request.
    pub(crate) fn line(&self, info: &StreamInfo<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Text(template) => template.text(info, Dialect::Text, out),
            Self::Json(pairs) => {
                out.push(b'{');
                for (at, (key, template)) in pairs.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(key);
                    template.json(info, out);
                }
                out.extend_from_slice(b"}\n");
            }
        }
    }
}

/// The name of this machine; empty if it does not say.
pub(crate) fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}
