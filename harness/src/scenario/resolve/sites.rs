//! The proxies that a scenario deploys, as a control plane sees them.

use super::policies::service_of;
use crate::scenario::resolved::{MeshMode, Port, Service, Version};
use squall_proxy::config::mesh::{self, IstioVersion, Mode, ServedPort, Site};
use squall_proxy::config::objects::{self, AppProtocol, EndpointSlice, Objects};
use squall_proxy::policy::{Address, Cluster, Config, EndpointHealth, Node, Origin, Place};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

/// Policies together with what the harness tells the mesh of the services.
#[derive(Debug)]
pub(super) struct Sites {
    /// Everything that proxies will read.
    pub(super) objects: Objects,
    services: Vec<Service>,
    /// Zone of the proxy that clients ask.
    zone: Option<String>,
    compat: IstioVersion,
}

impl Sites {
    /// The sites of these services under these policies.
    pub(super) fn new(policies: &Objects, services: &[Service], zone: Option<&str>, compat: IstioVersion) -> Self {
        let mut objects = policies.clone();
        objects.services.extend(services.iter().filter(|service| service.undeclared).map(declared));
        if objects.bootstrap.is_some() {
            // Which clusters of a bootstrap lead to which service shows by where their endpoints come from.
            objects.endpoints.extend(stand_ins(services, |_| vec![String::new()]));
        } else {
            // How far away instances are depends on their zones.
            let zoned: Vec<Service> = services.iter().filter(|service| !service.zones.is_empty()).cloned().collect();
            let ports = |service: &Service| service.ports.iter().map(|port| port.name.clone()).collect();
            objects.endpoints.extend(stand_ins(&zoned, ports));
        }
        Self { objects, services: services.to_vec(), zone: zone.map(ToOwned::to_owned), compat }
    }

    /// What each proxy of a mode obeys.
    pub(super) fn configs(&self, mode: MeshMode) -> Vec<Config> {
        let mut configs: Vec<Config> = self.entrance(mode).into_iter().collect();
        if mode.has_sidecars() {
            configs.extend(self.services.iter().map(|service| mesh::resolve(&self.objects, &self.inbound(service))));
        }
        configs
    }

    /// What the proxy obeys that clients ask, if a mode has one.
    pub(super) fn entrance(&self, mode: MeshMode) -> Option<Config> {
        let site = match mode {
            MeshMode::None | MeshMode::Server => return None,
            MeshMode::Client | MeshMode::Both => self.outbound(),
            MeshMode::Gateway => self.gateway(),
        };
        Some(mesh::resolve(&self.objects, &site))
    }

    /// Ports that the caller's sidecar serves: a port where requests name their service once, one for bytes for each service.
    pub(super) fn outbound_ports(&self) -> Vec<(Option<&str>, u16)> {
        let mut ports = Vec::new();
        for service in &self.services {
            for port in &service.ports {
                ports.push((port.tcp.then_some(service.name.as_str()), port.number));
            }
        }
        ports.sort_unstable_by_key(|(host, number)| (*number, *host));
        ports.dedup();
        ports
    }

    /// Ports that Gateways open.
    pub(super) fn gateway_ports(&self) -> Vec<u16> {
        let servers = self.objects.gateways.iter().flat_map(|gateway| &gateway.servers);
        let mut ports: Vec<u16> = servers.map(|server| server.port).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// Labels by which every Gateway selects the one proxy that there is; the first Gateway that asks for another value is the error.
    pub(super) fn gateway_labels(&self) -> Result<BTreeMap<String, String>, &objects::Gateway> {
        let mut labels: BTreeMap<String, String> = BTreeMap::new();
        for gateway in &self.objects.gateways {
            for (key, value) in &gateway.selector {
                if labels.insert(key.clone(), value.clone()).is_some_and(|other| other != *value) {
                    return Err(gateway);
                }
            }
        }
        Ok(labels)
    }

    /// The service that a cluster leads to.
    pub(super) fn service_of(&self, cluster: &Cluster) -> String {
        let mut endpoints = cluster.endpoints().filter_map(|endpoint| match &endpoint.address {
            Address::Socket(address) => Some(*address),
            _ => None,
        });
        let stand_in =
            endpoints.find_map(|address| self.objects.endpoints.iter().find(|slice| slice.address == address));
        if let Some(slice) = stand_in.filter(|_| self.objects.bootstrap.is_some()) {
            return slice.service.clone();
        }
        let name = if cluster.service.host.is_empty() { &cluster.name } else { &cluster.service.host };
        service_of(name).to_owned()
    }

    fn outbound(&self) -> Site {
        let ports = self.outbound_ports().into_iter();
        let site = Site::outbound(ports.map(|(host, port)| served(host, port)).collect());
        Site {
            version: self.compat,
            services: self.services.iter().map(|service| service.name.clone()).collect(),
            node: Node { place: in_zone(self.zone.as_deref()), ..site.node },
            ..site
        }
    }

    fn gateway(&self) -> Site {
        let labels = self.gateway_labels().unwrap_or_default();
        let ports = self.gateway_ports().into_iter().map(|port| served(None, port)).collect();
        let outbound = self.outbound();
        Site { mode: Mode::Gateway, node: Node { labels, ..outbound.node }, ports, ..outbound }
    }

    fn inbound(&self, service: &Service) -> Site {
        let ports = service.ports.iter().map(|port| served(Some(&service.name), port.number)).collect();
        let outbound = self.outbound();
        let labels = BTreeMap::from([("app".to_owned(), service.name.clone())]);
        let app = (Ipv4Addr::LOCALHOST, 0).into();
        Site { mode: Mode::Inbound { app }, node: Node { labels, ..outbound.node }, ports, ..outbound }
    }
}

fn served(host: Option<&str>, port: u16) -> ServedPort {
    ServedPort { port, host: host.map(ToOwned::to_owned), bind: (Ipv4Addr::LOCALHOST, 0).into() }
}

/// A Kubernetes Service for a service that no policy declares.
fn declared(service: &Service) -> objects::Service {
    let port = |port: &Port| objects::ServicePort {
        number: port.number,
        name: port.name.clone(),
        protocol: if port.tcp { AppProtocol::Tcp } else { AppProtocol::Http },
    };
    objects::Service {
        name: service.name.clone(),
        namespace: "default".to_owned(),
        ports: service.ports.iter().map(port).collect(),
        ..objects::Service::default()
    }
}

/// Endpoints for each instance, none of which exists: one for each of its service's ports.
fn stand_ins(services: &[Service], ports: impl Fn(&Service) -> Vec<String>) -> Vec<EndpointSlice> {
    let versions = services.iter().flat_map(|service| service.versions.iter().map(move |version| (service, version)));
    let instances =
        versions.flat_map(|(service, version)| (1..=version.instances).map(move |number| (service, version, number)));
    let stand_in = |(address, (service, version, number)): (u16, (&Service, &Version, u32))| {
        let one = move |port_name| EndpointSlice {
            service: service.name.clone(),
            namespace: "default".to_owned(),
            port_name,
            address: SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), address)),
            labels: version.name.iter().map(|name| ("version".to_owned(), name.clone())).collect(),
            health: EndpointHealth::Healthy,
            place: in_zone(service.zone(number)),
            origin: Origin::default(),
        };
        ports(service).into_iter().map(one).collect::<Vec<_>>()
    };
    (1..=u16::MAX).zip(instances).flat_map(stand_in).collect()
}

fn in_zone(zone: Option<&str>) -> Place {
    Place { zone: zone.unwrap_or_default().to_owned(), ..Place::default() }
}
