//! `Service`.

use super::OfCluster;
use crate::config::kinds;
use crate::config::number::Port;
use crate::config::object::Object;
use crate::config::objects::{AppProtocol, Service, ServicePort};
use crate::config::problems::Problems;
use serde::Deserialize;
use squall_yaml::{Document, Keyed, Spanned};
use std::collections::HashSet;
use std::fmt::Display;

/// Of a Service its ports say where traffic goes; endpoints come from slices of their own, so selectors and addresses are the cluster's.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "fields that are known and not looked at")]
struct Spec {
    #[serde(default)]
    ports: Vec<Spanned<WrittenPort>>,
    #[serde(default, rename = "clusterIP")]
    cluster_ip: String,
    #[serde(rename = "type")]
    kind: Option<Keyed<String>>,
    session_affinity: Option<Keyed<String>>,
    session_affinity_config: Option<OfCluster>,
    internal_traffic_policy: Option<Keyed<String>>,
    publish_not_ready_addresses: Option<Keyed<bool>>,
    selector: Option<OfCluster>,
    #[serde(rename = "clusterIPs")]
    cluster_ips: Option<OfCluster>,
    ip_families: Option<OfCluster>,
    ip_family_policy: Option<OfCluster>,
    #[serde(rename = "externalIPs")]
    external_ips: Option<OfCluster>,
    external_traffic_policy: Option<OfCluster>,
    health_check_node_port: Option<OfCluster>,
    allocate_load_balancer_node_ports: Option<OfCluster>,
    load_balancer_class: Option<OfCluster>,
    #[serde(rename = "loadBalancerIP")]
    load_balancer_ip: Option<OfCluster>,
    load_balancer_source_ranges: Option<OfCluster>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "fields that are known and not looked at")]
struct WrittenPort {
    port: Port,
    #[serde(default)]
    name: String,
    #[serde(default)]
    protocol: String,
    #[serde(default)]
    app_protocol: String,
    target_port: Option<OfCluster>,
    node_port: Option<OfCluster>,
}

/// The annotation that says which namespaces see a service.
const EXPORT_TO: &str = "networking.istio.io/exportTo";

/// Ports of protocols in which the server speaks first, so that nothing can be found out from the client's bytes: those of mail, of names and of two databases.
const SERVER_FIRST: [u16; 4] = [25, 53, 3306, 27017];

/// Reads one.
pub(in crate::config) fn service(document: &Document, problems: &mut Problems<'_>) -> Option<Service> {
    let Object { metadata, spec } = problems.read::<Object<Spec>>(document, &kinds::SERVICE)?;
    metadata.check(document, problems);
    check_values(&spec, problems);
    let mut names = HashSet::new();
    for port in &spec.ports {
        if spec.ports.len() > 1 && port.value.name.is_empty() {
            problems.error(port.place, "of several ports each needs a name", "as in `name: http`");
        } else if !names.insert(&port.value.name) {
            problems.error(
                port.place,
                format!("the port name `{}` stands here twice", port.value.name),
                "give each its own",
            );
        }
    }
    let export_to = metadata.annotations.get(EXPORT_TO).map_or("", String::as_str);
    Some(Service {
        namespace: metadata.namespace(),
        ports: spec.ports.iter().map(|port| service_port(&port.value)).collect(),
        headless: spec.cluster_ip == "None",
        export_to: export_to.split(',').map(str::trim).filter(|to| !to.is_empty()).map(str::to_owned).collect(),
        origin: problems.origin(document.place()),
        labels: metadata.labels,
        name: metadata.name,
    })
}

/// Fields of which the value that a cluster writes by itself changes nothing, and any other is not obeyed.
fn check_values(spec: &Spec, problems: &mut Problems<'_>) {
    let mut refuse = |field: &str, key, value: &dyn Display| {
        problems.unsupported_value(key, field.len(), &format!("spec.{field}"), value);
    };
    let by_address = spec.session_affinity.as_ref().filter(|affinity| affinity.value != "None");
    if let Some(affinity) = by_address {
        refuse("sessionAffinity", affinity.key, &affinity.value);
    }
    if let Some(policy) = spec.internal_traffic_policy.as_ref().filter(|policy| policy.value != "Cluster") {
        refuse("internalTrafficPolicy", policy.key, &policy.value);
    }
    if let Some(publish) = spec.publish_not_ready_addresses.filter(|publish| publish.value) {
        refuse("publishNotReadyAddresses", publish.key, &publish.value);
    }
    if let Some(kind) = spec.kind.as_ref().filter(|kind| kind.value == "ExternalName") {
        refuse("type", kind.key, &kind.value);
    }
}

fn service_port(written: &WrittenPort) -> ServicePort {
    ServicePort { number: written.port.0, name: written.name.clone(), protocol: protocol(written) }
}

/// By `appProtocol`, else by the name up to its first dash.
fn protocol(written: &WrittenPort) -> AppProtocol {
    if written.protocol == "UDP" || written.protocol == "SCTP" {
        return AppProtocol::Udp;
    }
    let word = if written.app_protocol.is_empty() { &written.name } else { &written.app_protocol };
    if word.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("grpc-web")) {
        return AppProtocol::GrpcWeb;
    }
    let word = match word.as_str() {
        "kubernetes.io/wss" => "https",
        known if known.starts_with("kubernetes.io/") => known,
        other => other.split('-').next().unwrap_or(other),
    };
    let server_first = if SERVER_FIRST.contains(&written.port.0) { AppProtocol::Tcp } else { AppProtocol::Sniffed };
    // Only what Kubernetes and Istio both call by this name.
    AppProtocol::of_word(word).filter(|_| word != "http1").unwrap_or(server_first)
}
