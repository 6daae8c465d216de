//! Limits of what clients may take, on the command line.

use crate::units::{Bytes, TimeSpan};
use clap::ValueEnum;
use squall_proxy::policy::{Clients, Limit, Setting, Unit, UnknownLimit};

/// Whom a proxy serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Who {
    /// Whoever connects
    Strangers,
    /// Workloads of the mesh
    Mesh,
}

impl From<Who> for Clients {
    fn from(who: Who) -> Self {
        match who {
            Who::Strangers => Self::Strangers,
            Who::Mesh => Self::Mesh,
        }
    }
}

/// `LIMIT=VALUE`.
pub(super) fn limit(text: &str) -> Result<Setting, String> {
    let bad = || format!("`{text}` is no limit: expected LIMIT=VALUE, as in request-head=5s");
    let (name, value) = text.split_once('=').ok_or_else(bad)?;
    let limit: Limit = name.parse().map_err(|error: UnknownLimit| error.to_string())?;
    let unit = limit.unit();
    if value == "none" && unit == Unit::Time {
        return Ok(Setting { limit, value: None });
    }
    let read = match unit {
        Unit::Time => {
            value.parse::<TimeSpan>().map(|time| time.0.as_millis() as u64).map_err(|error| error.to_string())
        }
        Unit::Bytes => value.parse::<Bytes>().map(|bytes| bytes.0).map_err(|error| error.to_string()),
        Unit::Count => value.parse().map_err(|_| format!("`{value}` is no whole number")),
    }?;
    let (least, most) = limit.range();
    if !(least..=most).contains(&read) {
        let of = match unit {
            Unit::Time => "ms",
            Unit::Bytes => "bytes",
            Unit::Count => "",
        };
        return Err(format!("`{text}` is out of range: {least} to {most} {of}"));
    }
    Ok(Setting { limit, value: Some(read) })
}
