//! What a request sees of the configuration: built whole, immutable, swapped in one step.

use super::routing::{Asked, Hosts, canonical, matching};
use crate::cluster::{Cluster, Host, Load};
use crate::policy::{
    Action, Destination, DestinationRule, Endpoint, Policies, RetryPolicy, Rewrite, Route, RouteMatch, TrafficPolicy,
    VirtualService, Weighted,
};
use crate::telemetry::ClusterStats;
use squall_http1::Request;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

/// The port of a service that says none.
const DEFAULT_PORT: u16 = 80;

/// The configuration at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Names the files that it was made from.
    pub version: String,
    /// What it was made from.
    pub policies: Policies,
    hosts: Hosts<usize>,
    virtual_hosts: Vec<VirtualHost>,
    /// By name, so that everything printed of them has one order.
    pub clusters: BTreeMap<String, Arc<Cluster>>,
}

#[derive(Debug)]
struct VirtualHost {
    routes: Vec<ResolvedRoute>,
}

/// A route with its clusters looked up.
#[derive(Debug)]
pub(crate) struct ResolvedRoute {
    /// The route.
    pub route: Route,
    /// Clusters of its destinations, in their order; none: there is no such cluster.
    pub clusters: Vec<Option<Arc<Cluster>>>,
}

/// The route of a request, and the match block by which it was chosen.
pub(crate) type Found<'a> = (&'a ResolvedRoute, Option<&'a RouteMatch>);

impl Snapshot {
    /// The route of a request. None: no host, or none of its routes, matches.
    pub(crate) fn route(&self, request: &Request) -> Option<Found<'_>> {
        let asked = Asked::new(request, DEFAULT_PORT);
        let authority = request.headers.get_str("host")?;
        let virtual_host = &self.virtual_hosts[*self.hosts.find(authority)?];
        virtual_host
            .routes
            .iter()
            .find_map(|resolved| matching(&resolved.route.matches, &asked).map(|block| (resolved, block)))
    }
}

/// What outlives snapshots: the state of endpoints and clusters that are still there.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    clusters: HashMap<String, Kept>,
}

#[derive(Debug, Default, Clone)]
struct Kept {
    load: Arc<Load>,
    stats: Arc<ClusterStats>,
    hosts: HashMap<SocketAddr, Arc<Host>>,
}

impl Registry {
    /// Builds the next snapshot. Endpoints that stay keep their state; one that was removed and comes back is new.
    pub(crate) fn build(&mut self, version: String, policies: Policies, endpoints: &[Endpoint]) -> Snapshot {
        let mut builder =
            Builder { registry: self, policies: &policies, endpoints, clusters: BTreeMap::new(), next: HashMap::new() };
        let mut hosts = Hosts::default();
        let mut virtual_hosts = Vec::new();
        for service in &policies.virtual_services {
            service.hosts.iter().for_each(|host| hosts.add(host, virtual_hosts.len()));
            virtual_hosts.push(VirtualHost { routes: builder.routes(service) });
        }
        for service in builder.services() {
            hosts.add(&service, virtual_hosts.len());
            let route = default_route(&service, &policies);
            let clusters = builder.clusters_of(&route);
            virtual_hosts.push(VirtualHost { routes: vec![ResolvedRoute { route, clusters }] });
        }
        let clusters = builder.clusters;
        self.clusters = builder.next;
        Snapshot { version, policies, hosts, virtual_hosts, clusters }
    }
}

struct Builder<'a> {
    registry: &'a mut Registry,
    policies: &'a Policies,
    endpoints: &'a [Endpoint],
    clusters: BTreeMap<String, Arc<Cluster>>,
    next: HashMap<String, Kept>,
}

