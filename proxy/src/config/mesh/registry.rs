//! All services, whatever kind of object made them known.

use super::export::seen;
use super::host::{self, namespace, of_service, qualified};
use super::named::{self, Ports};
use crate::config::objects::{AppProtocol, Objects, Service, ServiceEntry, ServicePort};
use crate::policy::Origin;
use std::collections::{BTreeMap, BTreeSet};

/// Ports of servers that speak first; what is spoken there is never found out from the first bytes.
const SERVER_FIRST: [u16; 4] = [25, 53, 3306, 27017];

/// Every service, in the order in which it became known: Kubernetes Services, entries, then those known by name alone.
#[derive(Debug, Default)]
pub(in crate::config) struct Registry<'o> {
    services: Vec<Known<'o>>,
}

/// One host that can be called.
#[derive(Debug, Clone)]
pub(in crate::config) struct Known<'o> {
    /// Its whole host.
    pub host: String,
    /// Its namespace.
    pub namespace: String,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// How it became known.
    pub by: KnownBy<'o>,
    /// Where it stands.
    pub origin: Origin,
}

/// How a service became known.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) enum KnownBy<'o> {
    /// By a Kubernetes Service.
    Service(&'o Service),
    /// By an entry.
    Entry(&'o ServiceEntry),
    /// By its name, or by endpoints: it has the ports that policies name, and port 80.
    Name,
}

impl<'o> Registry<'o> {
    /// Everything that objects and names make known.
    pub(in crate::config) fn of(objects: &'o Objects, names: &[String]) -> Self {
        let mut services: Vec<_> = objects.services.iter().map(of_kubernetes).collect();
        services.extend(objects.service_entries.iter().flat_map(of_entry));
        let endpoints = objects.endpoints.iter();
        let by_endpoints = endpoints.map(|endpoint| of_service(&endpoint.service, &endpoint.namespace));
        let by_name = names.iter().map(|name| qualified(name, ""));
        let known: BTreeSet<_> = services.iter().map(|service| service.host.clone()).collect();
        let unknown: BTreeSet<_> = by_endpoints.chain(by_name).filter(|host| !known.contains(host)).collect();
        let mut named = if unknown.is_empty() { BTreeMap::new() } else { named::ports(objects) };
        services.extend(unknown.into_iter().map(|host| {
            let ports = named.remove(&host).unwrap_or_default();
            of_name(host, ports)
        }));
        Self { services }
    }

    /// The hosts of all services.
    pub(in crate::config) fn hosts(&self) -> impl Iterator<Item = String> {
        self.services.iter().map(|service| service.host.clone())
    }

    /// The numbers of all ports.
    pub(in crate::config) fn ports(&self) -> BTreeSet<u16> {
        self.services.iter().flat_map(|service| &service.ports).map(|port| port.number).collect()
    }

    /// The services that callers of a namespace see, each host once: that of their own namespace first, then a Kubernetes Service.
    pub(in crate::config) fn visible(&self, from: &str) -> Vec<&Known<'o>> {
        let mut visible: Vec<&Known<'o>> = Vec::new();
        for service in self.services.iter().filter(|service| service.is_seen(from)) {
            match visible.iter_mut().find(|other| other.host == service.host) {
                Some(other) if other.rank(from) < service.rank(from) => *other = service,
                Some(_) => {}
                None => visible.push(service),
            }
        }
        visible
    }
}

impl Known<'_> {
    /// Its name in the words of the mesh: that of the Service, or the whole host.
    pub(in crate::config) fn name(&self) -> &str {
        host::of_kubernetes(&self.host).map_or(&self.host, |(name, _)| name)
    }

    /// Its port with this number.
    pub(in crate::config) fn port(&self, number: u16) -> Option<&ServicePort> {
        self.ports.iter().find(|port| port.number == number)
    }

    /// The port of a destination that says none: its only one, else that of the listener. Where nobody has listed its ports the first is meant
    /// rather than one that it is not known to have.
    pub(in crate::config) fn port_or(&self, listener: u16) -> u16 {
        match self.ports.as_slice() {
            [only] => only.number,
            [first, ..] if matches!(self.by, KnownBy::Name) && self.port(listener).is_none() => first.number,
            _ => listener,
        }
    }

    /// Namespaces that see it.
    fn is_seen(&self, from: &str) -> bool {
        let export_to = match self.by {
            KnownBy::Service(service) => &service.export_to,
            KnownBy::Entry(entry) => &entry.export_to,
            KnownBy::Name => return true,
        };
        seen(export_to, &self.namespace, from).is_some()
    }

    fn rank(&self, from: &str) -> (bool, bool) {
        (self.namespace == from, matches!(self.by, KnownBy::Service(_)))
    }
}

fn of_kubernetes(service: &Service) -> Known<'_> {
    Known {
        host: of_service(&service.name, &service.namespace),
        namespace: namespace(&service.namespace).to_owned(),
        ports: ports(&service.ports),
        by: KnownBy::Service(service),
        origin: service.origin.clone(),
    }
}

fn of_entry(entry: &ServiceEntry) -> impl Iterator<Item = Known<'_>> {
    entry.hosts.iter().map(|host| Known {
        host: host.to_ascii_lowercase(),
        namespace: namespace(&entry.namespace).to_owned(),
        ports: ports(&entry.ports),
        by: KnownBy::Entry(entry),
        origin: entry.origin.clone(),
    })
}

fn of_name<'o>(host: String, named: Ports) -> Known<'o> {
    let namespace = host::of_kubernetes(&host).map_or("default", |(_, namespace)| namespace).to_owned();
    let first = ServicePort { number: 80, name: "http".to_owned(), protocol: AppProtocol::Http };
    let others = named.into_iter().filter(|(number, _)| *number != first.number);
    let others = others.map(|(number, protocol)| ServicePort { number, name: number.to_string(), protocol });
    let ports = std::iter::once(first.clone()).chain(others).collect();
    Known { host, namespace, ports, by: KnownBy::Name, origin: Origin::default() }
}

/// Ports of connections; datagrams are forwarded by no proxy. What is spoken is found out from the first bytes only where the client sends
/// them.
fn ports(written: &[ServicePort]) -> Vec<ServicePort> {
    let mut ports: Vec<_> = written.iter().filter(|port| port.protocol != AppProtocol::Udp).cloned().collect();
    for port in &mut ports {
        if port.protocol == AppProtocol::Sniffed && SERVER_FIRST.contains(&port.number) {
            port.protocol = AppProtocol::Tcp;
        }
    }
    ports
}
