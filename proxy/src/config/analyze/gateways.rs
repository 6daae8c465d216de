//! Gateways that are not there, that nobody uses, or that are in each other's way.

use super::finding;
use crate::config::mesh::{Bound, namespace, narrower, whole_gateway};
use crate::config::objects::{Gateway, GatewayServer, Objects, PlaceInFile, VirtualService};
use crate::policy::Origin;
use squall_yaml::{Finding, suggest};

/// What is wrong between gateways and the objects that name them.
pub(super) fn findings(objects: &Objects, bound: &[Bound<'_>]) -> Vec<Finding> {
    let mut findings: Vec<_> = objects.virtual_services.iter().flat_map(|object| unknown(object, objects)).collect();
    findings.extend(objects.gateways.iter().filter_map(|gateway| unused(gateway, bound)));
    findings.extend(bound.iter().flat_map(|bound| without_host(bound, objects)));
    for (at, gateway) in objects.gateways.iter().enumerate() {
        findings.extend(gateway.servers.iter().enumerate().filter_map(|(number, server)| {
            let earlier = objects.gateways.iter().take(at).flat_map(|other| {
                other.servers.iter().filter(|_| other.selector == gateway.selector).map(move |server| (other, server))
            });
            let own = gateway.servers.iter().take(number).map(|server| (gateway, server));
            rival(server, earlier.chain(own))
        }));
    }
    findings
}

fn name(gateway: &Gateway) -> String {
    format!("{}/{}", namespace(&gateway.namespace), gateway.name)
}

fn unknown(object: &VirtualService, objects: &Objects) -> Vec<Finding> {
    let known: Vec<_> = objects.gateways.iter().map(name).collect();
    let known: Vec<_> = known.iter().map(String::as_str).collect();
    let home = namespace(&object.namespace);
    let of_blocks = object
        .http
        .iter()
        .flat_map(|rule| &rule.matches)
        .flat_map(|block| block.gateways.iter().map(|gateway| (&block.origin, PlaceInFile::default(), gateway)));
    let top = object.gateways.iter().enumerate().map(|(number, gateway)| {
        (&object.origin, object.gateway_places.get(number).copied().unwrap_or_default(), gateway)
    });
    let missing = top.chain(of_blocks).filter(|(_, _, written)| {
        let whole = whole_gateway(written, home);
        whole != "mesh" && !known.contains(&whole.as_str())
    });
    let report = |(origin, place, written): (&Origin, _, &String)| {
        let message = format!("there is no gateway `{}`", whole_gateway(written, home));
        let near = suggest(&whole_gateway(written, home), &known).map(|near| format!("did you mean `{near}`?"));
        finding("SQ0405", origin, place, written, message, near)
    };
    missing.map(report).collect()
}

/// A server that sends everything to https does its work without routes.
fn unused(gateway: &Gateway, bound: &[Bound<'_>]) -> Option<Finding> {
    let name = name(gateway);
    let works_alone = gateway.servers.iter().all(|server| server.https_redirect);
    if works_alone || bound.iter().any(|bound| bound.is_bound_to(&name)) {
        return None;
    }
    let message = format!("no VirtualService names the gateway `{name}`");
    let help = format!("add `gateways: [{name}]` to the VirtualService that routes its hosts");
    Some(finding("SQ0406", &gateway.origin, PlaceInFile::default(), "", message, help))
}

fn without_host(bound: &Bound<'_>, objects: &Objects) -> Vec<Finding> {
    let mut findings = Vec::new();
    for gateway in objects.gateways.iter().filter(|gateway| bound.is_bound_to(&name(gateway))) {
        let home = namespace(&gateway.namespace);
        let open = |written: &str| match written.split_once('/') {
            Some((of, host)) if of == "*" || of == bound.namespace || of == "." && home == bound.namespace => {
                Some(host.to_ascii_lowercase())
            }
            Some(_) => None,
            None => Some(written.to_ascii_lowercase()),
        };
        let section = &bound.object.section;
        let servers = gateway.servers.iter().filter(|server| section.is_empty() || server.port_name == *section);
        let hosts: Vec<_> = servers.flat_map(|server| &server.hosts).filter_map(|host| open(host)).collect();
        if hosts.iter().any(|open| bound.hosts.iter().any(|host| narrower(open, host).is_some())) {
            continue;
        }
        let place = bound.object.host_places.first().copied().unwrap_or_default();
        let written = bound.object.hosts.first().map_or("", String::as_str);
        let message = format!("no server of the gateway `{}` takes any of these hosts", name(gateway));
        let help = match hosts.as_slice() {
            [] => format!("its servers have no host for namespace `{}`", bound.namespace),
            hosts => format!("its servers take `{}`", hosts.join("`, `")),
        };
        findings.push(finding("SQ0408", &bound.object.origin, place, written, message, help));
    }
    findings
}

/// A server ahead of this one that takes its port's connections, if there is one.
fn rival<'o>(
    server: &GatewayServer,
    mut earlier: impl Iterator<Item = (&'o Gateway, &'o GatewayServer)>,
) -> Option<Finding> {
    let is_clear_http = |server: &GatewayServer| server.protocol.is_http() && !server.terminates_tls;
    let is_tls = |server: &GatewayServer| server.terminates_tls || server.passthrough;
    let repeated = |other: &GatewayServer| server.hosts.iter().find(|host| other.hosts.contains(host)).cloned();
    let (gateway, other, host) = earlier.find_map(|(gateway, other)| {
        if other.port != server.port || is_clear_http(server) && is_clear_http(other) {
            return None;
        }
        if is_tls(server) && is_tls(other) {
            return repeated(other).map(|host| (gateway, other, Some(host)));
        }
        Some((gateway, other, None))
    })?;
    let message = match host {
        Some(host) => format!("port {} serves `{host}` by the gateway `{}` already", server.port, name(gateway)),
        None => {
            format!("port {} is served by the gateway `{}` in another protocol already", server.port, name(gateway))
        }
    };
    let help = format!("see {}", other.origin);
    Some(finding("SQ0407", &server.origin, PlaceInFile::default(), "", message, help))
}
