//! Options of HTTP/1 and HTTP/2.

use crate::policy::words::told;
use serde::Serialize;
use std::time::Duration;

/// Options of HTTP/1 on the client's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Http1Options {
    /// Take HTTP/1.0; otherwise 426.
    pub accept_http_10: bool,
    /// Host of an HTTP/1.0 request without one.
    pub default_host: Option<String>,
    /// Take `GET http://host/path`; true.
    pub absolute_url: bool,
    /// Pass trailers on; false.
    pub trailers: bool,
}

impl Default for Http1Options {
    fn default() -> Self {
        Self { accept_http_10: false, default_host: None, absolute_url: true, trailers: false }
    }
}

/// Options of HTTP/2 on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Http2Options {
    /// Streams at once; 1024.
    pub max_concurrent_streams: u32,
    /// Bytes of a stream that may be under way; 16 MiB.
    #[serde(serialize_with = "told::bytes")]
    pub stream_window: u32,
    /// Bytes of a connection that may be under way; 24 MiB.
    #[serde(serialize_with = "told::bytes")]
    pub connection_window: u32,
    /// Extended CONNECT is allowed.
    pub allow_connect: bool,
    /// Pings.
    pub keepalive: Option<Http2Keepalive>,
}

/// Pings that keep a connection alive or show that it is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Http2Keepalive {
    /// Between two pings.
    #[serde(serialize_with = "told::time")]
    pub interval: Duration,
    /// How long an answer may take.
    #[serde(serialize_with = "told::time")]
    pub timeout: Duration,
}

impl Default for Http2Options {
    fn default() -> Self {
        Self {
            max_concurrent_streams: 1024,
            stream_window: 16 << 20,
            connection_window: 24 << 20,
            allow_connect: false,
            keepalive: None,
        }
    }
}
