//! Objects and sites, of which a test says only what is special.

use crate::config::mesh::{ServedPort, Site, resolve};
use crate::config::objects::{
    AppProtocol, Backend, DestinationRule, EndpointSlice, HttpAction, HttpRule, LoadBalancer, MatchBlock, Objects,
    Service, ServiceEntry, ServicePort, Subset, TrafficPolicy, VirtualService, WeightedBackend,
};
use crate::policy::{
    Cluster, Config, EndpointHealth, FilterChain, Forward, Handler, HeaderRules, HttpManager, Listener, Origin,
    OutlierDetection, PathMatch, Place, Route, RouteMatch, RouteTable, VirtualHost,
};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(crate) fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn at_line(line: usize) -> Origin {
    Origin { file: "mesh.yaml".into(), line, ..Origin::default() }
}

pub(crate) fn port(number: u16, name: &str, protocol: AppProtocol) -> ServicePort {
    ServicePort { number, name: name.to_owned(), protocol }
}

/// A Service with HTTP at 80.
pub(crate) fn service(name: &str, namespace: &str) -> Service {
    Service {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        ports: vec![port(80, "http", AppProtocol::Http)],
        ..Service::default()
    }
}

pub(crate) fn service_with(name: &str, ports: Vec<ServicePort>) -> Service {
    Service { ports, ..service(name, "default") }
}

pub(crate) fn entry(host: &str, ports: Vec<ServicePort>) -> ServiceEntry {
    ServiceEntry { name: host.to_owned(), hosts: strings(&[host]), ports, ..ServiceEntry::default() }
}

/// A ready endpoint of a service's port `http`, at 127.0.0.1.
pub(crate) fn endpoint(service: &str, number: u16, carried: &[(&str, &str)]) -> EndpointSlice {
    EndpointSlice {
        service: service.to_owned(),
        namespace: "default".to_owned(),
        port_name: "http".to_owned(),
        address: ([127, 0, 0, 1], number).into(),
        labels: labels(carried),
        health: EndpointHealth::Healthy,
        place: Place::default(),
        origin: Origin::default(),
    }
}

pub(crate) fn place(region: &str, zone: &str, sub_zone: &str) -> Place {
    Place { region: region.to_owned(), zone: zone.to_owned(), sub_zone: sub_zone.to_owned() }
}

/// `cart`, `cart/v1`, `cart:8080` or `cart:8080/v1`.
pub(crate) fn backend(text: &str) -> Backend {
    let (rest, subset) = text.split_once('/').map_or((text, None), |(rest, subset)| (rest, Some(subset.to_owned())));
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, port.parse().ok()));
    Backend { host: host.to_owned(), port, subset, origin: Default::default() }
}

pub(crate) fn weighted(text: &str, weight: u32) -> WeightedBackend {
    WeightedBackend { to: backend(text), weight, headers: HeaderRules::default() }
}

pub(crate) fn rule(matches: Vec<MatchBlock>, action: HttpAction) -> HttpRule {
    HttpRule {
        name: String::new(),
        matches,
        action,
        timeout: None,
        retry: None,
        avoid_previous_hosts: None,
        headers: HeaderRules::default(),
        rewrite: None,
        fault: None,
        cors: None,
        mirrors: Vec::new(),
        origin: Origin::default(),
    }
}

/// Every request to one destination.
pub(crate) fn all_to(text: &str) -> HttpRule {
    rule(Vec::new(), HttpAction::Route(vec![weighted(text, 0)]))
}

/// Requests whose path begins so, to one destination.
pub(crate) fn prefix_to(prefix: &str, text: &str) -> HttpRule {
    HttpRule { matches: vec![prefix_block(prefix)], ..all_to(text) }
}

pub(crate) fn prefix_block(prefix: &str) -> MatchBlock {
    path_block(PathMatch::Prefix(prefix.to_owned()))
}

pub(crate) fn path_block(path: PathMatch) -> MatchBlock {
    MatchBlock { request: RouteMatch { path, ..RouteMatch::default() }, ..MatchBlock::default() }
}

