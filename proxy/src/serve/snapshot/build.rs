//! From a configuration to a snapshot. What is still there keeps its state.

mod cluster;
mod listener;

use super::service::Service;
use super::{ChainId, ListenerId, Snapshot};
use crate::clock::now;
use crate::cluster::Kept;
use crate::filter::fault::Faults;
use crate::filter::rate_limit::Limiter;
use crate::net::TlsError;
use crate::policy::{self, ChainMatch, Config, DownstreamTls, FilterChain, HttpManager, RateLimit};
use crate::serve::trace::Spans;
use crate::telemetry::ClusterCounter;
use crate::telemetry::access_log::{AccessLog, LogWriter};
use crate::telemetry::messages::Messages;
use crate::telemetry::metrics::{self, ClusterStats};
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
    chains: HashMap<ChainKey, (Option<DownstreamTls>, ChainId)>,
    buckets: HashMap<String, (RateLimit, Arc<Limiter>)>,
    faults: HashMap<ChainId, Arc<Faults>>,
    queues: HashMap<ChainId, SpanQueue>,
    /// Numbers are not given out again: connections know their chain by its.
    next_listener: u32,
    next_chain: u32,
}

/// What tells the chains of a listener apart, wherever they stand in it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ChainKey {
    listener: ListenerId,
    /// It serves what no other matches.
    default: bool,
    name: String,
    matches: ChainMatch,
    /// Chains ahead of it with the same of all that; a connection meets the first alone.
    nth: usize,
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
    fn listener_id(&mut self, name: &str) -> ListenerId {
        let State { listeners, next_listener, .. } = &mut self.state;
        let known = self.before.listeners.get(name).copied();
        *listeners.entry(name.to_owned()).or_insert_with(|| known.unwrap_or_else(|| ListenerId(next(next_listener))))
    }

    /// The number of a chain. One that asks other things of a client than before is new: whoever is connected has not shown them.
    fn chain_id(&mut self, listener: ListenerId, chain: &FilterChain, default: bool) -> ChainId {
        let State { chains, next_chain, .. } = &mut self.state;
        let (name, matches) = (chain.name.clone(), chain.matches.clone());
        let mut key = ChainKey { listener, default, name, matches, nth: 0 };
        while chains.contains_key(&key) {
            key.nth += 1;
        }
        let known = self.before.chains.get(&key).filter(|(tls, _)| *tls == chain.tls);
        let id = known.map_or_else(|| ChainId(next(next_chain)), |(_, id)| *id);
        chains.insert(key, (chain.tls.clone(), id));
        id
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
