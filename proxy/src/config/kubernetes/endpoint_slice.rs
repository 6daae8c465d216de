//! `EndpointSlice`.

use super::OfCluster;
use crate::config::istio::place_of_labels;
use crate::config::kinds;
use crate::config::number::Port;
use crate::config::object::Metadata;
use crate::config::objects::EndpointSlice;
use crate::config::problems::Problems;
use crate::policy::{EndpointHealth, Place};
use serde::Deserialize;
use squall_yaml::{Document, Keyed, Spanned};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "fields that are known and not looked at")]
struct Slice {
    #[serde(default)]
    metadata: Metadata,
    address_type: Option<Keyed<String>>,
    #[serde(default)]
    endpoints: Vec<Spanned<WrittenEndpoint>>,
    #[serde(default)]
    ports: Vec<WrittenPort>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "fields that are known and not looked at")]
struct WrittenEndpoint {
    #[serde(default)]
    addresses: Vec<Spanned<String>>,
    #[serde(default)]
    conditions: Conditions,
    #[serde(default)]
    zone: String,
    #[serde(default)]
    deprecated_topology: BTreeMap<String, String>,
    hostname: Option<OfCluster>,
    node_name: Option<OfCluster>,
    target_ref: Option<OfCluster>,
    hints: Option<OfCluster>,
}

/// Those that are not said are unknown, which Kubernetes asks to be taken for ready, for serving if ready, and for not terminating.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Conditions {
    ready: Option<bool>,
    serving: Option<bool>,
    terminating: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "fields that are known and not looked at")]
struct WrittenPort {
    #[serde(default)]
    name: String,
    port: Option<Port>,
    protocol: Option<String>,
    app_protocol: Option<OfCluster>,
}

/// The label that names a slice's service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

impl Conditions {
    /// One that terminates and still serves finishes what it has.
    fn health(&self) -> EndpointHealth {
        match (self.ready.unwrap_or(true), self.terminating.unwrap_or(false)) {
            (true, false) => EndpointHealth::Healthy,
            (_, true) if self.serving.unwrap_or(true) => EndpointHealth::Draining,
            _ => EndpointHealth::Unhealthy,
        }
    }
}

/// Reads one: an endpoint for each address and port. Since no pods are given, the other labels of the slice count as those of its
/// endpoints: subsets choose by them when each version has a slice of its own.
pub(in crate::config) fn endpoint_slice(document: &Document, problems: &mut Problems<'_>) -> Vec<EndpointSlice> {
    let Some(slice) = problems.read::<Slice>(document, &kinds::ENDPOINT_SLICE) else { return Vec::new() };
    slice.metadata.check(document, problems);
    let namespace = slice.metadata.namespace();
    let mut labels = slice.metadata.labels;
    let Some(service) = labels.remove(SERVICE_NAME) else {
        problems.error(
            document.place(),
            format!("the slice does not say whose endpoints these are: the label `{SERVICE_NAME}` is missing"),
            format!("add `labels: {{{SERVICE_NAME}: cart}}`"),
        );
        return Vec::new();
    };
    let ports: Vec<(&str, u16)> =
        slice.ports.iter().filter_map(|port| Some((port.name.as_str(), port.port?.0))).collect();
    if ports.is_empty() && !slice.endpoints.is_empty() {
        problems.error(document.place(), "the slice has no port", "add `ports: [{port: 8080}]`");
    }
    let mut endpoints = Vec::new();
    for endpoint in &slice.endpoints {
        if endpoint.value.addresses.is_empty() {
            problems.error(endpoint.place, "an endpoint needs an address", "as in `addresses: [10.0.0.7]`");
        }
        let place = place(&endpoint.value, &labels);
        for address in &endpoint.value.addresses {
            let Ok(ip) = address.value.parse::<IpAddr>() else {
                problems.error(
                    address.place,
                    format!("`{}` is no IP address", address.value),
                    "names are not looked up here",
                );
                continue;
            };
            endpoints.extend(ports.iter().map(|(name, port)| EndpointSlice {
                service: service.clone(),
                namespace: namespace.clone(),
                port_name: (*name).to_owned(),
                address: SocketAddr::new(ip, *port),
                labels: labels.clone(),
                health: endpoint.value.conditions.health(),
                place: place.clone(),
                origin: problems.origin(endpoint.place),
            }));
        }
    }
    endpoints
}

/// By the endpoint's own zone, and by labels for what it does not say.
fn place(endpoint: &WrittenEndpoint, labels: &BTreeMap<String, String>) -> Place {
    let topology = place_of_labels(&endpoint.deprecated_topology);
    let of_labels = place_of_labels(labels);
    let first = |texts: [String; 3]| texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    Place {
        region: first([topology.region, of_labels.region, String::new()]),
        zone: first([endpoint.zone.clone(), topology.zone, of_labels.zone]),
        sub_zone: first([topology.sub_zone, of_labels.sub_zone, String::new()]),
    }
}
