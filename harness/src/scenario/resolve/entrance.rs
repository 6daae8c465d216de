//! The proxy that clients ask, and which of its listeners each flow asks.

use super::sites::Sites;
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Entrance, Flow, MeshMode, Place, Service};
use squall_proxy::policy::{Config, FilterChain, Handler, Listener};
use std::collections::BTreeMap;

/// The entrance of a mode; none, and an error, if policies and mode cannot go together.
pub(super) fn resolve(
    (mode, place): (MeshMode, Place),
    sites: &Sites,
    services: &[Service],
    flows: &[Flow],
    problems: &mut Problems,
) -> Option<Entrance> {
    let bootstrap = sites.objects.bootstrap.is_some();
    if bootstrap && !matches!(mode, MeshMode::None | MeshMode::Client) {
        let message = format!(
            "an Envoy bootstrap is the whole configuration of one proxy, and mode `{}` asks for others",
            mode.word()
        );
        problems.error(code::SHAPE, place, message).expected("`mode: client`, or `none` to go without it");
        return None;
    }
    let labels = if mode == MeshMode::Gateway { gateway(place, sites, problems)? } else { BTreeMap::new() };
    let config = sites.entrance(mode)?;
    let asked: Vec<Option<String>> = flows.iter().map(|flow| asked(flow, mode, &config, services, problems)).collect();
    if bootstrap {
        stands_alone(place, sites, problems);
        leads_somewhere(&config, sites, flows, problems);
    }
    let listen = match mode {
        _ if bootstrap => config.listeners.iter().map(|listener| bound(None, listener.address.port())).collect(),
        MeshMode::Gateway => sites.gateway_ports().into_iter().map(|port| bound(None, port)).collect(),
        _ => sites.outbound_ports().into_iter().map(|(host, port)| bound(host, port)).collect(),
    };
    Some(Entrance { mode, bootstrap, labels, listen, asked: asked.into_iter().collect::<Option<_>>()? })
}

/// On a port of the kernel's choice, so that arms side by side do not get in each other's way.
fn bound(host: Option<&str>, port: u16) -> String {
    let of = host.map(|host| format!("{host}:")).unwrap_or_default();
    format!("{of}{port}=127.0.0.1:0")
}

/// Labels of a gateway that every Gateway of the policies selects.
fn gateway(place: Place, sites: &Sites, problems: &mut Problems) -> Option<BTreeMap<String, String>> {
    if sites.objects.gateways.is_empty() {
        problems
            .error(code::SHAPE, place, "mode `gateway`, but no policy is a Gateway")
            .expected("a Gateway with a server for HTTP, and a VirtualService that names it in `gateways`")
            .help("without one write `mode: client`");
        return None;
    }
    match sites.gateway_labels() {
        Ok(labels) => Some(labels),
        Err(other) => {
            let message = format!(
                "the Gateways select different proxies, and one is deployed: `{}` asks for other labels than those before it",
                other.name
            );
            problems.error(code::SHAPE, place, message).help("give them one selector, or leave one out");
            None
        }
    }
}

/// Name of the listener that a flow asks: that of the port it names, else of its service's port, else the only one.
fn asked(
    flow: &Flow,
    mode: MeshMode,
    config: &Config,
    services: &[Service],
    problems: &mut Problems,
) -> Option<String> {
    let named = flow.host.as_ref().and_then(|(_, port)| *port);
    let tcp = services.iter().filter(|service| service.name == flow.to).flat_map(|service| &service.ports);
    let for_bytes = tcp.into_iter().any(|port| port.number == flow.port && port.tcp);
    let listeners = || config.listeners.iter().map(|listener| (listener, port_of(listener)));
    let wanted = named.unwrap_or(flow.port);
    let own = |listener: &Listener| {
        !for_bytes || mode == MeshMode::Gateway || listener.name.starts_with(&format!("{}.", flow.to))
    };
    let by_port = listeners().find(|(listener, port)| *port == wanted && own(listener));
    let only = listeners().next().filter(|_| named.is_none() && config.listeners.len() == 1);
    let Some((listener, _)) = by_port.or(only) else {
        let ports: Vec<String> = listeners().map(|(_, port)| port.to_string()).collect();
        let message = format!("nobody listens on port {wanted}");
        let port = ports.first().map_or("8080", String::as_str);
        problems
            .error(code::UNKNOWN_NAME, flow.place, message)
            .names(&wanted.to_string(), ports.iter().map(String::as_str))
            .help(format!("say whom clients call: `host: {}:{port}`", host_of(flow)));
        return None;
    };
    let chains: Vec<&FilterChain> = listener.chains.iter().chain(&listener.default_chain).collect();
    if !chains.is_empty() && chains.iter().all(|chain| chain.tls.is_some()) {
        problems
            .error(
                code::RESERVED,
                flow.place,
                format!("port {} asks for TLS, which the load does not speak", port_of(listener)),
            )
            .help("open a port for HTTP beside it");
        return None;
    }
    if mode == MeshMode::Gateway {
        is_routed(flow, listener, problems);
    }
    Some(listener.name.clone())
}

