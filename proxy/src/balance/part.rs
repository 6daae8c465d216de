//! The endpoints of a cluster, or of a subset of it, by priority, health and locality.

use super::group::{Group, Host, PickArgs};
use super::loads::{Availability, Counts, Loads, Priorities};
use super::maglev::Table;
use super::ring::Ring;
use super::rotation::Member;
use super::shares::{Shares, Weighed};
use super::turn::Turn;
use crate::health::Health;
use crate::policy::{Balance, Cluster};
use rand::Rng;
use std::collections::BTreeMap;

/// Endpoints that share load.
#[derive(Debug)]
pub(super) struct Part {
    loads: Loads,
    priorities: Vec<Tier>,
}

/// The endpoints of one priority.
#[derive(Debug)]
struct Tier {
    all: Group,
    healthy: Spread,
    degraded: Spread,
    keyed: Keyed,
}

/// Endpoints of one health, all together or by locality.
#[derive(Debug)]
struct Spread {
    together: Group,
    localities: Option<Localities>,
}

/// Localities that have somebody, with the weight that is left of theirs.
#[derive(Debug)]
struct Localities {
    list: usize,
    weights: Vec<f64>,
    groups: Vec<Group>,
}

/// Endpoints by the hash of a key.
#[derive(Debug)]
enum Keyed {
    Not,
    Ring(Ring),
    Maglev(Table),
}

/// What all parts of a rotation are built from.
#[derive(Clone, Copy)]
pub(super) struct Plan<'a> {
    /// The policy.
    pub cluster: &'a Cluster,
    /// So many priorities.
    pub priorities: usize,
    /// Load is dealt by locality.
    pub by_locality: bool,
    /// Somebody is in slow start.
    pub anyone_new: bool,
}

impl Part {
    /// Of these endpoints; numbers its lists from `lists` on.
    pub(super) fn new(plan: Plan<'_>, members: &[&Member<'_>], lists: &mut usize) -> Self {
        let of = |priority: usize| -> Vec<&Member<'_>> {
            members.iter().copied().filter(|member| member.priority() == priority).collect()
        };
        let by_priority: Vec<_> = (0..plan.priorities).map(of).collect();
        let counts: Vec<_> = by_priority.iter().map(|members| count(members)).collect();
        let loads = Loads::new(&counts, plan.cluster);
        let tier = |(at, members): (usize, &Vec<&Member<'_>>)| Tier::new(plan, members, loads.panics(at), lists);
        let priorities = by_priority.iter().enumerate().map(tier).collect();
        Self { loads, priorities }
    }

    /// True if anything is available outside of these priorities.
    pub(super) fn is_left(&self, left_out: Priorities) -> bool {
        self.loads.is_left(left_out)
    }

    /// One endpoint with its priority, and whether that panics; drawn anew each time.
    pub(super) fn draw<R: Rng, A: Fn(usize) -> u32>(
        &self,
        turn: &mut Turn,
        left_out: Priorities,
        args: &mut PickArgs<'_, R, A>,
    ) -> Option<(usize, usize, bool)> {
        let (at, availability) = self.loads.choose(args.rng.next_u64(), left_out);
        let tier = self.priorities.get(at)?;
        let panics = self.loads.panics(at);
        let group = match (panics, availability) {
            (true, _) => &tier.all,
            (false, Availability::Healthy) => tier.healthy.group(turn),
            (false, Availability::Degraded) => tier.degraded.group(turn),
        };
        Some((group.pick(turn, args)?.index, at, panics))
    }

    /// The share of each endpoint in many picks, while all are equally busy; those without any are left out.
    pub(super) fn shares(&self, balance: &Balance) -> Vec<(usize, f64)> {
        let mut shares: BTreeMap<usize, f64> = BTreeMap::new();
        for number in 0..100 {
            let (at, availability) = self.loads.choose(number, Priorities::NONE);
            let Some(tier) = self.priorities.get(at) else { continue };
            let groups = match (self.loads.panics(at), availability) {
                (true, _) => vec![(&tier.all, 1.0)],
                (false, Availability::Healthy) => tier.healthy.groups(),
                (false, Availability::Degraded) => tier.degraded.groups(),
            };
            for (group, of_all) in groups {
                for (index, share) in group.shares(balance) {
                    *shares.entry(index).or_default() += of_all * share / 100.0;
                }
            }
        }
        shares.into_iter().collect()
    }

    /// The endpoint of a key, whose priority is the key's too.
    pub(super) fn keyed(&self, key: u64, attempt: u32) -> Option<(usize, usize, bool)> {
        let (at, _) = self.loads.choose(key, Priorities::NONE);
        let index = match &self.priorities.get(at)?.keyed {
            Keyed::Not => None,
            Keyed::Ring(ring) => ring.pick(key, attempt),
            Keyed::Maglev(table) => table.pick(key, attempt),
        }?;
        Some((index, at, self.loads.panics(at)))
    }
}

