//! How endpoints are spoken to.

use crate::policy::words::told;
use crate::policy::{Http1Options, Http2Options};
use serde::Serialize;
use std::time::Duration;

/// How connections are made and kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConnectionOptions {
    /// How long TCP and TLS may take together. 10 s by Istio's default, 5 s by Envoy's.
    #[serde(serialize_with = "told::time")]
    pub connect_timeout: Duration,
    /// Without a request; 1 h, none is for ever.
    #[serde(serialize_with = "told::time_or_none")]
    pub idle_timeout: Option<Duration>,
    /// Age at which a connection is drained.
    #[serde(serialize_with = "told::time_or_none")]
    pub max_duration: Option<Duration>,
    /// Age at which a stream on it is ended; none by default.
    #[serde(serialize_with = "told::time_or_none")]
    pub max_stream: Option<Duration>,
    /// Requests after which a connection is closed; none by default.
    pub max_requests: Option<u32>,
    /// Probes of idle connections by the kernel.
    pub tcp_keepalive: Option<TcpKeepalive>,
}

impl Default for ConnectionOptions {
    /// Envoy's.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Some(Duration::from_secs(3600)),
            max_duration: None,
            max_stream: None,
            max_requests: None,
            tcp_keepalive: None,
        }
    }
}

/// Probes of idle connections by the kernel; none of a value is the system's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TcpKeepalive {
    /// Unanswered until it is dead.
    pub probes: Option<u32>,
    /// Idle before the first.
    #[serde(serialize_with = "told::time_or_none")]
    pub time: Option<Duration>,
    /// Between two.
    #[serde(serialize_with = "told::time_or_none")]
    pub interval: Option<Duration>,
}

/// Which protocol is spoken to endpoints.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct UpstreamProtocol {
    /// Which.
    pub choice: ProtocolChoice,
    /// HTTP/1.
    pub http1: Http1Options,
    /// HTTP/2.
    pub http2: Http2Options,
}

/// Which protocol is spoken to endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProtocolChoice {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2.
    Http2,
    /// As the client does.
    OfClient,
    /// As ALPN says.
    Alpn,
}
