//! What is told of requests: access logs and spans.

use super::words::told;
use super::{Format, Fraction};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// A line for each request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AccessLog {
    /// Where it goes.
    pub to: LogSink,
    /// What it says.
    pub format: LogFormat,
}

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogSink {
    /// A file; `/dev/stdout` is one.
    File(PathBuf),
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What lines say.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// A text, with its line end.
    Text(Format),
    /// An object, its keys in order.
    Json(Vec<(String, Format)>),
}

/// Spans of requests.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tracing {
    /// Of requests that nobody has decided on; 1 % in Istio, everything in Envoy.
    pub random: Fraction,
    /// Of requests whose client asks for it.
    pub client: Fraction,
    /// Of all that were decided for.
    pub overall: Fraction,
    /// Where spans go; without it context is passed on and none are made.
    pub provider: Option<TraceProvider>,
}

/// Where spans go.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TraceProvider {
    /// How context is passed on.
    pub context: TraceContext,
    /// Cluster of the collector.
    pub cluster: String,
    /// How it is spoken to.
    pub protocol: TraceProtocol,
    /// How long a message to it may take; 5 s unless said.
    #[serde(serialize_with = "told::time_or_none", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// Who tells of spans: `service.name`, or the service of Zipkin's `localEndpoint`. None: the node's cluster.
    pub service_name: Option<String>,
}

/// How the context of a trace is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TraceContext {
    /// `traceparent`, `tracestate`.
    W3c,
    /// `x-b3-*`, or `b3`.
    B3 {
        /// Traces that begin here have numbers of 128 bits, not of 64.
        wide: bool,
        /// On the service's side the caller's span is told on; otherwise there is one under it.
        shared: bool,
    },
}

/// How a collector is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TraceProtocol {
    /// OTLP over gRPC.
    OtlpGrpc,
    /// OTLP over HTTP, to this path.
    OtlpHttp(String),
    /// Zipkin's second version, JSON over HTTP.
    Zipkin {
        /// Where it takes spans.
        path: String,
        /// What it is called there.
        host: String,
    },
}

impl LogFormat {
    /// What Envoy writes where no format is given.
    pub const ENVOY: &'static str = concat!(
        "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" ",
        "%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% ",
        "\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n",
    );
}
