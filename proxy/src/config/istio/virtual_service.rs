//! `VirtualService`.

mod action;
mod connection;
mod cors;
mod destination;
mod fault;
mod http;
mod mirror;
mod rewrite;
mod unreachable;

pub(super) use connection::cidr_of;
pub(super) use destination::{WrittenPort, check_destination_host};

use super::export_to::export_to;
use crate::config::kinds;
use crate::config::names::{check_host_or_address, check_name, is_generated, is_label, overlap};
use crate::config::object::Object;
use crate::config::objects::{PlaceInFile, VirtualService};
use crate::config::problems::Problems;
use connection::{WrittenTcp, WrittenTls};
use http::WrittenRule;
use serde::Deserialize;
use squall_yaml::{Document, Keyed, Node, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    #[serde(default)]
    hosts: Vec<Spanned<String>>,
    gateways: Option<Keyed<Vec<Spanned<String>>>>,
    #[serde(default)]
    http: Vec<Spanned<WrittenRule>>,
    tls: Option<Keyed<Vec<Spanned<WrittenTls>>>>,
    tcp: Option<Keyed<Vec<Spanned<WrittenTcp>>>>,
    #[serde(default)]
    export_to: Vec<Spanned<String>>,
}

/// What of an object its rules have to know.
struct Context<'a> {
    namespace: &'a str,
    hosts: &'a [Spanned<String>],
    is_delegate: bool,
    for_mesh: bool,
}

/// Reads one.
pub(in crate::config) fn virtual_service(document: &Document, problems: &mut Problems<'_>) -> Option<VirtualService> {
    let Object { metadata, spec } = problems.read::<Object<Spec>>(document, &kinds::VIRTUAL_SERVICE)?;
    metadata.check(document, problems);
    let namespace = metadata.namespace();
    let written_gateways = spec.gateways.as_ref().map_or(&[][..], |gateways| &gateways.value);
    let context = Context {
        namespace: &namespace,
        hosts: &spec.hosts,
        is_delegate: spec.hosts.is_empty(),
        for_mesh: written_gateways.is_empty() || written_gateways.iter().any(|name| name.value == "mesh"),
    };
    if context.is_delegate {
        check_delegate(&spec, problems);
    }
    check_hosts(&spec.hosts, context.for_mesh, problems);
    let tls = spec.tls.as_ref().map_or(&[][..], |tls| &tls.value);
    let tcp = spec.tcp.as_ref().map_or(&[][..], |tcp| &tcp.value);
    if spec.http.is_empty() && tls.is_empty() && tcp.is_empty() {
        problems.error(document.place(), "nothing to do: there is no rule", "add one under `http`, `tls` or `tcp`");
    }
    let nodes = document.root.get("spec").and_then(|spec| spec.get("http")).map_or(&[][..], Node::list);
    let rules = spec.http.iter().enumerate();
    let http: Vec<_> =
        rules.filter_map(|(index, rule)| http::rule(rule, nodes.get(index), &context, problems)).collect();
    unreachable::warn_of_tcp(tcp, problems);
    let mut gateways = gateway_names(written_gateways, problems);
    if gateways.is_empty() && !context.is_delegate {
        gateways.push("mesh".to_owned());
    }
    Some(VirtualService {
        hosts: spec.hosts.iter().map(|host| host.value.to_ascii_lowercase()).collect(),
        gateways,
        host_places: spec.hosts.iter().map(|host| PlaceInFile(host.place)).collect(),
        gateway_places: written_gateways.iter().map(|name| PlaceInFile(name.place)).collect(),
        export_to: export_to(&spec.export_to, &namespace, false, problems),
        http,
        tls: tls.iter().flat_map(|rule| connection::tls_rules(rule, &context, problems)).collect(),
        tcp: tcp.iter().map(|rule| connection::tcp_rule(rule, problems)).collect(),
        of_gateway_api: false,
        section: String::new(),
        origin: problems.origin(document.place()),
        created: metadata.created(),
        name: metadata.name,
        namespace,
    })
}

/// Without hosts it is a delegate, of whose rules others make use.
fn check_delegate(spec: &Spec, problems: &mut Problems<'_>) {
    let help = "without `hosts` it is a delegate, which has `http` alone";
    if let Some(gateways) = spec.gateways.as_ref().filter(|gateways| !gateways.value.is_empty()) {
        problems.error(gateways.key, "a delegate has no `gateways`", help);
    }
    if let Some(tls) = spec.tls.as_ref().filter(|tls| !tls.value.is_empty()) {
        problems.error(tls.key, "a delegate has no `tls`", help);
    }
    if let Some(tcp) = spec.tcp.as_ref().filter(|tcp| !tcp.value.is_empty()) {
        problems.error(tcp.key, "a delegate has no `tcp`", help);
    }
}

fn check_hosts(hosts: &[Spanned<String>], for_mesh: bool, problems: &mut Problems<'_>) {
    for (index, host) in hosts.iter().enumerate() {
        if !for_mesh && is_generated(&host.value) {
            continue;
        }
        if let Err(bad) = check_host_or_address(&host.value) {
            problems.error(host.place, bad, "a name such as `cart`, `cart.shop.svc.cluster.local` or `*.example.com`");
            continue;
        }
        if host.value == "*" && for_mesh {
            problems.error(
                host.place,
                "Istio takes the host `*` only for gateways",
                "name the hosts, or the `gateways`",
            );
        }
        let earlier = hosts.iter().take(index);
        let twice =
            |other: &&Spanned<String>| overlap(&other.value.to_ascii_lowercase(), &host.value.to_ascii_lowercase());
        if let Some(other) = earlier.filter(|other| check_host_or_address(&other.value).is_ok()).find(twice) {
            let message = format!("`{}` and `{}` mean the same hosts", other.value, host.value);
            problems.error(host.place, message, "hosts of one object do not overlap: take one out");
        }
    }
}

/// Gateways as `mesh`, `name` or `namespace/name`.
pub(super) fn gateway_names(written: &[Spanned<String>], problems: &mut Problems<'_>) -> Vec<String> {
    written.iter().map(|name| gateway_name(name, problems)).collect()
}

fn gateway_name(written: &Spanned<String>, problems: &mut Problems<'_>) -> String {
    let name = &written.value;
    let help = "`mesh`, `name` or `namespace/name`";
    if let Some((of, own)) = name.split_once('/') {
        for part in [of, own].into_iter().filter(|part| !is_label(part)) {
            problems.error(written.place, format!("`{part}` of `{name}` can be no name of a gateway"), help);
        }
        return format!("{of}/{own}");
    }
    if let Err(bad) = check_name(name) {
        problems.error(written.place, bad, help);
        return name.clone();
    }
    // What was written before Istio 1.1: name.namespace, perhaps with the domain behind it.
    match name.split('.').collect::<Vec<_>>()[..] {
        [own, of, ..] => {
            problems.warning(
                written.place,
                format!("`{name}` is the old way to name a gateway"),
                format!("write `{of}/{own}`"),
            );
            format!("{of}/{own}")
        }
        _ => name.clone(),
    }
}
