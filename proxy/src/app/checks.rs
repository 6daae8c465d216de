//! Active checks: who is asked when, and what is made of the answers by [`crate::health::active`].

mod ask;

use crate::clock::now;
use crate::cluster::{Cluster, Member};
use crate::health::Health;
use crate::health::active::{Change, Checked, State, first_in};
use crate::policy::EndpointHealth;
use crate::serve::snapshot::Snapshot;
use crate::telemetry::ClusterCounter;
use crate::telemetry::metrics::Worker;
use ask::Connection;
use rand::Rng;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinSet;

/// What was found at an endpoint by one of its checks.
#[derive(Debug)]
pub(super) struct Found {
    /// The cluster.
    pub(super) cluster: Arc<str>,
    /// The endpoint, by its number.
    pub(super) host: u64,
    /// Which of the cluster's checks.
    check: usize,
    checked: Checked,
    /// For the next time.
    connection: Option<Connection>,
}

impl Found {
    /// The endpoint, and which of its checks.
    pub(super) fn key(&self) -> (u64, usize) {
        (self.host, self.check)
    }
}

/// What became of an endpoint by one result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// Balancing must know.
    pub(super) changed: bool,
    /// It passed, and does not count as failed.
    pub(super) passed: bool,
    /// Its connections are to be closed.
    pub(super) close: bool,
}

/// What is known of each endpoint by each check, and when that is due; not while one is under way.
#[derive(Debug, Default)]
pub(super) struct Checks {
    watched: HashMap<(u64, usize), Watched>,
}

#[derive(Debug, Default)]
struct Watched {
    state: State,
    /// When it is asked next.
    due: Option<Instant>,
    /// On which it is.
    connection: Option<Connection>,
}

/// One endpoint and one of its checks.
struct Due {
    cluster: Arc<Cluster>,
    member: Arc<Member>,
    check: usize,
}

impl Due {
    fn key(&self) -> (u64, usize) {
        (self.member.host.id, self.check)
    }
}

fn all(snapshot: &Snapshot) -> impl Iterator<Item = Due> {
    snapshot.clusters.values().flat_map(|cluster| {
        let checks = 0..cluster.policy.health_checks.len();
        let each = checks.flat_map(move |check| cluster.members.iter().map(move |member| (check, member)));
        each.map(move |(check, member)| Due { cluster: Arc::clone(cluster), member: Arc::clone(member), check })
    })
}

impl Checks {
    /// Asks everybody once, and waits for the answers.
    pub(super) async fn first_round(&mut self, snapshot: &Snapshot) -> Vec<Found> {
        let mut under_way: JoinSet<Found> = JoinSet::new();
        for due in all(snapshot) {
            self.watched.insert(due.key(), Watched::default());
            under_way.spawn_local(ask(due, None));
        }
        let mut found = Vec::new();
        while let Some(one) = under_way.join_next().await {
            found.extend(one);
        }
        found
    }

