//! The route table of a caller's sidecar for one port.

use super::clusters::{self, PASSTHROUGH};
use super::effective::hash_of_service;
use super::host::{covers, specificity, spellings};
use super::registry::{Known, KnownBy};
use super::routes::{Entrance, default_route, routes, timed, to};
use super::view::View;
use super::virtual_services::Bound;
use super::{OutboundTraffic, host};
use crate::config::objects::{AppProtocol, ServicePort};
use crate::policy::{Action, DirectResponse, Forward, HashPolicy, Origin, Route, RouteMatch, RouteTable, VirtualHost};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Everything that requests at a port may ask for: services that an object routes, hosts of objects that are no services, services that
/// nobody routes, and the rest.
pub(super) fn table(view: &View<'_>, port: u16) -> RouteTable {
    let services: Vec<_> = view.services_at(port).filter(|service| speaks_http(service, port)).collect();
    let known = services.iter().map(|service| service.host.clone()).collect();
    let mut table = Table { caller: view.site.namespace(), known, taken: BTreeSet::new(), hosts: Vec::new() };
    let mut routed = BTreeSet::new();
    let objects: Vec<_> = view.mesh_routing_at(port).collect();
    for bound in &objects {
        let routes = routes(view, bound, Entrance { port, gateway: "mesh", tls: false });
        if routes.is_empty() {
            continue;
        }
        let (own, others) = split(view, bound, &objects, &services, port);
        if own.is_empty() && port != 80 {
            continue;
        }
        let origin = &bound.object.origin;
        for host in others {
            table.add(&host, port, vec![host.clone()], &routes, origin);
        }
        for service in own {
            routed.insert(&service.host);
            table.add_service(service, port, &routes, origin);
        }
    }
    for service in services.iter().filter(|service| !routed.contains(&service.host)) {
        let route = of_unrouted(view, service, port);
        table.add_service(service, port, &[Arc::new(route)], &service.origin);
    }
    table.finish(port, unknown(view.unknown_hosts()))
}

/// The table of a listener that leads to one service, whatever host is asked for.
pub(super) fn table_of(view: &View<'_>, service: &Known<'_>, port: u16) -> RouteTable {
    let mut table = table(view, port);
    table.name = format!("{}:{port}", service.host);
    table.virtual_hosts.retain(|host| host.domains.contains(&service.host));
    for host in &mut table.virtual_hosts {
        host.domains = vec!["*".to_owned()];
    }
    table
}

/// True if requests are read at the port, be it only where bytes turn out to be some.
pub(super) fn speaks_http(service: &Known<'_>, port: u16) -> bool {
    let is_http = |port: &ServicePort| port.protocol.is_http() || port.protocol == AppProtocol::Sniffed;
    service.port(port).is_some_and(is_http)
}

/// The services that an object's hosts name at a port, and the hosts that name none. A wildcard leaves a service to an object that is more
/// specific for it, or of equal right and ahead.
fn split<'v>(
    view: &View<'v>,
    bound: &Bound<'_>,
    objects: &[&Bound<'_>],
    services: &[&'v Known<'v>],
    port: u16,
) -> (Vec<&'v Known<'v>>, Vec<String>) {
    let mut own: Vec<&Known<'_>> = Vec::new();
    let mut others = Vec::new();
    for host in &bound.hosts {
        let covered = |service: &&&Known<'_>| covers(host, &service.host);
        let named = view.services_at(port).any(|service| covers(host, &service.host));
        let found = services.iter().filter(covered).filter(|service| {
            host.as_str() == service.host || winner(objects, &service.host).is_some_and(|best| is_same(best, bound))
        });
        own.extend(found.copied());
        if !named {
            others.push(host.clone());
        }
    }
    let mut seen = BTreeSet::new();
    own.retain(|service| seen.insert(&service.host));
    (own, others)
}

