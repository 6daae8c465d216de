//! Whether a request may be tried again, and after which wait.

use super::Plan;
use crate::clock::{now, wall};
use crate::cluster::{Cluster, Slot};
use crate::filter::retry::{asked_back_off, back_off};
use crate::health::budget;
use crate::policy::{Priority, RetryPolicy};
use crate::serve::exchange::Answer;
use crate::serve::notes::Notes;
use crate::serve::upload::Upload;
use crate::serve::worker::Worker;
use crate::telemetry::{ClusterCounter, Flag};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, UNIX_EPOCH};

/// Retries that a request may still make.
pub(super) struct Retries {
    left: u32,
    /// Held while one is under way: the breaker counts those that run, not only those that wait.
    running: Option<Slot>,
}

impl Retries {
    pub(super) fn new(policy: &RetryPolicy) -> Self {
        Self { left: policy.attempts, running: None }
    }

    /// Takes one of them. False: there is none, or the request cannot be sent again.
    pub(super) fn take(&mut self, worker: &Worker, notes: &mut Notes, upload: &Upload, plan: &Plan<'_>) -> bool {
        let count = |counter| plan.cluster.stats.count(worker.shard, counter);
        if self.left > 0 && !upload.can_be_replayed() {
            count(ClusterCounter::RetryOrShadowAbandoned);
            return false;
        }
        if self.left == 0 {
            count(ClusterCounter::RqRetryLimitExceeded);
            notes.flags.raise(Flag::RetryLimit);
            return false;
        }
        self.left -= 1;
        drop(self.running.take());
        let load = plan.cluster.load(plan.key.priority);
        self.running = load.take(|load| &load.retries, retry_limit(plan.cluster, plan.key.priority));
        if self.running.is_none() {
            count(ClusterCounter::RqRetryOverflow);
            notes.flags.raise(Flag::Overflow);
        }
        self.running.is_some()
    }
}

/// Retries that may run at once: a share of what is under way, or a plain number.
fn retry_limit(cluster: &Cluster, priority: Priority) -> u32 {
    let limits = cluster.policy.limits(priority);
    let load = cluster.load(priority);
    match &limits.retry_budget {
        Some(policy) => budget::limit(policy, load.requests.load(Relaxed), load.pending.load(Relaxed)),
        None => limits.retries,
    }
}

/// How long to wait before the next try.
pub(super) fn wait(worker: &Worker, plan: &Plan<'_>, answer: Option<&Answer>, attempts: u32) -> Duration {
    let rng = &mut *worker.rng.borrow_mut();
    let asked = answer.zip(plan.retry.rate_limited_back_off.as_ref()).and_then(|(answer, policy)| {
        let since_epoch = wall(now()).duration_since(UNIX_EPOCH).unwrap_or_default();
        asked_back_off(policy, &answer.response.headers, since_epoch, rng)
    });
    let counter = match asked {
        Some(_) => ClusterCounter::RqRetryBackoffRateLimited,
        None => ClusterCounter::RqRetryBackoffExponential,
    };
    plan.cluster.stats.count(worker.shard, counter);
    asked.unwrap_or_else(|| back_off(plan.retry, attempts, rng))
}
