//! `Sidecar`: which hosts may be called, and what becomes of calls to all others.

use super::gateway::protocol;
use super::labels::{WrittenSelector, selector};
use super::whole_host::check_whole_host;
use crate::config::kinds;
use crate::config::names::is_label;
use crate::config::number::Port;
use crate::config::object::Object;
use crate::config::objects::{Sidecar, SidecarEgress};
use crate::config::problems::Problems;
use serde::Deserialize;
use squall_yaml::{Document, Keyed, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    workload_selector: Option<Keyed<WrittenSelector>>,
    #[serde(default)]
    egress: Vec<Spanned<WrittenEgress>>,
    outbound_traffic_policy: Option<OutboundPolicy>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OutboundPolicy {
    #[serde(default)]
    mode: Mode,
}

/// The first is protobuf's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Mode {
    #[default]
    RegistryOnly,
    AllowAny,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEgress {
    port: Option<Spanned<WrittenPort>>,
    #[serde(default)]
    hosts: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenPort {
    number: Spanned<Port>,
    protocol: Option<Spanned<String>>,
    #[serde(rename = "name")]
    _name: Option<String>,
    target_port: Option<Keyed<u32>>,
}

/// Reads one.
pub(in crate::config) fn sidecar(document: &Document, problems: &mut Problems<'_>) -> Option<Sidecar> {
    let Object { metadata, spec } = problems.read::<Object<Spec>>(document, &kinds::SIDECAR)?;
    metadata.check(document, problems);
    let nothing = |name| document.root.get("spec").and_then(|spec| spec.get(name)).is_none();
    if ["egress", "ingress", "outboundTrafficPolicy", "inboundConnectionPool"].into_iter().all(nothing) {
        problems.error(
            document.place(),
            "Istio refuses a sidecar in which nothing is said",
            "add `egress: [{hosts: [./*]}]`",
        );
    }
    let mut ports: Vec<u16> = Vec::new();
    for (index, egress) in spec.egress.iter().enumerate() {
        let Some(port) = &egress.value.port else {
            if index + 1 < spec.egress.len() {
                let help = "one without a port is for all others, and stands last";
                problems.error(egress.place, "Istio refuses `egress` without a port ahead of another", help);
            }
            continue;
        };
        check_port(port, &ports, problems);
        ports.push(port.value.number.value.0);
    }
    Some(Sidecar {
        namespace: metadata.namespace(),
        workload_selector: selector(spec.workload_selector.as_ref(), problems),
        egress: spec.egress.iter().map(|written| egress(written, problems)).collect(),
        registry_only: spec.outbound_traffic_policy.map(|policy| policy.mode == Mode::RegistryOnly),
        origin: problems.origin(document.place()),
        name: metadata.name,
    })
}

fn check_port(written: &Spanned<WrittenPort>, earlier: &[u16], problems: &mut Problems<'_>) {
    let WrittenPort { number, protocol: word, target_port, .. } = &written.value;
    if let Some(bad) = word.as_ref().filter(|word| !word.value.is_empty() && protocol(&word.value).is_none()) {
        problems.error(
            bad.place,
            format!("`{}` is no protocol of a port", bad.value),
            "as HTTP, HTTP2, GRPC, TLS or TCP",
        );
    }
    if let Some(target) = target_port.filter(|target| target.value > 0) {
        problems.error(target.key, "`targetPort` does nothing in a sidecar", "take it out");
    }
    if earlier.contains(&number.value.0) {
        problems.error(number.place, format!("port {} stands here twice", number.value.0), "put the hosts together");
    }
}

fn egress(written: &Spanned<WrittenEgress>, problems: &mut Problems<'_>) -> SidecarEgress {
    let WrittenEgress { port, hosts } = &written.value;
    if hosts.is_empty() {
        problems.error(written.place, "`egress` needs a host", "as in `hosts: [./*, istio-system/*]`");
    }
    let mut kept: Vec<String> = Vec::new();
    for host in hosts {
        let Some((namespace, name)) = host.value.split_once('/') else {
            let help = "as `./cart.default.svc.cluster.local`, `shop/*` or `*/*`";
            problems.error(host.place, format!("`{}` has no namespace", host.value), help);
            continue;
        };
        if let Some(excluded) = namespace.strip_prefix('~') {
            if !excluded.is_empty() || name != "*" {
                problems.unsupported_value(host.place, host.value.chars().count(), "spec.egress.hosts", &host.value);
                continue;
            }
        } else if !(namespace == "*" || namespace == "." || is_label(namespace)) {
            problems.error(host.place, format!("`{namespace}` is no namespace"), "a name, `.` or `*`");
        }
        check_whole_host(name, host, problems);
        let host_name = host.value.to_ascii_lowercase();
        if kept.contains(&host_name) || kept.contains(&format!("{namespace}/*")) {
            problems.warning(host.place, format!("`{}` is there already", host.value), "take it out");
        }
        kept.push(host_name);
    }
    SidecarEgress { port: port.as_ref().map(|port| port.value.number.value.0), hosts: kept }
}
