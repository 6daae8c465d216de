//! What the data plane obeys: plain data, resolved, in nobody's dialect.
//!
//! Foreign formats end in [`crate::config`]. Nothing here is optional in the sense of "use the default": defaults are applied when a
//! policy is read, and each says whose it is.

mod beyond;
mod cluster;
mod disarm;
mod filter;
mod headers;
mod health_check;
mod http;
mod limits;
mod listener;
mod origin;
mod outlier;
mod pool;
mod retry;
mod route;
mod spread;
mod tcp;
mod telemetry;
mod text;
mod tls;
pub(crate) mod words;

pub use beyond::{Beyond, UnknownBeyond, go_beyond};
pub use cluster::{
    Address, AddressFamily, Balance, Cluster, ConnectionOptions, Discovery, Dns, Endpoint, EndpointHealth,
    LabelSubsets, Locality, Place, ProtocolChoice, ServiceIdentity, SlowStart, SubsetFallback, SubsetSelector,
    TcpKeepalive, UpstreamProtocol,
};
pub use disarm::{Healing, UnknownHealing, disarm};
pub use filter::{
    Abort, AbortWith, CorsPolicy, Delay, Description, DescriptionWord, FaultInjection, Fraction, HealthCheckFilter,
    HostDescriptions, HttpFilter, LimitDescriptor, RateLimit, Refill, ResponseRate, RouteDescriptions, TokenBucket,
};
pub use headers::{AppendAction, BadFormat, Command, Format, HeaderAddition, HeaderOperations, HeaderRules, Piece};
pub use health_check::{HealthCheck, HealthProbe, HttpProbe};
pub use http::{
    AuthorityRules, ClientAddress, ClientCertDetails, Codec, EscapedSlashes, ForwardClientCert, Http1Options,
    Http2Keepalive, Http2Options, HttpLimits, HttpManager, HttpTimeouts, PathRules, RequestId, RouterOptions,
    ServerHeader, ServerTransformation, StripPort, Underscores,
};
pub(crate) use limits::memory;
pub use limits::{Clients, Limit, Setting, Unit, UnknownLimit, limit};
pub use listener::{ChainMatch, Cidr, Direction, FilterChain, Handler, Inspection, Listener, TransportProtocol};
pub use origin::{Fields, Origin, Spot};
pub use outlier::{FailurePercentage, OutlierDetection, SuccessRate, Threshold};
pub use pool::{PoolLimits, RetryBudget, UNLIMITED};
pub use retry::{RateLimitedBackOff, ResetHeader, RetryOn, RetryPolicy};
pub use route::{
    Action, DirectResponse, Forward, GrpcDeadline, GrpcTimeout, HeaderMatch, HostRewrite, PathMatch, PathRewrite,
    Priority, QueryMatch, Redirect, RedirectPort, Rewrite, Route, RouteFilters, RouteMatch, RouteTable, Target,
    VirtualHost, WeightedCluster,
};
pub use spread::{HashOf, HashPolicy, Mirror};
pub use tcp::TcpProxy;
pub use telemetry::{AccessLog, LogFormat, LogSink, TraceContext, TraceProtocol, TraceProvider, Tracing};
pub use text::{Pattern, TextMatch};
pub use tls::{Certificate, DownstreamTls, NameKind, NameMatch, ServerNames, Sni, TlsVersions, Trust, UpstreamTls};

use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// The configuration of one proxy: where connections come in, and where they may go.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// Who this proxy is.
    pub node: Node,
    /// Where connections come in.
    pub listeners: Vec<Listener>,
    /// Where they may go.
    pub clusters: Vec<Cluster>,
    /// Where questions are answered, if the configuration says so.
    pub admin: Option<SocketAddr>,
    /// Healing that was taken out.
    pub disarmed: Vec<Healing>,
    /// What goes beyond Envoy, switched on.
    pub beyond_envoy: Beyond,
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
        hosts.flat_map(|host| &host.routes).map(|route| &**route)
    }

    /// The same, to change them: each of its own.
    pub fn routes_mut(&mut self) -> impl Iterator<Item = &mut Route> {
        let chains = self
            .listeners
            .iter_mut()
            .flat_map(|listener| listener.chains.iter_mut().chain(&mut listener.default_chain));
        let managers = chains.filter_map(|chain| match &mut chain.handler {
            Handler::Http(manager) => Some(manager),
            Handler::Tcp(_) => None,
        });
        let hosts = managers.flat_map(|manager| &mut manager.routes.virtual_hosts);
        hosts.flat_map(|host| &mut host.routes).map(Arc::make_mut)
    }
}

/// Who a proxy is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
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
