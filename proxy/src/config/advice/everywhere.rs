//! Advice about policies alone, whoever obeys them.

use super::{Advice, Instances, advise, in_order};
use crate::config::mesh::{
    IstioVersion, Mode, Registry, ServedPort, Site, covers, named_hosts, namespace, qualified, resolve,
};
use crate::config::objects::Objects;
use crate::policy::Node;
use squall_yaml::suggest;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// All advice that a caller of any namespace, or any of the gateways, would be given under a version.
pub fn everywhere(objects: &Objects, known: &Instances, version: IstioVersion) -> Vec<Advice> {
    let all = sites(objects, known, version)
        .iter()
        .flat_map(|site| advise(objects, &resolve(objects, site), known))
        .collect();
    in_order(all)
}

/// Hosts of services that nobody lists: where there is no `Service` and no `ServiceEntry` among the objects, those that policies name are
/// taken to be there; else those whose number of instances is known.
pub fn unlisted_hosts(objects: &Objects, known: &Instances) -> Vec<String> {
    if objects.services.is_empty() && objects.service_entries.is_empty() {
        return hosts(objects, known).into_iter().collect();
    }
    known.services().cloned().collect()
}

/// The hosts of everything that is routed or ruled, and those whose number of instances is known.
fn hosts(objects: &Objects, known: &Instances) -> BTreeSet<String> {
    let mut hosts = named_hosts(objects);
    hosts.extend(known.services().cloned());
    hosts
}

/// Services whose number of instances is known and that no object speaks of, as they are called, each with the one that is likely meant.
pub fn strangers(objects: &Objects, known: &Instances) -> Vec<(String, Option<String>)> {
    let mut spoken_of = named_hosts(objects);
    spoken_of.extend(Registry::of(objects, &[]).hosts());
    spoken_of.extend(objects.deployments.iter().map(|one| qualified(&one.name, "")));
    let clusters = objects.bootstrap.iter().flat_map(|bootstrap| &bootstrap.clusters);
    spoken_of.extend(clusters.map(|cluster| qualified(&cluster.service.host, "")));
    let wildcards: Vec<String> = objects.destination_rules.iter().map(|rule| rule.host.to_ascii_lowercase()).collect();
    let called = |host: &str| host.strip_suffix(".default.svc.cluster.local").unwrap_or(host).to_owned();
    let names: Vec<String> = spoken_of.iter().map(|host| called(host)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let is_stranger =
        |host: &&String| !spoken_of.contains(*host) && !wildcards.iter().any(|wildcard| covers(wildcard, host));
    let strangers = known.services().filter(is_stranger).map(|host| called(host));
    strangers.map(|name| (name.clone(), suggest(&name, &names).map(str::to_owned))).collect()
}

fn sites(objects: &Objects, known: &Instances, version: IstioVersion) -> Vec<Site> {
    let mut namespaces: BTreeSet<&str> =
        objects.destination_rules.iter().map(|rule| namespace(&rule.namespace)).collect();
    namespaces.extend(objects.virtual_services.iter().map(|object| namespace(&object.namespace)));
    if namespaces.is_empty() {
        namespaces.insert("default");
    }
    let services: Vec<String> = hosts(objects, known).into_iter().collect();
    let mut sites: Vec<Site> = Vec::new();
    for home in namespaces {
        let node = Node { namespace: home.to_owned(), ..Node::default() };
        sites.push(Site { node, version, services: services.clone(), ..Site::outbound(ports(objects, &services)) });
    }
    for gateway in &objects.gateways {
        let node = Node {
            namespace: namespace(&gateway.namespace).to_owned(),
            labels: gateway.selector.clone(),
            ..Node::default()
        };
        sites.push(Site {
            mode: Mode::Gateway,
            node,
            version,
            services: services.clone(),
            ..Site::outbound(Vec::new())
        });
    }
    sites
}

/// Every port of a service: requests may be sent to each.
fn ports(objects: &Objects, services: &[String]) -> Vec<ServedPort> {
    let mut numbers = Registry::of(objects, services).ports();
    numbers.insert(80);
    numbers.into_iter().map(|port| ServedPort { port, host: None, bind: (Ipv4Addr::LOCALHOST, 0).into() }).collect()
}
