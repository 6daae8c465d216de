//! Everything that advice is drawn from: clusters that requests are sent to, the routes that send them, and how both were written.

use super::Instances;
use super::words::{Dialect, RETRIES, list};
use super::written::Written;
use crate::config::mesh::{covers, qualified};
use crate::config::objects::{DestinationRule, Objects};
use crate::policy::{
    Cluster, Config, Discovery, Forward, Handler, HttpManager, Listener, Origin, OutlierDetection, Route, Target,
    TcpProxy, VirtualHost,
};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that advice is drawn from.
pub(super) struct View<'a> {
    pub(super) objects: &'a Objects,
    /// Clusters that requests or connections are sent to.
    pub(super) upstreams: Vec<Upstream<'a>>,
    /// Routes that send requests on.
    pub(super) ways: Vec<Way<'a>>,
}

/// A cluster that something is sent to.
pub(super) struct Upstream<'a> {
    pub(super) cluster: &'a Cluster,
    /// `cart`, or `subset v1 of cart`.
    pub(super) name: String,
    /// How many instances it has, if that is known.
    pub(super) instances: Option<u32>,
    /// How it was written.
    pub(super) written: Written<'a>,
}

/// A route that sends requests on.
pub(super) struct Way<'a> {
    pub(super) listener: &'a Listener,
    pub(super) manager: &'a HttpManager,
    pub(super) host: &'a VirtualHost,
    pub(super) route: &'a Route,
    pub(super) forward: &'a Forward,
    /// How it was written; a route of the mesh's own was by nobody.
    pub(super) written: Written<'a>,
}

impl<'a> View<'a> {
    pub(super) fn new(objects: &'a Objects, config: &'a Config, known: &'a Instances) -> Self {
        let of_bootstrap = objects.bootstrap.is_some();
        let (mut ways, mut reached) = (Vec::new(), BTreeSet::new());
        for listener in &config.listeners {
            for chain in listener.chains.iter().chain(&listener.default_chain) {
                match &chain.handler {
                    Handler::Http(manager) => ways.extend(ways_of(listener, manager, of_bootstrap)),
                    Handler::Tcp(TcpProxy { to, .. }) => reached.extend(to.iter().map(|to| to.name.as_str())),
                }
            }
        }
        let by_field = ways.iter().any(|way: &Way<'_>| matches!(way.forward.to, Target::Header(_)));
        reached.extend(ways.iter().flat_map(|way| way.forward.to.clusters()).map(|to| to.name.as_str()));
        let is_reached = |cluster: &&Cluster| by_field || reached.contains(cluster.name.as_str());
        // Those of the mesh's own, for what nobody knows, stand for no service.
        let of_policy = |cluster: &&Cluster| of_bootstrap || !cluster.service.host.is_empty();
        let clusters = config.clusters.iter().filter(of_policy).filter(is_reached);
        let upstreams = clusters.map(|cluster| upstream(objects, cluster, known)).collect();
        Self { objects, upstreams, ways }
    }

    /// The clusters that a route sends to.
    pub(super) fn upstreams_of(&self, way: &Way<'_>) -> impl Iterator<Item = &Upstream<'a>> {
        self.upstreams.iter().filter(|upstream| way.leads_to(upstream))
    }

    /// What a route's requests are for: `cart`, or `cart and pay`.
    pub(super) fn names(&self, way: &Way<'_>) -> String {
        let names: Vec<String> = self.upstreams_of(way).map(|upstream| upstream.name.clone()).collect();
        if names.is_empty() { way.host.name.clone() } else { list(&names) }
    }

    /// The routes that lead to a cluster.
    pub(super) fn ways_to(&self, upstream: &Upstream<'_>) -> impl Iterator<Item = &Way<'a>> {
        self.ways.iter().filter(|way| way.leads_to(upstream))
    }
}

impl Upstream<'_> {
    /// The detector, if it ejects anybody at all.
    pub(super) fn detector(&self) -> Option<&OutlierDetection> {
        self.cluster.outlier.as_ref().filter(|outlier| super::thresholds::ejects(outlier))
    }

    /// How many instances may be out at once, if it is known how many there are.
    pub(super) fn may_be_out(&self) -> Option<u32> {
        let (outlier, total) = (self.cluster.outlier.as_ref()?, self.instances?);
        let share = outlier.max_ejection_percent.min(100).saturating_mul(total) / 100;
        Some(share.max(u32::from(outlier.always_eject_one)).min(total))
    }
}

impl Way<'_> {
    fn leads_to(&self, upstream: &Upstream<'_>) -> bool {
        match &self.forward.to {
            Target::Weighted(clusters) => clusters.iter().any(|to| to.name == upstream.cluster.name),
            Target::Header(_) => true,
        }
    }

    /// True if somebody wrote that requests are retried.
    pub(super) fn retries(&self) -> bool {
        self.forward.retry.attempts > 0 && (self.written.dialect == Dialect::Envoy || self.written.has(RETRIES))
    }

    /// True if this is a route that somebody wrote.
    pub(super) fn is_written(&self) -> bool {
        !self.route.origin.file.as_os_str().is_empty()
    }

    /// True if a hash keeps each request where its retries have been.
    pub(super) fn sticks_to(&self, upstream: &Upstream<'_>) -> bool {
        upstream.cluster.balance.hashes() && !self.forward.hash.is_empty() && !self.forward.retry.avoid_previous_hosts
    }
}

fn ways_of<'a>(listener: &'a Listener, manager: &'a HttpManager, of_bootstrap: bool) -> impl Iterator<Item = Way<'a>> {
    let hosts = manager.routes.virtual_hosts.iter();
    let routes = hosts.flat_map(|host| host.routes.iter().map(move |route| (host, route)));
    routes.filter_map(move |(host, route)| {
        let dialect = match of_bootstrap {
            true => Dialect::Envoy,
            false if route.origin.fields.has("backendRefs") => Dialect::GatewayApi,
            false => Dialect::Istio,
        };
        let written = Written::route(dialect, &route.origin);
        Some(Way { listener, manager, host, route, forward: route.forward()?, written })
    })
}

fn upstream<'a>(objects: &'a Objects, cluster: &'a Cluster, known: &Instances) -> Upstream<'a> {
    let service = &cluster.service;
    if objects.bootstrap.is_some() {
        let instances = known.of(&cluster.name, &BTreeMap::new()).or_else(|| listed(cluster));
        let written = Written::at(Dialect::Envoy, &cluster.origin, vec![String::new()]);
        return Upstream { cluster, name: cluster.name.clone(), instances, written };
    }
    let rule = rule_of(objects, cluster);
    let (origin, bases) = places(rule, cluster);
    let subset = rule.and_then(|rule| rule.subsets.iter().find(|subset| subset.name == service.subset));
    let labels = subset.map(|subset| subset.labels.clone()).unwrap_or_default();
    let instances = known
        .of(&service.host, &labels)
        .or_else(|| listed(cluster))
        .or_else(|| deployed(objects, &service.name, &labels));
    let name = if service.subset.is_empty() {
        service.name.clone()
    } else {
        format!("subset {} of {}", service.subset, service.name)
    };
    Upstream { cluster, name, instances, written: Written::at(Dialect::Istio, origin, bases) }
}

/// Where the policy of a cluster stands, and the paths of the places in it that may hold a block, the one that goes ahead first.
pub(crate) fn places_of<'a>(objects: &'a Objects, cluster: &'a Cluster) -> (&'a Origin, Vec<String>) {
    if objects.bootstrap.is_some() {
        (&cluster.origin, vec![String::new()])
    } else {
        places(rule_of(objects, cluster), cluster)
    }
}

