//! From a configuration to a snapshot. What is still there keeps its state.

use super::service::{
    Chain, HttpService, ResolvedHost, ResolvedRoute, RouteChanges, Runtime, Service, TcpService, limits,
};
use super::{ChainId, ListenerId, Snapshot};
use crate::clock::now;
use crate::cluster::{Cluster, Host, Kept, Member};
use crate::filter::fault::Faults;
use crate::filter::rate_limit::Bucket;
use crate::net::{ClientTls, ServerTls, TlsError};
use crate::policy::{
    self, Address, Config, Discovery, Endpoint, FilterChain, Handler, HttpManager, Listener, Node, ProtocolChoice,
    RateLimit, Route, TextMatch,
};
use crate::serve::routing::Hosts;
use crate::serve::trace::Spans;
use crate::telemetry::access_log::{AccessLog, LogWriter};
use crate::telemetry::metrics::{self, Labels};
use crate::telemetry::trace::SpanQueue;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

type Clusters = BTreeMap<Arc<str>, Arc<Cluster>>;

/// Addresses of names, as far as they were looked up.
pub(crate) type Resolved = HashMap<String, Vec<IpAddr>>;

/// What everything that is built needs of this process.
#[derive(Debug)]
pub(crate) struct Means {
    /// Numbers.
    pub metrics: metrics::Registry,
    /// Logs.
    pub logs: LogWriter,
    /// The name of this machine.
    pub hostname: String,
}

/// Why a configuration cannot be put to use, although it is right in itself.
#[derive(Debug, thiserror::Error)]
#[error("{what} ({origin}): {reason}")]
pub(crate) struct BuildError {
    what: String,
    origin: policy::Origin,
    reason: Reason,
}

/// What it needs of this machine and does not get.
#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Tls(TlsError),
    #[error(transparent)]
    Log(std::io::Error),
}

/// What outlives snapshots: the state of clusters, endpoints, limits and faults that are still there.
#[derive(Debug)]
pub(crate) struct Registry {
    means: Arc<Means>,
    clusters: HashMap<String, Kept>,
    listeners: HashMap<String, ListenerId>,
    chains: HashMap<(ListenerId, String), ChainId>,
    buckets: HashMap<String, (RateLimit, Arc<Bucket>)>,
    faults: HashMap<ChainId, Arc<Faults>>,
    queues: HashMap<ChainId, SpanQueue>,
}

impl Registry {
    /// Nothing yet.
    pub(crate) fn new(means: Arc<Means>) -> Self {
        Self {
            means,
            clusters: HashMap::new(),
            listeners: HashMap::new(),
            chains: HashMap::new(),
            buckets: HashMap::new(),
            faults: HashMap::new(),
            queues: HashMap::new(),
        }
    }

    /// Builds the next snapshot. Endpoints that stay keep their state; one that was removed and comes back is new.
    pub(crate) fn build(
        &mut self,
        version: String,
        config: Config,
        resolved: &Resolved,
    ) -> Result<Snapshot, BuildError> {
        let mut clusters = BTreeMap::new();
        let mut kept = HashMap::new();
        for policy in &config.clusters {
            let cluster = self.cluster(policy.clone(), resolved, &config.node)?;
            kept.insert(policy.name.clone(), cluster.kept().clone());
            clusters.insert(Arc::clone(&cluster.name), Arc::new(cluster));
        }
        let mut listeners = BTreeMap::new();
        let mut chains = Vec::new();
        for listener in &config.listeners {
            let (id, runtime) = self.listener(listener, &clusters, &config.node)?;
            for chain in runtime.chains.iter().chain(&runtime.default_chain) {
                if let Service::Http(service) = &chain.service {
                    let at = chain.id.0 as usize;
                    chains.resize_with(chains.len().max(at + 1), || None);
                    chains[at] = Some(Arc::clone(service));
                }
            }
            listeners.insert(id, runtime);
        }
        self.clusters = kept;
        Ok(Snapshot { version, config, listeners, chains, clusters })
    }

