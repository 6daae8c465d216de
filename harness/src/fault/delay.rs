//! How long units are held: draws that stray as asked, and follow one another as asked.

use super::kind::{Delay, Spread};
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, StandardNormal};
use std::time::Duration;

/// Nobody is held for longer.
const LONGEST: f64 = 3_600.0;
/// Of the distribution's tail: one in `x` to the third is beyond `x` times its least.
const PARETO_SHAPE: f64 = 3.0;

/// Draws delays, one after another.
#[derive(Debug)]
pub struct Delays {
    rng: ChaCha12Rng,
    /// The last straying, as a standard normal.
    last: Option<f64>,
}

impl Delays {
    /// The first is yet to come.
    pub fn new(rng: ChaCha12Rng) -> Self {
        Self { rng, last: None }
    }

    /// The next one, at a strength from 0 to 1.
    pub fn draw(&mut self, delay: &Delay, strength: f64) -> Duration {
        let (base, jitter) = (delay.base.as_secs_f64(), delay.jitter.as_secs_f64());
        let strays = if delay.jitter.is_zero() { 0.0 } else { jitter * self.straying(delay) };
        Duration::from_secs_f64(((base + strays) * strength).clamp(0.0, LONGEST))
    }

    fn straying(&mut self, delay: &Delay) -> f64 {
        let fresh: f64 = StandardNormal.sample(&mut self.rng);
        let correlation = delay.correlation.clamp(-1.0, 1.0);
        // What is kept of the last and what is new add up to the same spread again.
        let normal =
            self.last.map_or(fresh, |last| correlation * last + (1.0 - correlation * correlation).sqrt() * fresh);
        self.last = Some(normal);
        let share = 0.5 * libm::erfc(-normal / std::f64::consts::SQRT_2);
        match delay.spread {
            Spread::Normal => normal,
            Spread::Uniform => 2.0 * share - 1.0,
            Spread::Pareto => (1.0 - share).max(1e-12).powf(-1.0 / PARETO_SHAPE) - 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn drawn(spread: Spread, correlation: f64) -> Vec<f64> {
        let delay = Delay { jitter: millis(10), spread, correlation, ..Delay::of(millis(100)) };
        let mut delays = Delays::new(Seed(7).stream("test"));
        (0..40_000).map(|_| delays.draw(&delay, 1.0).as_secs_f64() * 1e3).collect()
    }

    fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
        values.sort_by(f64::total_cmp);
        values[(values.len() as f64 * share) as usize]
    }

    #[test]
    fn delays_stray_as_their_spread_says() {
        for (spread, share, wanted, room) in [
            (Spread::Normal, 0.5, 100.0, 0.3),
            (Spread::Normal, 0.841, 110.0, 0.5),
            (Spread::Uniform, 0.0, 90.0, 0.1),
            (Spread::Uniform, 0.75, 105.0, 0.3),
            (Spread::Pareto, 0.0, 100.0, 0.1),
            (Spread::Pareto, 0.9, 111.5, 0.6),
            (Spread::Pareto, 0.999, 190.0, 25.0),
        ] {
            let found = quantile(drawn(spread, 0.0), share);
            assert!((found - wanted).abs() < room, "{spread:?} at {share}: {found}, not {wanted}");
        }
    }

    #[test]
    fn correlated_delays_follow_each_other_and_stray_no_less() {
        for spread in [Spread::Normal, Spread::Uniform] {
            let values = drawn(spread, 0.8);
            let middle = values.iter().sum::<f64>() / values.len() as f64;
            let spread_of = |pairs: &mut dyn Iterator<Item = (f64, f64)>| {
                pairs.map(|(one, other)| (one - middle) * (other - middle)).sum::<f64>() / values.len() as f64
            };
            let own = spread_of(&mut values.iter().map(|value| (*value, *value)));
            let next = spread_of(&mut values.iter().copied().zip(values.iter().copied().skip(1)));
            assert!((next / own - 0.8).abs() < 0.05, "{spread:?}: {}", next / own);
        }
        assert!((quantile(drawn(Spread::Normal, 0.8), 0.841) - 110.0).abs() < 1.0);
    }

    #[test]
    fn a_delay_is_never_negative_and_grows_with_its_strength() {
        let wild = Delay { jitter: millis(1_000), ..Delay::of(millis(10)) };
        let mut delays = Delays::new(Seed(7).stream("test"));
        assert!((0..1_000).all(|_| delays.draw(&wild, 1.0) <= Duration::from_secs(3_600)));
        assert!((0..1_000).any(|_| delays.draw(&wild, 1.0).is_zero()));
        assert_eq!(delays.draw(&Delay::of(millis(100)), 0.25), millis(25));
    }
}