fn places<'a>(rule: Option<&'a DestinationRule>, cluster: &'a Cluster) -> (&'a Origin, Vec<String>) {
    let service = &cluster.service;
    rule.map_or((&cluster.origin, Vec::new()), |rule| (&rule.origin, bases(rule, &service.subset, service.port)))
}

/// Endpoints that are listed with the cluster. Of a name nobody knows how many addresses it has.
fn listed(cluster: &Cluster) -> Option<u32> {
    let listed: usize = cluster.localities.iter().map(|locality| locality.endpoints.len()).sum();
    let is_whole = matches!(cluster.discovery, Discovery::Static | Discovery::LogicalDns(_));
    (is_whole && listed > 0).then(|| u32::try_from(listed).unwrap_or(u32::MAX))
}

fn deployed(objects: &Objects, service: &str, labels: &BTreeMap<String, String>) -> Option<u32> {
    let mut instances = Instances::default();
    for deployment in objects.deployments.iter().filter(|deployment| deployment.name == service) {
        instances.add(service, deployment.replicas, Some(deployment.labels.clone()));
    }
    instances.of(service, labels)
}

/// The rule that a cluster was made by: of several for one host the one that has its subset.
fn rule_of<'a>(objects: &'a Objects, cluster: &Cluster) -> Option<&'a DestinationRule> {
    let service = &cluster.service;
    let first = objects
        .destination_rules
        .iter()
        .find(|rule| (&rule.origin.file, rule.origin.line) == (&cluster.origin.file, cluster.origin.line))?;
    let has_subset = |rule: &&DestinationRule| rule.subsets.iter().any(|subset| subset.name == service.subset);
    if service.subset.is_empty() || has_subset(&first) {
        return Some(first);
    }
    let mut others = objects.destination_rules.iter().filter(has_subset);
    others.find(|rule| covers(&qualified(&rule.host, &rule.namespace), &service.host)).or(Some(first))
}

/// Where blocks for a port of a subset may stand, the one that goes ahead first.
fn bases(rule: &DestinationRule, subset: &str, port: u16) -> Vec<String> {
    const POLICY: &str = "trafficPolicy";
    let settings = |base: &str, ports: &[(u16, _)]| {
        let index = ports.iter().position(|(number, _)| *number == port)?;
        Some(format!("{base}.portLevelSettings.{index}"))
    };
    let mut bases = Vec::new();
    if let Some((index, own)) = rule.subsets.iter().enumerate().find(|(_, own)| own.name == subset) {
        let base = format!("subsets.{index}.{POLICY}");
        bases.extend(settings(&base, &own.port_policies));
        bases.push(base);
    }
    bases.extend(settings(POLICY, &rule.port_policies));
    bases.push(POLICY.to_owned());
    bases
}
