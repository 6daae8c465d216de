//! Chance that is the same in every run: `SplitMix64`, which needs no crate.

/// A stream of numbers.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// The stream of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Lognormal about a median, with a tail as services have it.
    pub(super) fn latency(&mut self, median: f64, sigma: f64) -> i64 {
        let normal = (-2.0 * self.share().max(1e-12).ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos();
        (median * (sigma * normal).exp()) as i64
    }
}
