//! Two independent samples: does one tend to larger values, and by how much?

use super::{Location, Method, exact_p, location, mid_ranks, normal_p, rank_by_counting, rank_by_normal};

/// Differences that are kept at once, at most: 64 MiB.
const MOST_DIFFERENCES: usize = 8_000_000;

/// Samples smaller than this are counted out, as in R.
const COUNTED: usize = 50;

/// Mann and Whitney's test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// U of the first sample: in how many pairs its value is the larger, a tie counting half. R calls it W.
    pub u: f64,
    /// Two-sided probability of such a U, or one farther out, when both samples come from one population.
    pub p: f64,
    /// Exact below 50 values a sample without ties.
    pub method: Method,
}

/// Mann and Whitney's U test (H. B. Mann, D. R. Whitney, 1947). None: a sample is empty or holds a NaN.
pub fn mann_whitney(one: &[f64], other: &[f64]) -> Option<MannWhitney> {
    let all = [one, other].concat();
    if one.is_empty() || other.is_empty() || all.iter().any(|value| value.is_nan()) {
        return None;
    }
    let (n, m) = (one.len() as f64, other.len() as f64);
    let (ranks, ties) = mid_ranks(&all);
    let u = ranks[..one.len()].iter().sum::<f64>() - n * (n + 1.0) / 2.0;
    if ties <= 0.0 && one.len() < COUNTED && other.len() < COUNTED {
        return Some(MannWhitney { u, p: exact_p(&counts(one.len(), other.len()), u as usize), method: Method::Exact });
    }
    let variance = n * m / 12.0 * (n + m + 1.0 - ties / ((n + m) * (n + m - 1.0)));
    Some(MannWhitney { u, p: normal_p(u, n * m / 2.0, variance), method: Method::Normal })
}

/// How far `one` lies above `other`: the median of all differences of a value of `one` and one of `other`, with its interval at a confidence of, say, 0.95
/// (J. L. Hodges, E. L. Lehmann, 1963). None: a sample is empty or not finite, or there are more than 8 million differences.
pub fn hodges_lehmann_shift(one: &[f64], other: &[f64], confidence: f64) -> Option<Location> {
    let all = one.len().checked_mul(other.len()).filter(|all| *all <= MOST_DIFFERENCES)?;
    if !one.iter().chain(other).all(|value| value.is_finite()) {
        return None;
    }
    let mut differences: Vec<f64> = one.iter().flat_map(|one| other.iter().map(move |other| one - other)).collect();
    differences.sort_by(f64::total_cmp);
    let rank = if one.len() < COUNTED && other.len() < COUNTED {
        rank_by_counting(&counts(one.len(), other.len()), confidence)
    } else {
        let all = all as f64;
        rank_by_normal(all / 2.0, all * (one.len() + other.len() + 1) as f64 / 12.0, confidence)
    };
    location(&differences, rank)
}

