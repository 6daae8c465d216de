//! Answers that need no upstream.

use super::PathRewrite;
use crate::policy::words::told;
use serde::Serialize;

/// An answer that sends the client elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Redirect {
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    /// Replaces the path, or its matched prefix.
    pub path: Option<PathRewrite>,
    /// Replaces the host.
    pub host: Option<String>,
    /// Replaces the scheme.
    pub scheme: Option<String>,
    /// Replaces the port.
    pub port: RedirectPort,
    /// The query is dropped.
    pub strip_query: bool,
}

/// The port of a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RedirectPort {
    /// As the request's authority has it.
    #[default]
    Kept,
    /// That of the protocol: none is written.
    OfProtocol,
    /// That of the listener; none is written where it is the protocol's.
    OfListener,
    /// This.
    Explicit(u16),
}

/// An answer that stands in the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DirectResponse {
    /// Its status.
    pub status: u16,
    /// Its body.
    #[serde(serialize_with = "told::text")]
    pub body: Vec<u8>,
}
