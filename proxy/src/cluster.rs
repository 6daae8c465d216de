//! Clusters: endpoints that one kind of traffic may go to, with their limits and health.
//!
//! A [`Cluster`] lives as long as its snapshot; what must survive a reload (counts, connections, ejections) is in [`Host`] and [`Load`],
//! which the next snapshot takes over.

mod closed;
mod connection;
mod dispatch;
mod host;
mod load;
mod met;
mod open;
mod pool;
mod pool_key;
mod pools;
mod speak;

pub(crate) use closed::Bound;
pub(crate) use connection::{Channel, Ends};
pub(crate) use dispatch::connect;
pub(crate) use host::{Active, Host, Member};
pub(crate) use load::{Load, Slot};
use met::Met;
pub(crate) use open::{ConnectError, open};
pub(crate) use pool_key::PoolKey;
pub(crate) use pools::{Lifetime, Pools};

use crate::balance::{self, Rotation, Turn, Wish};
use crate::clock::now;
use crate::health::Health;
use crate::net::ClientTls;
use crate::policy::{self, Address, Discovery, Endpoint, OutlierDetection, Priority};
use crate::telemetry::ClusterCounter;
use crate::telemetry::metrics::{ClusterStats, Istio, IstioTcp, Labels, Registry, Security, Worker};
use arc_swap::ArcSwap;
use rand::Rng;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Endpoints that one kind of traffic may go to.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// What is configured of it.
    pub policy: policy::Cluster,
    /// Its name.
    pub name: Arc<str>,
    /// All its endpoints, healthy or not.
    pub members: Vec<Arc<Member>>,
    /// The same, ready for picks; made anew whenever somebody's health changes.
    rotation: ArcSwap<Rotation>,
    /// How its endpoints are spoken to by TLS.
    pub tls: Option<ClientTls>,
    /// What outlives this snapshot.
    kept: Kept,
    /// Counters for metrics.
    pub stats: Arc<ClusterStats>,
    /// Source and destination labels of Istio's metrics.
    labels: Labels,
    /// Its series, once anybody has used it: most clusters of a mesh are never called.
    istio: OnceLock<Arc<Istio>>,
    istio_tcp: OnceLock<Arc<IstioTcp>>,
}

/// What of a cluster outlives a snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// A number that no other cluster of this process has.
    id: u64,
    /// What is under way, over all workers, for each priority of requests.
    load: [Arc<Load>; 2],
    /// Endpoints that nobody lists: where clients were going.
    met: Arc<Mutex<Met>>,
    /// Its endpoints, by what their state is kept by.
    pub members: HashMap<Address, Arc<Member>>,
}

impl Default for Kept {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (load, met, members) = Default::default();
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), load, met, members }
    }
}

impl Cluster {
    /// One whose endpoints were looked up.
    pub(crate) fn new(
        policy: policy::Cluster,
        members: Vec<Arc<Member>>,
        tls: Option<ClientTls>,
        kept: Kept,
        stats: Arc<ClusterStats>,
        labels: Labels,
    ) -> Self {
        let rotation = ArcSwap::from_pointee(rotation(&policy, &members));
        let name = policy.name.as_str().into();
        Self {
            policy,
            name,
            members,
            rotation,
            tls,
            kept,
            stats,
            labels,
            istio: OnceLock::new(),
            istio_tcp: OnceLock::new(),
        }
    }

    /// Somebody's health has changed.
    pub(crate) fn refresh(&self) {
        self.rotation.store(Arc::new(rotation(&self.policy, &self.members)));
    }

    /// A number that no other cluster has, the same over reloads.
    pub(crate) fn id(&self) -> u64 {
        self.kept.id
    }

    /// What is under way.
    pub(crate) fn load(&self, priority: Priority) -> &Arc<Load> {
        match priority {
            Priority::Default => &self.kept.load[0],
            Priority::High => &self.kept.load[1],
        }
    }

