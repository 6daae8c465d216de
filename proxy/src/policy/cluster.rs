//! Clusters: endpoints that one kind of traffic may go to, how one of them is picked, limited and watched.

use super::{HealthCheck, Http1Options, Http2Options, Origin, OutlierDetection, PoolLimits, TextMatch, UpstreamTls};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Endpoints that one kind of traffic may go to.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Its name, unique in a configuration: `outbound|80|v1|cart`.
    pub name: String,
    /// How its endpoints are found.
    pub discovery: Discovery,
    /// Its endpoints.
    pub localities: Vec<Locality>,
    /// Which endpoint is picked.
    pub balance: Balance,
    /// Load is dealt over localities by their weights.
    pub locality_weighted: bool,
    /// How far load may go beyond a priority's share before it spills over, in percent; 140.
    pub overprovisioning: u32,
    /// Under this share of healthy endpoints, in percent, all are used; 0 is never. 50 by Envoy's default.
    pub panic_percent: f64,
    /// Endpoints that have just come take less at first.
    pub slow_start: Option<SlowStart>,
    /// Subsets that routes choose by labels.
    pub subsets: Option<LabelSubsets>,
    /// Changes of health that come closer together than this reach the balancer together; 1 s by Envoy's default, none is at once.
    pub merge_window: Option<Duration>,
    /// Limits of ordinary requests.
    pub limits: PoolLimits,
    /// Limits of requests of high priority.
    pub high_limits: PoolLimits,
    /// Connections.
    pub connections: ConnectionOptions,
    /// Which protocol is spoken.
    pub protocol: UpstreamProtocol,
    /// TLS.
    pub tls: Option<UpstreamTls>,
    /// The detector; none where there is no such block.
    pub outlier: Option<OutlierDetection>,
    /// Active checks.
    pub health_checks: Vec<HealthCheck>,
    /// A failed check closes the endpoint's connections.
    pub close_on_failed_check: bool,
    /// An endpoint that is no longer listed goes at once, even while it passes its checks.
    pub drop_unlisted_at_once: bool,
    /// The service it stands for, in the words of the mesh.
    pub service: ServiceIdentity,
    /// Where it stands.
    pub origin: Origin,
}

/// The service that a cluster stands for, for metrics; empty where it stands for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceIdentity {
    /// `cart.shop.svc.cluster.local`.
    pub host: String,
    /// `cart`.
    pub name: String,
    /// `shop`.
    pub namespace: String,
    /// The subset, possibly empty.
    pub subset: String,
    /// The port.
    pub port: u16,
}

/// How endpoints are found.
#[derive(Debug, Clone, PartialEq)]
pub enum Discovery {
    /// They are listed.
    Static,
    /// Every address of every name.
    StrictDns(Dns),
    /// The first address of the one name, for each new connection.
    LogicalDns(Dns),
    /// Where the client was going.
    OriginalDestination,
}

/// How names are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dns {
    /// Between two lookups; 5 s by Envoy's default, 60 s by Istio's.
    pub refresh: Duration,
    /// Time to live goes before it.
    pub respect_ttl: bool,
    /// Between two lookups while they fail.
    pub failure_refresh: Duration,
    /// Which addresses.
    pub family: AddressFamily,
}

impl Default for Dns {
    fn default() -> Self {
        let refresh = Duration::from_secs(5);
        Self { refresh, respect_ttl: false, failure_refresh: refresh, family: AddressFamily::Auto }
    }
}

/// Which addresses of a name are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressFamily {
    /// IPv6, and IPv4 if there is none.
    Auto,
    /// IPv4.
    V4Only,
    /// IPv6.
    V6Only,
    /// IPv4, and IPv6 if there is none.
    V4Preferred,
    /// Both.
    All,
}

/// Endpoints of one place and priority.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Locality {
    /// Region, zone and sub-zone, each possibly empty.
    pub place: Place,
    /// 0 is used first.
    pub priority: u32,
    /// Its share, where load is dealt by localities; none is nothing then.
    pub weight: Option<u32>,
    /// Endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// Where something runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Region.
    pub region: String,
    /// Zone.
    pub zone: String,
    /// Sub-zone.
    pub sub_zone: String,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Where it listens.
    pub address: Address,
    /// Its name, for hosts that are rewritten.
    pub hostname: String,
    /// Its share; 1 by default.
    pub weight: u32,
    /// What discovery says of it.
    pub health: EndpointHealth,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The port that checks ask, where it is another.
    pub check_port: Option<u16>,
    /// The host that checks name, where it is another.
    pub check_hostname: String,
}

impl Endpoint {
    /// One that nothing but its address is known of.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address: Address::Socket(address),
            hostname: String::new(),
            weight: 1,
            health: EndpointHealth::Healthy,
            labels: BTreeMap::new(),
            check_port: None,
            check_hostname: String::new(),
        }
    }
}

/// Where an endpoint listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// At a port.
    Socket(SocketAddr),
    /// At a port of a host whose name must be looked up.
    Name(String, u16),
    /// At a socket of the file system.
    Pipe(PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Name(host, port) => write!(f, "{host}:{port}"),
            Self::Pipe(path) => path.display().fmt(f),
        }
    }
}

