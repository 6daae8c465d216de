//! What the data plane obeys: plain data, resolved, in nobody's dialect.
//!
//! Foreign formats end in [`crate::config`]. Nothing here is optional in the sense of "use the default": defaults are applied when a
//! policy is read, and each says whose it is.

mod cluster;
mod disarm;
mod filter;
mod headers;
mod health_check;
mod http;
mod listener;
mod outlier;
mod pool;
mod retry;
mod route;
mod spread;
mod tcp;
mod telemetry;
mod text;
mod tls;

pub use cluster::{
    Address, AddressFamily, Balance, Cluster, ConnectionOptions, Discovery, Dns, Endpoint, EndpointHealth,
    LabelSubsets, Locality, Place, ProtocolChoice, ServiceIdentity, SlowStart, SubsetFallback, SubsetSelector,
    TcpKeepalive, UpstreamProtocol,
};
pub use disarm::{Healing, UnknownHealing, disarm};
pub use filter::{
    Abort, AbortWith, CorsPolicy, Delay, FaultInjection, Fraction, HealthCheckFilter, HttpFilter, RateLimit,
    ResponseRate,
};
pub use headers::{AppendAction, BadFormat, Command, Format, HeaderAddition, HeaderOperations, HeaderRules, Piece};
pub use health_check::{HealthCheck, HealthProbe, HttpProbe};
pub use http::{
    AuthorityRules, ClientAddress, Codec, EscapedSlashes, ForwardClientCert, Http1Options, Http2Keepalive,
    Http2Options, HttpLimits, HttpManager, HttpTimeouts, PathRules, RequestId, RouterOptions, ServerHeader,
    ServerTransformation, StripPort, Underscores,
};
pub use listener::{ChainMatch, Cidr, Direction, FilterChain, Handler, Inspection, Listener, TransportProtocol};
pub use outlier::{FailurePercentage, OutlierDetection, SuccessRate, Threshold};
pub use pool::{PoolLimits, RetryBudget, UNLIMITED};
pub use retry::{RateLimitedBackOff, ResetHeader, RetryOn, RetryPolicy};
pub use route::{
    Action, DirectResponse, Forward, GrpcTimeout, HeaderMatch, HostRewrite, PathMatch, PathRewrite, Priority,
    QueryMatch, Redirect, RedirectPort, Rewrite, Route, RouteFilters, RouteMatch, RouteTable, Target, VirtualHost,
    WeightedCluster,
};
pub use spread::{HashOf, HashPolicy, Mirror};
pub use tcp::TcpProxy;
pub use telemetry::{AccessLog, LogFormat, LogSink, TraceContext, TraceProtocol, TraceProvider, Tracing};
pub use text::{Pattern, TextMatch};
pub use tls::{Certificate, DownstreamTls, ServerNames, Sni, TlsVersions, Trust, UpstreamTls};

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The configuration of one proxy: where connections come in, and where they may go.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// Who this proxy is.
    pub node: Node,
    /// Where connections come in.
    pub listeners: Vec<Listener>,
    /// Where they may go.
    pub clusters: Vec<Cluster>,
    /// Where questions are answered, if the configuration says so.
    pub admin: Option<SocketAddr>,
    /// Between two flushes of metrics; 5 s by Envoy's default, none where nothing is flushed.
    pub stats_flush: Option<Duration>,
    /// Healing that was taken out.
    pub disarmed: Vec<Healing>,
}

impl Config {
    /// The HTTP handlers of all listeners.
    pub fn http_managers(&self) -> impl Iterator<Item = &HttpManager> {
        let chains = self.listeners.iter().flat_map(|listener| listener.chains.iter().chain(&listener.default_chain));
        chains.filter_map(|chain| match &chain.handler {
            Handler::Http(manager) => Some(&**manager),
            Handler::Tcp(_) => None,
        })
    }

    /// Every route.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        let hosts = self.http_managers().flat_map(|manager| &manager.routes.virtual_hosts);
        hosts.flat_map(|host| &host.routes)
    }

    /// The same, to change them.
    pub fn routes_mut(&mut self) -> impl Iterator<Item = &mut Route> {
        let chains = self
            .listeners
            .iter_mut()
            .flat_map(|listener| listener.chains.iter_mut().chain(&mut listener.default_chain));
        let managers = chains.filter_map(|chain| match &mut chain.handler {
            Handler::Http(manager) => Some(manager),
            Handler::Tcp(_) => None,
        });
        managers.flat_map(|manager| &mut manager.routes.virtual_hosts).flat_map(|host| &mut host.routes)
    }
}

/// Who a proxy is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub id: String,
    /// Its cluster, which is what Envoy calls the service beside it.
    pub cluster: String,
    /// Where it runs.
    pub place: Place,
    /// Its workload.
    pub workload: String,
    /// Its namespace.
    pub namespace: String,
    /// Labels of its workload.
    pub labels: BTreeMap<String, String>,
}

/// Where an object stands: for explanations and logs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}