/// In how many orders of n + m values U is 0, 1, ... n * m: the coefficients of the Gaussian binomial, whole numbers below 2^97.
fn counts(n: usize, m: usize) -> Vec<f64> {
    let most = n * m;
    let mut counts = vec![0_i128; most + 1];
    counts[0] = 1;
    for i in 1..=n {
        // Times (1 - x^(m + i)), divided by (1 - x^i).
        for u in (m + i..=most).rev() {
            counts[u] -= counts[u - m - i];
        }
        for u in i..=most {
            counts[u] += counts[u - i];
        }
    }
    counts.into_iter().map(|count| count as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Permeability of the human chorioamnion, Hollander and Wolfe (1973) page 69: the example of R's `?wilcox.test`.
    const TERM: [f64; 10] = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    const EARLY: [f64; 5] = [1.15, 0.88, 0.90, 0.74, 1.21];
    /// Ozone in May and August: R's `airquality`, the example of `?wilcox.test` with a formula.
    const MAY: [f64; 26] = [
        41.0, 36.0, 12.0, 18.0, 28.0, 23.0, 19.0, 8.0, 7.0, 16.0, 11.0, 14.0, 18.0, 14.0, 34.0, 6.0, 30.0, 11.0, 1.0,
        11.0, 4.0, 32.0, 23.0, 45.0, 115.0, 37.0,
    ];
    const AUGUST: [f64; 26] = [
        39.0, 9.0, 16.0, 78.0, 35.0, 66.0, 122.0, 89.0, 110.0, 44.0, 28.0, 65.0, 22.0, 59.0, 23.0, 31.0, 44.0, 21.0,
        9.0, 45.0, 168.0, 73.0, 76.0, 118.0, 84.0, 85.0,
    ];

    fn close(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance, "{actual} for {expected}");
    }

    #[test]
    fn u_and_its_probability_are_those_that_r_prints() {
        // W = 35, p-value = 0.1272 one-sided, hence twice that.
        let exact = mann_whitney(&TERM, &EARLY).unwrap();
        assert_eq!((exact.u as u64, exact.method), (35, Method::Exact));
        close(exact.p, 2.0 * 0.1272, 1e-4);
        // W = 127.5, p-value = 0.0001208, with ties and continuity correction.
        let tied = mann_whitney(&MAY, &AUGUST).unwrap();
        assert_eq!(tied.method, Method::Normal);
        close(tied.u, 127.5, 1e-9);
        close(tied.p, 0.000_120_8, 5e-8);
        // R's `sleep`: wilcox.test(extra ~ group), W = 25.5, p-value = 0.06933.
        let (one, two) = (super::super::signed_rank::tests::SLEEP_1, super::super::signed_rank::tests::SLEEP_2);
        close(mann_whitney(&one, &two).unwrap().p, 0.069_33, 5e-6);
    }

    #[test]
    fn complete_separation_has_two_of_all_orders() {
        let p = mann_whitney(&[1.1, 2.2, 3.3], &[4.4, 5.5, 6.6, 7.7]).unwrap().p;
        close(p, 2.0 / 35.0, 1e-15);
        // The reason for pairs: five against five can never be below 0.0079.
        close(mann_whitney(&[1.0, 2.0, 3.0, 4.0, 5.0], &[6.0, 7.0, 8.0, 9.0, 10.0]).unwrap().p, 2.0 / 252.0, 1e-15);
    }

    #[test]
    fn the_shift_is_the_one_of_hollander_and_wolfe() {
        // As they compute it for these data, and R's conf.int: 0.305, and -0.15 to 0.76 at 95 %; again by listing all 3,003 orders.
        let shift = hodges_lehmann_shift(&TERM, &EARLY, 0.95).unwrap();
        close(shift.estimate, 0.305, 1e-9);
        let interval = shift.interval.unwrap();
        close(interval.low, -0.15, 1e-9);
        close(interval.high, 0.76, 1e-9);
    }

    #[test]
    fn counts_are_those_of_all_orders() {
        assert_eq!(counts(2, 2), [1.0, 1.0, 2.0, 1.0, 1.0]);
        // 10 of 15, and 49 of 98 as R's choose() has it.
        close(counts(10, 5).iter().sum(), 3_003.0, 1e-9);
        close(counts(49, 49).iter().sum::<f64>() / 2.547_761_225_898_085_5e28, 1.0, 1e-12);
    }

    #[test]
    fn what_cannot_be_said_is_none() {
        assert_eq!(mann_whitney(&[], &[1.0]), None);
        assert_eq!(mann_whitney(&[f64::NAN], &[1.0]), None);
        assert_eq!(hodges_lehmann_shift(&[f64::INFINITY], &[1.0], 0.95), None);
        assert_eq!(hodges_lehmann_shift(&[], &[], 0.95), None);
        close(mann_whitney(&[3.0; 9], &[3.0; 4]).unwrap().p, 1.0, 0.0);
        let few = hodges_lehmann_shift(&[3.0, 4.0], &[1.0], 0.95).unwrap();
        assert_eq!((few.estimate, few.interval), (2.5, None));
    }

    proptest! {
        #[test]
        fn no_input_panics_and_exchange_mirrors(one in prop::collection::vec(any::<f64>(), 0..60), other in prop::collection::vec(any::<f64>(), 0..60), confidence: f64) {
            let _ = hodges_lehmann_shift(&one, &other, confidence);
            if let (Some(there), Some(back)) = (mann_whitney(&one, &other), mann_whitney(&other, &one)) {
                prop_assert!((there.u + back.u - (one.len() * other.len()) as f64).abs() < 1e-6);
                prop_assert!((there.p - back.p).abs() < 1e-9 && (0.0..=1.0).contains(&there.p));
            }
        }

        #[test]
        fn a_shifted_sample_has_that_shift(values in prop::collection::vec(-1e3..1e3_f64, 4..40), by in -1e3..1e3_f64) {
            let moved: Vec<f64> = values.iter().map(|value| value + by).collect();
            let shift = hodges_lehmann_shift(&moved, &values, 0.95).unwrap();
            prop_assert!((shift.estimate - by).abs() < 1e-9);
            prop_assert!(shift.interval.is_some_and(|interval| interval.low <= by + 1e-9 && by - 1e-9 <= interval.high));
        }
    }
}