    /// What outlives this snapshot.
    pub(crate) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Picks an endpoint for something that is bound by these limits. None: none may be used.
    pub(crate) fn pick(
        &self,
        turn: &mut Turn,
        wish: &Wish<'_>,
        bound: Bound,
        rng: &mut impl Rng,
        shard: Worker,
    ) -> Option<Arc<Member>> {
        let rotation = self.rotation.load();
        let active = |index: usize| self.members.get(index).map_or(0, |member| member.host.active());
        let mut picked = rotation.pick(turn, wish, now(), rng, active)?;
        // In panic everybody is used, whatever is known of them.
        if self.closes_any() && !picked.panics && self.is_closed(picked.index, bound) {
            picked = self.pick_open(&rotation, turn, wish, bound, rng)?;
        }
        if picked.panics {
            self.stats.count(shard, ClusterCounter::LbHealthyPanic);
        }
        self.members.get(picked.index).map(Arc::clone)
    }

    /// True if anything is available outside of these priorities.
    pub(crate) fn is_left(&self, left_out: balance::Priorities, wish: &Wish<'_>) -> bool {
        self.rotation.load().is_left(left_out, wish.subset)
    }

    /// The endpoint at an address where a client was going, if this cluster goes there.
    pub(crate) fn meet(&self, address: SocketAddr) -> Option<Arc<Member>> {
        Some(self.met()?.meet(address, now()))
    }

    /// The numbers of its endpoints, listed or met; those that were met and that nobody uses are forgotten.
    pub(crate) fn tidied(&self) -> Vec<u64> {
        let listed = self.members.iter().map(|member| member.host.id);
        listed.chain(self.met().iter_mut().flat_map(|met| met.tidied(now()))).collect()
    }

    fn met(&self) -> Option<MutexGuard<'_, Met>> {
        let goes_anywhere = self.policy.discovery == Discovery::OriginalDestination;
        goes_anywhere.then(|| self.kept.met.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The endpoint at an address, if it is one of its own.
    pub(crate) fn member(&self, address: Option<&Address>) -> Option<&Arc<Member>> {
        self.members.iter().find(|member| Some(&member.endpoint.address) == address)
    }

    /// The detector's parameters, if there is one.
    pub(crate) fn outlier(&self) -> Option<&OutlierDetection> {
        self.policy.outlier.as_ref()
    }

    /// Its requests, as Istio counts them.
    pub(crate) fn istio(&self, metrics: &Registry) -> &Arc<Istio> {
        self.istio.get_or_init(|| metrics.istio(&self.labels))
    }

    /// Its forwarded connections, as Istio counts them.
    pub(crate) fn istio_tcp(&self, metrics: &Registry) -> &Arc<IstioTcp> {
        self.istio_tcp.get_or_init(|| metrics.istio_tcp(&self.labels, Security::Unknown))
    }

    /// True once any request has gone to it.
    pub(crate) fn had_traffic(&self) -> bool {
        self.members.iter().any(|member| member.host.requests.load(Ordering::Relaxed) > 0)
    }

    /// Endpoints that may be used.
    pub(crate) fn healthy(&self) -> usize {
        self.members.iter().filter(|member| matches!(member.health(), Health::Healthy | Health::Degraded)).count()
    }
}

/// The share of each endpoint, by its number among all, in many picks of a cluster that has just been configured. Nothing is known of
/// names that were not looked up: each counts as one endpoint. None: there is no such subset.
pub(crate) fn shares(policy: &policy::Cluster, wish: &Wish<'_>) -> Option<Vec<(usize, f64)>> {
    let of_locality = |(at, locality): (usize, &policy::Locality)| {
        let priority = locality.priority;
        let member = move |endpoint: &Endpoint| {
            let host = Arc::new(Host::new(now()));
            Arc::new(Member { host, endpoint: endpoint.clone(), priority, locality: at, leaving: false })
        };
        locality.endpoints.iter().map(member).collect::<Vec<_>>()
    };
    let members: Vec<_> = policy.localities.iter().enumerate().flat_map(of_locality).collect();
    rotation(policy, &members).shares(wish)
}

fn rotation(policy: &policy::Cluster, members: &[Arc<Member>]) -> Rotation {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let addresses: Vec<String> = members.iter().map(|member| member.endpoint.address.to_string()).collect();
    let known = members.iter().zip(&addresses).enumerate().map(|(index, (member, address))| balance::Member {
        index,
        priority: member.priority,
        locality: member.locality,
        weight: member.endpoint.weight,
        health: member.health(),
        address,
        labels: &member.endpoint.labels,
        healthy_since: Some(member.host.healthy_since()),
    });
    let known: Vec<_> = known.collect();
    Rotation::new(NEXT.fetch_add(1, Ordering::Relaxed), policy, &known, now())
}
