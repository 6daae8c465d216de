//! Routing: which requests, and what becomes of them.

use super::{
    CorsPolicy, FaultInjection, Fraction, HashPolicy, HeaderOperations, HeaderRules, Mirror, Origin, RateLimit,
    RetryPolicy, TextMatch,
};
use regex::Regex;
use std::collections::BTreeMap;
use std::time::Duration;

/// All routes of a listener.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RouteTable {
    /// Its name, possibly empty.
    pub name: String,
    /// Chosen by the authority of a request.
    pub virtual_hosts: Vec<VirtualHost>,
    /// The port of an authority does not count; true in Istio.
    pub ignore_port_in_host: bool,
}

/// The routes of some hosts. A request that matches none of them is answered 404.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VirtualHost {
    /// Its name.
    pub name: String,
    /// In lower case: exact, `*.suffix`, `prefix.*`, `*`; each once in a table.
    pub domains: Vec<String>,
    /// In order; the first that matches.
    pub routes: Vec<Route>,
    /// Requests that did not come by TLS are sent there.
    pub require_tls: bool,
    /// Where it stands.
    pub origin: Origin,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Its name, if it has one.
    pub name: String,
    /// Which requests.
    pub matches: RouteMatch,
    /// What becomes of them.
    pub action: Action,
    /// Changes of fields, in the order in which they are made: those of the route, its host, its table.
    pub headers: Vec<HeaderRules>,
    /// The destination's own changes come behind those, instead of ahead.
    pub destination_headers_last: bool,
    /// What filters do on this route instead of what the listener says.
    pub filters: RouteFilters,
    /// Tells the upstream which try a request is, by `x-envoy-attempt-count`; true in Istio.
    pub attempt_count_in_request: bool,
    /// Tells the client how many tries it took.
    pub attempt_count_in_response: bool,
    /// Where it stands.
    pub origin: Origin,
}

/// What filters do on a route.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RouteFilters {
    /// Faults.
    pub fault: Option<FaultInjection>,
    /// Who may ask across origins.
    pub cors: Option<CorsPolicy>,
    /// How many requests.
    pub rate_limit: Option<RateLimit>,
}

/// Conditions of a route; all must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RouteMatch {
    /// The path without query.
    pub path: PathMatch,
    /// Exact and prefix of the path ignore case.
    pub ignore_path_case: bool,
    /// Fields, `:method`, `:authority` and `:scheme` among them.
    pub headers: Vec<HeaderMatch>,
    /// Query parameters.
    pub query: Vec<QueryMatch>,
    /// gRPC alone.
    pub grpc_only: bool,
    /// This share of the requests.
    pub fraction: Option<Fraction>,
}

/// A condition on the path.
#[derive(Debug, Clone, Default)]
pub enum PathMatch {
    /// Any.
    #[default]
    Any,
    /// Equal.
    Exact(String),
    /// Begins with, as text: `/foo` matches `/foobar`.
    Prefix(String),
    /// Begins with whole segments: `/foo` matches `/foo` and `/foo/bar`.
    SegmentPrefix(String),
    /// The whole path, by RE2 rules; anchored when it was read.
    Regex(Regex),
    /// CONNECT, whatever the path.
    Connect,
}

impl PartialEq for PathMatch {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, Self::Any) | (Self::Connect, Self::Connect) => true,
            (Self::Exact(a), Self::Exact(b))
            | (Self::Prefix(a), Self::Prefix(b))
            | (Self::SegmentPrefix(a), Self::SegmentPrefix(b)) => a == b,
            (Self::Regex(a), Self::Regex(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

/// A condition on a field; repeated ones are joined by commas.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderMatch {
    /// Its name, in lower case.
    pub name: String,
    /// What its value must be.
    pub value: TextMatch,
    /// Turned round.
    pub invert: bool,
    /// A missing field counts as the empty text.
    pub missing_is_empty: bool,
}

/// A condition on the first value of a query parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryMatch {
    /// Its name.
    pub name: String,
    /// What its value must be.
    pub value: TextMatch,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Sent on.
    Forward(Box<Forward>),
    /// Answered with another place.
    Redirect(Redirect),
    /// Answered as it stands.
    Direct(DirectResponse),
}

/// How a request is sent on.
#[derive(Debug, Clone, PartialEq)]
pub struct Forward {
    /// Where to.
    pub to: Target,
    /// Status where there is no such cluster; 503, and 500 for routes of the Gateway API.
    pub not_found_status: u16,
    /// Changes of path and host.
    pub rewrite: Rewrite,
    /// From the whole request received to the answer's end. 15 s by Envoy's default, none by Istio's.
    pub timeout: Option<Duration>,
    /// No byte of the stream either way; that of the listener where it is not said.
    pub idle_timeout: Option<Option<Duration>>,
    /// Age at which a stream is ended; that of the listener where it is not said.
    pub max_stream: Option<Option<Duration>>,
    /// How much of `grpc-timeout` is obeyed.
    pub grpc_timeout: GrpcTimeout,
    /// When it is tried again.
    pub retry: RetryPolicy,
    /// Copies.
    pub mirrors: Vec<Mirror>,
    /// What a consistent hash is made of.
    pub hash: Vec<HashPolicy>,
    /// Which breakers count it.
    pub priority: Priority,
    /// Upgrades that this route allows or forbids, in lower case.
    pub upgrades: Vec<(String, bool)>,
    /// Most bytes kept for another try; those of the listener where it is not said.
    pub buffer_limit: Option<u32>,
    /// Labels of the endpoints it may go to, where the cluster has subsets of its own.
    pub subset: BTreeMap<String, String>,
}

