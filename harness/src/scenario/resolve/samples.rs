//! How many requests an expectation needs before it can be decided at all.

/// Requests so that the limit leaves room for at least one bad event: by count, fewer can never pass unless all is well by luck.
/// `share` is the share that may be bad, above 0.
pub(super) fn by_count(share: f64) -> u64 {
    // In billionths, so that 1 - 0.9999 is one in 10,000 and not one in 10,001.
    let billionths = ((share * 1e9).round() as u64).max(1);
    1_000_000_000_u64.div_ceil(billionths)
}

/// Requests so that none of them bad puts the two-sided Clopper-Pearson bound below `share`: the bound is
/// 1 - (a/2)^(1/n), with a = 1 - confidence.
pub(super) fn by_interval(share: f64, confidence: f64) -> u64 {
    ((((1.0 - confidence) / 2.0).ln() / (1.0 - share).ln()).ceil()).max(1.0) as u64
}

/// Requests so that the 95 % order-statistic interval of a quantile has both ends: q^n <= 0.025 and (1-q)^n <= 0.025.
pub(super) fn of_quantile(quantile: f64) -> u64 {
    let rarer = quantile.max(1.0 - quantile);
    if rarer >= 1.0 { 1 } else { (0.025_f64.ln() / rarer.ln()).ceil() as u64 }
}

#[cfg(test)]
mod tests {
    use super::{by_count, by_interval, of_quantile};

    #[test]
    fn needed_samples_are_those_of_the_textbook() {
        assert_eq!(by_count(1.0 - 0.999), 1_000);
        assert_eq!(by_count(1.0 - 0.9999), 10_000);
        assert_eq!(by_count(0.05), 20);
        assert_eq!(by_interval(1.0 - 0.999, 0.95), 3_688);
        assert_eq!(by_interval(1.0 - 0.9999, 0.95), 36_887);
        assert_eq!(of_quantile(0.99), 368);
        assert_eq!(of_quantile(0.999), 3_688);
        assert_eq!(of_quantile(0.5), 6);
    }
}
