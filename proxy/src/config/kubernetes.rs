//! Kubernetes objects: `Service`, `Deployment`, `EndpointSlice`.

use super::object::{Metadata, origin};
use super::problems::Problems;
use crate::policy::{Deployment, Endpoint, Probe, ProbeAction, Service};
use serde::Deserialize;
use squall_yaml::{Document, Spanned, Unsupported};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServiceObject {
    #[serde(default)]
    metadata: Metadata,
    spec: ServiceSpec,
}

/// A field that says where and how a cluster runs something, and nothing about traffic or healing. It is named, so that one misspelt is told.
#[derive(Debug)]
struct OfCluster;

impl<'de> Deserialize<'de> for OfCluster {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// Of a Service only its ports say anything about traffic here; selectors, addresses and types are the cluster's.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "fields that are known and not looked at")]
struct ServiceSpec {
    #[serde(default)]
    ports: Vec<ServicePort>,
    selector: Option<OfCluster>,
    #[serde(rename = "type")]
    kind: Option<OfCluster>,
    #[serde(rename = "clusterIP")]
    cluster_ip: Option<OfCluster>,
    #[serde(rename = "clusterIPs")]
    cluster_ips: Option<OfCluster>,
    ip_families: Option<OfCluster>,
    ip_family_policy: Option<OfCluster>,
    #[serde(rename = "externalIPs")]
    external_ips: Option<OfCluster>,
    external_name: Option<Unsupported>,
    external_traffic_policy: Option<OfCluster>,
    health_check_node_port: Option<OfCluster>,
    allocate_load_balancer_node_ports: Option<OfCluster>,
    load_balancer_class: Option<OfCluster>,
    #[serde(rename = "loadBalancerIP")]
    load_balancer_ip: Option<OfCluster>,
    load_balancer_source_ranges: Option<OfCluster>,
    internal_traffic_policy: Option<Unsupported>,
    publish_not_ready_addresses: Option<Unsupported>,
    session_affinity: Option<Unsupported>,
    session_affinity_config: Option<Unsupported>,
    traffic_distribution: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "fields that are known and not looked at")]
struct ServicePort {
    port: u16,
    name: Option<OfCluster>,
    protocol: Option<OfCluster>,
    app_protocol: Option<OfCluster>,
    target_port: Option<OfCluster>,
    node_port: Option<OfCluster>,
}

/// Reads a Service.
pub(super) fn service(document: &Document, problems: &mut Problems<'_>) -> Option<Service> {
    let object: ServiceObject = problems.read(document, "Service")?;
    Some(Service {
        name: object.metadata.name(),
        namespace: object.metadata.namespace.unwrap_or_else(|| "default".to_owned()),
        ports: object.spec.ports.iter().map(|port| port.port).collect(),
        origin: origin(document, problems),
    })
}

#[derive(Debug, Deserialize)]
struct DeploymentObject {
    #[serde(default)]
    metadata: Metadata,
    spec: DeploymentSpec,
}

/// Of a Deployment only what heals is read; images, volumes and the rest belong to the cluster.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "fields that are known and not looked at")]
struct DeploymentSpec {
    replicas: Option<u32>,
    selector: Option<OfCluster>,
    template: Template,
    min_ready_seconds: Option<Unsupported>,
    strategy: Option<OfCluster>,
    revision_history_limit: Option<OfCluster>,
    progress_deadline_seconds: Option<OfCluster>,
    paused: Option<OfCluster>,
}

#[derive(Debug, Deserialize)]
struct Template {
    #[serde(default)]
    metadata: Metadata,
    spec: PodSpec,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "fields that are known and not looked at")]
