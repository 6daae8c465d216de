//! What is drawn at random: always the same, lognormal through two of its percentiles, or even between two bounds.

use rand::Rng;
use rand_distr::{Distribution as _, LogNormal, Uniform};

/// 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;

/// A distribution of something that is never negative.
#[derive(Debug, Clone, Copy)]
pub enum Distribution {
    /// Always the same.
    Fixed(f64),
    /// Lognormal.
    Lognormal(LogNormal<f64>),
    /// Even.
    Uniform(Uniform<f64>),
}

impl Distribution {
    /// Lognormal through its median and its 99th percentile; the median alone if they make none.
    pub fn lognormal(p50: f64, p99: f64) -> Self {
        // A logarithm needs something above nothing.
        let (median, high) = (p50.max(1e-9), p99.max(1e-9));
        let sigma = ((high / median).ln() / Z99).max(0.0);
        LogNormal::new(median.ln(), sigma).map_or(Self::Fixed(p50), Self::Lognormal)
    }

    /// Even between two bounds; the lower alone if they make none.
    pub fn uniform(min: f64, max: f64) -> Self {
        Uniform::new_inclusive(min, max).map_or(Self::Fixed(min), Self::Uniform)
    }

    /// One of it.
    pub fn draw(&self, rng: &mut impl Rng) -> f64 {
        match self {
            Self::Fixed(value) => *value,
            Self::Lognormal(distribution) => distribution.sample(rng),
            Self::Uniform(distribution) => distribution.sample(rng),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    fn drawn(distribution: Distribution) -> Vec<f64> {
        let mut rng = Seed(7).stream("draws");
        let mut drawn: Vec<_> = (0..20_000).map(|_| distribution.draw(&mut rng)).collect();
        drawn.sort_by(f64::total_cmp);
        drawn
    }

    #[test]
    fn a_lognormal_goes_through_its_percentiles() {
        let drawn = drawn(Distribution::lognormal(2.0, 10.0));
        assert!((drawn[10_000] - 2.0).abs() < 0.1, "{}", drawn[10_000]);
        assert!((drawn[19_800] - 10.0).abs() < 0.8, "{}", drawn[19_800]);
    }

    #[test]
    fn what_makes_no_distribution_is_one_value() {
        assert!(drawn(Distribution::uniform(3.0, 1.0)).iter().all(|value| (*value - 3.0).abs() < 1e-9));
        assert!(drawn(Distribution::lognormal(0.0, 0.0)).iter().all(|value| *value < 1e-8));
        let even = drawn(Distribution::uniform(1.0, 3.0));
        assert!(even[0] >= 1.0 && even[19_999] <= 3.0 && (even[10_000] - 2.0).abs() < 0.1);
    }
}
