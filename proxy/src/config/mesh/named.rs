//! What policies name: the hosts that somebody must know, and the ports that they must have.

use super::host::{covers, namespace, of_service, qualified};
use crate::config::objects::{AppProtocol, Objects};
use std::collections::{BTreeMap, BTreeSet};

/// Ports by their numbers, and what is spoken there.
pub(super) type Ports = BTreeMap<u16, AppProtocol>;

/// The whole hosts of everything that is routed or ruled; wildcards are left out, since they name nobody.
pub(in crate::config) fn hosts(objects: &Objects) -> BTreeSet<String> {
    let rules = objects.destination_rules.iter().map(|rule| qualified(&rule.host, &rule.namespace));
    let mut hosts: BTreeSet<String> = rules.collect();
    for object in &objects.virtual_services {
        let home = namespace(&object.namespace);
        hosts.extend(object.hosts.iter().filter(|_| is_for_mesh(&object.gateways)).map(|host| qualified(host, home)));
        hosts.extend(object.destinations().map(|(_, to, _)| qualified(&to.host, home)));
    }
    hosts.retain(|host| !host.contains('*') && !host.is_empty());
    hosts
}

/// The whole hosts that are routed or ruled and that nobody gives endpoints.
pub fn without_endpoints(objects: &Objects) -> Vec<String> {
    let slices = objects.endpoints.iter();
    let listed: BTreeSet<_> = slices.map(|slice| of_service(&slice.service, &slice.namespace)).collect();
    let entries = objects.service_entries.iter().flat_map(|entry| &entry.hosts);
    let is_listed =
        |host: &String| listed.contains(host) || entries.clone().any(|entry| covers(&entry.to_ascii_lowercase(), host));
    hosts(objects).into_iter().filter(|host| !is_listed(host)).collect()
}

/// The ports that policies name, by whole host.
pub(super) fn ports(objects: &Objects) -> BTreeMap<String, Ports> {
    let mut named: BTreeMap<String, Ports> = BTreeMap::new();
    let mut add = |host: String, port: u16, spoken| {
        named.entry(host).or_default().entry(port).or_insert(spoken);
    };
    for object in &objects.virtual_services {
        let home = namespace(&object.namespace);
        for (_, to, spoken) in object.destinations() {
            to.port.into_iter().for_each(|port| add(qualified(&to.host, home), port, spoken));
        }
        let blocks = object.http.iter().flat_map(|rule| &rule.matches);
        let asked = blocks.filter(|block| is_for_mesh(&object.gateways) && is_for_mesh(&block.gateways));
        for port in asked.filter_map(|block| block.port) {
            object.hosts.iter().for_each(|host| add(qualified(host, home), port, AppProtocol::Http));
        }
    }
    for rule in &objects.destination_rules {
        let of_subsets = rule.subsets.iter().flat_map(|subset| &subset.port_policies);
        for (port, _) in rule.port_policies.iter().chain(of_subsets) {
            add(qualified(&rule.host, &rule.namespace), *port, AppProtocol::Http);
        }
    }
    named
}

/// True if gateways, none written being the mesh's sidecars, are or include those.
fn is_for_mesh(gateways: &[String]) -> bool {
    gateways.is_empty() || gateways.iter().any(|gateway| gateway == "mesh")
}