/// The object that is most specific for a host; the first of several.
fn winner<'b, 'o>(objects: &[&'b Bound<'o>], host: &str) -> Option<&'b Bound<'o>> {
    let fit = |bound: &Bound<'_>| bound.hosts.iter().filter_map(|pattern| specificity(pattern, host)).max();
    // Of equals the last is taken, so that they are looked at from behind.
    objects.iter().rev().copied().filter(|bound| fit(bound).is_some()).max_by_key(|bound| fit(bound))
}

fn is_same(one: &Bound<'_>, other: &Bound<'_>) -> bool {
    std::ptr::eq(one.object, other.object)
}

fn of_unrouted(view: &View<'_>, service: &Known<'_>, port: u16) -> Route {
    let mut route = default_route(view, &clusters::name(port, None, &service.host));
    let hash = view.rule(service).and_then(|rule| hash_of_service(&rule, port));
    if let Some(forward) = route.forward_mut() {
        forward.hash = hash.into_iter().map(|of| HashPolicy { of, terminal: false }).collect();
    }
    route
}

/// Hosts that nobody knows: passed on untouched, or refused.
fn unknown(traffic: OutboundTraffic) -> VirtualHost {
    let (name, route) = match traffic {
        OutboundTraffic::AllowAny => ("allow_any", to(timed(Forward::to(PASSTHROUGH), None))),
        OutboundTraffic::RegistryOnly => {
            let refusal = DirectResponse { status: 502, body: Vec::new() };
            ("block_all", Route::new(RouteMatch::default(), Action::Direct(refusal)))
        }
    };
    let route = Route { name: name.to_owned(), attempt_count_in_request: true, ..route };
    VirtualHost {
        name: name.to_owned(),
        domains: vec!["*".to_owned()],
        routes: vec![Arc::new(route)],
        ..VirtualHost::default()
    }
}

/// A table under way: the first to name a domain has it.
struct Table<'a> {
    caller: &'a str,
    known: BTreeSet<String>,
    taken: BTreeSet<String>,
    hosts: Vec<VirtualHost>,
}

impl Table<'_> {
    fn add_service(&mut self, service: &Known<'_>, port: u16, routes: &[Arc<Route>], origin: &Origin) {
        let mut domains = vec![service.host.clone()];
        // What one service may be called besides is not taken from another whose name it is.
        let besides = spellings(&service.host, self.caller).into_iter().filter(|name| !self.known.contains(name));
        domains.extend(besides);
        match service.by {
            KnownBy::Service(object) if object.headless => {
                let pods: Vec<_> = domains.iter().map(|domain| format!("*.{domain}")).collect();
                domains.extend(pods);
            }
            KnownBy::Entry(entry) => {
                domains.extend(entry.addresses.iter().filter(|address| !address.contains('/')).cloned());
            }
            KnownBy::Service(_) | KnownBy::Name => {}
        }
        self.add(&service.host, port, domains, routes, origin);
    }

    fn add(&mut self, host: &str, port: u16, mut domains: Vec<String>, routes: &[Arc<Route>], origin: &Origin) {
        domains.retain(|domain| self.taken.insert(domain.clone()));
        if !domains.is_empty() {
            self.hosts.push(VirtualHost {
                name: format!("{host}:{port}"),
                domains,
                routes: routes.to_vec(),
                require_tls: false,
                origin: origin.clone(),
            });
        }
    }

    fn finish(mut self, port: u16, rest: VirtualHost) -> RouteTable {
        self.hosts.sort_by(|one, other| one.name.cmp(&other.name));
        if !self.taken.contains("*") {
            self.hosts.push(rest);
        }
        RouteTable { name: port.to_string(), virtual_hosts: self.hosts, ignore_port_in_host: true }
    }
}

/// The service that a served port is for, where it says one.
pub(super) fn service_of<'v>(view: &View<'v>, written: Option<&String>) -> Option<&'v Known<'v>> {
    view.service(&host::qualified(written?, view.site.namespace()))
}
