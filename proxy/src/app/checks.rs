//! Active checks: who is asked when, and what is made of the answers by [`crate::health::active`].

mod ask;

use crate::clock::now;
use crate::cluster::{Cluster, Member};
use crate::health::Health;
use crate::health::active::{Change, Checked, State, first_in};
use crate::policy::{EndpointHealth, HealthCheck};
use crate::serve::snapshot::Snapshot;
use crate::telemetry::ClusterCounter;
use crate::telemetry::metrics::Worker;
use rand::Rng;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;
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
    states: HashMap<(u64, usize), (State, Option<Instant>)>,
}

/// One endpoint and one of its checks.
struct Due {
    cluster: Arc<Cluster>,
    member: Arc<Member>,
    check: usize,
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
            self.states.insert((due.member.host.id, due.check), (State::default(), None));
            under_way.spawn_local(ask(due));
        }
        let mut found = Vec::new();
        while let Some(one) = under_way.join_next().await {
            found.extend(one);
        }
        found
    }

    /// Asks those who are due; what is found comes by the channel.
    pub(super) fn ask_due(&mut self, snapshot: &Snapshot, rng: &mut impl Rng, found: &mpsc::UnboundedSender<Found>) {
        let mut listed = HashSet::new();
        for due in all(snapshot) {
            let key = (due.member.host.id, due.check);
            listed.insert(key);
            let Some(check) = due.cluster.policy.health_checks.get(due.check) else { continue };
            let (_, at) =
                self.states.entry(key).or_insert_with(|| (State::default(), Some(now() + first_in(check, rng))));
            if at.is_some_and(|at| at <= now()) {
                *at = None;
                let found = found.clone();
                tokio::task::spawn_local(async move {
                    // Nobody listens any more when the process ends.
                    let _ = found.send(ask(due).await);
                });
            }
        }
        self.states.retain(|key, _| listed.contains(key));
    }

    /// Takes in one result.
    pub(super) fn take(&mut self, cluster: &Cluster, member: &Member, found: &Found, rng: &mut impl Rng) -> Taken {
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
        let (state, due) = self.states.entry((found.host, found.check)).or_default();
        let change = state.checked(found.checked, check);
        let traffic = cluster.had_traffic();
        *due = Some(now() + state.next_in(check, traffic, rng));
        let changed = self.settle(member);
        if change == Change::Recovered {
            member.host.set_healthy_since(now());
        }
        Taken {
            changed: changed || change != Change::None,
            passed: matches!(found.checked, Checked::Passed { .. }) && !member.host.fails_check(),
            close: change == Change::Failed && cluster.policy.close_on_failed_check,
        }
    }

    /// An endpoint asks to be left out; true if balancing must know.
    pub(super) fn asked_out(&mut self, member: &Member) -> bool {
        let own = self.states.iter_mut().filter(|((host, _), _)| *host == member.host.id);
        own.for_each(|(_, (state, _))| {
            state.asked_out();
        });
        self.settle(member)
    }

    /// All checks of an endpoint together: any of them takes it out.
    fn settle(&self, member: &Member) -> bool {
        let own = self.states.iter().filter(|((host, _), _)| *host == member.host.id);
        let healths: Vec<Health> = own.map(|(_, (state, _))| state.health(false)).collect();
        let host = &member.host;
        let before = (host.fails_check(), host.is_degraded(), host.is_excluded());
        host.set_excluded(healths.contains(&Health::Excluded));
        host.set_failed_check(healths.iter().any(|health| matches!(health, Health::Unhealthy | Health::Excluded)));
        host.set_degraded(healths.contains(&Health::Degraded));
        before != (host.fails_check(), host.is_degraded(), host.is_excluded())
            && member.endpoint.health != EndpointHealth::Unhealthy
    }
}

async fn ask(due: Due) -> Found {
    let Due { cluster, member, check } = due;
    let found = |checked| Found { cluster: Arc::clone(&cluster.name), host: member.host.id, check, checked };
    let Some(policy): Option<&HealthCheck> = cluster.policy.health_checks.get(check) else {
        return found(Checked::NoAnswer);
    };
    let asked = tokio::time::timeout(policy.timeout, ask::ask(&cluster, &member, policy)).await;
    found(asked.ok().and_then(Result::ok).unwrap_or(Checked::NoAnswer))
}
