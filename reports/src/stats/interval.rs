//! Intervals: of shares by Clopper and Pearson, of percentiles by order statistics.

use crate::record::Interval;

/// Clopper-Pearson: the exact two-sided interval of a share, from `bad` of `all` at a confidence of, say, 0.95.
///
/// Its bounds are where the binomial tail equals half of what the confidence leaves; found by bisection (C. J. Clopper, E. S. Pearson, 1934).
pub fn clopper_pearson(bad: u64, all: u64, confidence: f64) -> Interval {
    if all == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let tail = (1.0 - confidence) / 2.0;
    let low = if bad == 0 { 0.0 } else { bisect(|p| 1.0 - binomial_at_most(bad - 1, all, p) - tail) };
    let high = if bad == all { 1.0 } else { bisect(|p| tail - binomial_at_most(bad, all, p)) };
    Interval { low, high }
}

/// Where a function that rises over 0 to 1 passes zero.
fn bisect(rising: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if rising(middle) < 0.0 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// P(X <= k) of a binomial distribution.
fn binomial_at_most(k: u64, n: u64, p: f64) -> f64 {
    if p <= 0.0 || k >= n {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    // The smaller tail is summed, from its largest term outwards.
    if k as f64 > n as f64 * p { 1.0 - upper_sum(k + 1, n, p) } else { lower_sum(k, n, p) }
}

fn lower_sum(k: u64, n: u64, p: f64) -> f64 {
    let mut term = log_term(k, n, p).exp();
    let mut sum = term;
    for i in (1..=k).rev() {
        term *= i as f64 * (1.0 - p) / ((n - i + 1) as f64 * p);
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum.min(1.0)
}

fn upper_sum(k: u64, n: u64, p: f64) -> f64 {
    let mut term = log_term(k, n, p).exp();
    let mut sum = term;
    for i in k..n {
        term *= (n - i) as f64 * p / ((i + 1) as f64 * (1.0 - p));
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum.min(1.0)
}

fn log_term(k: u64, n: u64, p: f64) -> f64 {
    log_factorial(n) - log_factorial(k) - log_factorial(n - k) + k as f64 * p.ln() + (n - k) as f64 * (-p).ln_1p()
}

/// ln(n!), by Stirling's series beyond 20.
fn log_factorial(n: u64) -> f64 {
    if n <= 20 {
        return (1..=n).map(|factor| (factor as f64).ln()).sum();
    }
    let x = n as f64;
    x.mul_add(x.ln(), -x) + 0.5 * (std::f64::consts::TAU * x).ln() + 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3))
        + 1.0 / (1260.0 * x.powi(5))
}

/// Ranks (from 1) between which a quantile of the population lies with at least 95 %, two-sided. None: too few values for such ranks to exist.
pub fn quantile_ranks(count: u64, quantile: f64) -> Option<(u64, u64)> {
    const TAIL: f64 = 0.025;
    // P(all values below the quantile) must be small enough for an upper rank to exist, and likewise below.
    if quantile >= 1.0 || quantile <= 0.0 || count == 0 {
        return None;
    }
    let all_below = count as f64 * quantile.ln();
    let all_above = count as f64 * (1.0 - quantile).ln();
    if all_below > TAIL.ln() || all_above > TAIL.ln() {
        return None;
    }
    let at_most = |k: u64| binomial_at_most(k, count, quantile);
    let search = |reached: &dyn Fn(u64) -> bool| {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if reached(middle) { high = middle } else { low = middle + 1 }
        }
        low
    };
    // The low rank is the largest k with P(X < k) <= tail, the high rank the smallest with P(X < k) >= 1 - tail.
    let low = search(&|k| at_most(k) > TAIL).max(1);
    let high = search(&|k| at_most(k) >= 1.0 - TAIL) + 1;
    Some((low, high.min(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance, "{actual} for {expected}");
    }

    #[test]
    fn clopper_pearson_has_its_published_values() {
        // 0 of 10: 1 - 0.025^(1/10); 5 of 10 and 1 of 20 as in tables.
        close(clopper_pearson(0, 10, 0.95).high, 0.308_498, 1e-5);
        let half = clopper_pearson(5, 10, 0.95);
        close(half.low, 0.187_086, 1e-5);
        close(half.high, 0.812_914, 1e-5);
        let one = clopper_pearson(1, 20, 0.95);
        close(one.low, 0.001_265, 1e-5);
        close(one.high, 0.248_733, 1e-5);
        assert!(clopper_pearson(7, 7, 0.95).high >= 1.0);
    }

    #[test]
    fn five_thousand_requests_bound_a_share_so() {
        for (bad, percent) in [(0, 0.074), (1, 0.111), (2, 0.144), (3, 0.175)] {
            close(clopper_pearson(bad, 5_000, 0.95).high * 100.0, percent, 0.0006);
        }
        assert!(clopper_pearson(11, 5_000, 0.95).low > 0.001);
        assert!(clopper_pearson(10, 5_000, 0.95).low < 0.001);
    }

    #[test]
    fn intervals_of_percentiles_exist_from_so_many_values_on() {
        for (quantile, least) in [(0.99, 368), (0.999, 3_688)] {
            assert!(quantile_ranks(least, quantile).is_some(), "{quantile}");
            assert_eq!(quantile_ranks(least - 1, quantile), None, "{quantile}");
        }
        assert_eq!(quantile_ranks(1000, 1.0), None);
    }

    #[test]
    fn of_2500_values_p99_lies_between_p98_6_and_p99_4() {
        let (low, high) = quantile_ranks(2_500, 0.99).unwrap();
        close(low as f64 / 2_500.0, 0.986, 0.0006);
        close(high as f64 / 2_500.0, 0.994, 0.0006);
    }
}
