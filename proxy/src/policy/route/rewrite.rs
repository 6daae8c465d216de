//! Changes of path and host.

use crate::policy::words::told;
use regex::Regex;
use serde::Serialize;

/// Changes of path and host before a request is sent on.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rewrite {
    /// The path.
    pub path: Option<PathRewrite>,
    /// The host.
    pub host: Option<HostRewrite>,
    /// Keep the old host in `x-forwarded-host`.
    pub append_forwarded_host: bool,
}

/// A change of the path; the query stays.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum PathRewrite {
    /// The matched prefix is replaced, or the whole path where none was matched.
    Prefix(String),
    /// The whole path is replaced.
    Whole(String),
    /// Every match is replaced.
    Regex {
        /// What is looked for.
        #[serde(serialize_with = "told::regex")]
        pattern: Regex,
        /// What stands there instead, groups as `${1}`.
        substitution: String,
    },
}

impl PartialEq for PathRewrite {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Prefix(a), Self::Prefix(b)) | (Self::Whole(a), Self::Whole(b)) => a == b,
            (Self::Regex { pattern: a, substitution: x }, Self::Regex { pattern: b, substitution: y }) => {
                a.as_str() == b.as_str() && x == y
            }
            _ => false,
        }
    }
}

/// A change of the host.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum HostRewrite {
    /// This.
    Literal(String),
    /// The name of the endpoint that is tried.
    Auto,
    /// What a field says.
    Header(String),
    /// What is made of the path.
    PathRegex {
        /// What is looked for.
        #[serde(serialize_with = "told::regex")]
        pattern: Regex,
        /// What stands there instead, groups as `${1}`.
        substitution: String,
    },
}

impl PartialEq for HostRewrite {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(a), Self::Literal(b)) | (Self::Header(a), Self::Header(b)) => a == b,
            (Self::Auto, Self::Auto) => true,
            (Self::PathRegex { pattern: a, substitution: x }, Self::PathRegex { pattern: b, substitution: y }) => {
                a.as_str() == b.as_str() && x == y
            }
            _ => false,
        }
    }
}
