//! Rates of success over an interval, and who is far off.

use crate::policy::{FailurePercentage, OutlierDetection, SuccessRate};

/// Results of one endpoint in one interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rate {
    /// All.
    pub total: u32,
    /// Those that failed.
    pub failed: u32,
}

impl Rate {
    /// Percent of success; nothing where there were no results.
    fn success(self) -> Option<f64> {
        (self.total > 0).then(|| f64::from(self.total - self.failed) * 100.0 / f64::from(self.total))
    }
}

impl OutlierDetection {
    /// True if rates of answers may eject anybody: only then are they counted.
    pub(super) fn rates_answers(&self) -> bool {
        self.success_rate.enforcing > 0 || self.failure_percentage.enforcing > 0
    }

    /// The same of connections.
    pub(super) fn rates_connections(&self) -> bool {
        let enforcing = self.local_origin_success_rate_enforcing.max(self.local_origin_failure_percentage_enforcing);
        self.split_local_origin && enforcing > 0
    }
}

/// Success of those that had enough requests, if they are enough themselves.
fn enough(rates: &[(usize, Rate)], volume: u32, minimum_hosts: u32) -> Vec<(usize, f64)> {
    let counted = rates.iter().filter(|(_, rate)| rate.total >= volume);
    let rates: Vec<_> = counted.filter_map(|(index, rate)| Some((*index, rate.success()?))).collect();
    if rates.len() < minimum_hosts as usize { Vec::new() } else { rates }
}

/// Endpoints whose rate of success is far below the others'.
pub(super) fn below_the_others(rates: &[(usize, Rate)], rule: &SuccessRate) -> Vec<usize> {
    let rates = enough(rates, rule.request_volume, rule.minimum_hosts);
    let count = rates.len().max(1) as f64;
    let mean = rates.iter().map(|(_, rate)| rate).sum::<f64>() / count;
    let variance = rates.iter().map(|(_, rate)| (rate - mean).powi(2)).sum::<f64>() / count;
    let least = mean - f64::from(rule.stdev_factor) / 1000.0 * variance.sqrt();
    rates.into_iter().filter(|(_, rate)| *rate < least).map(|(index, _)| index).collect()
}

/// Endpoints of whose requests too large a share failed.
pub(super) fn failing(rates: &[(usize, Rate)], rule: &FailurePercentage) -> Vec<usize> {
    let rates = enough(rates, rule.request_volume, rule.minimum_hosts);
    rates.into_iter().filter(|(_, rate)| 100.0 - rate >= f64::from(rule.threshold)).map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Failures of a hundred requests each.
    fn rates(failed: &[u32]) -> Vec<(usize, Rate)> {
        failed.iter().map(|failed| Rate { total: 100, failed: *failed }).enumerate().collect()
    }

    #[test]
    fn an_endpoint_is_far_below_the_others_at_its_factor_of_the_deviation() {
        let rule = SuccessRate { enforcing: 100, minimum_hosts: 5, request_volume: 100, stdev_factor: 1900 };
        for (failed, expected) in [
            // Mean 90, deviation 20: 52 is the least.
            (vec![50, 0, 0, 0, 0], vec![0]),
            (vec![50, 50, 0, 0, 0], vec![]),
            (vec![0, 0, 0, 0, 0], vec![]),
            (vec![100, 100, 100, 100, 100], vec![]),
            (vec![0, 0, 10, 0, 0, 0], vec![2]),
            (vec![50, 0, 0, 0], vec![]),
        ] {
            assert_eq!(below_the_others(&rates(&failed), &rule), expected, "{failed:?}");
        }
        let strictly = SuccessRate { stdev_factor: 2000, ..rule };
        assert_eq!(below_the_others(&rates(&[50, 0, 0, 0, 0]), &strictly), [0; 0], "50 is not below 90 less twice 20");
    }

    #[test]
    fn a_share_of_failures_is_too_large_from_its_threshold_on() {
        let rule = FailurePercentage { enforcing: 100, threshold: 85, minimum_hosts: 3, request_volume: 50 };
        for (failed, expected) in
            [(vec![84, 85, 86], vec![1, 2]), (vec![100, 100, 100], vec![0, 1, 2]), (vec![100, 100], vec![])]
        {
            assert_eq!(failing(&rates(&failed), &rule), expected, "{failed:?}");
        }
    }

    #[test]
    fn endpoints_without_enough_requests_take_no_part_and_too_few_are_not_compared() {
        let success = SuccessRate { enforcing: 100, minimum_hosts: 5, request_volume: 100, stdev_factor: 1900 };
        let failure = FailurePercentage { enforcing: 100, threshold: 85, minimum_hosts: 5, request_volume: 100 };
        let mut few = rates(&[100, 0, 0, 0, 0]);
        few[4].1.total = 99;
        assert_eq!(below_the_others(&few, &success), [0; 0]);
        assert_eq!(failing(&few, &failure), [0; 0]);
        let idle = vec![(0, Rate::default()); 5];
        let any = FailurePercentage { threshold: 0, minimum_hosts: 0, request_volume: 0, ..failure };
        assert_eq!(failing(&idle, &any), [0; 0], "an endpoint without requests has no rate");
    }
}
