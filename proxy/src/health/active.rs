//! Active checks: what a row of answers makes of an endpoint. Pure.

use crate::policy::HealthCheck;

/// What one check has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    /// The expected status.
    Passed,
    /// Another status: that is enough, whatever the threshold.
    WrongStatus,
    /// Time-out, or no connection: counted against the threshold.
    NoAnswer,
}

/// What is known of one endpoint. Endpoints begin as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct State {
    healthy: bool,
    checked: bool,
    /// Results in a row that speak against the present state.
    against: u32,
}

impl State {
    /// Takes in one result; true if the endpoint is healthy now.
    pub(crate) fn checked(&mut self, result: Checked, check: &HealthCheck) -> bool {
        let first = !std::mem::replace(&mut self.checked, true);
        let threshold = match (result, first) {
            // The very first success counts alone, and so does any wrong status.
            (Checked::Passed, true) | (Checked::WrongStatus, _) => 1,
            (Checked::Passed, false) => check.healthy_threshold,
            (Checked::NoAnswer, _) => check.unhealthy_threshold,
        };
        let passed = result == Checked::Passed;
        if passed == self.healthy {
            self.against = 0;
        } else {
            self.against += 1;
            if self.against >= threshold {
                self.healthy = passed;
                self.against = 0;
            }
        }
        self.healthy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Checked::{NoAnswer, Passed, WrongStatus};
    use std::time::Duration;

    fn states(results: &[Checked]) -> Vec<bool> {
        let check = HealthCheck {
            host: "cart".to_owned(),
            path: "/".to_owned(),
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            healthy_threshold: 2,
            unhealthy_threshold: 3,
            origin: Default::default(),
        };
        let mut state = State::default();
        results.iter().map(|result| state.checked(*result, &check)).collect()
    }

    #[test]
    fn one_success_is_enough_at_first_and_the_threshold_later() {
        assert_eq!(states(&[Passed, WrongStatus, Passed, Passed]), [true, false, false, true]);
    }

    #[test]
    fn silence_counts_against_the_threshold_and_a_wrong_status_at_once() {
        assert_eq!(states(&[Passed, NoAnswer, NoAnswer, Passed, NoAnswer]), [true; 5]);
        assert_eq!(states(&[Passed, NoAnswer, NoAnswer, NoAnswer]), [true, true, true, false]);
        assert_eq!(states(&[Passed, WrongStatus]), [true, false]);
    }

    #[test]
    fn an_endpoint_that_never_passed_is_not_used() {
        assert_eq!(states(&[NoAnswer, NoAnswer]), [false, false]);
    }
}
