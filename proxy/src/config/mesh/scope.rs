//! What a `Sidecar` lets a proxy see.

use super::OutboundTraffic;
use super::host::{ROOT_NAMESPACE, covers, namespace, overlap};
use crate::config::objects::{Objects, Sidecar, SidecarEgress};
use crate::policy::Node;
use std::collections::BTreeMap;

/// The `Sidecar` of a workload, if there is one: that which selects it, else its namespace's, else the root namespace's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'o> {
    sidecar: Option<&'o Sidecar>,
    namespace: &'o str,
}

impl<'o> Scope<'o> {
    /// The scope of a workload.
    pub(super) fn of(objects: &'o Objects, node: &'o Node) -> Self {
        let home = namespace(&node.namespace);
        let of = |owner: &str, selects: bool| {
            objects.sidecars.iter().find(|sidecar| {
                namespace(&sidecar.namespace) == owner
                    && sidecar.workload_selector.is_empty() != selects
                    && subset_of(&sidecar.workload_selector, &node.labels)
            })
        };
        let sidecar = of(home, true).or_else(|| of(home, false)).or_else(|| of(ROOT_NAMESPACE, false));
        Self { sidecar, namespace: home }
    }

    /// Everything: what gateways see.
    pub(super) fn everything(node: &'o Node) -> Self {
        Self { sidecar: None, namespace: namespace(&node.namespace) }
    }

    /// What becomes of calls to hosts that nobody knows, if a `Sidecar` says so.
    pub(super) fn unknown_hosts(&self) -> Option<OutboundTraffic> {
        let registry_only = self.sidecar?.registry_only?;
        Some(if registry_only { OutboundTraffic::RegistryOnly } else { OutboundTraffic::AllowAny })
    }

    /// True if a service of a namespace may be called by some port, or by this one.
    pub(super) fn imports(&self, owner: &str, host: &str, port: Option<u16>) -> bool {
        self.allows(owner, port, |allowed| covers(allowed, host))
    }

    /// True if the routes that an object of a namespace has for a host count.
    pub(super) fn routes(&self, owner: &str, host: &str, port: u16) -> bool {
        self.allows(owner, Some(port), |allowed| overlap(allowed, host))
    }

    fn allows(&self, owner: &str, port: Option<u16>, fits: impl Fn(&str) -> bool) -> bool {
        let Some(sidecar) = self.sidecar.filter(|sidecar| !sidecar.egress.is_empty()) else { return true };
        let entries = match port {
            Some(port) => listeners_of(&sidecar.egress, port),
            None => sidecar.egress.iter().collect(),
        };
        let hosts = entries.into_iter().flat_map(|entry| &entry.hosts).filter_map(|host| host.split_once('/'));
        let of_owner = hosts.filter(|(of, _)| match *of {
            "*" => true,
            "." => owner == self.namespace,
            other => owner == other,
        });
        let mut allowed = of_owner.map(|(_, host)| host);
        allowed.any(fits)
    }
}

/// Those for the port; without any, those for every port.
fn listeners_of(egress: &[SidecarEgress], port: u16) -> Vec<&SidecarEgress> {
    let of = |wanted: Option<u16>| egress.iter().filter(|entry| entry.port == wanted).collect::<Vec<_>>();
    let own = of(Some(port));
    if own.is_empty() { of(None) } else { own }
}

/// True if every label of `selector` is among `labels`.
pub(in crate::config) fn subset_of(selector: &BTreeMap<String, String>, labels: &BTreeMap<String, String>) -> bool {
    selector.iter().all(|(name, value)| labels.get(name) == Some(value))
}
