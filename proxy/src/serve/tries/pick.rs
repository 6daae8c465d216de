//! The endpoint of the next try.

use super::Plan;
use crate::balance::{Previous, Priorities, Wish};
use crate::cluster::{Bound, Member};
use crate::policy::RetryPolicy;
use crate::serve::worker::Worker;
use std::sync::Arc;

/// Whom a request has tried so far, and what that means for whom it tries next.
pub(super) struct Tried {
    hosts: Vec<u64>,
    previous: Option<Previous>,
}

impl Tried {
    pub(super) fn new(policy: &RetryPolicy) -> Self {
        Self { hosts: Vec::new(), previous: policy.previous_priorities.map(Previous::new) }
    }

    pub(super) fn add(&mut self, member: &Member) {
        self.hosts.push(member.host.id);
        if let Some(previous) = &mut self.previous {
            previous.tried(member.priority);
        }
    }
}

/// The endpoint of the next try.
pub(super) fn pick(worker: &Worker, plan: &Plan<'_>, tried: &mut Tried, again: bool) -> Option<Arc<Member>> {
    let Plan { cluster, retry, hash, subset, .. } = plan;
    let Tried { hosts, previous } = tried;
    let avoid = |index: usize| {
        cluster.members.get(index).is_some_and(|member| {
            let labels = &member.endpoint.labels;
            retry.avoid_previous_hosts && hosts.contains(&member.host.id)
                || retry.omit_labels.iter().any(|(name, value)| labels.get(name) == Some(value))
        })
    };
    let mut wish = Wish { hash: *hash, subset, ..Wish::default() };
    if again {
        wish.avoid = &avoid;
        wish.reselections = retry.host_reselections;
    }
    let is_left = |left_out: Priorities| cluster.is_left(left_out, &wish);
    let left_out = previous.as_mut().map_or(Priorities::NONE, |previous| previous.left_out(is_left));
    let wish = Wish { left_out, ..wish };
    worker.pick(cluster, &wish, Bound::Requests(plan.key.priority), plan.destination)
}
