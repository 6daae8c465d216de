//! Rank statistics: what can be said of one sample or two without knowing how their values are distributed.

mod mann_whitney;
mod signed_rank;

pub use mann_whitney::{MannWhitney, hodges_lehmann_shift, mann_whitney};
pub use signed_rank::{MOST_VALUES, SignedRank, least_pairs, pseudo_median, signed_rank};

use crate::record::Interval;
use crate::stats::tails;
use std::cmp::Ordering;

/// Where a population lies, or how far one lies from another; in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Location {
    /// Hodges and Lehmann's: the median of all averages or differences of two values.
    pub estimate: f64,
    /// Between two of them in their order, with at least the confidence asked for. None: too few values for such an interval to exist.
    pub interval: Option<Interval>,
}

/// The middle of those that are finite; none if there are none.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2], values[values.len() / 2]))
}

/// How a probability was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// All arrangements are counted.
    Exact,
    /// Normal approximation, corrected for ties and for continuity.
    Normal,
}

/// Ranks from 1 with ties at the middle of theirs, and the sum of t^3 - t over all ties of t values.
fn mid_ranks(values: &[f64]) -> (Vec<f64>, f64) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&one, &other| values[one].total_cmp(&values[other]));
    let (mut ranks, mut ties) = (vec![0.0; values.len()], 0.0);
    let mut below = 0;
    // By value, which makes -0 and 0 a tie.
    for tied in order.chunk_by(|&one, &other| values[one].partial_cmp(&values[other]) == Some(Ordering::Equal)) {
        let size = tied.len() as f64;
        tied.iter().for_each(|&at| ranks[at] = below as f64 + f64::midpoint(size, 1.0));
        ties += size.powi(3) - size;
        below += tied.len();
    }
    (ranks, ties)
}

/// Two-sided p of a statistic by the normal approximation, half a step nearer to its mean.
fn normal_p(statistic: f64, mean: f64, variance: f64) -> f64 {
    let off = ((statistic - mean).abs() - 0.5).max(0.0);
    if variance > 0.0 { tails::normal(off / variance.sqrt()) } else { 1.0 }
}

/// Two-sided p from the number of arrangements that give each value of a symmetric statistic.
fn exact_p(counts: &[f64], statistic: usize) -> f64 {
    let all: f64 = counts.iter().sum();
    let low: f64 = counts.iter().take(statistic + 1).sum();
    let high: f64 = counts.iter().skip(statistic).sum();
    (2.0 * low.min(high) / all).min(1.0)
}

/// Median of ordered values, and those at the `rank`-th place from either end, from 1; 0 is no place.
fn location(ordered: &[f64], rank: usize) -> Option<Location> {
    let all = ordered.len();
    let estimate = f64::midpoint(*ordered.get(all.checked_sub(1)? / 2)?, *ordered.get(all / 2)?);
    let interval = (rank > 0 && rank <= all).then(|| {
        let (one, other) = (ordered[rank - 1], ordered[all - rank]);
        Interval { low: one.min(other), high: one.max(other) }
    });
    estimate.is_finite().then_some(Location { estimate, interval })
}

/// The rank at which a two-sided interval begins: the largest k with P(statistic < k) <= half of what the confidence leaves; 0: none.
fn rank_by_counting(counts: &[f64], confidence: f64) -> usize {
    let tail = f64::midpoint(1.0, -confidence) * counts.iter().sum::<f64>();
    let mut below = 0.0;
    counts
        .iter()
        .take_while(|count| {
            below += **count;
            // Half of what 95 % leave is 0.025 only up to rounding.
            below <= tail * (1.0 + 1e-12)
        })
        .count()
}

/// The same by the normal approximation, rounded to the wider side.
fn rank_by_normal(mean: f64, variance: f64, confidence: f64) -> usize {
    (mean - tails::normal_quantile(1.0 - confidence) * variance.sqrt()).floor().max(0.0) as usize
}