    fn cluster(&self, mut policy: policy::Cluster, resolved: &Resolved, node: &Node) -> Result<Cluster, BuildError> {
        if let (Some(outlier), false) = (&mut policy.outlier, policy.protocol.error_statuses.is_empty()) {
            outlier.error_statuses = Some(statuses(&policy.protocol.error_statuses));
        }
        let mut kept = self.clusters.get(&policy.name).cloned().unwrap_or_default();
        let known = std::mem::take(&mut kept.hosts);
        let mut members: Vec<Arc<Member>> = Vec::new();
        for (at, locality) in policy.localities.iter().enumerate() {
            for endpoint in
                locality.endpoints.iter().flat_map(|endpoint| looked_up(endpoint, &policy.discovery, resolved))
            {
                let (key, endpoint) = endpoint;
                if kept.hosts.contains_key(&key) {
                    continue;
                }
                let host = known.get(&key).cloned().unwrap_or_else(|| Arc::new(Host::new(now())));
                // Until its first check has passed, an endpoint that is checked is not used.
                host.follow_checks(!policy.health_checks.is_empty());
                kept.hosts.insert(key, Arc::clone(&host));
                members.push(Arc::new(Member { host, endpoint, priority: locality.priority, locality: at }));
            }
        }
        let protocols: &[&str] = match policy.protocol.choice {
            ProtocolChoice::Http2 => &["h2"],
            ProtocolChoice::Alpn => &["h2", "http/1.1"],
            ProtocolChoice::Http1 | ProtocolChoice::OfClient => &[],
        };
        let tls = policy.tls.as_ref().map(|tls| ClientTls::load(tls, protocols)).transpose();
        let tls = tls.map_err(|error| BuildError {
            what: format!("TLS of cluster {}", policy.name),
            origin: policy.origin.clone(),
            reason: Reason::Tls(error),
        })?;
        let metrics = &self.means.metrics;
        let labels = if policy.name.starts_with("inbound|") { Labels::destination } else { Labels::source };
        let (stats, labels) = (metrics.cluster(&policy.name), labels(node, &policy));
        Ok(Cluster::new(policy, members, tls, kept, stats, labels))
    }

    fn listener(
        &mut self,
        listener: &Listener,
        clusters: &Clusters,
        node: &Node,
    ) -> Result<(ListenerId, Runtime), BuildError> {
        let next = ListenerId(self.listeners.len() as u32);
        let id = *self.listeners.entry(listener.name.clone()).or_insert(next);
        let mut chains = Vec::new();
        for (at, chain) in listener.chains.iter().enumerate() {
            chains.push(self.chain(id, listener, chain, &at.to_string(), clusters, node)?);
        }
        let default_chain = match &listener.default_chain {
            Some(chain) => Some(self.chain(id, listener, chain, "default", clusters, node)?),
            None => None,
        };
        let runtime = Runtime {
            name: listener.name.as_str().into(),
            address: listener.address,
            inspection: listener.inspection,
            max_connections: listener.max_connections,
            stats: self.means.metrics.listener(listener.address),
            chains,
            default_chain,
        };
        Ok((id, runtime))
    }

    fn chain(
        &mut self,
        listener_id: ListenerId,
        listener: &Listener,
        chain: &FilterChain,
        place: &str,
        clusters: &Clusters,
        node: &Node,
    ) -> Result<Chain, BuildError> {
        let next = ChainId(self.chains.len() as u32);
        let key = if chain.name.is_empty() { place } else { &chain.name };
        let id = *self.chains.entry((listener_id, key.to_owned())).or_insert(next);
        let tls = chain.tls.as_ref().map(ServerTls::load).transpose().map_err(|error| BuildError {
            what: format!("TLS of listener {}", listener.name),
            origin: chain.origin.clone(),
            reason: Reason::Tls(error),
        })?;
        let service = match &chain.handler {
            Handler::Tcp(proxy) => Service::Tcp(Arc::new(TcpService {
                clusters: proxy.to.iter().map(|to| clusters.get(to.name.as_str()).cloned()).collect(),
                policy: proxy.clone(),
                stats: self.means.metrics.tcp(&proxy.stat_prefix),
                logs: self.logs(&proxy.access_logs, &listener.origin)?,
            })),
            Handler::Http(manager) => Service::Http(Arc::new(self.http(id, listener, manager, clusters, node)?)),
        };
        Ok(Chain { id, matches: chain.matches.clone(), tls, service })
    }

