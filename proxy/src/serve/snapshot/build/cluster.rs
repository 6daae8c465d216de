//! Clusters and their endpoints: whoever is still listed keeps its state.

use super::{BuildError, Building, Reason, Resolved};
use crate::clock::now;
use crate::cluster::{Cluster, Host, Member};
use crate::net::ClientTls;
use crate::policy::{self, Address, Discovery, Endpoint, Node, ProtocolChoice};
use crate::telemetry::metrics::Labels;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

impl Building<'_> {
    pub(super) fn cluster(
        &mut self,
        policy: policy::Cluster,
        resolved: &Resolved,
        node: &Node,
    ) -> Result<Cluster, BuildError> {
        let mut kept = self.before.clusters.get(&policy.name).cloned().unwrap_or_default();
        let known = std::mem::take(&mut kept.members);
        let mut members: Vec<Arc<Member>> = Vec::new();
        for (at, locality) in policy.localities.iter().enumerate() {
            for endpoint in
                locality.endpoints.iter().flat_map(|endpoint| looked_up(endpoint, &policy.discovery, resolved))
            {
                let (key, endpoint) = endpoint;
                if kept.members.contains_key(&key) {
                    continue;
                }
                let host = known.get(&key).map(|member| Arc::clone(&member.host));
                let host = host.unwrap_or_else(|| Arc::new(Host::new(now())));
                let member = Member { host, endpoint, priority: locality.priority, locality: at, leaving: false };
                let member = Arc::new(member);
                kept.members.insert(key, Arc::clone(&member));
                members.push(member);
            }
        }
        if !policy.health_checks.is_empty() && !policy.drop_unlisted_at_once {
            members.extend(stayers(&known, &mut kept.members, &policy));
        }
        let protocols: &[&str] = match policy.protocol.choice {
            ProtocolChoice::Http2 => &["h2"],
            ProtocolChoice::Alpn => &["h2", "http/1.1"],
            ProtocolChoice::Http1 | ProtocolChoice::OfClient => &[],
        };
        let tls = policy.tls.as_ref().map(|tls| ClientTls::load(tls, protocols)).transpose();
        let tls = tls.map_err(|error| BuildError {
            what: format!("TLS of cluster {}", policy.name),
            origin: Box::new(policy.origin.clone()),
            reason: Reason::Tls(error),
        })?;
        let metrics = &self.telemetry.metrics;
        let labels = if policy.name.starts_with("inbound|") { Labels::destination } else { Labels::source };
        let (stats, labels) = (metrics.cluster(&policy.name), labels(node, &policy));
        if known.len() != kept.members.len() || known.keys().any(|key| !kept.members.contains_key(key)) {
            self.changed.push(Arc::clone(&stats));
        }
        Ok(Cluster::new(policy, members, tls, kept, stats, labels))
    }
}

/// Endpoints that are no longer listed and still pass their checks.
fn stayers(
    known: &HashMap<Address, Arc<Member>>,
    kept: &mut HashMap<Address, Arc<Member>>,
    policy: &policy::Cluster,
) -> Vec<Arc<Member>> {
    let mut stayers = Vec::new();
    for (key, before) in known {
        if kept.contains_key(key) || !before.host.passes_checks() {
            continue;
        }
        let (host, endpoint) = (Arc::clone(&before.host), before.endpoint.clone());
        let locality = before.locality.min(policy.localities.len().saturating_sub(1));
        let member = Arc::new(Member { host, endpoint, priority: before.priority, locality, leaving: true });
        kept.insert(key.clone(), Arc::clone(&member));
        stayers.push(member);
    }
    // In an order that does not depend on a map's.
    stayers.sort_by_key(|member| member.host.id);
    stayers
}

/// The addresses of an endpoint, each with what its state is kept by: one that is found by name anew for each connection is kept by
/// that name.
fn looked_up(endpoint: &Endpoint, discovery: &Discovery, resolved: &Resolved) -> Vec<(Address, Endpoint)> {
    let Address::Name(name, port) = &endpoint.address else {
        return vec![(endpoint.address.clone(), endpoint.clone())];
    };
    let addresses = resolved.get(name).map(Vec::as_slice).unwrap_or_default();
    let at = |ip: &IpAddr| {
        let mut found = Endpoint { address: Address::Socket((*ip, *port).into()), ..endpoint.clone() };
        if found.hostname.is_empty() {
            found.hostname.clone_from(name);
        }
        found
    };
    match discovery {
        Discovery::LogicalDns(_) => {
            addresses.first().map(|ip| (endpoint.address.clone(), at(ip))).into_iter().collect()
        }
        _ => addresses.iter().map(|ip| (at(ip).address.clone(), at(ip))).collect(),
    }
}