fn count(members: &[&Member<'_>]) -> Counts {
    let of = |health: Health| members.iter().filter(|member| member.health == health).count() as u32;
    Counts {
        total: members.len() as u32,
        excluded: of(Health::Excluded),
        healthy: of(Health::Healthy),
        degraded: of(Health::Degraded),
    }
}

impl Tier {
    fn new(plan: Plan<'_>, members: &[&Member<'_>], panics: bool, lists: &mut usize) -> Self {
        let all = Group::new(members.iter().map(|member| member.host()).collect(), plan.anyone_new, lists);
        let healthy = Spread::new(plan, members, Health::Healthy, lists);
        let degraded = Spread::new(plan, members, Health::Degraded, lists);
        Self { all, healthy, degraded, keyed: keyed(plan, members, panics) }
    }
}

/// Healthy endpoints by key, or all in panic. Degraded ones are never found by key, as in Envoy.
fn keyed(plan: Plan<'_>, members: &[&Member<'_>], panics: bool) -> Keyed {
    if !plan.cluster.balance.hashes() {
        return Keyed::Not;
    }
    let shares = if plan.by_locality {
        let localities = localities(plan.cluster, members);
        let weighed: Vec<_> = localities.iter().map(|(weight, members)| (*weight, weighed(members, panics))).collect();
        Shares::by_locality(&weighed)
    } else {
        Shares::even(&weighed(members, panics))
    };
    match plan.cluster.balance {
        Balance::RingHash { min_size, max_size } => Keyed::Ring(Ring::new(&shares, min_size, max_size)),
        Balance::Maglev { table_size } => Keyed::Maglev(Table::new(&shares, table_size)),
        Balance::LeastRequest { .. } | Balance::RoundRobin | Balance::Random => Keyed::Not,
    }
}

/// Who may be found by key, with its weight.
fn weighed<'a>(members: &[&Member<'a>], panics: bool) -> Vec<Weighed<'a>> {
    let usable = members.iter().filter(|member| panics || member.health == Health::Healthy);
    usable.map(|member| (member.index, member.address, member.weight.max(1))).collect()
}

/// Members by locality, with its weight, in order of their names.
fn localities<'m, 'a>(cluster: &Cluster, members: &[&'m Member<'a>]) -> Vec<(u32, Vec<&'m Member<'a>>)> {
    let mut numbers: Vec<_> = members.iter().map(|member| member.locality).collect();
    numbers.sort_unstable_by_key(|number| (cluster.localities.get(*number).map(|locality| &locality.place), *number));
    numbers.dedup();
    let of = |number: usize| members.iter().copied().filter(|member| member.locality == number).collect();
    let weight = |number: usize| cluster.localities.get(number).and_then(|locality| locality.weight).unwrap_or(0);
    numbers.into_iter().map(|number| (weight(number), of(number))).collect()
}

impl Spread {
    fn new(plan: Plan<'_>, members: &[&Member<'_>], health: Health, lists: &mut usize) -> Self {
        let group = |members: &[&Member<'_>], lists: &mut usize| {
            let hosts: Vec<Host> =
                members.iter().filter(|member| member.health == health).map(|member| member.host()).collect();
            Group::new(hosts, plan.anyone_new, lists)
        };
        let together = group(members, lists);
        if !plan.by_locality {
            return Self { together, localities: None };
        }
        let list = *lists;
        *lists += 1;
        let (mut weights, mut groups) = (Vec::new(), Vec::new());
        for (weight, members) in localities(plan.cluster, members) {
            let counts = count(&members);
            let usable = if health == Health::Healthy { counts.healthy } else { counts.degraded };
            let counted = f64::from((counts.total - counts.excluded).max(1));
            let left = f64::from(plan.cluster.overprovisioning) / 100.0 * f64::from(usable) / counted;
            let weight = f64::from(weight) * left.min(1.0);
            if weight > 0.0 {
                weights.push(weight);
                groups.push(group(&members, lists));
            }
        }
        // Where no locality has any weight they are one.
        let localities = (!groups.is_empty()).then_some(Localities { list, weights, groups });
        Self { together, localities }
    }

    /// All its lists with their shares.
    fn groups(&self) -> Vec<(&Group, f64)> {
        let Some(Localities { weights, groups, .. }) = &self.localities else { return vec![(&self.together, 1.0)] };
        let sum: f64 = weights.iter().sum();
        groups.iter().zip(weights).map(|(group, weight)| (group, weight / sum)).collect()
    }

    fn group(&self, turn: &mut Turn) -> &Group {
        let Some(Localities { list, weights, groups }) = &self.localities else { return &self.together };
        let at = turn.next_weighted(*list, weights.len(), |at| weights.get(at).copied().unwrap_or_default());
        at.and_then(|at| groups.get(at)).unwrap_or(&self.together)
    }
}
