//! A whole configuration whose clusters are told where their services are.

use super::endpoints::{by_place, of_slice};
use super::host::{of_service, qualified};
use crate::config::objects::{EndpointSlice, Objects};
use crate::policy::{Address, Cluster, Config, Discovery, Endpoint, EndpointHealth};

/// The configuration with the endpoints that are given: all those of a cluster that is named as a service, and in any other cluster in the
/// place of endpoints that are found by the name of a service.
pub(super) fn with_endpoints(bootstrap: &Config, objects: &Objects) -> Config {
    let mut config = bootstrap.clone();
    for cluster in &mut config.clusters {
        if let Some(given) = given(&cluster.name, objects) {
            cluster.discovery = Discovery::Static;
            cluster.localities = by_place(given.into_iter().map(|slice| (slice.place.clone(), of_slice(slice))));
        } else {
            by_host(cluster, objects);
        }
    }
    config
}

/// Puts the endpoints of services in the place of those that name one as their host. Locality, priority and weight stay as they are written.
fn by_host(cluster: &mut Cluster, objects: &Objects) {
    let mut is_told = false;
    for locality in &mut cluster.localities {
        let mut endpoints = Vec::new();
        for written in &locality.endpoints {
            let given = match &written.address {
                Address::Name(host, _) => given(host, objects),
                Address::Socket(_) | Address::Pipe(_) => None,
            };
            is_told |= given.is_some();
            match given {
                Some(given) => endpoints.extend(given.into_iter().map(|slice| in_place_of(written, slice))),
                None => endpoints.push(written.clone()),
            }
        }
        locality.endpoints = endpoints;
    }
    let looks_up = cluster.endpoints().any(|endpoint| matches!(endpoint.address, Address::Name(..)));
    if is_told && !looks_up {
        cluster.discovery = Discovery::Static;
    }
}

/// What is known of an instance, with what was written of the endpoint that stands for its service.
fn in_place_of(written: &Endpoint, slice: &EndpointSlice) -> Endpoint {
    let mut endpoint = Endpoint { address: Address::Socket(slice.address), health: slice.health, ..written.clone() };
    if endpoint.labels.is_empty() {
        endpoint.labels.clone_from(&slice.labels);
    }
    endpoint
}

/// The endpoints of the service with this name; none if there is no such service.
fn given<'o>(name: &str, objects: &'o Objects) -> Option<Vec<&'o EndpointSlice>> {
    let host = qualified(name, "");
    let mut of_service =
        objects.endpoints.iter().filter(|slice| of_service(&slice.service, &slice.namespace) == host).peekable();
    of_service.peek()?;
    Some(of_service.filter(|slice| slice.health != EndpointHealth::Draining).collect())
}
