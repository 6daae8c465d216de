//! Earliest deadline first: each entry comes in proportion to its weight, which may be another at each pick.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Added to weights when a start in the middle is computed, so that weights that are multiples of each other do not collide there.
const EPSILON: f64 = 1e-13;

/// Entries by their deadlines. Picking neither allocates nor looks at more than a logarithm of them.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// The deadline of the last pick.
    time: f64,
    /// Insertions so far: of equal deadlines the older goes first.
    insertions: u64,
    queue: BinaryHeap<Entry>,
}

#[derive(Debug)]
struct Entry {
    deadline: f64,
    order: u64,
    at: usize,
}

impl Schedule {
    /// Begins anew with `count` entries, in the state in which `picks` picks with these weights would leave it.
    pub(super) fn fill(&mut self, count: usize, picks: u32, weight: impl Fn(usize) -> f64) {
        let apart = |at| weight(at).max(f64::MIN_POSITIVE) + EPSILON;
        let sum: f64 = (0..count).map(apart).sum();
        self.queue.clear();
        (self.time, self.insertions) = (0.0, count as u64);
        let mut made = 0;
        for at in 0..count {
            let weight = apart(at);
            let mut own = (weight * f64::from(picks) / sum) as u32;
            // Rounding must not put an entry ahead of the others.
            if own > 0 && f64::from(own) / weight >= f64::from(picks) / sum {
                own -= 1;
            }
            self.time = self.time.max(f64::from(own) / weight);
            self.queue.push(Entry { deadline: (f64::from(own) + 1.0) / weight, order: at as u64, at });
            made += own;
        }
        for _ in made..picks {
            self.pick(&weight);
        }
    }

    /// The next entry. It comes back after the inverse of the weight that it has now.
    pub(super) fn pick(&mut self, weight: impl FnOnce(usize) -> f64) -> Option<usize> {
        let mut first = self.queue.peek_mut()?;
        let at = first.at;
        self.time = first.deadline;
        first.deadline = self.time + weight(at).max(f64::MIN_POSITIVE).recip();
        first.order = self.insertions;
        self.insertions += 1;
        Some(at)
    }
}

impl Ord for Entry {
    /// The heap gives its greatest, so the earliest is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.deadline.total_cmp(&self.deadline).then(other.order.cmp(&self.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picks(weights: &[u32], after: u32, count: usize) -> Vec<usize> {
        let weight = |at: usize| f64::from(weights[at]);
        let mut schedule = Schedule::default();
        schedule.fill(weights.len(), after, weight);
        (0..count).map(|_| schedule.pick(weight).unwrap()).collect()
    }

    #[test]
    fn entries_come_in_proportion_and_spread_out() {
        assert_eq!(picks(&[1, 2], 0, 6), [1, 0, 1, 1, 0, 1]);
        assert_eq!(picks(&[1, 1, 1], 0, 6), [0, 1, 2, 0, 1, 2]);
        assert_eq!(picks(&[], 0, 0), [0; 0]);
    }

    #[test]
    fn an_entry_whose_weight_falls_comes_later() {
        let mut schedule = Schedule::default();
        schedule.fill(2, 0, |_| 1.0);
        let burdened = |at| if at == 0 { 0.1 } else { 1.0 };
        let picks: Vec<_> = (0..12).map(|_| schedule.pick(burdened).unwrap()).collect();
        assert_eq!(picks.iter().filter(|at| **at == 0).count(), 2, "{picks:?}");
    }

    proptest! {
        #[test]
        fn a_start_in_the_middle_is_the_state_that_so_many_picks_lead_to(
            weights in prop::collection::vec(1_u32..100, 1..8), before in 0_u32..500,
        ) {
            let counts = |picks: &[usize]| {
                (0..weights.len()).map(|at| picks.iter().filter(|pick| **pick == at).count() as i64).collect::<Vec<_>>()
            };
            let from_zero = picks(&weights, 0, before as usize + 200);
            let from_there = picks(&weights, before, 200);
            for (one, other) in counts(&from_zero[before as usize..]).iter().zip(counts(&from_there)) {
                // A turn at either end of the row may fall on its other side.
                prop_assert!((one - other).abs() <= 2, "{weights:?} after {before}");
            }
        }

        #[test]
        fn shares_match_weights_within_one_percent(weights in prop::collection::vec(1_u32..100, 1..10), seed: u32) {
            let rounds = 20_000;
            let picks = picks(&weights, seed % 1_000_000, rounds);
            let sum: u32 = weights.iter().sum();
            for (at, weight) in weights.iter().enumerate() {
                let share = picks.iter().filter(|pick| **pick == at).count() as f64 / rounds as f64;
                prop_assert!((share - f64::from(*weight) / f64::from(sum)).abs() < 0.01, "{weights:?}: {at} has {share}");
            }
        }
    }
}
