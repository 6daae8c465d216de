//! What holds for traffic to a host.

use super::PlaceInFile;
use crate::policy::{
    Balance, Certificate, HashOf, HealthCheck, Http2Keepalive, Origin, OutlierDetection, RetryBudget, SlowStart,
    TcpKeepalive,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// What holds for traffic to a host, and its subsets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DestinationRule {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The host, in lower case, as written: short, exact or `*.suffix`.
    pub host: String,
    /// Where the host stands.
    pub host_place: PlaceInFile,
    /// Namespaces that see it.
    pub export_to: Vec<String>,
    /// Labels of the callers that it is for; all where empty.
    pub workload_selector: BTreeMap<String, String>,
    /// For the whole host.
    pub policy: TrafficPolicy,
    /// For single ports; such a policy replaces the host's whole.
    pub port_policies: Vec<(u16, TrafficPolicy)>,
    /// Its subsets, each a cluster of its own.
    pub subsets: Vec<Subset>,
    /// When a cluster took it in, if it has been in one.
    pub created: Option<Timestamp>,
    /// Where it stands.
    pub origin: Origin,
}

/// Endpoints of a host that carry some labels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subset {
    /// Its name.
    pub name: String,
    /// Labels that its endpoints carry.
    pub labels: BTreeMap<String, String>,
    /// Its own blocks alone; each replaces the host's whole.
    pub policy: TrafficPolicy,
    /// For single ports, its own alone.
    pub port_policies: Vec<(u16, TrafficPolicy)>,
    /// Where its name stands.
    pub place: PlaceInFile,
}

/// How traffic is balanced, limited and watched. None of a block is the mesh's default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrafficPolicy {
    /// Which endpoint is picked.
    pub load_balancer: Option<LoadBalancer>,
    /// Limits and connections.
    pub connection_pool: Option<ConnectionPool>,
    /// The detector; none where the policy has no such block.
    pub outlier: Option<OutlierDetection>,
    /// With the detector: under this share of healthy endpoints all are used.
    pub min_health_percent: u32,
    /// TLS.
    pub tls: Option<TlsSetting>,
    /// Limit of retries.
    pub retry_budget: Option<RetryBudget>,
}

/// Which endpoint is picked.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadBalancer {
    /// How; none is where the client was going.
    pub balance: Option<Balance>,
    /// What a consistent hash is made of.
    pub hash: Option<HashOf>,
    /// Which places are preferred; none is the mesh's default.
    pub locality: Option<LocalitySetting>,
    /// Endpoints that have just come take less at first.
    pub warmup: Option<SlowStart>,
}

/// Which places are preferred.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LocalitySetting {
    /// Off, whatever the mesh says.
    pub enabled: Option<bool>,
    /// From a place, shares of places: `region/zone/*`.
    pub distribute: Vec<(String, Vec<(String, u32)>)>,
    /// Where to go when a region has no healthy endpoint.
    pub failover: Vec<Failover>,
    /// Labels that count, in order: `key` or `key=value`.
    pub failover_priority: Vec<String>,
}

/// Where to go when a region has no healthy endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failover {
    /// That region.
    pub from: String,
    /// The one that takes over.
    pub to: String,
}

/// Limits and connections. None and 0 are no limit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConnectionPool {
    /// `tcp.maxConnections`.
    pub max_connections: Option<u32>,
    /// `tcp.connectTimeout`.
    pub connect_timeout: Option<Duration>,
    /// `tcp.tcpKeepalive`.
    pub tcp_keepalive: Option<TcpKeepalive>,
    /// `tcp.idleTimeout`; zero is for ever.
    pub tcp_idle_timeout: Option<Duration>,
    /// `tcp.maxConnectionDuration`.
    pub max_connection_duration: Option<Duration>,
    /// `http.http1MaxPendingRequests`.
    pub max_pending: Option<u32>,
    /// `http.http2MaxRequests`.
    pub max_requests: Option<u32>,
    /// `http.maxRequestsPerConnection`.
    pub max_requests_per_connection: Option<u32>,
    /// `http.maxRetries`.
    pub max_retries: Option<u32>,
    /// `http.idleTimeout`.
    pub http_idle_timeout: Option<Duration>,
    /// `http.h2UpgradePolicy`.
    pub upgrade_to_http2: Option<bool>,
    /// `http.useClientProtocol`.
    pub use_client_protocol: bool,
    /// `http.maxConcurrentStreams`.
    pub max_concurrent_streams: Option<u32>,
    /// `http.http2KeepAlive`.
    pub http2_keepalive: Option<Http2Keepalive>,
}

/// `tls` of a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum TlsSetting {
    /// In clear.
    Disable,
    /// By TLS, with or without a certificate of our own.
    Simple {
        /// Ours.
        certificate: Option<Certificate>,
        /// Who must have signed the server's; none is the system's authorities.
        ca: Option<PathBuf>,
        /// Names that it must have one of.
        names: Vec<String>,
        /// The server name that is asked for; none is the host of the request.
        sni: Option<String>,
        /// It is not looked at.
        insecure: bool,
    },
}

/// An active check of a host's endpoints.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckOf {
    /// The host.
    pub host: String,
    /// The check.
    pub check: HealthCheck,
}