    fn http(
        &mut self,
        id: ChainId,
        listener: &Listener,
        manager: &HttpManager,
        clusters: &Clusters,
        node: &Node,
    ) -> Result<HttpService, BuildError> {
        let mut manager = manager.clone();
        let table = std::mem::take(&mut manager.routes);
        let mut hosts = Hosts::new(table.ignore_port_in_host);
        let mut virtual_hosts = Vec::new();
        let hostname = self.means.hostname.clone();
        for host in table.virtual_hosts {
            host.domains.iter().for_each(|domain| hosts.add(domain, virtual_hosts.len()));
            let name = host.name.clone();
            let mut at = 0;
            virtual_hosts.push(ResolvedHost::new(host, |route| {
                at += 1;
                let key = format!("{}/{name}/{at}", id.0);
                let bucket = route.filters.rate_limit.as_ref().map(|limit| self.bucket(key, limit));
                self::route(route, clusters, bucket, &hostname)
            }));
        }
        let buckets: Vec<_> = limits(&manager).map(Option::<&RateLimit>::cloned).collect();
        let buckets = buckets.iter().enumerate().map(|(at, limit)| {
            let limit = limit.as_ref().filter(|limit| !limit.per_connection)?;
            Some(self.bucket(format!("{}#{at}", id.0), limit))
        });
        let buckets = buckets.collect();
        let spans = self.spans(id, &manager);
        let metrics = &self.means.metrics;
        let limit_stats = limits(&manager).map(|limit| limit.map(|limit| metrics.rate_limit(&limit.stat_prefix)));
        Ok(HttpService {
            limit_stats: limit_stats.collect(),
            stats: metrics.http(&manager.stat_prefix),
            logs: self.logs(&manager.access_logs, &listener.origin)?,
            spans,
            node: node.clone(),
            nowhere: metrics.istio(&Labels::source(node, &policy::Cluster::new(""))),
            direction: listener.direction,
            buffer: listener.connection_buffer,
            buckets,
            faults: Arc::clone(self.faults.entry(id).or_default()),
            hosts,
            virtual_hosts,
            manager,
        })
    }

    /// Where the spans of a chain go; those that wait stay over a reload.
    fn spans(&mut self, id: ChainId, manager: &HttpManager) -> Option<Spans> {
        let provider = manager.tracing.as_ref()?.provider.clone()?;
        Some(Spans { queue: self.queues.entry(id).or_default().clone(), provider })
    }

    fn logs(&self, logs: &[policy::AccessLog], origin: &policy::Origin) -> Result<Vec<AccessLog>, BuildError> {
        let means = &self.means;
        let log = |log: &policy::AccessLog| means.logs.log(log, &means.hostname).map_err(Reason::Log);
        let logs: Result<_, _> = logs.iter().map(log).collect();
        logs.map_err(|reason| BuildError { what: "access log".to_owned(), origin: origin.clone(), reason })
    }

    /// The bucket of a limit: what is in it stays, unless the limit has changed.
    fn bucket(&mut self, key: String, limit: &RateLimit) -> Arc<Bucket> {
        match self.buckets.get(&key) {
            Some((known, bucket)) if known == limit => Arc::clone(bucket),
            _ => {
                let bucket = Arc::new(Bucket::full(limit, now()));
                self.buckets.insert(key, (limit.clone(), Arc::clone(&bucket)));
                bucket
            }
        }
    }
}

fn route(route: Route, clusters: &Clusters, bucket: Option<Arc<Bucket>>, hostname: &str) -> ResolvedRoute {
    let named = |name: &str| clusters.get(name).cloned();
    let forward = route.forward();
    let destinations: Vec<_> = forward.into_iter().flat_map(|forward| forward.to.clusters()).collect();
    let mirrors = forward.into_iter().flat_map(|forward| &forward.mirrors);
    let changes = match destinations.as_slice() {
        [] => vec![RouteChanges::new(&route, None, hostname)],
        destinations => destinations.iter().map(|to| RouteChanges::new(&route, Some(&to.headers), hostname)).collect(),
    };
    ResolvedRoute {
        clusters: destinations.iter().map(|to| named(&to.name)).collect(),
        mirrors: mirrors.map(|mirror| named(&mirror.cluster)).collect(),
        bucket,
        changes,
        route,
    }
}

/// The statuses that satisfy any of some conditions, so that a request need not look at texts.
fn statuses(conditions: &[TextMatch]) -> Vec<(u16, u16)> {
    let fits = |status: &u16| conditions.iter().any(|condition| condition.matches(&status.to_string()));
    (100..600).filter(fits).map(|status| (status, status + 1)).collect()
}

/// The addresses of an endpoint, each with what its state is kept by: one that is found by name anew for each connection is kept by
/// that name.
fn looked_up(endpoint: &Endpoint, discovery: &Discovery, resolved: &Resolved) -> Vec<(Address, Endpoint)> {
    let Address::Name(name, port) = &endpoint.address else {
        return vec![(endpoint.address.clone(), endpoint.clone())];
    };
    let addresses = resolved.get(name).map(Vec::as_slice).unwrap_or_default();
    let at = |ip: &IpAddr| {
        let mut found = Endpoint { address: Address::Socket((*ip, *port).into()), ..endpoint.clone() };
        if found.hostname.is_empty() {
            found.hostname.clone_from(name);
        }
        found
    };
    match discovery {
        Discovery::LogicalDns(_) => {
            addresses.first().map(|ip| (endpoint.address.clone(), at(ip))).into_iter().collect()
        }
        _ => addresses.iter().map(|ip| (at(ip).address.clone(), at(ip))).collect(),
    }
}
