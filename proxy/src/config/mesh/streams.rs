//! Where bytes go that are no requests.

use super::clusters::{self, BLACK_HOLE, PASSTHROUGH};
use super::registry::Known;
use super::routes::destinations;
use super::rules::Rule;
use super::scope::subset_of;
use super::view::View;
use super::virtual_services::{Bound, whole_gateway};
use super::{OutboundTraffic, host};
use crate::config::objects::{ConnectionMatch, LoadBalancer, WeightedBackend};
use crate::policy::{ChainMatch, FilterChain, Handler, HashOf, Origin, TcpProxy};

/// The chains of a service at a port where TLS or other bytes are spoken, without conditions on the service itself.
pub(super) fn chains(view: &View<'_>, service: &Known<'_>, port: u16, tls: bool) -> Vec<FilterChain> {
    let bound = view
        .mesh_routing_at(port)
        .filter(|bound| bound.hosts.iter().any(|pattern| host::overlap(pattern, &service.host)));
    let mut chains = Vec::new();
    for bound in bound {
        let added = if tls { of_tls(view, bound, port, "mesh") } else { of_tcp(view, bound, port, "mesh") };
        chains.extend(added);
        // Behind a chain for every connection nothing is ever looked at.
        if chains.iter().any(|chain: &FilterChain| chain.matches == ChainMatch::default()) {
            return chains;
        }
    }
    without_doubles(&mut chains);
    if !tls || chains.is_empty() {
        let cluster = clusters::name(service.port_or(port), None, &service.host);
        chains.push(chain(ChainMatch::default(), to_one(view, service, &cluster), &service.origin));
    }
    chains
}

/// The chains of an object's rules for bytes at a port, up to the first for every connection.
pub(super) fn of_tcp(view: &View<'_>, bound: &Bound<'_>, port: u16, gateway: &str) -> Vec<FilterChain> {
    let mut chains = Vec::new();
    for rule in &bound.object.tcp {
        let proxy = weighted(view, bound, &rule.to, port);
        let Some(proxy) = proxy else { continue };
        let fitting = rule.matches.iter().filter(|block| is_for(view, bound, block, port, gateway));
        let ranges: Vec<_> = fitting.map(|block| block.destinations.clone()).collect();
        if rule.matches.is_empty() || ranges.iter().any(Vec::is_empty) {
            chains.push(chain(ChainMatch::default(), proxy, &rule.origin));
            return chains;
        }
        let destination_ranges: Vec<_> = ranges.into_iter().flatten().collect();
        if !destination_ranges.is_empty() {
            chains.push(chain(ChainMatch { destination_ranges, ..ChainMatch::default() }, proxy, &rule.origin));
        }
    }
    chains
}

/// The chains of an object's rules for TLS that is passed on, each for some server names.
pub(super) fn of_tls(view: &View<'_>, bound: &Bound<'_>, port: u16, gateway: &str) -> Vec<FilterChain> {
    let mut chains = Vec::new();
    for rule in &bound.object.tls {
        let Some(proxy) = weighted(view, bound, &rule.to, port) else { continue };
        let any = [ConnectionMatch::default()];
        let blocks = if rule.matches.is_empty() { &any[..] } else { &rule.matches };
        for block in blocks.iter().filter(|block| is_for(view, bound, block, port, gateway)) {
            let matches = ChainMatch {
                server_names: rule.server_names.iter().map(|name| name.to_ascii_lowercase()).collect(),
                destination_ranges: block.destinations.clone(),
                ..ChainMatch::default()
            };
            chains.push(chain(matches, proxy.clone(), &rule.origin));
        }
    }
    without_doubles(&mut chains);
    chains
}

/// What becomes of bytes that nothing is for.
pub(super) fn rest(traffic: OutboundTraffic) -> FilterChain {
    let cluster = match traffic {
        OutboundTraffic::AllowAny => PASSTHROUGH,
        OutboundTraffic::RegistryOnly => BLACK_HOLE,
    };
    chain(ChainMatch::default(), TcpProxy::to(cluster, cluster), &Origin::default())
}

/// A chain of bytes.
pub(super) fn chain(matches: ChainMatch, proxy: TcpProxy, origin: &Origin) -> FilterChain {
    FilterChain { name: String::new(), matches, tls: None, handler: Handler::Tcp(proxy), origin: origin.clone() }
}

/// Only the first of several for the same connections can be reached.
fn without_doubles(chains: &mut Vec<FilterChain>) {
    let mut known: Vec<ChainMatch> = Vec::new();
    chains.retain(|chain| {
        let new = !known.contains(&chain.matches);
        known.push(chain.matches.clone());
        new
    });
}

fn is_for(view: &View<'_>, bound: &Bound<'_>, block: &ConnectionMatch, port: u16, gateway: &str) -> bool {
    let named = |name: &String| whole_gateway(name, bound.namespace) == gateway;
    let at_gateway = block.gateways.is_empty() || block.gateways.iter().any(named);
    let of_namespace = block.source_namespace.as_ref().is_none_or(|namespace| namespace == view.site.namespace());
    let of_caller = of_namespace && subset_of(&block.source_labels, &view.site.node.labels);
    // Who calls is not known at a gateway.
    at_gateway && block.port.is_none_or(|known| known == port) && (gateway != "mesh" || of_caller)
}

fn weighted(view: &View<'_>, bound: &Bound<'_>, to: &[WeightedBackend], port: u16) -> Option<TcpProxy> {
    let mut backends = to.to_vec();
    backends.iter_mut().for_each(|backend| backend.to.host = host::qualified(&backend.to.host, bound.namespace));
    let clusters = destinations(view, &backends, port);
    let first = backends.first()?;
    let name = clusters.first()?.name.clone();
    let rule = view.rule_of_host(&first.to.host);
    let prefix = if let [_] = to { name.clone() } else { format!("{}.{}", bound.object.name, bound.namespace) };
    let subset = first.to.subset.as_deref().filter(|_| to.len() == 1);
    Some(TcpProxy { to: clusters, ..with_rule(TcpProxy::to(&prefix, &name), rule.as_ref(), subset) })
}

fn to_one(view: &View<'_>, service: &Known<'_>, cluster: &str) -> TcpProxy {
    with_rule(TcpProxy::to(cluster, cluster), view.rule(service).as_ref(), None)
}

/// What the rule says of connections as a whole; it stands at the listener, which knows no policy of single ports.
fn with_rule(proxy: TcpProxy, rule: Option<&Rule>, subset: Option<&str>) -> TcpProxy {
    let Some(rule) = rule else { return proxy };
    let pool = rule.policy.connection_pool.as_ref();
    let subset = rule.subsets.iter().find(|known| Some(known.name.as_str()) == subset);
    let by_address = |balancer: &LoadBalancer| balancer.hash == Some(HashOf::SourceIp);
    let balancer = subset.and_then(|subset| subset.policy.load_balancer.as_ref());
    let balancer = balancer.or(rule.policy.load_balancer.as_ref());
    TcpProxy {
        idle_timeout: match pool.and_then(|pool| pool.tcp_idle_timeout) {
            Some(idle) => (!idle.is_zero()).then_some(idle),
            None => proxy.idle_timeout,
        },
        max_duration: pool.and_then(|pool| pool.max_connection_duration),
        hash_source_ip: balancer.is_some_and(by_address),
        ..proxy
    }
}
