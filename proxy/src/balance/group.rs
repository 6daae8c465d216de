//! A list of endpoints of which one is picked by policy.

use super::slow_start;
use super::turn::Turn;
use crate::policy::{Balance, SlowStart};
use rand::{Rng, RngExt};
use std::time::Instant;

/// An endpoint as picks see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Host {
    /// What a pick answers.
    pub index: usize,
    /// Its share.
    pub weight: u32,
    /// Since when it is healthy; nothing where slow start does not count for it.
    pub since: Option<Instant>,
}

/// A list of endpoints.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Its number among all lists of the rotation, by which a [`Turn`] knows it.
    list: usize,
    hosts: Vec<Host>,
    /// Weights differ, or will for as long as somebody is new.
    weighted: bool,
}

/// What a pick depends on besides the list.
pub(super) struct PickArgs<'a, R, A> {
    /// Which endpoint.
    pub balance: &'a Balance,
    /// Who is new.
    pub slow_start: Option<&'a SlowStart>,
    /// The time.
    pub now: Instant,
    /// Chance.
    pub rng: &'a mut R,
    /// Requests under way at an endpoint.
    pub active: &'a A,
}

impl Group {
    /// A list; `anyone_new` says that somebody in the cluster is in slow start.
    pub(super) fn new(hosts: Vec<Host>, anyone_new: bool, lists: &mut usize) -> Self {
        let list = *lists;
        *lists += 1;
        let differ = hosts.windows(2).any(|pair| matches!(pair, [one, other] if one.weight != other.weight));
        let weighted = hosts.len() > 1 && (differ || anyone_new);
        Self { list, hosts, weighted }
    }

    /// One of them, by policy.
    pub(super) fn pick<R: Rng, A: Fn(usize) -> u32>(
        &self,
        turn: &mut Turn,
        args: &mut PickArgs<'_, R, A>,
    ) -> Option<Host> {
        if self.hosts.is_empty() {
            return None;
        }
        let count = self.hosts.len();
        let at = match *args.balance {
            Balance::RoundRobin if self.weighted => self.next_weighted(turn, args, |_| 1.0),
            Balance::RoundRobin => turn.slot(self.list).map(|slot| {
                let at = slot.position % count;
                slot.position = slot.position.wrapping_add(1);
                at
            }),
            Balance::LeastRequest { active_bias, .. } if self.weighted => {
                let active = args.active;
                self.next_weighted(turn, args, |index| burden(active(index), active_bias))
            }
            Balance::LeastRequest { choices, .. } => Some(self.least_busy(choices, args)),
            Balance::Random | Balance::RingHash { .. } | Balance::Maglev { .. } => {
                Some(args.rng.random_range(0..count))
            }
        };
        self.hosts.get(at?).copied()
    }

    /// The share of each in many picks, while all are equally busy.
    pub(super) fn shares(&self, balance: &Balance) -> impl Iterator<Item = (usize, f64)> {
        let by_weight = !matches!(balance, Balance::Random);
        let weight = move |host: &Host| if by_weight { f64::from(host.weight) } else { 1.0 };
        let sum: f64 = self.hosts.iter().map(weight).sum();
        self.hosts.iter().map(move |host| (host.index, weight(host) / sum))
    }

    /// Draws with replacement; the first wins a tie.
    fn least_busy<R: Rng, A: Fn(usize) -> u32>(&self, choices: u32, args: &mut PickArgs<'_, R, A>) -> usize {
        let load = |at: usize| self.hosts.get(at).map_or(u32::MAX, |host| (args.active)(host.index));
        let mut best = args.rng.random_range(0..self.hosts.len());
        let mut least = load(best);
        for _ in 1..choices {
            let at = args.rng.random_range(0..self.hosts.len());
            let active = load(at);
            if active < least {
                (best, least) = (at, active);
            }
        }
        best
    }

    /// The next by weight; weights are divided by what `burden` says of an endpoint.
    fn next_weighted<R, A>(
        &self,
        turn: &mut Turn,
        args: &PickArgs<'_, R, A>,
        burden: impl Fn(usize) -> f64,
    ) -> Option<usize> {
        let age = |host: &Host| host.since.map(|since| args.now.saturating_duration_since(since));
        let weight = |at: usize| {
            self.hosts.get(at).map_or(0.0, |host| {
                let grown = args.slow_start.zip(age(host)).map_or(1.0, |(slow, age)| slow_start::factor(slow, age));
                f64::from(host.weight) * grown / burden(host.index)
            })
        };
        turn.next_weighted(self.list, self.hosts.len(), weight)
    }
}

/// How much requests under way count against an endpoint's weight.
fn burden(active: u32, bias: f64) -> f64 {
    let requests = f64::from(active) + 1.0;
    // The usual bias is not worth a power.
    if bias.to_bits() == 1.0_f64.to_bits() { requests } else { requests.powf(bias) }
}
