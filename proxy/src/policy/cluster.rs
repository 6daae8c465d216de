//! Clusters: endpoints that one kind of traffic may go to, how one of them is picked, limited and watched.

mod choice;
mod connection;
mod discovery;
mod endpoint;

pub use choice::{Balance, LabelSubsets, SlowStart, SubsetFallback, SubsetSelector};
pub use connection::{ConnectionOptions, ProtocolChoice, TcpKeepalive, UpstreamProtocol};
pub use discovery::{AddressFamily, Discovery, Dns};
pub use endpoint::{Address, Endpoint, EndpointHealth, Locality, Place};

use super::words::told;
use super::{Beyond, HealthCheck, Origin, OutlierDetection, PoolLimits, UpstreamTls};
use serde::Serialize;
use std::time::Duration;

/// Endpoints that one kind of traffic may go to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
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
    #[serde(serialize_with = "told::percent")]
    pub overprovisioning: u32,
    /// Under this share of healthy endpoints, in percent, all are used; 0 is never. 50 by Envoy's default.
    #[serde(serialize_with = "told::percent")]
    pub panic_percent: f64,
    /// Endpoints that have just come take less at first.
    pub slow_start: Option<SlowStart>,
    /// Subsets that routes choose by labels.
    pub subsets: Option<LabelSubsets>,
    /// Changes of health that come closer together than this reach the balancer together; at once by default, unlike Envoy, whose default
    /// of 1 s nobody asks for.
    #[serde(serialize_with = "told::time_or_none")]
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
    /// An endpoint that fails its checks or is ejected loses the connections of bytes to it too, which go on otherwise.
    pub close_on_failed_check: bool,
    /// An endpoint that waits for its first check does not count, where shares are computed.
    pub ignore_unchecked: bool,
    /// Endpoints that come or go close the connections to all others.
    pub close_on_change: bool,
    /// An endpoint that is no longer listed goes at once, even while it passes its checks.
    pub drop_unlisted_at_once: bool,
    /// What it does beyond Envoy; told once for the whole configuration.
    #[serde(skip)]
    pub beyond: Beyond,
    /// The service it stands for, in the words of the mesh.
    pub service: ServiceIdentity,
    /// Where it stands.
    #[serde(skip)]
    pub origin: Origin,
}

/// The service that a cluster stands for, for metrics; empty where it stands for none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
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
            merge_window: None,
            limits: PoolLimits::envoy_default(),
            high_limits: PoolLimits::envoy_default(),
            connections: ConnectionOptions::default(),
            protocol: UpstreamProtocol::default(),
            tls: None,
            outlier: None,
            health_checks: Vec::new(),
            close_on_failed_check: false,
            ignore_unchecked: false,
            close_on_change: false,
            drop_unlisted_at_once: false,
            beyond: Beyond::default(),
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