struct PodSpec {
    containers: Vec<Container>,
    init_containers: Option<Unsupported>,
    termination_grace_period_seconds: Option<Unsupported>,
    readiness_gates: Option<Unsupported>,
    restart_policy: Option<OfCluster>,
    volumes: Option<OfCluster>,
    service_account_name: Option<OfCluster>,
    service_account: Option<OfCluster>,
    automount_service_account_token: Option<OfCluster>,
    image_pull_secrets: Option<OfCluster>,
    security_context: Option<OfCluster>,
    node_selector: Option<OfCluster>,
    node_name: Option<OfCluster>,
    affinity: Option<OfCluster>,
    tolerations: Option<OfCluster>,
    topology_spread_constraints: Option<OfCluster>,
    priority_class_name: Option<OfCluster>,
    priority: Option<OfCluster>,
    preemption_policy: Option<OfCluster>,
    scheduler_name: Option<OfCluster>,
    runtime_class_name: Option<OfCluster>,
    overhead: Option<OfCluster>,
    resources: Option<OfCluster>,
    dns_policy: Option<OfCluster>,
    dns_config: Option<OfCluster>,
    host_aliases: Option<OfCluster>,
    host_network: Option<OfCluster>,
    #[serde(rename = "hostPID")]
    host_pid: Option<OfCluster>,
    #[serde(rename = "hostIPC")]
    host_ipc: Option<OfCluster>,
    host_users: Option<OfCluster>,
    hostname: Option<OfCluster>,
    subdomain: Option<OfCluster>,
    #[serde(rename = "setHostnameAsFQDN")]
    set_hostname_as_fqdn: Option<OfCluster>,
    share_process_namespace: Option<OfCluster>,
    enable_service_links: Option<OfCluster>,
    os: Option<OfCluster>,
    active_deadline_seconds: Option<OfCluster>,
    resource_claims: Option<OfCluster>,
    scheduling_gates: Option<OfCluster>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "fields that are known and not looked at")]
