//! One sample, or the differences of pairs: does it lie to one side of zero, and where is its middle?

use super::{Location, Method, exact_p, location, mid_ranks, normal_p, rank_by_counting, rank_by_normal};

/// Up to so many values are counted out.
const COUNTED: usize = 50;

/// Values of which a pseudo-median is told, at most: 8 million averages, 64 MiB.
pub const MOST_VALUES: usize = 4_000;

/// Wilcoxon's signed-rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRank {
    /// V: the sum of the ranks of the positive values, ranked by their distance from zero.
    pub v: f64,
    /// Values that are not zero; zeros say nothing and are left out.
    pub count: usize,
    /// Two-sided probability of such a V, or one farther out, when every value could as well have had the other sign.
    pub p: f64,
    /// Exact to 50 values, ties included.
    pub method: Method,
}

/// Wilcoxon's signed-rank test against zero (F. Wilcoxon, 1945). None: no value but zeros, or a NaN.
pub fn signed_rank(values: &[f64]) -> Option<SignedRank> {
    if values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let values: Vec<f64> = values.iter().copied().filter(|value| *value != 0.0).collect();
    let distances: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    let (ranks, ties) = mid_ranks(&distances);
    let v: f64 = ranks.iter().zip(&values).filter(|(_, value)| **value > 0.0).map(|(rank, _)| rank).sum();
    let count = values.len();
    match count {
        0 => None,
        1..=COUNTED => {
            Some(SignedRank { v, count, p: exact_p(&counts(&ranks), (2.0 * v) as usize), method: Method::Exact })
        }
        _ => Some(SignedRank { v, count, p: by_normal(v, count, ties), method: Method::Normal }),
    }
}

/// The pseudo-median of one sample: the median of the averages of all two values, a value with itself included (Walsh averages), with its interval at a
/// confidence of, say, 0.95 (J. L. Hodges, E. L. Lehmann, 1963). For a symmetric population that is its median.
///
/// The interval is exact to 50 values; at 95 % it exists from 6 on. None: no values, some not finite, or more than [`MOST_VALUES`].
pub fn pseudo_median(values: &[f64], confidence: f64) -> Option<Location> {
    let n = values.len();
    if n > MOST_VALUES || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut averages = Vec::with_capacity(n * (n + 1) / 2);
    for (at, one) in values.iter().enumerate() {
        averages.extend(values[at..].iter().map(|other| f64::midpoint(*one, *other)));
    }
    averages.sort_by(f64::total_cmp);
    let rank = if n <= COUNTED {
        let untied: Vec<f64> = (1..=n).map(|rank| rank as f64).collect();
        // Without ties only even places of the doubled ranks are taken.
        let counts: Vec<f64> = counts(&untied).into_iter().step_by(2).collect();
        rank_by_counting(&counts, confidence)
    } else {
        let n = n as f64;
        rank_by_normal(n * (n + 1.0) / 4.0, n * (n + 1.0) * (2.0 * n + 1.0) / 24.0, confidence)
    };
    location(&averages, rank)
}

/// The least number of pairs with which a two-sided signed-rank test can reach a level: all of one sign has 2 of the 2^n ways. 6 at 5 %, 8 at 1 %. None: no level
/// above 0.
pub fn least_pairs(level: f64) -> Option<usize> {
    (level > 0.0).then(|| (1..=1_100).find(|pairs| 2.0 * 0.5_f64.powi(*pairs) <= level))?.map(|pairs| pairs as usize)
}

/// In how many of all choices of signs twice V is 0, 1, 2, ...: doubled, mid-ranks are whole. At most 2^50, so exact.
fn counts(ranks: &[f64]) -> Vec<f64> {
    let doubled: Vec<usize> = ranks.iter().map(|rank| (2.0 * rank) as usize).collect();
    let mut counts = vec![0.0; doubled.iter().sum::<usize>() + 1];
    counts[0] = 1.0;
    for rank in doubled {
        for sum in (rank..counts.len()).rev() {
            counts[sum] += counts[sum - rank];
        }
    }
    counts
}

