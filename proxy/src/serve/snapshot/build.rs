//! From a configuration to a snapshot. What is still there keeps its state.

use super::service::{Chain, HttpService, ResolvedRoute, RouteChanges, Runtime, Service, TcpService, limits};
use super::{ChainId, Clusters, ListenerId, Snapshot};
use crate::clock::now;
use crate::cluster::{Cluster, Host, Kept, Member};
use crate::filter::fault::Faults;
use crate::filter::health_check::LastCheck;
use crate::filter::rate_limit::Limiter;
use crate::net::{ClientTls, ServerTls, TlsError};
use crate::policy::{
    self, Address, Config, Discovery, Endpoint, FilterChain, Handler, HttpFilter, HttpManager, Listener, Node,
    ProtocolChoice, RateLimit, Route,
};
use crate::serve::routing::Directory;
use crate::serve::trace::Spans;
use crate::telemetry::ClusterCounter;
use crate::telemetry::access_log::{AccessLog, LogWriter};
use crate::telemetry::messages::Messages;
use crate::telemetry::metrics::{self, ClusterStats, Labels};
use crate::telemetry::trace::SpanQueue;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

/// Addresses of names, as far as they were looked up.
pub(crate) type Resolved = HashMap<String, Vec<IpAddr>>;

/// Where everything that is built tells of itself.
#[derive(Debug)]
pub(crate) struct Telemetry {
    /// Numbers.
    pub metrics: metrics::Registry,
    /// Logs.
    pub logs: LogWriter,
    /// What is said to people.
    pub messages: Messages,
    /// The name of this machine.
    pub hostname: String,
}

/// Why a configuration cannot be put to use, although it is right in itself.
#[derive(Debug, thiserror::Error)]
#[error("{what} ({origin}): {reason}")]
pub(crate) struct BuildError {
    what: String,
    origin: Box<policy::Origin>,
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
    telemetry: Arc<Telemetry>,
    state: State,
    /// Snapshots that somebody still uses.
    alive: Arc<()>,
}

/// What is there in one snapshot.
#[derive(Debug, Default)]
struct State {
    clusters: HashMap<String, Kept>,
    listeners: HashMap<String, ListenerId>,
    chains: HashMap<(ListenerId, String), ChainId>,
    buckets: HashMap<String, (RateLimit, Arc<Limiter>)>,
    faults: HashMap<ChainId, Arc<Faults>>,
    queues: HashMap<ChainId, SpanQueue>,
    /// Numbers are not given out again: connections know their chain by its.
    next_listener: u32,
    next_chain: u32,
}

/// A snapshot that is not live: whatever is live does not know of it.
#[derive(Debug)]
pub(crate) struct Built {
    /// The snapshot.
    pub(crate) snapshot: Snapshot,
    state: State,
    /// Counters of clusters that have other endpoints than before.
    changed: Vec<Arc<ClusterStats>>,
}

/// A snapshot on its way.
struct Building<'r> {
    telemetry: &'r Telemetry,
    before: &'r State,
    state: State,
    changed: Vec<Arc<ClusterStats>>,
}

impl Registry {
    /// Nothing yet.
    pub(crate) fn new(telemetry: Arc<Telemetry>) -> Self {
        Self { telemetry, state: State::default(), alive: Arc::default() }
    }

    /// Builds the next snapshot. Endpoints that stay keep their state; one that was removed and comes back is new.
    pub(crate) fn build(&self, version: String, config: Config, resolved: &Resolved) -> Result<Built, BuildError> {
        let State { next_listener, next_chain, .. } = self.state;
        let state = State { next_listener, next_chain, ..State::default() };
        let mut building = Building { telemetry: &self.telemetry, before: &self.state, state, changed: Vec::new() };
        let mut clusters = BTreeMap::new();
        for policy in &config.clusters {
            let cluster = building.cluster(policy.clone(), resolved, &config.node)?;
            building.state.clusters.insert(policy.name.clone(), cluster.kept().clone());
            clusters.insert(Arc::clone(&cluster.name), Arc::new(cluster));
        }
        let clusters = Arc::new(clusters);
        let mut listeners = BTreeMap::new();
        let mut chains = Vec::new();
        for listener in &config.listeners {
            let (id, runtime) = building.listener(listener, &clusters, &config.node)?;
            for chain in runtime.chains.iter().chain(&runtime.default_chain) {
                if let Service::Http(service) = &chain.service {
                    let at = chain.id.0 as usize;
                    chains.resize_with(chains.len().max(at + 1), || None);
                    chains[at] = Some(Arc::clone(service));
                }
            }
            listeners.insert(id, runtime);
        }
        let Building { state, changed, .. } = building;
        let snapshot = Snapshot { version, config, listeners, chains, clusters, alive: Arc::clone(&self.alive) };
        Ok(Built { snapshot, state, changed })
    }