struct Container {
    readiness_probe: Option<WrittenProbe>,
    liveness_probe: Option<WrittenProbe>,
    startup_probe: Option<WrittenProbe>,
    lifecycle: Option<Unsupported>,
    name: Option<OfCluster>,
    image: Option<OfCluster>,
    image_pull_policy: Option<OfCluster>,
    command: Option<OfCluster>,
    args: Option<OfCluster>,
    working_dir: Option<OfCluster>,
    env: Option<OfCluster>,
    env_from: Option<OfCluster>,
    ports: Option<OfCluster>,
    resources: Option<OfCluster>,
    resize_policy: Option<OfCluster>,
    restart_policy: Option<OfCluster>,
    volume_mounts: Option<OfCluster>,
    volume_devices: Option<OfCluster>,
    security_context: Option<OfCluster>,
    termination_message_path: Option<OfCluster>,
    termination_message_policy: Option<OfCluster>,
    stdin: Option<OfCluster>,
    stdin_once: Option<OfCluster>,
    tty: Option<OfCluster>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenProbe {
    http_get: Option<HttpGet>,
    tcp_socket: Option<TcpSocket>,
    initial_delay_seconds: Option<u64>,
    period_seconds: Option<u64>,
    timeout_seconds: Option<u64>,
    success_threshold: Option<Spanned<u32>>,
    failure_threshold: Option<u32>,
    #[serde(rename = "exec")]
    _exec: Option<Unsupported>,
    #[serde(rename = "grpc")]
    _grpc: Option<Unsupported>,
    #[serde(rename = "terminationGracePeriodSeconds")]
    _grace: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HttpGet {
    path: Option<String>,
    /// Each instance has one port here, so which is asked is no question.
    #[serde(rename = "port")]
    _port: Option<OfCluster>,
    #[serde(rename = "scheme")]
    _scheme: Option<Unsupported>,
    #[serde(rename = "host")]
    _host: Option<Unsupported>,
    #[serde(rename = "httpHeaders")]
    _headers: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TcpSocket {
    #[serde(rename = "port")]
    _port: Option<OfCluster>,
}

/// Reads a Deployment.
pub(super) fn deployment(document: &Document, problems: &mut Problems<'_>) -> Option<Deployment> {
    let object: DeploymentObject = problems.read(document, "Deployment")?;
    if object.spec.selector.is_none() {
        problems.error(
            document.place(),
            "a Deployment needs `spec.selector`",
            "repeat the labels of its template, as in `selector: {matchLabels: {app: cart}}`",
        );
    }
    let mut probes = object.spec.template.spec.containers.into_iter();
    let container = probes.next().unwrap_or_default();
    let mut read = |written: Option<WrittenProbe>, what: &str, one_success: bool| {
        written.and_then(|probe| self::probe(&probe, what, one_success, document, problems))
    };
    Some(Deployment {
        readiness: read(container.readiness_probe, "readinessProbe", false),
        liveness: read(container.liveness_probe, "livenessProbe", true),
        startup: read(container.startup_probe, "startupProbe", true),
        name: object.metadata.name(),
        replicas: object.spec.replicas.unwrap_or(1),
        labels: object.spec.template.metadata.labels,
        origin: origin(document, problems),
    })
}

fn probe(
    written: &WrittenProbe,
    what: &str,
    one_success: bool,
    document: &Document,
    problems: &mut Problems<'_>,
) -> Option<Probe> {
    let action = match (&written.http_get, &written.tcp_socket) {
        (Some(get), None) => ProbeAction::HttpGet { path: get.path.clone().unwrap_or_else(|| "/".to_owned()) },
        (None, Some(_)) => ProbeAction::Tcp,
        _ => {
            problems.error(document.place(), format!("`{what}` asks nothing"), "it has `httpGet` or `tcpSocket`");
            return None;
        }
    };
    let successes = written.success_threshold.as_ref();
    if let Some(many) = successes.filter(|successes| one_success && successes.value != 1) {
        problems.error(many.place, format!("`{what}.successThreshold` must be 1"), "only readiness may ask for more");
    }
    let seconds = |written: Option<u64>, default: u64| Duration::from_secs(written.unwrap_or(default));
    Some(Probe {
        action,
        initial_delay: seconds(written.initial_delay_seconds, 0),
        period: seconds(written.period_seconds, 10).max(Duration::from_secs(1)),
        timeout: seconds(written.timeout_seconds, 1).max(Duration::from_secs(1)),
        success_threshold: successes.map_or(1, |successes| successes.value).max(1),
        failure_threshold: written.failure_threshold.unwrap_or(3).max(1),
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SliceObject {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(rename = "addressType")]
    _address_type: Option<String>,
    #[serde(default)]
    endpoints: Vec<Spanned<SliceEndpoint>>,
    #[serde(default)]
    ports: Vec<SlicePort>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SliceEndpoint {
    #[serde(default)]
    addresses: Vec<String>,
    #[serde(default)]
    conditions: Conditions,
}

#[derive(Debug, Default, Deserialize)]
struct Conditions {
    /// Absent means unknown, which Kubernetes asks to be taken for ready.
    ready: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct SlicePort {
    port: Option<u16>,
}

/// The label that names an `EndpointSlice`'s service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Reads an `EndpointSlice`. Since no pods are given, the other labels of the slice count as those of its endpoints: subsets choose by
/// them when each version has a slice of its own.
pub(super) fn endpoints(document: &Document, problems: &mut Problems<'_>) -> Vec<Endpoint> {
    let Some(object) = problems.read::<SliceObject>(document, "EndpointSlice") else { return Vec::new() };
    let mut labels: BTreeMap<String, String> = object.metadata.labels;
    let Some(service) = labels.remove(SERVICE_NAME) else {
        problems.error(
            document.place(),
            format!("the slice does not say whose endpoints these are: the label `{SERVICE_NAME}` is missing"),
            format!("add `labels: {{{SERVICE_NAME}: cart}}`"),
        );
        return Vec::new();
    };
    let Some(port) = object.ports.iter().find_map(|port| port.port) else {
        problems.error(document.place(), "the slice has no port", "add `ports: [{port: 8080}]`");
        return Vec::new();
    };
    let mut endpoints = Vec::new();
    for endpoint in object.endpoints {
        for address in &endpoint.value.addresses {
            match address.parse::<IpAddr>() {
                Ok(ip) => endpoints.push(Endpoint {
                    service: service.clone(),
                    address: SocketAddr::new(ip, port),
                    labels: labels.clone(),
                    ready: endpoint.value.conditions.ready.unwrap_or(true),
                }),
                Err(_) => problems.error(endpoint.place, format!("`{address}` is no IP address"), ""),
            }
        }
    }
    endpoints
}
