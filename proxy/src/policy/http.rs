//! The HTTP connection manager: how requests are read, checked and framed, ahead of any route. Defaults are Envoy's unless said otherwise.

mod identity;
mod normalization;
mod protocol;

pub use identity::{
    ClientAddress, ClientCertDetails, ForwardClientCert, RequestId, ServerHeader, ServerTransformation,
};
pub use normalization::{AuthorityRules, EscapedSlashes, PathRules, StripPort, Underscores};
pub use protocol::{Http1Options, Http2Keepalive, Http2Options};

use super::words::told;
use super::{AccessLog, HttpFilter, RouteTable, Tracing};
use serde::Serialize;
use std::time::Duration;

/// How the requests of a chain are served.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HttpManager {
    /// Prefix of its metrics.
    pub stat_prefix: String,
    /// Which protocol is spoken.
    pub codec: Codec,
    /// Routes.
    pub routes: RouteTable,
    /// In order; the router comes behind them all.
    pub filters: Vec<HttpFilter>,
    /// The router's own options.
    pub router: RouterOptions,
    /// Times.
    pub timeouts: HttpTimeouts,
    /// Sizes and counts.
    pub limits: HttpLimits,
    /// What is done to paths.
    pub paths: PathRules,
    /// What is done to the authority.
    pub authority: AuthorityRules,
    /// Whose address counts as the client's.
    pub client_address: ClientAddress,
    /// `x-request-id`.
    pub request_id: RequestId,
    /// `server` of answers.
    pub server_header: ServerHeader,
    /// Added to `via`, if any.
    pub via: Option<String>,
    /// `x-forwarded-client-cert`.
    pub client_cert: ForwardClientCert,
    /// What ours says of a client, beside the hash of its certificate.
    pub client_cert_details: ClientCertDetails,
    /// Pass `expect: 100-continue` on instead of answering it here; true in Istio.
    pub proxy_100_continue: bool,
    /// Answer a malformed message and keep the connection, instead of closing it.
    pub keep_connection_on_bad_message: bool,
    /// HTTP/1.
    pub http1: Http1Options,
    /// HTTP/2.
    pub http2: Http2Options,
    /// What may be upgraded to, in lower case: `websocket`, `connect`. None: 403.
    pub upgrades: Vec<String>,
    /// Spans.
    pub tracing: Option<Tracing>,
    /// A line a request.
    pub access_logs: Vec<AccessLog>,
}

impl HttpManager {
    /// One with these routes and Envoy's defaults.
    pub fn new(stat_prefix: &str, routes: RouteTable) -> Self {
        Self {
            stat_prefix: stat_prefix.to_owned(),
            codec: Codec::Auto,
            routes,
            filters: Vec::new(),
            router: RouterOptions::default(),
            timeouts: HttpTimeouts::default(),
            limits: HttpLimits::default(),
            paths: PathRules::default(),
            authority: AuthorityRules::default(),
            client_address: ClientAddress::default(),
            request_id: RequestId::default(),
            server_header: ServerHeader::default(),
            via: None,
            client_cert: ForwardClientCert::Sanitize,
            client_cert_details: ClientCertDetails::default(),
            proxy_100_continue: false,
            keep_connection_on_bad_message: false,
            http1: Http1Options::default(),
            http2: Http2Options::default(),
            upgrades: Vec::new(),
            tracing: None,
            access_logs: Vec::new(),
        }
    }
}

/// Which protocol a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codec {
    /// As ALPN or the first bytes say.
    #[default]
    Auto,
    /// HTTP/1.
    Http1,
    /// HTTP/2, by prior knowledge.
    Http2,
}

/// Options of the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RouterOptions {
    /// Add none of the `x-envoy-` fields.
    pub suppress_envoy_headers: bool,
    /// A span of its own for each try.
    pub start_child_span: bool,
    /// Obey `x-envoy-expected-rq-timeout-ms` of the caller.
    pub respect_expected_timeout: bool,
}

/// Times of connections and requests. None is without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HttpTimeouts {
    /// No byte of a stream either way; 5 min by Envoy's default, none in Istio.
    #[serde(serialize_with = "told::time_or_none")]
    pub stream_idle: Option<Duration>,
    /// Until the whole request is there.
    #[serde(serialize_with = "told::time_or_none")]
    pub request: Option<Duration>,
    /// Until its head is there.
    #[serde(serialize_with = "told::time_or_none")]
    pub request_headers: Option<Duration>,
    /// A connection without requests; 1 h.
    #[serde(serialize_with = "told::time_or_none")]
    pub idle: Option<Duration>,
    /// Age of a connection at which it is drained.
    #[serde(serialize_with = "told::time_or_none")]
    pub max_connection: Option<Duration>,
    /// Age of a stream at which it is ended.
    #[serde(serialize_with = "told::time_or_none")]
    pub max_stream: Option<Duration>,
    /// Between the two GOAWAYs of a drain; 5 s.
    #[serde(serialize_with = "told::time")]
    pub drain: Duration,
    /// A client that is being closed may go on sending for so long; 1 s.
    #[serde(serialize_with = "told::time")]
    pub delayed_close: Duration,
    /// A connection's first byte must be there, and an HTTP/1 head that has begun must be whole. Ours alone, as are the two below; none
    /// where Envoy is imitated.
    #[serde(serialize_with = "told::time_or_none")]
    pub head: Option<Duration>,
    /// No byte either way while a body is under way.
    #[serde(serialize_with = "told::time_or_none")]
    pub body_idle: Option<Duration>,
    /// A client that takes none of what is written to it.
    #[serde(serialize_with = "told::time_or_none")]
    pub slow_reader: Option<Duration>,
}

impl Default for HttpTimeouts {
    fn default() -> Self {
        Self {
            stream_idle: Some(Duration::from_secs(300)),
            request: None,
            request_headers: None,
            idle: Some(Duration::from_secs(3600)),
            max_connection: None,
            max_stream: None,
            drain: Duration::from_secs(5),
            delayed_close: Duration::from_secs(1),
            head: None,
            body_idle: None,
            slow_reader: None,
        }
    }
}

/// Limits of what a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HttpLimits {
    /// Bytes of a head; 60 KiB. One more is 431.
    #[serde(serialize_with = "told::size")]
    pub head_bytes: usize,
    /// Fields of a head; 100. One more is 431.
    pub fields: usize,
    /// Bytes of a request's target; without limit. One more is 414.
    pub target_bytes: usize,
    /// Requests of a connection after which it is closed; none.
    pub requests_per_connection: Option<u32>,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self { head_bytes: 60 * 1024, fields: 100, target_bytes: usize::MAX, requests_per_connection: None }
    }
}
