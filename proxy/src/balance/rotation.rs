//! The rotation of a cluster: what is known of its endpoints, made ready for picks.

use super::group::{Host, PickArgs};
use super::loads::Priorities;
use super::part::{Part, Plan};
use super::subset::{Labels, Subsets};
use super::turn::Turn;
use crate::health::Health;
use crate::policy::{Balance, Cluster, SlowStart};
use rand::Rng;
use std::time::Instant;

/// The last priority that there is; Envoy refuses any behind it.
const LAST_PRIORITY: u32 = 127;

/// What is known of one endpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'a> {
    /// What a pick answers.
    pub index: usize,
    /// 0 is used first.
    pub priority: u32,
    /// Its number among [`Cluster::localities`].
    pub locality: usize,
    /// Its share.
    pub weight: u32,
    /// Whether it may be used.
    pub health: Health,
    /// What it is known by in hashes: `10.0.0.1:80`.
    pub address: &'a str,
    /// Its labels.
    pub labels: &'a Labels,
    /// Since when it is healthy: since it joined, or since an active check passed that had failed. An endpoint that comes back from an
    /// ejection is not new.
    pub healthy_since: Option<Instant>,
}

/// What a try wants.
#[derive(Clone, Copy)]
pub(crate) struct Wish<'a> {
    /// The hash of the request, for policies that go by one; any endpoint will do without.
    pub hash: Option<u64>,
    /// Endpoints that are not wanted; if nobody else is found they will do.
    pub avoid: &'a dyn Fn(usize) -> bool,
    /// How often to look again for somebody who is not to be avoided.
    pub reselections: u32,
    /// Priorities that are left out, where another has anybody. Policies that go by hash do not look at it.
    pub left_out: Priorities,
    /// Labels of the subset that is wanted.
    pub subset: &'a Labels,
}

impl Default for Wish<'_> {
    /// Anybody.
    fn default() -> Self {
        static NO_LABELS: Labels = Labels::new();
        Self { hash: None, avoid: &|_| false, reselections: 0, left_out: Priorities::NONE, subset: &NO_LABELS }
    }
}

/// What was picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pick {
    /// The endpoint, by its member's index.
    pub index: usize,
    /// Its priority.
    pub priority: u32,
    /// Its priority panics: all are used, whatever their health.
    pub panics: bool,
    /// There was no such subset, and another was used.
    pub fell_back: bool,
}

/// A cluster's endpoints, ready for picks.
#[derive(Debug)]
pub(crate) struct Rotation {
    version: u64,
    balance: Balance,
    slow_start: Option<SlowStart>,
    parts: Parts,
    lists: usize,
}

#[derive(Debug)]
enum Parts {
    Whole(Part),
    Subsets(Subsets),
}

impl Rotation {
    /// Of these endpoints. `version` is another at each build, so that turns know when to begin anew.
    pub(crate) fn new(version: u64, cluster: &Cluster, members: &[Member<'_>], now: Instant) -> Self {
        let slow_start = cluster.slow_start.filter(|slow_start| !slow_start.window.is_zero());
        let is_new = |member: &Member<'_>| {
            let age = member.since().map(|since| now.saturating_duration_since(since));
            slow_start.zip(age).is_some_and(|(slow_start, age)| age <= slow_start.window)
        };
        let listed = cluster.localities.iter().map(|locality| locality.priority.min(LAST_PRIORITY) as usize);
        let last = members.iter().map(Member::priority).chain(listed).max().unwrap_or(0);
        let plan = Plan {
            cluster,
            priorities: last + 1,
            by_locality: cluster.locality_weighted,
            anyone_new: members.iter().any(is_new),
        };
        let members: Vec<_> = members.iter().collect();
        let mut lists = 0;
        let parts = match &cluster.subsets {
            None => Parts::Whole(Part::new(plan, &members, &mut lists)),
            Some(policy) => Parts::Subsets(Subsets::new(policy, plan, &members, &mut lists)),
        };
        Self { version, balance: cluster.balance.clone(), slow_start, parts, lists }
    }

    /// True if anything is available outside of these priorities: for [`super::Previous::left_out`].
    pub(crate) fn is_left(&self, left_out: Priorities, subset: &Labels) -> bool {
        self.part(subset).is_some_and(|(part, _)| part.is_left(left_out))
    }

    /// The endpoint of a try, if there is any. `active` says how many requests are under way at one.
    pub(crate) fn pick(
        &self,
        turn: &mut Turn,
        wish: &Wish<'_>,
        now: Instant,
        rng: &mut impl Rng,
        active: impl Fn(usize) -> u32,
    ) -> Option<Pick> {
        let (part, fell_back) = self.part(wish.subset)?;
        turn.follow(self.version, self.lists);
        // One key for all attempts, a random one if there is none.
        let key = self.balance.hashes().then(|| wish.hash.unwrap_or_else(|| rng.next_u64()));
        let slow_start = self.slow_start.as_ref();
        let mut args = PickArgs { balance: &self.balance, slow_start, now, rng, active: &active };
        let mut last = None;
        for attempt in 0..=wish.reselections {
            let picked = match key {
                Some(key) => part.keyed(key, attempt),
                None => part.draw(turn, wish.left_out, &mut args),
            };
            let (index, priority, panics) = picked?;
            last = Some(Pick { index, priority: priority as u32, panics, fell_back });
            if !(wish.avoid)(index) {
                break;
            }
        }
        last
    }

    /// The share of each endpoint in many picks, while all are equally busy: of a policy by hash all have the endpoint of the key, if
    /// there is one. None: there is no such subset.
    pub(crate) fn shares(&self, wish: &Wish<'_>) -> Option<Vec<(usize, f64)>> {
        let (part, _) = self.part(wish.subset)?;
        let key = wish.hash.filter(|_| self.balance.hashes());
        Some(match key {
            Some(key) => part.keyed(key, 0).map(|(index, _, _)| (index, 1.0)).into_iter().collect(),
            None => part.shares(&self.balance),
        })
    }

    fn part(&self, subset: &Labels) -> Option<(&Part, bool)> {
        match &self.parts {
            Parts::Whole(part) => Some((part, false)),
            Parts::Subsets(subsets) => subsets.part(subset),
        }
    }
}

impl Member<'_> {
    /// As picks see it.
    pub(super) fn host(&self) -> Host {
        Host { index: self.index, weight: self.weight.max(1), since: self.since() }
    }

    /// Its priority, as far as there are any.
    pub(super) fn priority(&self) -> usize {
        self.priority.min(LAST_PRIORITY) as usize
    }

    /// Since when it is new, for slow start: only healthy endpoints are.
    fn since(&self) -> Option<Instant> {
        self.healthy_since.filter(|_| self.health == Health::Healthy)
    }
}