pub(crate) fn virtual_service(name: &str, hosts: &[&str], http: Vec<HttpRule>) -> VirtualService {
    VirtualService {
        name: name.to_owned(),
        namespace: "default".to_owned(),
        hosts: strings(hosts),
        gateways: strings(&["mesh"]),
        http,
        origin: at_line(1),
        ..VirtualService::default()
    }
}

pub(crate) fn destination_rule(host: &str, policy: TrafficPolicy) -> DestinationRule {
    DestinationRule {
        name: host.to_owned(),
        namespace: "default".to_owned(),
        host: host.to_owned(),
        policy,
        ..DestinationRule::default()
    }
}

pub(crate) fn subset(name: &str, carried: &[(&str, &str)]) -> Subset {
    Subset { name: name.to_owned(), labels: labels(carried), ..Subset::default() }
}

pub(crate) fn balancer() -> LoadBalancer {
    LoadBalancer { balance: Some(crate::policy::Balance::LEAST_REQUEST), hash: None, locality: None, warmup: None }
}

pub(crate) fn detector() -> TrafficPolicy {
    TrafficPolicy { outlier: Some(OutlierDetection::istio_default()), ..TrafficPolicy::default() }
}

pub(crate) fn served(port: u16) -> ServedPort {
    ServedPort { port, host: None, bind: ([127, 0, 0, 1], 0).into() }
}

pub(crate) fn served_for(port: u16, host: &str) -> ServedPort {
    ServedPort { host: Some(host.to_owned()), ..served(port) }
}

/// A caller's sidecar of the default namespace that serves port 80.
pub(crate) fn caller() -> Site {
    Site::outbound(vec![served(80)])
}

/// Services `cart` and `pay`.
pub(crate) fn shop() -> Objects {
    Objects { services: vec![service("cart", "default"), service("pay", "default")], ..Objects::default() }
}

pub(crate) fn resolved(objects: &Objects) -> Config {
    resolve(objects, &caller())
}

pub(crate) fn listener(config: &Config) -> &Listener {
    config.listeners.first().unwrap()
}

pub(crate) fn manager(chain: &FilterChain) -> &HttpManager {
    match &chain.handler {
        Handler::Http(manager) => manager,
        Handler::Tcp(proxy) => panic!("bytes to {proxy:?}"),
    }
}

pub(crate) fn table(config: &Config) -> &RouteTable {
    &config.http_managers().next().unwrap().routes
}

/// The virtual host with a domain.
pub(crate) fn host<'c>(config: &'c Config, domain: &str) -> &'c VirtualHost {
    let mut hosts = table(config).virtual_hosts.iter();
    hosts.find(|host| host.domains.iter().any(|known| known == domain)).unwrap_or_else(|| panic!("no {domain}"))
}

/// The routes of `cart`.
pub(crate) fn cart(config: &Config) -> &[Arc<Route>] {
    &host(config, "cart").routes
}

pub(crate) fn forward(route: &Route) -> &Forward {
    route.forward().unwrap()
}

/// Names of the clusters of each route; empty where it forwards nothing.
pub(crate) fn targets(routes: &[Arc<Route>]) -> Vec<Vec<&str>> {
    routes.iter().map(|route| route.forward().map_or_else(Vec::new, cluster_names)).collect()
}

fn cluster_names(forward: &Forward) -> Vec<&str> {
    forward.to.clusters().map(|to| to.name.as_str()).collect()
}

pub(crate) fn cluster<'c>(config: &'c Config, name: &str) -> &'c Cluster {
    let names: Vec<_> = config.clusters.iter().map(|cluster| &cluster.name).collect();
    let found = config.clusters.iter().find(|cluster| cluster.name == name);
    found.unwrap_or_else(|| panic!("no {name} among {names:?}"))
}

/// `cart`'s own.
pub(crate) const CART: &str = "outbound|80||cart.default.svc.cluster.local";
/// `pay`'s own.
pub(crate) const PAY: &str = "outbound|80||pay.default.svc.cluster.local";
