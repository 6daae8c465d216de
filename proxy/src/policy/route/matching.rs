//! Which requests a route takes.

use crate::policy::words::{self, told};
use crate::policy::{Fraction, Pattern, TextMatch};
use regex::Regex;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Conditions of a route; all must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RouteMatch {
    /// The path without query.
    pub path: PathMatch,
    /// Exact and prefix of the path ignore case.
    pub ignore_path_case: bool,
    /// Fields, `:method`, `:authority` and `:scheme` among them.
    pub headers: Vec<HeaderMatch>,
    /// Query parameters.
    pub query: Vec<QueryMatch>,
    /// gRPC alone.
    pub grpc_only: bool,
    /// This share of the requests.
    pub fraction: Option<Fraction>,
}

/// A condition on the path.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathMatch {
    /// Any.
    #[default]
    Any,
    /// Equal.
    Exact(String),
    /// Begins with, as text: `/foo` matches `/foobar`.
    Prefix(String),
    /// Begins with whole segments: `/foo` matches `/foo` and `/foo/bar`.
    SegmentPrefix(String),
    /// The whole path, by RE2 rules; anchored when it was read.
    Regex(#[serde(serialize_with = "told::regex")] Regex),
    /// CONNECT, whatever the path.
    Connect,
}

impl PartialEq for PathMatch {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, Self::Any) | (Self::Connect, Self::Connect) => true,
            (Self::Exact(a), Self::Exact(b))
            | (Self::Prefix(a), Self::Prefix(b))
            | (Self::SegmentPrefix(a), Self::SegmentPrefix(b)) => a == b,
            (Self::Regex(a), Self::Regex(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

/// A condition on a field; repeated ones are joined by commas.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderMatch {
    /// Its name, in lower case.
    pub name: String,
    /// What its value must be.
    pub value: TextMatch,
    /// Turned round.
    pub invert: bool,
    /// A missing field counts as the empty text.
    pub missing_is_empty: bool,
}

impl Serialize for HeaderMatch {
    /// Without a value that is secret.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(4))?;
        map.serialize_entry("name", &self.name)?;
        match words::field(&self.name, "") {
            "" => map.serialize_entry("value", &self.value)?,
            redacted => map.serialize_entry("value", redacted)?,
        }
        map.serialize_entry("invert", &self.invert)?;
        map.serialize_entry("missing-is-empty", &self.missing_is_empty)?;
        map.end()
    }
}

impl HeaderMatch {
    /// True if the values of its field satisfy it: one of them is enough, and turned round none of them may.
    pub fn fits<'v>(&self, values: impl Iterator<Item = &'v [u8]>) -> bool {
        let mut there = false;
        let mut fits = false;
        for value in values {
            there = true;
            fits |= self.value.matches(&String::from_utf8_lossy(value));
        }
        if self.value.pattern == Pattern::Present {
            return there != self.invert;
        }
        // What is not there has no value to differ from another, unless it counts as empty.
        if !there && self.missing_is_empty {
            return self.value.matches("") != self.invert;
        }
        there && fits != self.invert
    }
}

/// A condition on the first value of a query parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct QueryMatch {
    /// Its name.
    pub name: String,
    /// What its value must be.
    pub value: TextMatch,
}
