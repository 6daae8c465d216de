//! Histograms in Envoy's buckets.

use super::cell::Cell;
use std::time::Duration;

/// Upper bounds, of milliseconds and bytes alike; above them all is one bucket more.
pub(crate) const BOUNDS: [f64; 19] =
    [0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5, 1.8e6, 3.6e6];

/// The same in thousandths, in which values are counted, so that no float is on the way of a request.
const THOUSANDTHS: [u64; BOUNDS.len()] = {
    let mut bounds = [0; BOUNDS.len()];
    let mut at = 0;
    while at < BOUNDS.len() {
        bounds[at] = (BOUNDS[at] * 1000.0) as u64;
        at += 1;
    }
    bounds
};

/// One worker's part of a histogram.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: [Cell; BOUNDS.len() + 1],
    sum: Cell,
}

impl Histogram {
    /// Counts milliseconds, down to microseconds.
    pub(super) fn time(&self, duration: Duration) {
        self.thousandths(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts bytes.
    pub(super) fn bytes(&self, bytes: u64) {
        self.thousandths(bytes.saturating_mul(1000));
    }

    fn thousandths(&self, value: u64) {
        self.buckets[THOUSANDTHS.partition_point(|bound| *bound < value)].add(1);
        self.sum.add(value);
    }
}

/// A histogram, added up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Summary {
    buckets: [u64; BOUNDS.len() + 1],
    thousandths: u64,
}

impl Summary {
    /// Of all workers.
    pub(super) fn of<'a>(parts: impl Iterator<Item = &'a Histogram>) -> Self {
        let mut summary = Self::default();
        parts.for_each(|part| summary.add(part));
        summary
    }

    /// Adds one worker's.
    pub(super) fn add(&mut self, part: &Histogram) {
        self.buckets.iter_mut().zip(&part.buckets).for_each(|(sum, cell)| *sum += cell.get());
        self.thousandths = self.thousandths.wrapping_add(part.sum.get());
    }

    /// Values so far.
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Their sum.
    pub(crate) fn sum(&self) -> f64 {
        self.thousandths as f64 / 1000.0
    }

    /// Each bound, and how many values are not above it.
    pub(crate) fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        BOUNDS.into_iter().zip(self.buckets).scan(0, |below, (bound, count)| {
            *below += count;
            Some((bound, *below))
        })
    }

    /// The value that a share (0 to 1) of all values is not above: straight lines within buckets, the last bound above them all.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let wanted = share * self.count() as f64;
        let (mut below, mut low) = (0.0, 0.0);
        for (bound, count) in BOUNDS.into_iter().zip(self.buckets) {
            let count = count as f64;
            if count > 0.0 && below + count >= wanted {
                return low + (bound - low) * (wanted - below).max(0.0) / count;
            }
            below += count;
            low = bound;
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(millis: &[u64]) -> Summary {
        let histogram = Histogram::default();
        millis.iter().for_each(|millis| histogram.time(Duration::from_millis(*millis)));
        Summary::of([&histogram].into_iter())
    }

    #[test]
    fn a_value_falls_into_the_first_bucket_whose_bound_it_is_not_above() {
        for (micros, bound) in [(0, 0.5), (500, 0.5), (501, 1.0), (1000, 1.0), (1001, 5.0), (3_600_000_000, 3.6e6)] {
            let histogram = Histogram::default();
            histogram.time(Duration::from_micros(micros));
            let summary = Summary::of([&histogram].into_iter());
            let first = summary.cumulative().find(|(_, below)| *below == 1).map(|(bound, _)| bound);
            assert_eq!(first, Some(bound), "{micros}");
        }
        let above = of(&[3_600_001]);
        assert_eq!((above.cumulative().last(), above.count()), (Some((3.6e6, 0)), 1));
    }

    #[test]
    fn bytes_have_the_bounds_of_milliseconds() {
        let histogram = Histogram::default();
        histogram.bytes(1500);
        histogram.bytes(u64::MAX);
        let summary = Summary::of([&histogram].into_iter());
        assert_eq!(summary.cumulative().nth(10), Some((2500.0, 1)));
        assert_eq!(summary.count(), 2);
    }

    #[test]
    fn quantiles_are_never_outside_of_their_bucket() {
        let summary = of(&[7, 7, 7, 80]);
        let is = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
        is(summary.quantile(0.0), 5.0);
        assert!((5.0..=10.0).contains(&summary.quantile(0.5)));
        is(summary.quantile(1.0), 100.0);
        is(of(&[4_000_000]).quantile(0.5), 3.6e6);
        assert_eq!((summary.sum(), summary.count()), (101.0, 4));
    }
}
