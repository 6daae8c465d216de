//! Where a service is, at one of its ports.

use super::host::namespace;
use super::registry::{Known, KnownBy};
use super::scope::subset_of;
use super::view::View;
use super::{IstioVersion, Mode};
use crate::config::objects::{EndpointSlice, Resolution, ServiceEntry, ServicePort, Workload};
use crate::policy::{Address, AddressFamily, Discovery, Dns, Endpoint, EndpointHealth, Locality, Place};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How often names are looked up where their time to live does not say it; Istio's.
const DNS_REFRESH: Duration = Duration::from_secs(60);

/// How the endpoints of a service are found.
pub(super) fn discovery(service: &Known<'_>, mode: Mode) -> Discovery {
    let KnownBy::Entry(entry) = service.by else { return Discovery::Static };
    let dns = Dns { refresh: DNS_REFRESH, failure_refresh: DNS_REFRESH, family: AddressFamily::V4Only };
    match entry.resolution {
        // A gateway's clients were going to the gateway.
        Resolution::None if mode == Mode::Gateway => Discovery::Static,
        Resolution::None => Discovery::OriginalDestination,
        Resolution::Static => Discovery::Static,
        Resolution::Dns => Discovery::StrictDns(dns),
        Resolution::DnsRoundRobin => Discovery::LogicalDns(dns),
    }
}

/// The endpoints of a port that carry some labels, by their places, all of one priority.
pub(super) fn localities(
    view: &View<'_>,
    service: &Known<'_>,
    port: &ServicePort,
    labels: &BTreeMap<String, String>,
) -> Vec<Locality> {
    let found = match service.by {
        KnownBy::Entry(entry) => of_entry(view, service, entry, port),
        KnownBy::Service(_) | KnownBy::Name => of_slices(view, service, port),
    };
    by_place(found.into_iter().filter(|(_, endpoint)| subset_of(labels, &endpoint.labels)))
}

fn of_slices(view: &View<'_>, service: &Known<'_>, port: &ServicePort) -> Vec<(Place, Endpoint)> {
    let slices = slices_of(&view.objects.endpoints, service, port);
    let used = slices.filter(|slice| is_sent(slice.health, view.site.version));
    used.map(|slice| (slice.place.clone(), of_slice(slice))).collect()
}

/// The endpoints of a port of a service. A service with one port has all endpoints where either of the two has no name; one whose ports
/// nobody has listed has all endpoints at each.
fn slices_of<'o>(
    slices: &'o [EndpointSlice],
    service: &Known<'_>,
    port: &ServicePort,
) -> impl Iterator<Item = &'o EndpointSlice> {
    let only = service.ports.len() == 1;
    let by_name_alone = matches!(service.by, KnownBy::Name);
    let identity = super::host::of_kubernetes(&service.host);
    slices.iter().filter(move |slice| {
        let named = slice.port_name == port.name
            || by_name_alone
            || only && (slice.port_name.is_empty() || port.name.is_empty());
        named && identity == Some((slice.service.as_str(), namespace(&slice.namespace)))
    })
}

/// What goes away is never sent; what is not ready is, in new versions.
fn is_sent(health: EndpointHealth, version: IstioVersion) -> bool {
    match health {
        EndpointHealth::Healthy | EndpointHealth::Degraded => true,
        EndpointHealth::Unhealthy => version.sends_unready(),
        EndpointHealth::Draining => false,
    }
}

/// An endpoint of a Kubernetes Service.
pub(super) fn of_slice(slice: &EndpointSlice) -> Endpoint {
    Endpoint { labels: slice.labels.clone(), health: slice.health, ..Endpoint::at(slice.address) }
}

fn of_entry(view: &View<'_>, service: &Known<'_>, entry: &ServiceEntry, port: &ServicePort) -> Vec<(Place, Endpoint)> {
    let by_name = matches!(entry.resolution, Resolution::Dns | Resolution::DnsRoundRobin);
    if by_name && entry.endpoints.is_empty() && entry.workload_selector.is_empty() {
        let own = Workload { address: service.host.clone(), ..Workload::default() };
        return vec![(Place::default(), of_workload(&own, entry, port))];
    }
    let selected = view.objects.workloads.iter().filter(|workload| {
        let same_namespace = namespace(&workload.namespace) == service.namespace;
        !entry.workload_selector.is_empty() && same_namespace && subset_of(&entry.workload_selector, &workload.labels)
    });
    let workloads = entry.endpoints.iter().chain(selected);
    workloads.map(|workload| (workload.place.clone(), of_workload(workload, entry, port))).collect()
}

fn of_workload(workload: &Workload, entry: &ServiceEntry, port: &ServicePort) -> Endpoint {
    let number = workload.ports.get(&port.name).or_else(|| entry.target_ports.get(&port.number));
    let number = number.copied().unwrap_or(port.number);
    let address = match (workload.address.strip_prefix("unix://"), workload.address.parse::<IpAddr>()) {
        (Some(path), _) => Address::Pipe(PathBuf::from(path)),
        (None, Ok(ip)) => Address::Socket(SocketAddr::new(ip, number)),
        (None, Err(_)) => Address::Name(workload.address.clone(), number),
    };
    Endpoint {
        hostname: if matches!(address, Address::Name(..)) { workload.address.clone() } else { String::new() },
        address,
        weight: workload.weight.max(1),
        health: EndpointHealth::Healthy,
        labels: workload.labels.clone(),
        check_port: None,
        check_hostname: String::new(),
    }
}

/// Endpoints by their places, each address once; a place weighs what its endpoints weigh.
pub(super) fn by_place(endpoints: impl Iterator<Item = (Place, Endpoint)>) -> Vec<Locality> {
    let mut places: BTreeMap<Place, Vec<Endpoint>> = BTreeMap::new();
    let mut addresses = std::collections::BTreeSet::new();
    for (place, endpoint) in endpoints {
        if addresses.insert(endpoint.address.clone()) {
            places.entry(place).or_default().push(endpoint);
        }
    }
    places.into_iter().map(|(place, endpoints)| locality(place, 0, endpoints)).collect()
}

/// Endpoints of one place and priority.
pub(super) fn locality(place: Place, priority: u32, endpoints: Vec<Endpoint>) -> Locality {
    let weight = endpoints.iter().fold(0_u32, |sum, endpoint| sum.saturating_add(endpoint.weight));
    Locality { place, priority, weight: Some(weight), endpoints }
}