    /// What was built is live from now on, or is about to be.
    pub(crate) fn commit(&mut self, built: Built) -> Snapshot {
        self.state = built.state;
        built.changed.iter().for_each(|stats| stats.count(metrics::Worker::CONTROL, ClusterCounter::MembershipChange));
        for cluster in built.snapshot.clusters.values() {
            let (checked, ignored) = (!cluster.policy.health_checks.is_empty(), cluster.policy.ignore_unchecked);
            let listed = cluster.members.iter().filter(|member| !member.leaving);
            // Until its first check has passed, an endpoint that is checked is not used.
            if listed.fold(false, |changed, member| changed | member.host.follow_checks(checked, ignored)) {
                cluster.refresh();
            }
        }
        built.snapshot
    }
}

impl Building<'_> {
    fn cluster(&mut self, policy: policy::Cluster, resolved: &Resolved, node: &Node) -> Result<Cluster, BuildError> {
        let mut kept = self.before.clusters.get(&policy.name).cloned().unwrap_or_default();
        let known = std::mem::take(&mut kept.members);
        let mut members: Vec<Arc<Member>> = Vec::new();
        for (at, locality) in policy.localities.iter().enumerate() {
            for endpoint in
                locality.endpoints.iter().flat_map(|endpoint| looked_up(endpoint, &policy.discovery, resolved))
            {
                let (key, endpoint) = endpoint;
                if kept.members.contains_key(&key) {
                    continue;
                }
                let host = known.get(&key).map(|member| Arc::clone(&member.host));
                let host = host.unwrap_or_else(|| Arc::new(Host::new(now())));
                let member = Member { host, endpoint, priority: locality.priority, locality: at, leaving: false };
                let member = Arc::new(member);
                kept.members.insert(key, Arc::clone(&member));
                members.push(member);
            }
        }
        if !policy.health_checks.is_empty() && !policy.drop_unlisted_at_once {
            members.extend(stayers(&known, &mut kept.members, &policy));
        }
        let protocols: &[&str] = match policy.protocol.choice {
            ProtocolChoice::Http2 => &["h2"],
            ProtocolChoice::Alpn => &["h2", "http/1.1"],
            ProtocolChoice::Http1 | ProtocolChoice::OfClient => &[],
        };
        let tls = policy.tls.as_ref().map(|tls| ClientTls::load(tls, protocols)).transpose();
        let tls = tls.map_err(|error| BuildError {
            what: format!("TLS of cluster {}", policy.name),
            origin: Box::new(policy.origin.clone()),
            reason: Reason::Tls(error),
        })?;
        let metrics = &self.telemetry.metrics;
        let labels = if policy.name.starts_with("inbound|") { Labels::destination } else { Labels::source };
        let (stats, labels) = (metrics.cluster(&policy.name), labels(node, &policy));
        if known.len() != kept.members.len() || known.keys().any(|key| !kept.members.contains_key(key)) {
            self.changed.push(Arc::clone(&stats));
        }
        Ok(Cluster::new(policy, members, tls, kept, stats, labels))
    }

    fn listener(
        &mut self,
        listener: &Listener,
        clusters: &Arc<Clusters>,
        node: &Node,
    ) -> Result<(ListenerId, Runtime), BuildError> {
        let id = self.listener_id(&listener.name);
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
            tls_handshake: listener.tls_handshake,
            max_connections: listener.max_connections,
            stats: self.telemetry.metrics.listener(listener.address),
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
        clusters: &Arc<Clusters>,
        node: &Node,
    ) -> Result<Chain, BuildError> {
        let id = self.chain_id(listener_id, if chain.name.is_empty() { place } else { &chain.name });
        let tls = chain.tls.as_ref().map(ServerTls::load).transpose().map_err(|error| BuildError {
            what: format!("TLS of listener {}", listener.name),
            origin: Box::new(chain.origin.clone()),
            reason: Reason::Tls(error),
        })?;
        let service = match &chain.handler {
            Handler::Tcp(proxy) => Service::Tcp(Arc::new(TcpService {
                clusters: proxy.to.iter().map(|to| clusters.get(to.name.as_str()).cloned()).collect(),
                policy: proxy.clone(),
                stats: self.telemetry.metrics.tcp(&proxy.stat_prefix),
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
        clusters: &Arc<Clusters>,
        node: &Node,
    ) -> Result<HttpService, BuildError> {
        let mut manager = manager.clone();
        let table = std::mem::take(&mut manager.routes);
        let directory = Directory::new(&table);
        let hostname = self.telemetry.hostname.clone();
        let mut routes = Vec::new();
        for host in table.virtual_hosts {
            let of_host = host.routes.into_iter().zip(1..).map(|(route, at)| {
                let key = format!("{}/{}/{at}", id.0, host.name);
                let bucket = route.filters.rate_limit.as_ref().map(|limit| self.bucket(key, limit));
                self::route(route, clusters, bucket, &hostname)
            });
            routes.push(of_host.collect());
        }
        let buckets: Vec<_> = limits(&manager).map(Option::<&RateLimit>::cloned).collect();
        let buckets = buckets.iter().enumerate().map(|(at, limit)| {
            let limit = limit.as_ref().filter(|limit| !limit.per_connection)?;
            Some(self.bucket(format!("{}#{at}", id.0), limit))
        });
        let buckets = buckets.collect();
        let checks = manager.filters.iter().map(|filter| match filter {
            HttpFilter::HealthCheck(check) => check.cache.map(|_| LastCheck::new(now())),
            _ => None,
        });
        let checks = checks.collect();
        let spans = self.spans(id, &manager);
        let metrics = &self.telemetry.metrics;
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
            checks,
            faults: self.faults(id),
            directory,
            routes,
            clusters: Arc::clone(clusters),
            manager,
        })
    }

    fn listener_id(&mut self, name: &str) -> ListenerId {
        let State { listeners, next_listener, .. } = &mut self.state;
        let known = self.before.listeners.get(name).copied();
        *listeners.entry(name.to_owned()).or_insert_with(|| known.unwrap_or_else(|| ListenerId(next(next_listener))))
    }

    fn chain_id(&mut self, listener: ListenerId, key: &str) -> ChainId {
        let State { chains, next_chain, .. } = &mut self.state;
        let key = (listener, key.to_owned());
        let known = self.before.chains.get(&key).copied();
        *chains.entry(key).or_insert_with(|| known.unwrap_or_else(|| ChainId(next(next_chain))))
    }

    /// Faults of a chain that are under way.
    fn faults(&mut self, id: ChainId) -> Arc<Faults> {
        let faults = self.before.faults.get(&id).cloned().unwrap_or_default();
        Arc::clone(self.state.faults.entry(id).or_insert(faults))
    }

    /// Where the spans of a chain go; those that wait stay over a reload.
    fn spans(&mut self, id: ChainId, manager: &HttpManager) -> Option<Spans> {
        let provider = manager.tracing.as_ref()?.provider.clone()?;
        let queue = self.before.queues.get(&id).cloned().unwrap_or_default();
        Some(Spans { queue: self.state.queues.entry(id).or_insert(queue).clone(), provider })
    }

    fn logs(&self, logs: &[policy::AccessLog], origin: &policy::Origin) -> Result<Vec<AccessLog>, BuildError> {
        let telemetry = &self.telemetry;
        let log = |log: &policy::AccessLog| telemetry.logs.log(log, &telemetry.hostname).map_err(Reason::Log);
        let logs: Result<_, _> = logs.iter().map(log).collect();
        logs.map_err(|reason| BuildError { what: "access log".to_owned(), origin: Box::new(origin.clone()), reason })
    }

    /// The buckets of a limit: what is in them stays, unless the limit has changed.
    fn bucket(&mut self, key: String, limit: &RateLimit) -> Arc<Limiter> {
        let known = self.before.buckets.get(&key).filter(|(known, _)| known == limit);
        let bucket = known.map_or_else(|| Arc::new(Limiter::full(limit, now())), |(_, bucket)| Arc::clone(bucket));
        self.state.buckets.insert(key, (limit.clone(), Arc::clone(&bucket)));
        bucket
    }
}

/// A number that was not given out before.
fn next(number: &mut u32) -> u32 {
    *number += 1;
    *number - 1
}

fn route(route: Arc<Route>, clusters: &Clusters, bucket: Option<Arc<Limiter>>, hostname: &str) -> ResolvedRoute {
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

/// Endpoints that are no longer listed and still pass their checks.
fn stayers(
    known: &HashMap<Address, Arc<Member>>,
    kept: &mut HashMap<Address, Arc<Member>>,
    policy: &policy::Cluster,
) -> Vec<Arc<Member>> {
    let mut stayers = Vec::new();
    for (key, before) in known {
        if kept.contains_key(key) || !before.host.passes_checks() {
            continue;
        }
        let (host, endpoint) = (Arc::clone(&before.host), before.endpoint.clone());
        let locality = before.locality.min(policy.localities.len().saturating_sub(1));
        let member = Arc::new(Member { host, endpoint, priority: before.priority, locality, leaving: true });
        kept.insert(key.clone(), Arc::clone(&member));
        stayers.push(member);
    }
    // In an order that does not depend on a map's.
    stayers.sort_by_key(|member| member.host.id);
    stayers
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
