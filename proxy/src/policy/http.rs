//! The HTTP connection manager: how requests are read, checked and framed, ahead of any route. Defaults are Envoy's unless said otherwise.

use super::{AccessLog, Cidr, HttpFilter, RouteTable, Tracing};
use std::time::Duration;

/// How the requests of a chain are served.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RouterOptions {
    /// Add none of the `x-envoy-` fields.
    pub suppress_envoy_headers: bool,
    /// A span of its own for each try.
    pub start_child_span: bool,
    /// Obey `x-envoy-expected-rq-timeout-ms` of the caller.
    pub respect_expected_timeout: bool,
}

/// Times of connections and requests. None is without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpTimeouts {
    /// No byte of a stream either way; 5 min by Envoy's default, none in Istio.
    pub stream_idle: Option<Duration>,
    /// Until the whole request is there.
    pub request: Option<Duration>,
    /// Until its head is there.
    pub request_headers: Option<Duration>,
    /// A connection without requests; 1 h.
    pub idle: Option<Duration>,
    /// Age of a connection at which it is drained.
    pub max_connection: Option<Duration>,
    /// Age of a stream at which it is ended.
    pub max_stream: Option<Duration>,
    /// Between the two GOAWAYs of a drain; 5 s.
    pub drain: Duration,
    /// A client that is being closed may go on sending for so long; 1 s.
    pub delayed_close: Duration,
    /// An HTTP/1 head that has begun must be whole. Ours alone; none where Envoy is imitated.
    pub head: Option<Duration>,
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
        }
    }
}

/// Limits of what a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    /// Bytes of a head; 60 KiB. One more is 431.
    pub head_bytes: usize,
    /// Fields of a head; 100. One more is 431.
    pub fields: usize,
    /// Requests of a connection after which it is closed; none.
    pub requests_per_connection: Option<u32>,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self { head_bytes: 60 * 1024, fields: 100, requests_per_connection: None }
    }
}

/// What is done to a path before it is matched; what is matched is what is sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathRules {
    /// Resolve `.` and `..`, decode what needs no escape; true in Istio.
    pub normalize: bool,
    /// `//` becomes `/`.
    pub merge_slashes: bool,
    /// `%2F` and `%5C`.
    pub escaped_slashes: EscapedSlashes,
    /// Fields whose names have underscores.
    pub underscores: Underscores,
}

/// What becomes of escaped slashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EscapedSlashes {
    /// They stay.
    #[default]
    Keep,
    /// 400.
    Reject,
    /// Decoded, and the client is sent there.
    Redirect,
    /// Decoded.
    Forward,
}

/// What becomes of fields whose names have underscores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Underscores {
    /// They stay.
    #[default]
    Allow,
    /// They are dropped.
    Drop,
    /// 400.
    Reject,
}

/// What is done to the authority before it is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuthorityRules {
    /// Which port is taken away.
    pub strip_port: StripPort,
    /// A dot at the end is taken away.
    pub strip_trailing_dot: bool,
}

/// Which port of an authority is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StripPort {
    /// None.
    #[default]
    Never,
    /// The listener's own.
    Matching,
    /// Any.
    Any,
}

/// Whose address counts as the client's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientAddress {
    /// The peer's; otherwise what `x-forwarded-for` says. True at the edge.
    pub use_remote: bool,
    /// Proxies ahead of this one that are trusted.
    pub trusted_hops: u32,
    /// Leave `x-forwarded-for` as it is.
    pub skip_append: bool,
    /// Set `x-forwarded-port`.
    pub append_port: bool,
    /// Addresses whose control fields are obeyed; none by default.
    pub internal: Vec<Cidr>,
}

/// What becomes of `x-request-id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    /// Made where there is none.
    pub generate: bool,
    /// That of a stranger is kept, at the edge.
    pub preserve_external: bool,
    /// Set on answers too.
    pub in_response: bool,
}

impl Default for RequestId {
    fn default() -> Self {
        Self { generate: true, preserve_external: false, in_response: false }
    }
}

/// `server` of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHeader {
    /// The name.
    pub name: String,
    /// What becomes of the upstream's.
    pub transformation: ServerTransformation,
}

/// What becomes of the upstream's `server`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerTransformation {
    /// Overwritten.
    Overwrite,
    /// Set where there is none.
    AppendIfAbsent,
    /// Left alone.
    PassThrough,
}

impl Default for ServerHeader {
    fn default() -> Self {
        Self { name: "envoy".to_owned(), transformation: ServerTransformation::Overwrite }
    }
}

/// What becomes of `x-forwarded-client-cert`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardClientCert {
    /// Removed.
    #[default]
    Sanitize,
    /// Passed on as it is, where the client showed a certificate.
    ForwardOnly,
    /// Ours is added, where the client showed a certificate.
    AppendForward,
    /// Replaced by ours.
    SanitizeSet,
    /// Passed on as it is.
    AlwaysForwardOnly,
}

/// Options of HTTP/1 on the client's side.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Http2Options {
    /// Streams at once; 1024.
    pub max_concurrent_streams: u32,
    /// Bytes of a stream that may be under way; 16 MiB.
    pub stream_window: u32,
    /// Bytes of a connection that may be under way; 24 MiB.
    pub connection_window: u32,
    /// Extended CONNECT is allowed.
    pub allow_connect: bool,
    /// A malformed message ends its stream alone.
    pub stream_error_on_bad_message: bool,
    /// Pings.
    pub keepalive: Option<Http2Keepalive>,
}

/// Pings that keep a connection alive or show that it is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Http2Keepalive {
    /// Between two pings.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl Default for Http2Options {
    fn default() -> Self {
        Self {
            max_concurrent_streams: 1024,
            stream_window: 16 << 20,
            connection_window: 24 << 20,
            allow_connect: false,
            stream_error_on_bad_message: false,
            keepalive: None,
        }
    }
}
