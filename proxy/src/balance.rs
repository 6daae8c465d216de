//! Which endpoint of those that may be used gets the next try. Pure: the generator comes in as an argument.

use crate::policy::Balance;
use rand::{Rng, RngExt};

/// Endpoints that may be used, by position.
pub(crate) trait Candidates {
    /// How many there are; at least one.
    fn count(&self) -> usize;

    /// Requests under way at one of them.
    fn active(&self, at: usize) -> u32;
}

/// Picks one. `turn` counts picks of round robin; each worker begins it anywhere.
pub(crate) fn pick(balance: Balance, candidates: &impl Candidates, turn: &mut usize, rng: &mut impl Rng) -> usize {
    let count = candidates.count();
    match balance {
        Balance::Random => rng.random_range(0..count),
        Balance::RoundRobin => {
            let at = *turn % count;
            *turn = turn.wrapping_add(1);
            at
        }
        Balance::LeastRequest => {
            // Two draws with replacement; the first wins a tie.
            let (first, second) = (rng.random_range(0..count), rng.random_range(0..count));
            if candidates.active(second) < candidates.active(first) { second } else { first }
        }
    }
}

/// True if so few are healthy that all are used: the share is strictly under the threshold, and under what could carry all traffic.
///
/// Traffic spills over only when healthy endpoints times 1.4 are less than all, so a threshold above 71 acts as 71.
pub(crate) fn panics(healthy: usize, total: usize, threshold_percent: u32) -> bool {
    let carried = 140 * healthy / total.max(1);
    carried < 100 && 100 * healthy < threshold_percent as usize * total
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    impl Candidates for Vec<u32> {
        fn count(&self) -> usize {
            self.len()
        }

        fn active(&self, at: usize) -> u32 {
            self[at]
        }
    }

    fn shares(balance: Balance, active: &[u32]) -> Vec<f64> {
        let (mut rng, mut turn) = (ChaCha8Rng::seed_from_u64(7), 0);
        let mut counts = vec![0; active.len()];
        for _ in 0..30_000 {
            counts[pick(balance, &active.to_vec(), &mut turn, &mut rng)] += 1;
        }
        counts.into_iter().map(|count| f64::from(count) / 30_000.0).collect()
    }

    fn about(actual: &[f64], expected: &[f64]) {
        for (actual, expected) in actual.iter().zip(expected) {
            assert!((actual - expected).abs() < 0.015, "{actual} for {expected}");
        }
    }

    #[test]
    fn round_robin_takes_turns_and_random_does_not_look() {
        about(&shares(Balance::RoundRobin, &[9, 0, 0]), &[1.0 / 3.0; 3]);
        about(&shares(Balance::Random, &[9, 0, 0]), &[1.0 / 3.0; 3]);
    }

    #[test]
    fn least_request_gives_a_busy_endpoint_one_pick_in_the_square_of_their_number() {
        about(&shares(Balance::LeastRequest, &[9, 0, 0]), &[1.0 / 9.0, 4.0 / 9.0, 4.0 / 9.0]);
        about(&shares(Balance::LeastRequest, &[1, 1]), &[0.5, 0.5]);
    }

    #[test]
    fn panic_begins_strictly_below_its_threshold_and_never_above_71_percent() {
        for (healthy, total, threshold, expected) in [
            (0, 3, 0, false),
            (0, 3, 50, true),
            (1, 2, 50, false),
            (1, 3, 50, true),
            (8, 10, 90, false),
            (7, 10, 90, true),
            (3, 4, 100, false),
        ] {
            assert_eq!(panics(healthy, total, threshold), expected, "{healthy} of {total} at {threshold} %");
        }
    }
}
