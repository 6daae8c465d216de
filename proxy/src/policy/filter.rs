//! HTTP filters: what happens to a request ahead of the router.

use super::words::told;
use super::{HeaderAddition, HeaderMatch, TextMatch};
use serde::Serialize;
use std::time::Duration;

/// A filter of a listener, at its place in the order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
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
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Delay {
    /// How long; none is what `x-envoy-fault-delay-request` says.
    #[serde(serialize_with = "told::time_or_none")]
    pub fixed: Option<Duration>,
    /// How many.
    pub share: Fraction,
}

/// An answer in place of the upstream's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Abort {
    /// Which.
    pub with: AbortWith,
    /// How many.
    pub share: Fraction,
}

/// What a request is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AbortWith {
    /// A status.
    Http(u16),
    /// A gRPC status.
    Grpc(u32),
    /// What `x-envoy-fault-abort-request` says.
    Header,
}

/// A bound of how fast an answer flows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResponseRate {
    /// KiB a second; none is what `x-envoy-fault-throughput-response` says.
    pub kib_per_second: Option<u64>,
    /// How many.
    pub share: Fraction,
}

/// Who may ask across origins.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
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
    #[serde(serialize_with = "told::time_or_none")]
    pub max_age: Option<Duration>,
    /// `access-control-allow-credentials`.
    pub allow_credentials: Option<bool>,
    /// Preflights of origins that are not allowed go to the upstream; otherwise they are answered here.
    pub forward_unmatched_preflights: bool,
    /// How many requests it holds for.
    pub enabled: Option<Fraction>,
}

/// How many requests: a bucket that fills at a steady rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RateLimit {
    /// Prefix of its metrics.
    pub stat_prefix: String,
    /// The bucket of all requests.
    pub bucket: TokenBucket,
    /// Buckets of requests that are described alike.
    pub descriptors: Vec<LimitDescriptor>,
    /// Of the routes' descriptions, those of this stage count.
    pub stage: u32,
    /// What the filter describes requests by itself; where empty, the routes do.
    pub describe: Vec<Description>,
    /// When the virtual host's descriptions count.
    pub of_host: HostDescriptions,
    /// Requests that have a bucket of their own take from that of all requests, too.
    pub always_of_all: bool,
    /// Values that a bucket for each value is kept for; 20.
    pub most_values: usize,
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

/// How tokens come into a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refill {
    /// One after the other.
    #[default]
    Evenly,
    /// All of an interval at its end, counted from when the bucket was made; as Envoy did up to 1.30.
    BySteps,
}

/// A bucket of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TokenBucket {
    /// Most in it, and in it at the start.
    pub max_tokens: u32,
    /// So many come…
    pub tokens_per_fill: u32,
    /// …in such a time.
    #[serde(serialize_with = "told::time")]
    pub fill_interval: Duration,
    /// How they come.
    pub refill: Refill,
}

/// A bucket of requests that are described alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LimitDescriptor {
    /// What they are described by, in order; an empty value stands for each that comes.
    pub entries: Vec<(String, String)>,
    /// Theirs.
    pub bucket: TokenBucket,
}

/// When a virtual host's descriptions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostDescriptions {
    /// Where the route has none.
    #[default]
    Otherwise,
    /// Beside the route's.
    Beside,
    /// Never.
    Never,
}

/// How requests of a route are described for limits.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RouteDescriptions {
    /// By the route.
    pub own: Vec<Description>,
    /// By its virtual host.
    pub of_host: Vec<Description>,
    /// The virtual host's count beside the route's, whatever the filter says.
    pub beside: bool,
}

/// A description of a request: an entry for each word, in order; none at all if one of them has nothing to say.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Description {
    /// Which filters it is for.
    pub stage: u32,
    /// What it says.
    pub words: Vec<DescriptionWord>,
}

/// A word of a description: a key, and a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DescriptionWord {
    /// These two.
    Generic {
        /// `generic_key` by default.
        key: String,
        /// The value.
        value: String,
    },
    /// These two, of requests with such fields.
    Matching {
        /// `header_match` by default.
        key: String,
        /// The value.
        value: String,
        /// What all of must hold.
        headers: Vec<HeaderMatch>,
        /// Whether it must hold, or must not.
        expect: bool,
    },
    /// What a field says.
    Field {
        /// Its name, in lower case.
        name: String,
        /// The key.
        key: String,
        /// Without the field there is no entry, instead of no description.
        optional: bool,
    },
    /// `remote_address`: the client.
    RemoteAddress,
    /// `destination_cluster`: where it goes.
    DestinationCluster,
    /// `source_cluster`: the cluster of this proxy.
    SourceCluster,
}

/// Answers health checks of load balancers ahead of this proxy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HealthCheckFilter {
    /// Which requests.
    pub headers: Vec<HeaderMatch>,
    /// Passed on to the upstream unless the proxy was told to fail.
    pub pass_through: bool,
    /// In pass-through, an answer holds for so long.
    #[serde(serialize_with = "told::time_or_none")]
    pub cache: Option<Duration>,
}
