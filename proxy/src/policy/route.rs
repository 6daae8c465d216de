//! Routing: which requests, and what becomes of them.

use super::{Origin, RetryPolicy};
use regex::Regex;
use std::time::Duration;

/// The routes of some hosts. A request that matches none of them is answered 404: there is no falling through to the service.
#[derive(Debug, Clone, PartialEq)]
pub struct VirtualService {
    /// Its name.
    pub name: String,
    /// Hosts, in lower case: exact, `*.suffix`, or `*`.
    pub hosts: Vec<String>,
    /// In order; the first that matches.
    pub routes: Vec<Route>,
    /// Where it stands.
    pub origin: Origin,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Any of these; none is every request.
    pub matches: Vec<RouteMatch>,
    /// What becomes of the request.
    pub action: Action,
    /// From the whole request received to the answer's end; none by Istio's default.
    pub timeout: Option<Duration>,
    /// When it is tried again.
    pub retry: RetryPolicy,
    /// Changes of fields.
    pub headers: HeaderRules,
    /// Faults of the client's side, ahead of everything that heals.
    pub fault: Option<FaultInjection>,
    /// Where it stands.
    pub origin: Origin,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Sent on to one of these, drawn by weight once a request.
    Forward {
        /// Without those of weight 0.
        to: Vec<Weighted>,
        /// Changes of path and host.
        rewrite: Rewrite,
    },
    /// Answered with another place.
    Redirect(Redirect),
    /// Answered as it stands.
    Direct(DirectResponse),
}

/// A destination with its share.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighted {
    /// Where to.
    pub destination: Destination,
    /// Share of the sum.
    pub weight: u32,
    /// Changes of fields for this destination.
    pub headers: HeaderRules,
}

/// A service, or a subset of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// Host of the service.
    pub host: String,
    /// Port, where the policy says one.
    pub port: Option<u16>,
    /// Subset, where the policy says one.
    pub subset: Option<String>,
}

/// Conditions of one match block; all must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RouteMatch {
    /// The path without query.
    pub path: Option<TextMatch>,
    /// Exact and prefix of the path ignore case.
    pub ignore_path_case: bool,
    /// The method.
    pub method: Option<TextMatch>,
    /// The authority, port included.
    pub authority: Option<TextMatch>,
    /// Fields that must match; repeated ones are joined by commas.
    pub headers: Vec<(String, TextMatch)>,
    /// Fields that must not match.
    pub without_headers: Vec<(String, TextMatch)>,
    /// First values of query parameters.
    pub query: Vec<(String, TextMatch)>,
    /// Port of the listener.
    pub port: Option<u16>,
}

/// A condition on text.
#[derive(Debug, Clone)]
pub enum TextMatch {
    /// Equal.
    Exact(String),
    /// Begins with.
    Prefix(String),
    /// The whole text, by RE2 rules.
    Regex(Regex),
    /// There at all.
    Present,
}

impl PartialEq for TextMatch {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) | (Self::Prefix(a), Self::Prefix(b)) => a == b,
            (Self::Regex(a), Self::Regex(b)) => a.as_str() == b.as_str(),
            (Self::Present, Self::Present) => true,
            _ => false,
        }
    }
}

impl TextMatch {
    /// True if `text` satisfies it. A regular expression was anchored when it was read.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => text == exact,
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::Regex(regex) => regex.is_match(text),
            Self::Present => true,
        }
    }

    /// The same for exact and prefix without regard to case; a regular expression keeps its own mind.
    pub fn matches_ignoring_case(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => text.eq_ignore_ascii_case(exact),
            Self::Prefix(prefix) => text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)),
            _ => self.matches(text),
        }
    }
}

/// Changes of path and host before a request is sent on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rewrite {
    /// The path.
    pub path: Option<PathRewrite>,
    /// The host.
    pub authority: Option<String>,
}

/// A change of the path; the query stays.
#[derive(Debug, Clone)]
pub enum PathRewrite {
    /// The matched prefix is replaced, or the whole path where none was matched.
    Prefix(String),
    /// Every match is replaced.
    Regex {
        /// What is looked for.
        pattern: Regex,
        /// What stands there instead, groups as `$1`.
        substitution: String,
    },
}

impl PartialEq for PathRewrite {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Prefix(a), Self::Prefix(b)) => a == b,
            (Self::Regex { pattern: a, substitution: x }, Self::Regex { pattern: b, substitution: y }) => {
                a.as_str() == b.as_str() && x == y
            }
            _ => false,
        }
    }
}

/// An answer that sends the client elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// 301, 302, 303, 307 or 308; 301 by default.
    pub status: u16,
    /// Replaces the path.
    pub path: Option<String>,
    /// Replaces the host.
    pub authority: Option<String>,
    /// Replaces the scheme.
    pub scheme: Option<String>,
}

/// An answer that stands in the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectResponse {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

/// Changes of fields in both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderRules {
    /// Of the request.
    pub request: HeaderOperations,
    /// Of the answer.
    pub response: HeaderOperations,
}

/// Changes of fields: removed first, then added, then set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderOperations {
    /// Overwritten.
    pub set: Vec<(String, String)>,
    /// Appended.
    pub add: Vec<(String, String)>,
    /// Removed.
    pub remove: Vec<String>,
}

/// Faults of the client's side, drawn once a request.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultInjection {
    /// Held back first.
    pub delay: Option<Delay>,
    /// Then answered with a status, by so many percent.
    pub abort: Option<(u16, f64)>,
}

/// A fixed delay of some requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Delay {
    /// How long.
    pub fixed: Duration,
    /// How many, in percent.
    pub percent: f64,
}
