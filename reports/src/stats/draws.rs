//! Chance for the simulations that these statistics are tested on: the same seed, the same draws.

/// Split mix (G. Steele, D. Lea, C. Flood, 2014).
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        let mut draws = Self(seed);
        // Neighbouring seeds would begin a step apart.
        draws.0 = (draws.uniform() * 2_f64.powi(63)) as u64 ^ seed.rotate_left(32);
        draws
    }

    /// 0 to 1, 1 excluded.
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / 2_f64.powi(53)
    }

    /// Waiting times of this mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (-self.uniform()).ln_1p()
    }

    /// Standard normal (G. Box, M. Muller, 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        (2.0 * self.exponential(1.0)).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}