/// The port that a listener stands for, wherever it is bound.
fn port_of(listener: &Listener) -> u16 {
    if listener.address.port() != 0 {
        return listener.address.port();
    }
    // `0.0.0.0_8080`, `cart.default.svc.cluster.local_6379`.
    listener.name.rsplit('_').next().and_then(|port| port.parse().ok()).unwrap_or(0)
}

/// A gateway answers 404 to hosts that nobody routes there.
fn is_routed(flow: &Flow, listener: &Listener, problems: &mut Problems) {
    let tables = listener.chains.iter().filter_map(|chain| match &chain.handler {
        Handler::Http(manager) => Some(&manager.routes),
        Handler::Tcp(_) => None,
    });
    let hosts: Vec<_> = tables.flat_map(|table| &table.virtual_hosts).filter(|host| !host.routes.is_empty()).collect();
    let host = host_of(flow);
    let takes = |domain: &str| domain == host || domain.strip_prefix('*').is_some_and(|rest| host.ends_with(rest));
    let is_http = listener.chains.iter().any(|chain| matches!(chain.handler, Handler::Http(_)));
    if is_http && !hosts.iter().any(|known| known.domains.iter().any(|domain| takes(domain))) {
        let known: Vec<&str> = hosts.iter().flat_map(|host| &host.domains).map(String::as_str).collect();
        problems
            .error(code::UNKNOWN_NAME, flow.place, format!("the gateway routes nothing for `{host}` on port {}", port_of(listener)))
            .names(host, known)
            .help("a VirtualService with this host names the Gateway in `gateways`; `host:` of the flow says whom clients call");
    }
}

fn host_of(flow: &Flow) -> &str {
    flow.host.as_ref().map_or(&flow.to, |(host, _)| host)
}

/// A bootstrap is the whole configuration, so that nobody would obey what stands beside it.
fn stands_alone(place: Place, sites: &Sites, problems: &mut Problems) {
    let objects = &sites.objects;
    let beside = [
        ("VirtualServices or routes", objects.virtual_services.len()),
        ("DestinationRules", objects.destination_rules.len()),
        ("Gateways", objects.gateways.len()),
        ("ServiceEntries", objects.service_entries.len()),
        ("Sidecars", objects.sidecars.len()),
        ("HealthChecks", objects.health_checks.len()),
    ];
    for (kind, _) in beside.into_iter().filter(|(_, number)| *number > 0) {
        problems
            .error(code::SHAPE, place, format!("{kind} beside an Envoy bootstrap, which is the whole configuration"))
            .help("say it in the bootstrap, or leave the bootstrap out");
    }
}

/// Every service that is asked has a cluster of the bootstrap behind which it is.
fn leads_somewhere(config: &Config, sites: &Sites, flows: &[Flow], problems: &mut Problems) {
    let led: Vec<String> = config.clusters.iter().map(|cluster| sites.service_of(cluster)).collect();
    for flow in flows.iter().filter(|flow| !led.contains(&flow.to)) {
        let clusters = config.clusters.iter().map(|cluster| cluster.name.as_str());
        problems
            .error(code::UNKNOWN_NAME, flow.place, format!("no cluster of the bootstrap leads to `{}`", flow.to))
            .names(&flow.to, clusters)
            .help(format!(
                "call a cluster `{0}`, or an endpoint of it: `socket_address: {{address: {0}, port_value: {1}}}`",
                flow.to, flow.port
            ));
    }
}
