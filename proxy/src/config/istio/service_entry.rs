//! `ServiceEntry`.

use super::export_to::export_to;
use super::gateway::protocol;
use super::labels::{WrittenSelector, selector};
use super::virtual_service::cidr_of;
use super::workload::{WrittenWorkload, check_ports, workload};
use crate::config::kinds;
use crate::config::names::{check_host, check_name, is_label, is_partial_wildcard};
use crate::config::number::Port;
use crate::config::object::Object;
use crate::config::objects::{AppProtocol, Resolution, ServiceEntry, ServicePort, Workload};
use crate::config::problems::Problems;
use serde::Deserialize;
use squall_yaml::{Document, Keyed, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    #[serde(default)]
    hosts: Vec<Spanned<String>>,
    #[serde(default)]
    addresses: Vec<Spanned<String>>,
    #[serde(default)]
    ports: Vec<WrittenPort>,
    location: Option<Location>,
    resolution: Option<Spanned<WrittenResolution>>,
    endpoints: Option<Keyed<Vec<Spanned<WrittenWorkload>>>>,
    workload_selector: Option<Keyed<WrittenSelector>>,
    #[serde(default)]
    export_to: Vec<Spanned<String>>,
    #[serde(default)]
    subject_alt_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenPort {
    number: Spanned<Port>,
    name: Spanned<String>,
    protocol: Option<Spanned<String>>,
    target_port: Option<Spanned<u32>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Location {
    MeshExternal,
    MeshInternal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum WrittenResolution {
    None,
    Static,
    Dns,
    DnsRoundRobin,
    DynamicDns,
}

/// Reads one.
pub(in crate::config) fn service_entry(document: &Document, problems: &mut Problems<'_>) -> Option<ServiceEntry> {
    let Object { metadata, spec } = problems.read::<Object<Spec>>(document, &kinds::SERVICE_ENTRY)?;
    metadata.check(document, problems);
    let namespace = metadata.namespace();
    if spec.hosts.is_empty() {
        problems.error(document.place(), "an entry needs a host", "add `hosts: [api.example.com]`");
    }
    for host in &spec.hosts {
        check_entry_host(host, problems);
    }
    let resolution = resolution(spec.resolution.as_ref(), problems)?;
    check_addresses(&spec, resolution, problems);
    let ports = ports(&spec, problems);
    check_hosts_apart(&spec, resolution, &ports, problems);
    let written = spec.endpoints.as_ref().map_or(&[][..], |endpoints| &endpoints.value);
    if let (Some(selector), Some(_)) = (&spec.workload_selector, &spec.endpoints) {
        problems.error(selector.key, "only one of `workloadSelector` and `endpoints`", "take one out");
    }
    check_endpoints(&spec, written, resolution, problems);
    Some(ServiceEntry {
        hosts: spec.hosts.iter().map(|host| host.value.to_ascii_lowercase()).collect(),
        addresses: spec.addresses.iter().map(|address| address.value.clone()).collect(),
        target_ports: spec.ports.iter().filter_map(|port| target_port(port, problems)).collect(),
        ports,
        mesh_internal: spec.location == Some(Location::MeshInternal),
        resolution,
        endpoints: endpoints(&spec, written, resolution, &namespace, problems),
        workload_selector: selector(spec.workload_selector.as_ref(), problems),
        export_to: export_to(&spec.export_to, &namespace, true, problems),
        subject_alt_names: spec.subject_alt_names.clone(),
        origin: problems.origin(document.place()),
        name: metadata.name,
        namespace,
    })
}

fn check_entry_host(host: &Spanned<String>, problems: &mut Problems<'_>) {
    if host.value == "*" {
        problems.error(host.place, "Istio refuses the host `*` here", "name the hosts, or `*.suffix`");
    } else if let Err(bad) = check_host(&host.value) {
        problems.error(host.place, bad, "a name such as `api.example.com`");
    } else if is_partial_wildcard(&host.value) {
        problems.warning(host.place, format!("`{}` begins with a part of a wildcard", host.value), "write `*.suffix`");
    }
}

fn resolution(written: Option<&Spanned<WrittenResolution>>, problems: &mut Problems<'_>) -> Option<Resolution> {
    Some(match written.map_or(WrittenResolution::None, |written| written.value) {
        WrittenResolution::None => Resolution::None,
        WrittenResolution::Static => Resolution::Static,
        WrittenResolution::Dns => Resolution::Dns,
        WrittenResolution::DnsRoundRobin => Resolution::DnsRoundRobin,
        WrittenResolution::DynamicDns => {
            let place = written.map(|written| written.place).unwrap_or_default();
            problems.unsupported_value(place, "DYNAMIC_DNS".len(), "spec.resolution", &"DYNAMIC_DNS");
            return None;
        }
    })
}

fn check_addresses(spec: &Spec, resolution: Resolution, problems: &mut Problems<'_>) {
    for address in &spec.addresses {
        if cidr_of(&address.value).is_none() {
            let message = format!("`{}` is no address and no range of them", address.value);
            problems.error(address.place, message, "as `10.0.0.7` or `10.0.0.0/24`");
        } else if address.value.contains('/') && matches!(resolution, Resolution::Dns | Resolution::DnsRoundRobin) {
            problems.error(
                address.place,
                "a range of addresses beside `resolution: DNS`",
                "ranges go with NONE and STATIC",
            );
        }
    }
}

fn ports(spec: &Spec, problems: &mut Problems<'_>) -> Vec<ServicePort> {
    let mut ports: Vec<ServicePort> = Vec::new();
    for written in &spec.ports {
        let (name, number) = (&written.name, written.number.value.0);
        if !is_label(&name.value) {
            let message = format!("`{}` can be no name of a port", name.value);
            problems.error(name.place, message, "letters, digits and dashes inside, as `http`");
        }
        if ports.iter().any(|port| port.name == name.value) {
            problems.error(
                name.place,
                format!("the port name `{}` stands here twice", name.value),
                "give each its own",
            );
        }
        if ports.iter().any(|port| port.number == number) {
            problems.error(written.number.place, format!("port {number} stands here twice"), "take one out");
        }
        let word = written.protocol.as_ref().filter(|word| !word.value.is_empty());
        let spoken = word.map_or(Some(AppProtocol::Sniffed), |word| protocol(&word.value));
        if let (None, Some(word)) = (spoken, word) {
            let help = "HTTP, HTTP2, GRPC, GRPC-WEB, HTTPS, TLS, MONGO, REDIS, MYSQL, TCP or UDP";
            problems.error(word.place, format!("`{}` is no protocol of a port", word.value), help);
        }
        ports.push(ServicePort { number, name: name.value.clone(), protocol: spoken.unwrap_or_default() });
    }
    ports
}

/// Of a port whose endpoints listen elsewhere: its number and theirs.
fn target_port(written: &WrittenPort, problems: &mut Problems<'_>) -> Option<(u16, u16)> {
    let target = super::route_match::port(written.target_port.as_ref(), problems)?;
    Some((written.number.value.0, target))
}

/// Several hosts can only be told apart by what is spoken.
fn check_hosts_apart(spec: &Spec, resolution: Resolution, ports: &[ServicePort], problems: &mut Problems<'_>) {
    let Some(second) = spec.hosts.get(1).filter(|_| resolution != Resolution::None) else { return };
    if ports.iter().any(|port| !port.protocol.is_http() && port.protocol != AppProtocol::Tls) {
        let help = "make an entry for each host, or say `protocol: HTTP` or `TLS`";
        problems.error(second.place, "several hosts cannot be told apart on a port that is neither HTTP nor TLS", help);
    }
}

fn check_endpoints(
    spec: &Spec,
    written: &[Spanned<WrittenWorkload>],
    resolution: Resolution,
    problems: &mut Problems<'_>,
) {
    let by_dns = matches!(resolution, Resolution::Dns | Resolution::DnsRoundRobin);
    if let Some(endpoint) = written.first().filter(|_| resolution == Resolution::None) {
        let help = "say `resolution: STATIC`, or `DNS` for names";
        problems.error(endpoint.place, "endpoints without `resolution` are not used", help);
    }
    if let Some(selector) = spec.workload_selector.as_ref().filter(|_| resolution == Resolution::None) {
        problems.warning(
            selector.key,
            "`workloadSelector` does nothing without `resolution`",
            "say `resolution: STATIC`",
        );
    }
    if let Some(second) = written.get(1).filter(|_| resolution == Resolution::DnsRoundRobin) {
        problems.error(second.place, "`resolution: DNS_ROUND_ROBIN` has one endpoint", "say `resolution: DNS`");
    }
    if by_dns && written.is_empty() {
        for host in spec.hosts.iter().filter(|host| host.value.contains('*') && check_name(&host.value).is_err()) {
            let help = "add `endpoints` with the names to look up";
            problems.error(host.place, format!("`{}` cannot be looked up", host.value), help);
        }
    }
}

fn endpoints(
    spec: &Spec,
    written: &[Spanned<WrittenWorkload>],
    resolution: Resolution,
    namespace: &str,
    problems: &mut Problems<'_>,
) -> Vec<Workload> {
    let names: Vec<&str> = spec.ports.iter().map(|port| port.name.value.as_str()).collect();
    let mut endpoints = Vec::new();
    for one in written {
        check_ports(one, &names, problems);
        let may_be_name = resolution != Resolution::Static;
        let read = workload(&one.value, one.place, "spec.endpoints.address", may_be_name, problems);
        endpoints.extend(read.map(|read| Workload { namespace: namespace.to_owned(), ..read }));
    }
    endpoints
}
