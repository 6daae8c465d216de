//! Slices of time: as fine as they can be seen, and never more than a path should hold.

use super::svg::Path;
use crate::record::{Micros, SLOT};

/// Numbers of slots that make a slice people can name: 100 ms to 10 min.
const STEPS: [usize; 14] = [1, 2, 5, 10, 20, 50, 100, 200, 300, 600, 1_200, 1_800, 3_000, 6_000];

/// Slots in a slice so that there are at most `most` slices.
pub fn step(slots: usize, most: usize) -> usize {
    let most = most.max(1);
    STEPS.into_iter().find(|step| slots.div_ceil(*step) <= most).unwrap_or_else(|| slots.div_ceil(most))
}

/// Sums of `step` slots each.
pub fn sums(series: &[u32], step: usize) -> Vec<u64> {
    series.chunks(step.max(1)).map(|slots| slots.iter().map(|count| u64::from(*count)).sum()).collect()
}

/// A slice's length.
pub fn length(step: usize) -> Micros {
    step as Micros * SLOT
}

/// Bars from `base` upwards: `tops[n]` is the height of slice `n` in pixels, `x` gives its left edge. Bars that touch are
/// drawn apart while there are few, and as one outline when there are many.
pub fn bars(tops: &[f64], base: &[f64], x: impl Fn(usize) -> f64) -> Path {
    let mut path = Path::default();
    let apart = tops.len() <= 300;
    let mut at = 0;
    while at < tops.len() {
        if tops[at] <= 0.0 {
            at += 1;
            continue;
        }
        let end = if apart {
            at + 1
        } else {
            // One outline over all that stand on the same base.
            (at..tops.len()).find(|n| tops[*n] <= 0.0 || (base[*n] - base[at]).abs() > 0.01).unwrap_or(tops.len())
        };
        let gap = if apart { ((x(at + 1) - x(at)) * 0.16).min(1.0) } else { 0.0 };
        path.go(x(at), base[at]);
        for n in at..end {
            // A bar that is there can be seen.
            path.up(base[n] - tops[n].max(0.8));
            path.across(x(n + 1) - gap);
        }
        path.up(base[at]);
        path.close();
        at = end;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_grow_with_the_run_and_lose_nothing() {
        assert_eq!([150, 600, 601, 36_000].map(|slots| step(slots, 600)), [1, 1, 2, 100]);
        assert_eq!(step(10_000_000, 600), 16_667);
        let series: Vec<u32> = (0..1_003).collect();
        let step = step(series.len(), 300);
        assert_eq!(sums(&series, step).iter().sum::<u64>(), 1_002 * 1_003 / 2);
    }

    #[test]
    fn no_path_has_more_than_its_points() {
        for count in [150, 300, 600] {
            let tops = vec![3.0; count];
            let path = bars(&tops, &vec![100.0; count], |n| n as f64);
            assert!(path.points() <= 1_202, "{count}: {}", path.points());
        }
        assert!(bars(&[0.0; 20], &[100.0; 20], |n| n as f64).is_empty());
    }
}
