//! Services, what holds for traffic to them, and their endpoints.

use super::{Origin, OutlierDetection, PoolLimits};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A Kubernetes Service: a host and its ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its ports.
    pub ports: Vec<u16>,
    /// Where it stands.
    pub origin: Origin,
}

/// What holds for traffic to a host, and its subsets.
#[derive(Debug, Clone, PartialEq)]
pub struct DestinationRule {
    /// Its name.
    pub name: String,
    /// The host, in lower case.
    pub host: String,
    /// For the whole host.
    pub policy: TrafficPolicy,
    /// For single ports; such a policy replaces the host's whole.
    pub port_policies: Vec<(u16, TrafficPolicy)>,
    /// Its subsets, each a cluster of its own.
    pub subsets: Vec<Subset>,
    /// Where it stands.
    pub origin: Origin,
}

/// Endpoints of a host that carry some labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Subset {
    /// Its name.
    pub name: String,
    /// Labels that its endpoints carry.
    pub labels: BTreeMap<String, String>,
    /// The host's policy, overridden block by block.
    pub policy: TrafficPolicy,
}

/// How traffic to a cluster is balanced, limited and watched.
#[derive(Debug, Clone, PartialEq)]
pub struct TrafficPolicy {
    /// Which endpoint is picked.
    pub balance: Balance,
    /// Limits.
    pub pool: PoolLimits,
    /// The detector; none where the policy has no such block.
    pub outlier: Option<OutlierDetection>,
    /// Under this share of healthy endpoints, in percent, all are used; 0 is never. In Istio `minHealthPercent`.
    pub panic_percent: u32,
}

impl Default for TrafficPolicy {
    /// What Istio does for a host without a rule.
    fn default() -> Self {
        Self { balance: Balance::LeastRequest, pool: PoolLimits::default(), outlier: None, panic_percent: 0 }
    }
}

/// Which endpoint is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Balance {
    /// The less busy of two drawn with replacement. Istio's default.
    LeastRequest,
    /// One after the other, from a random start.
    RoundRobin,
    /// Any.
    Random,
}

/// One endpoint of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Name of the service.
    pub service: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Labels, for subsets.
    pub labels: BTreeMap<String, String>,
    /// An endpoint that is not ready counts, and gets nothing.
    pub ready: bool,
}

impl DestinationRule {
    /// Every traffic policy of the rule.
    pub fn traffic_policies(&self) -> impl Iterator<Item = &TrafficPolicy> {
        let ports = self.port_policies.iter().map(|(_, policy)| policy);
        std::iter::once(&self.policy).chain(ports).chain(self.subsets.iter().map(|subset| &subset.policy))
    }

    /// The same, to change them.
    pub fn traffic_policies_mut(&mut self) -> impl Iterator<Item = &mut TrafficPolicy> {
        let ports = self.port_policies.iter_mut().map(|(_, policy)| policy);
        std::iter::once(&mut self.policy).chain(ports).chain(self.subsets.iter_mut().map(|subset| &mut subset.policy))
    }
}