impl Forward {
    /// To one cluster, with Envoy's defaults but for the time-out, which is none.
    pub fn to(cluster: &str) -> Self {
        Self {
            to: Target::Weighted(vec![WeightedCluster {
                name: cluster.to_owned(),
                weight: 1,
                headers: HeaderRules::default(),
                filters: RouteFilters::default(),
                host_rewrite: None,
                subset: BTreeMap::new(),
            }]),
            not_found_status: 503,
            rewrite: Rewrite::default(),
            timeout: None,
            idle_timeout: None,
            max_stream: None,
            grpc_timeout: GrpcTimeout::default(),
            retry: RetryPolicy::none(),
            mirrors: Vec::new(),
            hash: Vec::new(),
            priority: Priority::Default,
            upgrades: Vec::new(),
            buffer_limit: None,
            subset: BTreeMap::new(),
        }
    }
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// One of these, drawn by weight once a request; their sum is above 0.
    Weighted(Vec<WeightedCluster>),
    /// The cluster that a field of the request names.
    Header(String),
}

/// A cluster with its share.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedCluster {
    /// Its name.
    pub name: String,
    /// Share of the sum.
    pub weight: u32,
    /// Changes of fields for this destination.
    pub headers: HeaderRules,
    /// What filters do for this destination.
    pub filters: RouteFilters,
    /// Host for this destination.
    pub host_rewrite: Option<String>,
    /// Labels of the endpoints it may go to.
    pub subset: BTreeMap<String, String>,
}

/// Which breakers count a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Priority {
    /// Most.
    #[default]
    Default,
    /// Those marked high.
    High,
}

/// How much of `grpc-timeout` is obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GrpcTimeout {
    /// Nothing.
    #[default]
    Ignored,
    /// All of it.
    Obeyed,
    /// At most so much.
    AtMost(Duration),
}

/// Changes of path and host before a request is sent on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rewrite {
    /// The path.
    pub path: Option<PathRewrite>,
    /// The host.
    pub host: Option<HostRewrite>,
    /// Keep the old host in `x-forwarded-host`.
    pub append_forwarded_host: bool,
}

/// A change of the path; the query stays.
#[derive(Debug, Clone)]
pub enum PathRewrite {
    /// The matched prefix is replaced, or the whole path where none was matched.
    Prefix(String),
    /// The whole path is replaced.
    Whole(String),
    /// Every match is replaced.
    Regex {
        /// What is looked for.
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
#[derive(Debug, Clone)]
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

/// An answer that sends the client elsewhere.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectResponse {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

impl Route {
    /// Every request that matches, with what becomes of it and nothing else.
    pub fn new(matches: RouteMatch, action: Action) -> Self {
        Self {
            name: String::new(),
            matches,
            action,
            headers: Vec::new(),
            destination_headers_last: false,
            filters: RouteFilters::default(),
            attempt_count_in_request: false,
            attempt_count_in_response: false,
            origin: Origin::default(),
        }
    }

    /// How it sends requests on, if it does.
    pub fn forward(&self) -> Option<&Forward> {
        match &self.action {
            Action::Forward(forward) => Some(forward),
            _ => None,
        }
    }

    /// The same, to change it.
    pub fn forward_mut(&mut self) -> Option<&mut Forward> {
        match &mut self.action {
            Action::Forward(forward) => Some(forward),
            _ => None,
        }
    }

    /// Changes of the request's fields, in order.
    pub fn request_operations<'a>(
        &'a self,
        destination: Option<&'a HeaderRules>,
    ) -> impl Iterator<Item = &'a HeaderOperations> {
        self.in_order(destination).map(|rules| &rules.request)
    }

    /// Changes of the answer's fields, in order.
    pub fn response_operations<'a>(
        &'a self,
        destination: Option<&'a HeaderRules>,
    ) -> impl Iterator<Item = &'a HeaderOperations> {
        self.in_order(destination).map(|rules| &rules.response)
    }

    fn in_order<'a>(&'a self, destination: Option<&'a HeaderRules>) -> impl Iterator<Item = &'a HeaderRules> {
        let (first, last) = if self.destination_headers_last { (None, destination) } else { (destination, None) };
        first.into_iter().chain(&self.headers).chain(last)
    }
}

impl Target {
    /// The names of all clusters it may lead to, where they stand in the policy.
    pub fn clusters(&self) -> impl Iterator<Item = &WeightedCluster> {
        match self {
            Self::Weighted(clusters) => clusters.iter(),
            Self::Header(_) => [].iter(),
        }
    }
}
