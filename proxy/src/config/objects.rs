//! Objects as they stand in a cluster, read and checked one by one, not yet brought together.
//!
//! [`crate::config::mesh`] makes of them what a proxy obeys, as a control plane would.

mod deployment;
mod registry;
mod routing;
mod traffic;

pub use deployment::{Deployment, Probe, ProbeAction};
pub use registry::{
    AppProtocol, EndpointSlice, Gateway, GatewayServer, Resolution, Service, ServiceEntry, ServicePort, Sidecar,
    SidecarEgress, Workload,
};
pub use routing::{
    Backend, ConnectionMatch, HttpAction, HttpRule, MatchBlock, MirrorTo, PlaceInFile, TcpRule, TlsRule,
    VirtualService, WeightedBackend,
};
pub use traffic::{
    CheckOf, ConnectionPool, DestinationRule, Failover, LoadBalancer, LocalitySetting, Subset, TlsSetting,
    TrafficPolicy,
};

use crate::policy::Config;
use jiff::Timestamp;

/// Everything that was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Objects {
    /// Routing, those first that win: see [`Self::sort`].
    pub virtual_services: Vec<VirtualService>,
    /// What holds for traffic to a host, in the same order.
    pub destination_rules: Vec<DestinationRule>,
    /// Where strangers come in.
    pub gateways: Vec<Gateway>,
    /// Hosts that are no Kubernetes Services.
    pub service_entries: Vec<ServiceEntry>,
    /// Endpoints that are no pods.
    pub workloads: Vec<Workload>,
    /// What sidecars are told of.
    pub sidecars: Vec<Sidecar>,
    /// Kubernetes Services.
    pub services: Vec<Service>,
    /// Kubernetes Deployments, for whoever runs their probes.
    pub deployments: Vec<Deployment>,
    /// Endpoints of Services; usually they come from files of their own.
    pub endpoints: Vec<EndpointSlice>,
    /// Active checks, by native configuration.
    pub health_checks: Vec<CheckOf>,
    /// A whole configuration in Envoy's words.
    pub bootstrap: Option<Box<Config>>,
}

impl Objects {
    /// Takes over what stands in `more`, behind what is here.
    pub fn extend(&mut self, more: Self) {
        self.virtual_services.extend(more.virtual_services);
        self.destination_rules.extend(more.destination_rules);
        self.gateways.extend(more.gateways);
        self.service_entries.extend(more.service_entries);
        self.workloads.extend(more.workloads);
        self.sidecars.extend(more.sidecars);
        self.services.extend(more.services);
        self.deployments.extend(more.deployments);
        self.endpoints.extend(more.endpoints);
        self.health_checks.extend(more.health_checks);
        if more.bootstrap.is_some() {
            self.bootstrap = more.bootstrap;
        }
        self.sort();
    }

    /// Brings objects that may contradict each other into the order in which they win: the oldest first, then by name and namespace. Those that
    /// were in no cluster yet would be the youngest there: they come last, in the order in which they are written.
    pub(super) fn sort(&mut self) {
        self.virtual_services.sort_by(|one, other| {
            age(one.created, &one.name, &one.namespace).cmp(&age(other.created, &other.name, &other.namespace))
        });
        self.destination_rules.sort_by(|one, other| {
            age(one.created, &one.name, &one.namespace).cmp(&age(other.created, &other.name, &other.namespace))
        });
    }
}

/// Less for what wins; equal for all that was in no cluster yet.
fn age<'o>(created: Option<Timestamp>, name: &'o str, namespace: &'o str) -> impl Ord + use<'o> {
    (created.is_none(), created.map(|created| (created, name, namespace)))
}
