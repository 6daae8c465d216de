//! Endpoints that have just come take less at first.

use crate::policy::SlowStart;
use std::time::Duration;

/// What the weight of an endpoint of this age is multiplied with: 1 from the end of the window on.
pub(super) fn factor(slow_start: &SlowStart, age: Duration) -> f64 {
    if age >= slow_start.window {
        return 1.0;
    }
    // Whole milliseconds, at least one.
    let age = age.as_millis().max(1) as f64 / slow_start.window.as_millis().max(1) as f64;
    let grown = if slow_start.aggression > 0.0 { age.powf(slow_start.aggression.recip()) } else { age };
    grown.max(slow_start.min_percent / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weight_grows_from_the_least_to_the_whole_over_the_window() {
        for (aggression, min_percent, seconds, expected) in [
            (1.0, 10.0, 0.0, 0.1),
            (1.0, 10.0, 3.0, 0.1),
            (1.0, 10.0, 6.0, 0.1),
            (1.0, 10.0, 30.0, 0.5),
            (1.0, 10.0, 59.0, 59.0 / 60.0),
            (1.0, 10.0, 60.0, 1.0),
            (1.0, 10.0, 600.0, 1.0),
            (2.0, 10.0, 15.0, 0.5),
            (0.5, 10.0, 30.0, 0.25),
            (1.0, 0.0, 0.0, 1.0 / 60_000.0),
            (1.0, 60.0, 30.0, 0.6),
        ] {
            let slow_start = SlowStart { window: Duration::from_secs(60), aggression, min_percent };
            let factor = factor(&slow_start, Duration::from_secs_f64(seconds));
            assert!((factor - expected).abs() < 1e-9, "{aggression} {min_percent} % at {seconds} s: {factor}");
        }
    }
}
