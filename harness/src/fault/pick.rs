//! Which units a fault takes: exact counts at places drawn from a seed. The same seed takes the same ordinals.

use super::spec::Pick;
use rand::RngExt;
use rand_chacha::ChaCha12Rng;

/// Units in a block of which an exact share is taken.
const BLOCK: usize = 100;
/// The same where the percentage is no whole number.
const FINE_BLOCK: usize = 10_000;

/// Decides unit by unit, in order.
#[derive(Debug)]
pub struct Picker {
    pick: Pick,
    rng: ChaCha12Rng,
    seen: u64,
    block: Vec<bool>,
    /// What a share that still grows has saved up for its next unit.
    saved: f64,
}

impl Picker {
    /// A picker at its first unit.
    pub fn new(pick: Pick, rng: ChaCha12Rng) -> Self {
        Self { pick, rng, seen: 0, block: Vec::new(), saved: 0.0 }
    }

    /// True if the next unit is taken. `attempt` is the unit's attempt number; a percentage below its full `strength` is that much smaller.
    pub fn takes(&mut self, attempt: u32, strength: f64) -> bool {
        self.seen += 1;
        match self.pick {
            Pick::All => true,
            Pick::Percent(percent) if strength < 1.0 => self.of_growing(percent * strength),
            Pick::Percent(percent) => self.of_block(percent),
            Pick::Every(n) => n > 0 && self.seen.is_multiple_of(n),
            Pick::First(n) => self.seen <= n,
            Pick::Attempt(wanted) => attempt == wanted,
        }
    }

    /// Ordinal of the unit that was decided last, from 1.
    pub fn ordinal(&self) -> u64 {
        self.seen
    }

    /// As soon as what was left over makes a whole unit.
    fn of_growing(&mut self, percent: f64) -> bool {
        self.saved += percent / 100.0;
        let takes = self.saved >= 1.0;
        self.saved -= if takes { 1.0 } else { 0.0 };
        takes
    }

    /// Shuffled blocks with exactly so many taken, so that every hundred is exact.
    fn of_block(&mut self, percent: f64) -> bool {
        if percent <= 0.0 {
            return false;
        }
        if let Some(taken) = self.block.pop() {
            return taken;
        }
        let size = if percent.fract() == 0.0 { BLOCK } else { FINE_BLOCK };
        let taken = (percent / 100.0 * size as f64).round() as usize;
        self.block = (0..size).map(|place| place < taken).collect();
        for place in (1..size).rev() {
            let other = self.rng.random_range(0..=place);
            self.block.swap(place, other);
        }
        self.block.pop().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use proptest::prelude::*;

    fn picker(pick: Pick, seed: u64) -> Picker {
        Picker::new(pick, Seed(seed).stream("test"))
    }

    proptest! {
        #[test]
        fn every_hundred_is_exact(percent in 0_u32..=100, seed: u64) {
            let mut picker = picker(Pick::Percent(f64::from(percent)), seed);
            for _ in 0..5 {
                let taken = (0..100).filter(|_| picker.takes(1, 1.0)).count();
                prop_assert_eq!(taken, percent as usize);
            }
        }

        #[test]
        fn the_same_seed_takes_the_same_ordinals(seed: u64) {
            let (mut one, mut other) = (picker(Pick::Percent(30.0), seed), picker(Pick::Percent(30.0), seed));
            prop_assert!((0..500).all(|_| one.takes(1, 1.0) == other.takes(1, 1.0)));
        }
    }

    #[test]
    fn a_fraction_of_a_percent_is_exact_over_ten_thousand() {
        let mut picker = picker(Pick::Percent(0.25), 7);
        assert_eq!((0..10_000).filter(|_| picker.takes(1, 1.0)).count(), 25);
    }

    #[test]
    fn the_others_count_and_look_at_the_attempt() {
        let ordinals = |pick, attempts: &[u32]| -> Vec<usize> {
            let mut picker = picker(pick, 1);
            (1..)
                .zip(attempts)
                .filter(|(_, attempt)| picker.takes(**attempt, 1.0))
                .map(|(ordinal, _)| ordinal)
                .collect()
        };
        let six = [1, 2, 1, 1, 2, 1];
        assert_eq!(ordinals(Pick::All, &six), [1, 2, 3, 4, 5, 6]);
        assert_eq!(ordinals(Pick::Every(3), &six), [3, 6]);
        assert_eq!(ordinals(Pick::First(2), &six), [1, 2]);
        assert_eq!(ordinals(Pick::Attempt(1), &six), [1, 3, 4, 6]);
    }

    #[test]
    fn a_share_that_grows_takes_as_many_as_lie_under_it() {
        let mut picker = picker(Pick::Percent(50.0), 1);
        let taken = (0..1_000).filter(|unit| picker.takes(1, f64::from(*unit) / 1_000.0)).count();
        assert!((249..=250).contains(&taken), "{taken}");
    }
}
