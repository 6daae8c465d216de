//! Active checks: what a row of answers makes of an endpoint, and when it is asked next. Pure.

mod answer;

pub(crate) use answer::{Answer, http, tcp_answered};

use super::Health;
use crate::policy::HealthCheck;
use rand::{Rng, RngExt};
use std::time::Duration;

/// What one check has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    /// All is well.
    Passed {
        /// It passes, and says that it is not what it should be.
        degraded: bool,
    },
    /// Another answer than expected: that is enough, whatever the threshold.
    Failed {
        /// It asks not even to be counted.
        exclude: bool,
    },
    /// An answer that is not expected, and may be better next time: counted against the threshold.
    Retriable,
    /// Time-out, or no connection: counted against the threshold.
    NoAnswer,
}

/// What is known of one endpoint. Endpoints begin as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    failed: bool,
    waiting: bool,
    degraded: bool,
    excluded: bool,
    /// Passes in a row while it counts as failed.
    passes: u32,
    /// Failures in a row while it counts as healthy.
    failures: u32,
    /// The last check passed.
    passed: bool,
    /// The last check speaks for a change that has not come yet.
    on_edge: bool,
}

/// What a check has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing that balancing must know.
    None,
    /// It is healthy now, and new for slow start.
    Recovered,
    /// It has failed now.
    Failed,
    /// It is degraded now or no longer, or counts now as it did not.
    Other,
}

impl Default for State {
    fn default() -> Self {
        Self {
            failed: true,
            waiting: true,
            degraded: false,
            excluded: false,
            passes: 0,
            failures: 0,
            passed: false,
            on_edge: false,
        }
    }
}

impl State {
    /// What balancing makes of it. One that waits for its first check is unhealthy, or left out of all counts if `exclude_waiting`.
    pub(crate) fn health(&self, exclude_waiting: bool) -> Health {
        if self.excluded || (self.waiting && exclude_waiting) {
            Health::Excluded
        } else if self.failed {
            Health::Unhealthy
        } else if self.degraded {
            Health::Degraded
        } else {
            Health::Healthy
        }
    }

    /// Takes in one result.
    pub(crate) fn checked(&mut self, result: Checked, check: &HealthCheck) -> Change {
        let before = *self;
        self.on_edge = false;
        self.passed = matches!(result, Checked::Passed { .. });
        match result {
            Checked::Passed { degraded } => self.passed(degraded, check.healthy_threshold),
            Checked::Failed { exclude } => {
                self.excluded |= exclude;
                self.failed(1);
            }
            Checked::Retriable | Checked::NoAnswer => self.failed(check.unhealthy_threshold),
        }
        self.waiting = false;
        self.change_since(&before)
    }

    /// A proxied answer has asked to leave the endpoint alone: `x-envoy-immediate-health-check-fail`. It is out at once, and comes back
    /// by passing its checks; when the next is due does not change.
    pub(crate) fn asked_out(&mut self) -> Change {
        let before = *self;
        self.excluded = true;
        self.failed(1);
        self.waiting = false;
        self.change_since(&before)
    }

    fn passed(&mut self, degraded: bool, threshold: u32) {
        self.failures = 0;
        self.degraded = degraded;
        if !self.failed {
            return;
        }
        self.passes += 1;
        // The very first check counts alone.
        if self.waiting || self.passes >= threshold {
            (self.failed, self.excluded) = (false, false);
        } else {
            self.on_edge = true;
        }
    }

    fn failed(&mut self, threshold: u32) {
        self.passes = 0;
        if self.failed {
            return;
        }
        self.failures += 1;
        if self.failures >= threshold {
            (self.failed, self.failures) = (true, 0);
        } else {
            self.on_edge = true;
        }
    }

    fn change_since(&self, before: &Self) -> Change {
        match (before.failed, self.failed) {
            (true, false) => Change::Recovered,
            (false, true) => Change::Failed,
            _ if before.health(true) != self.health(true) => Change::Other,
            _ => Change::None,
        }
    }

    /// From the end of the last check to the next. `traffic` says whether the cluster has ever made a connection for a request.
    pub(crate) fn next_in(&self, check: &HealthCheck, traffic: bool, rng: &mut impl Rng) -> Duration {
        let idle = check.no_traffic_interval.filter(|_| !traffic);
        let failing = check.unhealthy_interval.unwrap_or(check.interval);
        let interval = match (self.passed, self.on_edge) {
            (true, false) if idle.is_some() => check.no_traffic_healthy_interval.or(idle),
            _ if idle.is_some() => idle,
            (true, true) => check.healthy_edge_interval,
            (false, true) => check.unhealthy_edge_interval.or(Some(failing)),
            (false, false) => Some(failing),
            (true, false) => None,
        };
        with_jitter(interval.unwrap_or(check.interval), check.interval_jitter, check.interval_jitter_percent, rng)
    }
}

/// From the moment an endpoint is listed to its first check.
pub(crate) fn first_in(check: &HealthCheck, rng: &mut impl Rng) -> Duration {
    if check.initial_jitter.is_zero() {
        return Duration::ZERO;
    }
    with_jitter(Duration::ZERO, check.initial_jitter, 0, rng)
}

/// Both jitters are added evenly, in whole milliseconds; the result is never nothing.
fn with_jitter(interval: Duration, jitter: Duration, percent: u32, rng: &mut impl Rng) -> Duration {
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let interval = millis(interval);
    let mut below = |bound: u64| if bound == 0 { 0 } else { rng.random_range(0..bound) };
    let share = below(interval.saturating_mul(u64::from(percent)) / 100);
    Duration::from_millis(interval.saturating_add(share).saturating_add(below(millis(jitter))).max(1))
}

#[cfg(test)]
mod tests;