    /// Asks all endpoints of clusters that `live` does not check, and says whom; `tell` hears what is found.
    pub(super) fn ask_new(
        next: &Snapshot,
        live: &Snapshot,
        tell: &(impl Fn(Found) + Clone + 'static),
    ) -> HashSet<(u64, usize)> {
        let checked =
            |due: &Due| live.cluster(&due.cluster.name).is_some_and(|live| !live.policy.health_checks.is_empty());
        let new: Vec<Due> = all(next).filter(|due| !checked(due)).collect();
        let keys = new.iter().map(Due::key).collect();
        new.into_iter().for_each(|due| begin(due, None, tell));
        keys
    }

    /// Asks those who are due; `tell` hears what is found.
    pub(super) fn ask_due(
        &mut self,
        snapshot: &Snapshot,
        rng: &mut impl Rng,
        tell: &(impl Fn(Found) + Clone + 'static),
    ) {
        let mut listed = HashSet::new();
        for due in all(snapshot) {
            let key = due.key();
            listed.insert(key);
            let Some(check) = due.cluster.policy.health_checks.get(due.check) else { continue };
            let begin_at = || Watched { due: Some(now() + first_in(check, rng)), ..Watched::default() };
            let watched = self.watched.entry(key).or_insert_with(begin_at);
            if watched.due.is_some_and(|at| at <= now()) {
                watched.due = None;
                begin(due, watched.connection.take(), tell);
            }
        }
        self.watched.retain(|key, _| listed.contains(key));
    }

    /// Takes in one result.
    pub(super) fn take(&mut self, cluster: &Cluster, member: &Member, found: Found, rng: &mut impl Rng) -> Taken {
        let count = |counter| cluster.stats.count(Worker::CONTROL, counter);
        let Some(check) = cluster.policy.health_checks.get(found.check) else {
            return Taken { changed: false, passed: false, close: false };
        };
        count(ClusterCounter::CheckAttempt);
        match found.checked {
            Checked::Passed { .. } => count(ClusterCounter::CheckSuccess),
            Checked::NoAnswer => {
                count(ClusterCounter::CheckFailure);
                count(ClusterCounter::CheckNetworkFailure);
            }
            Checked::Failed { .. } | Checked::Retriable => count(ClusterCounter::CheckFailure),
        }
        let watched = self.watched.entry(found.key()).or_default();
        let change = watched.state.checked(found.checked, check);
        let traffic = cluster.had_traffic();
        watched.due = Some(now() + watched.state.next_in(check, traffic, rng));
        watched.connection = found.connection;
        let changed = self.settle(cluster, member);
        if change == Change::Recovered {
            member.host.set_healthy_since(now());
        }
        Taken {
            changed: changed || change != Change::None,
            passed: matches!(found.checked, Checked::Passed { .. }) && !member.host.fails_check(),
            close: change == Change::Failed,
        }
    }

    /// An endpoint asks to be left out; true if balancing must know.
    pub(super) fn asked_out(&mut self, cluster: &Cluster, member: &Member) -> bool {
        let own = self.watched.iter_mut().filter(|((host, _), _)| *host == member.host.id);
        own.for_each(|(_, watched)| {
            watched.state.asked_out();
        });
        self.settle(cluster, member)
    }

    /// All checks of an endpoint together: any of them takes it out.
    fn settle(&self, cluster: &Cluster, member: &Member) -> bool {
        let own = self.watched.iter().filter(|((host, _), _)| *host == member.host.id);
        let health = |(_, watched): (_, &Watched)| watched.state.health(cluster.policy.ignore_unchecked);
        let healths: Vec<Health> = own.map(health).collect();
        let host = &member.host;
        let before = (host.fails_check(), host.is_degraded(), host.is_excluded());
        host.set_excluded(healths.contains(&Health::Excluded));
        host.set_failed_check(healths.iter().any(|health| matches!(health, Health::Unhealthy | Health::Excluded)));
        host.set_degraded(healths.contains(&Health::Degraded));
        before != (host.fails_check(), host.is_degraded(), host.is_excluded())
            && member.endpoint.health != EndpointHealth::Unhealthy
    }
}

fn begin(due: Due, connection: Option<Connection>, tell: &(impl Fn(Found) + Clone + 'static)) {
    let tell = tell.clone();
    tokio::task::spawn_local(async move { tell(ask(due, connection).await) });
}

async fn ask(due: Due, mut connection: Option<Connection>) -> Found {
    let Due { cluster, member, check } = due;
    let mut checked = Checked::NoAnswer;
    if let Some(policy) = cluster.policy.health_checks.get(check) {
        let asked = tokio::time::timeout(policy.timeout, ask::ask(&cluster, &member, policy, &mut connection)).await;
        checked = asked.ok().and_then(Result::ok).unwrap_or(Checked::NoAnswer);
    }
    Found { cluster: Arc::clone(&cluster.name), host: member.host.id, check, checked, connection }
}
