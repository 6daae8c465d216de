//! Why samples do not decide, and how many would.

use super::words;
use squall_reports::stats::clopper_pearson;

/// More requests than this are not proposed to anybody.
const MOST: u64 = 10_000_000;

/// The limit allows less than one loss of so many requests, and none was lost.
pub(super) fn without_budget(limit: f64, planned: u64) -> String {
    let needed = (1.0 / (1.0 - limit) - 1e-6).ceil() as u64;
    format!(
        "none of {} was lost, which cannot show {}: {} requests are needed to tell",
        words::count(planned),
        words::percent(limit),
        words::count(needed)
    )
}

/// The interval at a confidence has the limit in it.
pub(super) fn at_confidence(limit: f64, confidence: f64, good: u64, planned: u64) -> String {
    let either = format!("at {} confidence it may lie on either side", words::percent(confidence));
    match needed(limit, confidence, good as f64 / planned.max(1) as f64, planned) {
        Some(needed) => format!("{either}; {} requests with this share would decide", words::count(needed)),
        None => format!("{either}, and so near to the limit more requests would not decide either"),
    }
}

/// The interval reaches over a limit that was measured itself.
pub(super) fn beside_baseline() -> String {
    "its 95 % interval reaches over the limit: a longer phase or a higher rate narrows it".to_owned()
}

/// Requests of which this share is good that decide, to two digits.
fn needed(limit: f64, confidence: f64, share: f64, planned: u64) -> Option<u64> {
    let decides = |count: u64| {
        let interval = clopper_pearson((share * count as f64).round() as u64, count, confidence);
        interval.low >= limit || interval.high < limit
    };
    let mut high = planned.max(1);
    while !decides(high) {
        high = high.checked_mul(2).filter(|count| *count <= MOST)?;
    }
    let mut low = high / 2;
    while high - low > (high / 100).max(1) {
        let middle = low + (high - low) / 2;
        if decides(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_follows_from_the_limit() {
        assert_eq!(
            without_budget(0.9999, 4_000),
            "none of 4,000 was lost, which cannot show 99.99 %: 10,000 requests are needed to tell"
        );
        assert!(without_budget(0.999, 900).contains(" 1,000 requests"));
    }

    /// By the exact interval 3,688 without a loss show 99.9 % at 95 %, both sides.
    #[test]
    fn at_a_confidence_the_exact_interval_tells_how_many() {
        let needed_without_loss = needed(0.999, 0.95, 1.0, 1_000).unwrap();
        assert!((3_688..3_730).contains(&needed_without_loss), "{needed_without_loss}");
        assert!(at_confidence(0.999, 0.95, 1_000, 1_000).contains("either side; 3,"));
        assert!(at_confidence(0.99, 0.95, 990, 1_000).contains("would not decide"));
        assert!(needed(0.99, 0.95, 0.95, 20).is_some_and(|count| count < 1_000), "a clear miss needs few");
    }
}
