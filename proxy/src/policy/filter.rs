//! HTTP filters: what happens to a request ahead of the router.

use super::{HeaderAddition, HeaderMatch, TextMatch};
use std::time::Duration;

/// A filter of a listener, at its place in the order.
#[derive(Debug, Clone, PartialEq)]
pub enum HttpFilter {
    /// Answers health checks of load balancers ahead of this proxy.
    HealthCheck(HealthCheckFilter),
    /// Who may ask across origins; what is allowed stands on the routes.
    Cors,
    /// Faults, where the route has none of its own.
    Fault(Option<FaultInjection>),
    /// How many requests, where the route does not say otherwise.
    LocalRateLimit(RateLimit),
}

/// A share in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fraction(pub u32);

impl Fraction {
    /// Everything.
    pub const ALL: Self = Self(1_000_000);
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// Of a percentage between 0 and 100.
    pub fn percent(percent: f64) -> Self {
        Self((percent.clamp(0.0, 100.0) * 10_000.0).round() as u32)
    }
}

/// Faults of the client's side, drawn once a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FaultInjection {
    /// Held back first.
    pub delay: Option<Delay>,
    /// Then answered.
    pub abort: Option<Abort>,
    /// The answer is slowed down.
    pub response_rate: Option<ResponseRate>,
    /// Only requests to this cluster.
    pub upstream_cluster: Option<String>,
    /// Only requests with these fields.
    pub headers: Vec<HeaderMatch>,
    /// Faults at once; no more beyond.
    pub max_active: Option<u32>,
}

/// A delay of some requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delay {
    /// How long; none is what `x-envoy-fault-delay-request` says.
    pub fixed: Option<Duration>,
    /// How many.
    pub share: Fraction,
}

/// An answer in place of the upstream's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Abort {
    /// Which.
    pub with: AbortWith,
    /// How many.
    pub share: Fraction,
}

/// What a request is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbortWith {
    /// A status.
    Http(u16),
    /// A gRPC status.
    Grpc(u32),
    /// What `x-envoy-fault-abort-request` says.
    Header,
}

/// A bound of how fast an answer flows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResponseRate {
    /// KiB a second; none is what `x-envoy-fault-throughput-response` says.
    pub kib_per_second: Option<u64>,
    /// How many.
    pub share: Fraction,
}

/// Who may ask across origins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CorsPolicy {
    /// Origins.
    pub allow_origins: Vec<TextMatch>,
    /// `access-control-allow-methods`.
    pub allow_methods: String,
    /// `access-control-allow-headers`.
    pub allow_headers: String,
    /// `access-control-expose-headers`.
    pub expose_headers: String,
    /// `access-control-max-age`.
    pub max_age: Option<Duration>,
    /// `access-control-allow-credentials`.
    pub allow_credentials: Option<bool>,
    /// Preflights of origins that are not allowed go to the upstream; otherwise they are answered here.
    pub forward_unmatched_preflights: bool,
    /// How many requests it holds for.
    pub enabled: Option<Fraction>,
}

/// How many requests: a bucket that fills at a steady rate.
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimit {
    /// Prefix of its metrics.
    pub stat_prefix: String,
    /// Most in the bucket, and in it at the start.
    pub max_tokens: u32,
    /// So many come…
    pub tokens_per_fill: u32,
    /// …in such a time, evenly.
    pub fill_interval: Duration,
    /// Looked at for so many requests; none by Envoy's default.
    pub enabled: Fraction,
    /// Refused for so many; none by Envoy's default.
    pub enforced: Fraction,
    /// Status of a refusal; 429.
    pub status: u16,
    /// Added to a refusal.
    pub response_headers: Vec<HeaderAddition>,
    /// A bucket for each connection.
    pub per_connection: bool,
    /// gRPC is refused as `RESOURCE_EXHAUSTED` instead of `UNAVAILABLE`.
    pub grpc_resource_exhausted: bool,
    /// `x-ratelimit-*` on answers.
    pub rate_limit_headers: bool,
}

/// Answers health checks of load balancers ahead of this proxy.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthCheckFilter {
    /// Which requests.
    pub headers: Vec<HeaderMatch>,
    /// Passed on to the upstream unless the proxy was told to fail.
    pub pass_through: bool,
    /// In pass-through, an answer holds for so long.
    pub cache: Option<Duration>,
}
