//! A against B, measured in adjacent blocks: the ratio of every pair, their pseudo-median, and what may be said of it.
//!
//! Blocks side by side mostly share the state of the machine, which a ratio cancels; figures of different times do not. All is done on logarithms, where twice as
//! slow and twice as fast are equally far away.

#[cfg(test)]
mod proof;

use super::ranks::{MOST_VALUES, least_pairs, pseudo_median, signed_rank};
use crate::record::Interval;

/// What a larger figure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Latencies, CPU, memory.
    LowerIsBetter,
    /// Throughput, shares of success.
    HigherIsBetter,
}

/// What the figure of one pair of blocks was, in any unit, above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Of the block of A, which is compared with.
    pub a: f64,
    /// Of the block of B beside it.
    pub b: f64,
}

/// How a comparison is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// Which way is better.
    pub direction: Direction,
    /// Probability of a change found where there is none, say 0.05; the interval has the rest as its confidence.
    pub level: f64,
    /// What equal things may differ by on this machine.
    pub floor: NoiseFloor,
}

/// How far the median ratio of equal things lies from 1, as a share: 0.02 is 2 %.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct NoiseFloor(f64);

/// What pairs say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Pairs that were compared.
    pub pairs: usize,
    /// The pseudo-median of B / A over all pairs. None: a pair has no ratio, or there are none.
    pub ratio: Option<f64>,
    /// Its interval at the confidence asked for. None as well with too few pairs.
    pub interval: Option<Interval>,
    /// Wilcoxon's two-sided signed-rank probability of such ratios between equal things, for [`super::discoveries`]; 1 when all are equal.
    pub p: Option<f64>,
    /// What follows.
    pub verdict: Verdict,
}

/// What may be said of B compared with A.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// A change to the better: the interval of the ratio excludes 1, and the ratio lies beyond the noise floor.
    Better,
    /// A change to the worse, likewise.
    Worse,
    /// No change was found.
    NoDifference {
        /// The smallest change that these pairs could have shown, as a share: had B been slower or faster by more than this, with the spread that was seen, it
        /// would have been found. 0.06 reads "could have seen 6 %". It is no promise for the next run: a change of just this size is found in about half of them, one of twice
        /// this size in nine of ten.
        could_have_seen: f64,
    },
    /// So few pairs can never reach the level, however far apart A and B are.
    TooFewPairs {
        /// The least number that can: 6 at 5 %. None: no number can.
        needed: Option<usize>,
    },
    /// Some pairs have no ratio, since a figure is missing, zero, negative or infinite. They are not left out, as what failed is rarely what was fast.
    NoRatio {
        /// How many.
        pairs: usize,
    },
}

impl NoiseFloor {
    /// No floor: nothing is known of equal things.
    pub const NONE: Self = Self(0.0);

    /// From A/A pairs, for a comparison of so many pairs at such a level: how far their own median ratio is from 1, or how far that of so many pairs strays by chance,
    /// whichever is more. None: no pairs, or some without a ratio.
    ///
    /// The stray is that of a pseudo-median, sqrt(pi / 3) of sigma / sqrt(n), with sigma from the median distance from 1: pairs torn apart by a change of the machine's
    /// speed would otherwise hide all.
    pub fn from_equal(pairs: &[Pair], compared: usize, level: f64) -> Option<Self> {
        let ratios: Vec<f64> = pairs.iter().take(MOST_VALUES).map(Pair::log_ratio).collect::<Option<_>>()?;
        let shift = pseudo_median(&ratios, 0.95)?.estimate.abs();
        let mut distances: Vec<f64> = ratios.iter().map(|ratio| ratio.abs()).collect();
        distances.sort_by(f64::total_cmp);
        let middle = f64::midpoint(distances[(distances.len() - 1) / 2], distances[distances.len() / 2]);
        // Half of a normal population lies within 0.6745 sigma.
        let sigma = middle / 0.674_489_750_196_082;
        let stray =
            super::tails::normal_quantile(level) * (std::f64::consts::FRAC_PI_3 / compared as f64).sqrt() * sigma;
        Some(Self(shift.max(stray).exp_m1())).filter(|floor| floor.0.is_finite())
    }

    /// As a share: 0.02 is 2 %.
    pub fn share(self) -> f64 {
        self.0
    }
}

impl Pair {
    /// ln(B / A).
    fn log_ratio(&self) -> Option<f64> {
        let usable = |value: f64| value > 0.0 && value.is_finite();
        (usable(self.a) && usable(self.b)).then(|| self.b.ln() - self.a.ln())
    }
}

/// Compares B with A. The pairs are adjacent blocks in random order, 8 of them or more; beyond 4,000 the others are not looked at.
///
/// With 8 pairs, one that is torn by a change of the machine's speed can hide a change: such pairs are to be run again, or 18 pairs to be measured. One changed figure
/// among 50 needs 16 pairs to be a discovery of its night. `paired/proof.rs` has the measurements.
pub fn compare(pairs: &[Pair], terms: Terms) -> Comparison {
    let pairs = &pairs[..pairs.len().min(MOST_VALUES)];
    let ratios: Vec<f64> = pairs.iter().filter_map(Pair::log_ratio).collect();
    let silent = |verdict| Comparison { pairs: pairs.len(), ratio: None, interval: None, p: None, verdict };
    let needed = least_pairs(terms.level);
    if ratios.len() < pairs.len() {
        return silent(Verdict::NoRatio { pairs: pairs.len() - ratios.len() });
    }
    let Some(median) = pseudo_median(&ratios, 1.0 - terms.level) else {
        return silent(Verdict::TooFewPairs { needed });
    };
    let interval = median.interval.filter(|_| needed.is_some_and(|needed| pairs.len() >= needed));
    Comparison {
        pairs: pairs.len(),
        ratio: Some(median.estimate.exp()),
        interval: interval.map(|logs| Interval { low: logs.low.exp(), high: logs.high.exp() }),
        // Nothing but zeros is as equal as can be.
        p: Some(signed_rank(&ratios).map_or(1.0, |test| test.p)),
        verdict: interval.map_or(Verdict::TooFewPairs { needed }, |logs| verdict(median.estimate, logs, terms)),
    }
}

fn verdict(log_ratio: f64, logs: Interval, terms: Terms) -> Verdict {
    let floor = terms.floor.0.ln_1p();
    let excludes_one = logs.low > 0.0 || logs.high < 0.0;
    if excludes_one && log_ratio.abs() > floor {
        let higher = log_ratio > 0.0;
        return if higher == (terms.direction == Direction::HigherIsBetter) { Verdict::Better } else { Verdict::Worse };
    }
    // The interval moves along with the ratios, so its longer arm is the shift that surely takes it past 1.
    let arm = (log_ratio - logs.low).max(logs.high - log_ratio);
    Verdict::NoDifference { could_have_seen: arm.max(floor).exp_m1() }
}

#[cfg(test)]
mod tests;