fn by_normal(v: f64, count: usize, ties: f64) -> f64 {
    let n = count as f64;
    normal_p(v, n * (n + 1.0) / 4.0, n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hamilton's depression scale before and after, Hollander and Wolfe (1973) page 29: the paired example of R's `?wilcox.test`.
    const BEFORE: [f64; 9] = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
    #[expect(clippy::approx_constant, reason = "a score of 3.14 is no circle")]
    const AFTER: [f64; 9] = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
    /// Extra sleep, hours: R's `sleep` (Student, 1908).
    pub(in super::super) const SLEEP_1: [f64; 10] = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    pub(in super::super) const SLEEP_2: [f64; 10] = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

    fn close(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance, "{actual} for {expected}");
    }

    fn differences(one: &[f64], other: &[f64]) -> Vec<f64> {
        // In thousandths, so that ties are ties.
        one.iter().zip(other).map(|(one, other)| ((one - other) * 1e3).round() / 1e3).collect()
    }

    #[test]
    fn v_and_its_probability_are_those_that_r_prints() {
        // V = 40, p-value = 0.01953 one-sided, 0.03906 two-sided.
        let test = signed_rank(&differences(&BEFORE, &AFTER)).unwrap();
        assert_eq!((test.v as u64, test.count, test.method), (40, 9, Method::Exact));
        close(test.p, 20.0 / 512.0, 1e-15);
        // Paired `sleep`, one zero and a tie: V = 0, p-value = 0.009091 by R's approximation; counted out, all nine of one sign are 2 of 512.
        let slept = differences(&SLEEP_1, &SLEEP_2);
        let test = signed_rank(&slept).unwrap();
        assert_eq!((test.v as u64, test.count), (0, 9));
        close(test.p, 2.0 / 512.0, 1e-15);
        close(by_normal(0.0, 9, 6.0), 0.009_091, 5e-7);
    }

    #[test]
    fn the_pseudo_median_is_the_one_of_hollander_and_wolfe() {
        // As they compute it for these data: -0.46, and -0.786 to -0.010 at 96.1 %, which is the interval for 95 % too; again by listing all 512 choices of signs.
        let median = pseudo_median(&differences(&AFTER, &BEFORE), 0.95).unwrap();
        close(median.estimate, -0.46, 1e-9);
        let interval = median.interval.unwrap();
        close(interval.low, -0.786, 1e-9);
        close(interval.high, -0.010, 1e-9);
    }

    #[test]
    fn critical_values_are_those_of_wilcoxons_table() {
        // Largest V significant at a two-sided 5 %, as textbooks print it. The interval begins one after it.
        for (n, critical) in
            [(6, 0), (7, 2), (8, 3), (9, 5), (10, 8), (12, 13), (15, 25), (20, 52), (25, 89), (50, 434)]
        {
            let ranks: Vec<f64> = (1..=n).map(f64::from).collect();
            let counts: Vec<f64> = counts(&ranks).into_iter().step_by(2).collect();
            assert_eq!(rank_by_counting(&counts, 0.95), critical + 1, "{n}");
        }
    }

    #[test]
    fn five_pairs_can_never_reach_five_per_cent() {
        close(signed_rank(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap().p, 0.0625, 1e-15);
        assert_eq!(pseudo_median(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).unwrap().interval, None);
        close(signed_rank(&[0.1; 8]).unwrap().p, 0.007_812_5, 1e-15);
        let least = [0.05, 0.01, 0.01 / 50.0, 1.0, 0.0, f64::NAN, f64::MIN_POSITIVE].map(least_pairs);
        assert_eq!(least, [Some(6), Some(8), Some(14), Some(1), None, None, Some(1023)]);
    }

    #[test]
    fn what_cannot_be_said_is_none() {
        for none in [&[][..], &[0.0, -0.0], &[1.0, f64::NAN]] {
            assert_eq!(signed_rank(none), None);
        }
        assert_eq!(pseudo_median(&[], 0.95), None);
        assert_eq!(pseudo_median(&[f64::NEG_INFINITY, 1.0], 0.95), None);
        assert_eq!(pseudo_median(&[7.0], 0.95), Some(Location { estimate: 7.0, interval: None }));
    }

    proptest! {
        #[test]
        fn no_input_panics_and_other_signs_mirror(values in prop::collection::vec(any::<f64>(), 0..70), confidence: f64) {
            let _ = pseudo_median(&values, confidence);
            let mirrored: Vec<f64> = values.iter().map(|value| -value).collect();
            if let (Some(one), Some(other)) = (signed_rank(&values), signed_rank(&mirrored)) {
                prop_assert!((one.p - other.p).abs() < 1e-9 && (0.0..=1.0).contains(&one.p));
            }
        }

        #[test]
        fn the_interval_excludes_zero_as_the_test_rejects_it(values in prop::collection::vec(-1.0..2.0_f64, 6..45)) {
            let interval = pseudo_median(&values, 0.95).unwrap().interval.unwrap();
            let excluded = interval.low > 0.0 || interval.high < 0.0;
            prop_assert_eq!(excluded, signed_rank(&values).unwrap().p <= 0.05);
        }

        #[test]
        fn counting_and_the_approximation_agree_on_fifty(values in prop::collection::vec(-1.0..1.5_f64, 50)) {
            let test = signed_rank(&values).unwrap();
            prop_assert!((test.p - by_normal(test.v, 50, 0.0)).abs() < 0.01);
        }
    }
}
