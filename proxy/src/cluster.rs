//! Clusters: a service or a subset of one, with its endpoints, limits and health.
//!
//! A [`Cluster`] is immutable and lives as long as its snapshot; what must survive a reload (counts, connections, ejections) is in [`Host`]
//! and [`Load`], which the next snapshot takes over.

mod dispatch;
mod host;
mod load;
mod pool;

pub(crate) use dispatch::{ConnectError, connect};
pub(crate) use host::{Active, Host};
pub(crate) use load::{Load, Slot};
pub(crate) use pool::{Pools, Upstream};

use crate::balance::{self, Candidates};
use crate::policy::{OutlierDetection, TrafficPolicy};
use crate::telemetry::ClusterStats;
use rand::Rng;
use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;

/// Endpoints that one kind of traffic may go to.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// `outbound|80|v1|cart`.
    pub name: String,
    /// Host of the service.
    pub service: String,
    /// Subset, if it is one.
    pub subset: Option<String>,
    /// How traffic to it is balanced, limited and watched.
    pub policy: TrafficPolicy,
    /// All its endpoints, healthy or not.
    pub hosts: Vec<Arc<Host>>,
    /// What is under way, over all workers.
    pub load: Arc<Load>,
    /// Counters for metrics.
    pub stats: Arc<ClusterStats>,
}

/// The endpoints that a pick may choose from, as positions in the cluster.
struct Usable<'a> {
    hosts: &'a [Arc<Host>],
    count: usize,
    /// All may be used: none is unhealthy, or too many are.
    all: bool,
}

impl Usable<'_> {
    fn host(&self, at: usize) -> Option<&Arc<Host>> {
        if self.all { self.hosts.get(at) } else { self.hosts.iter().filter(|host| host.is_healthy()).nth(at) }
    }
}

impl Candidates for Usable<'_> {
    fn count(&self) -> usize {
        self.count
    }

    fn active(&self, at: usize) -> u32 {
        self.host(at).map_or(u32::MAX, |host| host.active())
    }
}

/// Picks that are thrown away, at most, to find an endpoint that the request has not tried.
const MOST_REPICKS: usize = 5;

impl Cluster {
    /// Picks an endpoint, if possible none of `tried`. None: no endpoint may be used.
    pub(crate) fn pick(&self, tried: &[SocketAddr], turn: &Cell<usize>, rng: &mut impl Rng) -> Option<&Arc<Host>> {
        let total = self.hosts.len();
        let healthy = self.healthy().count();
        let panic = balance::panics(healthy, total, self.policy.panic_percent);
        if panic {
            self.stats.panicked.add(1);
        }
        let all = panic || healthy == total;
        let usable = Usable { hosts: &self.hosts, count: if all { total } else { healthy }, all };
        if usable.count == 0 {
            return None;
        }
        let mut picked = None;
        for _ in 0..=MOST_REPICKS {
            let mut position = turn.get();
            let at = balance::pick(self.policy.balance, &usable, &mut position, rng);
            turn.set(position);
            // One may have been taken out since they were counted; any other will do.
            picked = if all { self.hosts.get(at) } else { self.healthy().nth(at).or_else(|| self.healthy().next()) };
            if !picked.is_some_and(|host| tried.contains(&host.address)) {
                break;
            }
        }
        // If all have been tried, the last pick serves: a cluster of one endpoint tries it again.
        picked
    }

    fn healthy(&self) -> impl Iterator<Item = &Arc<Host>> {
        self.hosts.iter().filter(|host| host.is_healthy())
    }

    /// The detector's parameters, if there is one.
    pub(crate) fn outlier(&self) -> Option<&OutlierDetection> {
        self.policy.outlier.as_ref()
    }
}