impl Builder<'_> {
    /// Every service that is known by its endpoints or by a Service object.
    fn services(&self) -> Vec<String> {
        let by_endpoints = self.all_endpoints().map(|endpoint| canonical(&endpoint.service));
        let declared = self.policies.services.iter().map(|service| canonical(&service.name));
        let mut services: Vec<_> = by_endpoints.chain(declared).collect();
        services.sort();
        services.dedup();
        services
    }

    fn all_endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().chain(&self.policies.endpoints)
    }

    fn routes(&mut self, service: &VirtualService) -> Vec<ResolvedRoute> {
        let routes = service.routes.iter();
        routes.map(|route| ResolvedRoute { route: route.clone(), clusters: self.clusters_of(route) }).collect()
    }

    fn clusters_of(&mut self, route: &Route) -> Vec<Option<Arc<Cluster>>> {
        let Action::Forward { to, .. } = &route.action else { return Vec::new() };
        to.iter().map(|weighted| self.cluster(&weighted.destination)).collect()
    }

    /// The cluster of a destination; none if its service is unknown, or its subset not defined.
    fn cluster(&mut self, destination: &Destination) -> Option<Arc<Cluster>> {
        let service = canonical(&destination.host);
        let declared = self.policies.services.iter().find(|known| canonical(&known.name) == service);
        let known = declared.is_some() || self.all_endpoints().any(|endpoint| canonical(&endpoint.service) == service);
        if !known {
            return None;
        }
        let only_port = declared.and_then(|service| service.ports.first().filter(|_| service.ports.len() == 1));
        let port = destination.port.or(only_port.copied()).unwrap_or(DEFAULT_PORT);
        let rule = self.policies.destination_rules.iter().find(|rule| canonical(&rule.host) == service);
        let (policy, labels) = policy_of(rule, port, destination.subset.as_deref())?;
        let name = format!("outbound|{port}|{}|{service}", destination.subset.as_deref().unwrap_or_default());
        if let Some(cluster) = self.clusters.get(&name) {
            return Some(Arc::clone(cluster));
        }
        let kept = self.registry.clusters.get(&name).cloned().unwrap_or_default();
        let checked = self.policies.health_checks.iter().any(|check| canonical(&check.host) == service);
        let mut hosts: Vec<Arc<Host>> = Vec::new();
        for endpoint in self.endpoints.iter().chain(&self.policies.endpoints) {
            let selected = labels.iter().all(|(name, value)| endpoint.labels.get(name) == Some(value));
            let twice = hosts.iter().any(|host| host.address == endpoint.address);
            if canonical(&endpoint.service) == service && selected && !twice {
                let host = kept.hosts.get(&endpoint.address).cloned();
                let host = host.unwrap_or_else(|| {
                    // Until its first check has passed, an endpoint that is checked is not used.
                    let host = Host::new(endpoint.address, endpoint.ready);
                    host.set_failed_check(checked);
                    Arc::new(host)
                });
                host.set_ready(endpoint.ready);
                if !checked {
                    host.set_failed_check(false);
                }
                hosts.push(host);
            }
        }
        let kept = Kept { hosts: hosts.iter().map(|host| (host.address, Arc::clone(host))).collect(), ..kept };
        let cluster = Arc::new(Cluster {
            name: name.clone(),
            service,
            subset: destination.subset.clone(),
            policy,
            hosts,
            load: Arc::clone(&kept.load),
            stats: Arc::clone(&kept.stats),
        });
        self.next.insert(name.clone(), kept);
        self.clusters.insert(name, Arc::clone(&cluster));
        Some(cluster)
    }
}

/// The policy of a destination and the labels of its endpoints; none for a subset that nobody defines.
fn policy_of(
    rule: Option<&DestinationRule>,
    port: u16,
    subset: Option<&str>,
) -> Option<(TrafficPolicy, BTreeMap<String, String>)> {
    match (rule, subset) {
        (None, None) => Some((TrafficPolicy::default(), BTreeMap::new())),
        (None, Some(_)) => None,
        (Some(rule), None) => {
            let by_port = rule.port_policies.iter().find(|(known, _)| *known == port).map(|(_, policy)| policy);
            Some((by_port.unwrap_or(&rule.policy).clone(), BTreeMap::new()))
        }
        (Some(rule), Some(name)) => {
            let subset = rule.subsets.iter().find(|subset| subset.name == name)?;
            Some((subset.policy.clone(), subset.labels.clone()))
        }
    }
}

/// A service that no `VirtualService` speaks of: all requests, with the mesh's retries, which may have been taken out.
fn default_route(service: &str, policies: &Policies) -> Route {
    let destination = Destination { host: service.to_owned(), port: None, subset: None };
    let without_retries = policies.disarmed.contains(&crate::policy::Healing::Retries);
    Route {
        name: Some("default".to_owned()),
        matches: Vec::new(),
        action: Action::Forward {
            to: vec![Weighted { destination, weight: 1, headers: Default::default() }],
            rewrite: Rewrite::default(),
        },
        timeout: None,
        retry: if without_retries { RetryPolicy::none() } else { RetryPolicy::mesh_default() },
        headers: Default::default(),
        fault: None,
        origin: Default::default(),
    }
}
