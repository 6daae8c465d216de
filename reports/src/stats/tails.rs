//! Two-sided tail probabilities of the normal distribution and of Student's t, and the normal's quantile.

use std::f64::consts::{FRAC_2_PI, FRAC_2_SQRT_PI, PI, SQRT_2};

/// P(|Z| >= |z|) of a standard normal variable.
///
/// The error function by its series of positive terms, beyond 2.5 its complement by its continued fraction (Abramowitz and Stegun 7.1.6, 7.1.14).
pub(crate) fn normal(z: f64) -> f64 {
    let x = z.abs() / SQRT_2;
    if x < 2.5 {
        let (mut term, mut sum) = (x, x);
        for n in 1..100 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
        }
        1.0 - FRAC_2_SQRT_PI * (-x * x).exp() * sum
    } else if x < 30.0 {
        let fraction = (1..=100).rev().fold(x, |below, k| x + 0.5 * f64::from(k) / below);
        (-x * x).exp() / (fraction * PI.sqrt())
    } else {
        // Not a number stays none.
        if x.is_nan() { x } else { 0.0 }
    }
}

/// The z beyond which, on both sides together, lies this share of a standard normal variable; by bisection. 0 to 40.
pub(crate) fn normal_quantile(both_tails: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if normal(middle) > both_tails { low = middle } else { high = middle }
    }
    high
}

/// P(|T| >= |t|) of Student's t with so many degrees of freedom: the finite sums for whole degrees (Abramowitz and Stegun 26.7.3, 26.7.4).
///
/// Right to 1e-15 absolutely, so that smaller probabilities come out as 0.
pub(crate) fn student(t: f64, degrees: usize) -> f64 {
    if t.is_nan() || degrees == 0 {
        return 1.0;
    }
    let angle = (t.abs() / (degrees as f64).sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let odd = degrees % 2 == 1;
    // The terms are cos^k, each with the product of the fractions up to its own.
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = if degrees == 1 { 0.0 } else { term };
    let mut k = if odd { 2 } else { 1 };
    while k + 3 <= degrees {
        term *= cosine * cosine * k as f64 / (k + 1) as f64;
        sum += term;
        k += 2;
    }
    let within = if odd { FRAC_2_PI * (angle + sine * sum) } else { sine * sum };
    (1.0 - within).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_tails_have_their_tabled_values() {
        // Abramowitz and Stegun table 26.1, and R's 2 * pnorm(-z).
        let table =
            [(0.0, 1.0), (1.0, 0.317_310_507_862_914), (1.959_963_984_540_054, 0.05), (5.0, 5.733_031_437_583_878e-7)];
        for (z, p) in table {
            assert!((normal(z) / p - 1.0).abs() < 1e-11, "{z}: {}", normal(z));
            assert!((normal(-z) - normal(z)).abs() < 1e-18);
        }
        assert!((normal_quantile(0.01) - 2.575_829_303_548_901).abs() < 1e-10);
        assert!(normal(f64::NAN).is_nan() && normal(f64::INFINITY) <= 0.0);
    }

    #[test]
    fn students_tails_have_their_tabled_values() {
        // Abramowitz and Stegun table 26.10: t at a two-sided 5 %, 1 % and 0.1 %.
        let table = [
            (1, [12.706, 63.657, 636.619]),
            (2, [4.303, 9.925, 31.598]),
            (3, [3.182, 5.841, 12.924]),
            (4, [2.776, 4.604, 8.610]),
            (5, [2.571, 4.032, 6.869]),
            (10, [2.228, 3.169, 4.587]),
            (19, [2.093, 2.861, 3.883]),
            (60, [2.000, 2.660, 3.460]),
        ];
        for (degrees, values) in table {
            for (t, p) in values.into_iter().zip([0.05, 0.01, 0.001]) {
                let actual = student(t, degrees);
                assert!((actual / p - 1.0).abs() < 2e-3, "{t} of {degrees}: {actual} for {p}");
            }
        }
        // R's t.test(extra ~ group, data = sleep, var.equal = TRUE): t = -1.8608, df = 18, p-value = 0.07919.
        assert!((student(-1.8608, 18) - 0.079_19).abs() < 1e-5);
        assert!((student(1.3, 100_000) - normal(1.3)).abs() < 1e-5);
        assert!(student(f64::INFINITY, 7) <= 1e-15 && student(f64::NAN, 7) >= 1.0 && student(9.0, 0) >= 1.0);
    }
}