/// What discovery says of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EndpointHealth {
    /// It may be used.
    #[default]
    Healthy,
    /// It counts, and gets nothing.
    Unhealthy,
    /// It gets what healthy ones cannot take.
    Degraded,
    /// It finishes what it has and gets nothing new.
    Draining,
}

/// Which endpoint is picked.
#[derive(Debug, Clone, PartialEq)]
pub enum Balance {
    /// The one with the fewest requests under way of some that are drawn with replacement; by weight and load where weights differ.
    LeastRequest {
        /// How many are drawn; 2.
        choices: u32,
        /// How much load counts against weight; 1.0.
        active_bias: f64,
    },
    /// One after the other, from a random start, by weight.
    RoundRobin,
    /// Any, whatever the weights.
    Random,
    /// By hash, on a ring.
    RingHash {
        /// Entries at least; 1024.
        min_size: u64,
        /// And at most; 8,388,608.
        max_size: u64,
    },
    /// By hash, in a table.
    Maglev {
        /// Its size, a prime; 65,537.
        table_size: u64,
    },
}

impl Balance {
    /// Istio's default.
    pub const LEAST_REQUEST: Self = Self::LeastRequest { choices: 2, active_bias: 1.0 };

    /// True if it picks by hash.
    pub fn hashes(&self) -> bool {
        matches!(self, Self::RingHash { .. } | Self::Maglev { .. })
    }
}

/// Endpoints that have just come take less at first: weight times max(least, (age / window) ^ (1 / aggression)).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowStart {
    /// How long an endpoint is new.
    pub window: Duration,
    /// 1.0 is a straight line.
    pub aggression: f64,
    /// Least share, in percent; 10.
    pub min_percent: f64,
}

/// Subsets that routes choose by labels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelSubsets {
    /// Sets of keys that make subsets.
    pub selectors: Vec<SubsetSelector>,
    /// Where a route asks for one that there is not, and its selector does not say.
    pub fallback: SubsetFallback,
    /// Labels of the default subset.
    pub default_subset: BTreeMap<String, String>,
}

/// Keys of labels that make subsets together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubsetSelector {
    /// The keys.
    pub keys: Vec<String>,
    /// Where there is no such subset.
    pub fallback: Option<SubsetFallback>,
}

/// What is used where there is no such subset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SubsetFallback {
    /// Nothing: 503 UH.
    #[default]
    None,
    /// Any endpoint.
    Any,
    /// The default subset.
    Default,
}

/// How connections are made and kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionOptions {
    /// How long TCP and TLS may take together. 10 s by Istio's default, 5 s by Envoy's.
    pub connect_timeout: Duration,
    /// Without a request; 1 h, none is for ever.
    pub idle_timeout: Option<Duration>,
    /// Age at which a connection is drained.
    pub max_duration: Option<Duration>,
    /// Requests after which a connection is closed; none by default.
    pub max_requests: Option<u32>,
    /// Bytes buffered each way before the sender is held back; 1 MiB.
    pub buffer: u32,
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
            max_requests: None,
            buffer: 1 << 20,
            tcp_keepalive: None,
        }
    }
}

/// Probes of idle connections by the kernel; none of a value is the system's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TcpKeepalive {
    /// Unanswered until it is dead.
    pub probes: Option<u32>,
    /// Idle before the first.
    pub time: Option<Duration>,
    /// Between two.
    pub interval: Option<Duration>,
}

/// Which protocol is spoken to endpoints.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpstreamProtocol {
    /// Which.
    pub choice: ProtocolChoice,
    /// HTTP/1.
    pub http1: Http1Options,
    /// HTTP/2.
    pub http2: Http2Options,
    /// Statuses that count as failures for the detector; empty is all from 500.
    pub error_statuses: Vec<TextMatch>,
}

/// Which protocol is spoken to endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

impl Cluster {
    /// One with listed endpoints and Envoy's defaults.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            discovery: Discovery::Static,
            localities: Vec::new(),
            balance: Balance::RoundRobin,
            locality_weighted: false,
            overprovisioning: 140,
            panic_percent: 50.0,
            slow_start: None,
            subsets: None,
            merge_window: Some(Duration::from_secs(1)),
            limits: PoolLimits::envoy_default(),
            high_limits: PoolLimits::envoy_default(),
            connections: ConnectionOptions::default(),
            protocol: UpstreamProtocol::default(),
            tls: None,
            outlier: None,
            health_checks: Vec::new(),
            close_on_failed_check: false,
            drop_unlisted_at_once: false,
            service: ServiceIdentity::default(),
            origin: Origin::default(),
        }
    }

    /// Its limits for a priority.
    pub fn limits(&self, priority: super::Priority) -> &PoolLimits {
        match priority {
            super::Priority::Default => &self.limits,
            super::Priority::High => &self.high_limits,
        }
    }

    /// Every endpoint, over all localities.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.localities.iter().flat_map(|locality| &locality.endpoints)
    }
}
