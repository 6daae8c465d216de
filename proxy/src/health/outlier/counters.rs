//! Failures of one endpoint, counted by all workers at once.

use super::outcome::{Outcome, Report};
use super::trial::Trial;
use super::{Detection, rates::Rate};
use crate::policy::{OutlierDetection, Threshold};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// What is counted of one endpoint. While all is well nothing is written, unless rates of success are wanted, which take one addition a
/// request.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    any_5xx: AtomicU32,
    gateway: AtomicU32,
    local_origin: AtomicU32,
    /// Requests that have waited too long, since the last answer.
    stalled: AtomicU32,
    ejected: AtomicBool,
    /// Traffic has failed since a check failed last.
    failed: AtomicBool,
    /// One request at a time, once it is back.
    pub trial: Trial,
    answers: Bucket,
    connections: Bucket,
}

impl Counters {
    /// True while the endpoint is out.
    pub(crate) fn is_ejected(&self) -> bool {
        self.ejected.load(Ordering::Relaxed)
    }

    /// Counts one outcome; the detections are those whose threshold it reached exactly.
    pub(crate) fn observe(&self, outcome: Outcome, parameters: &OutlierDetection) -> [Option<Detection>; 2] {
        let report = outcome.report(parameters);
        if report.is_failure() && !self.failed.load(Ordering::Relaxed) {
            self.failed.store(true, Ordering::Relaxed);
        }
        if self.trial.is_on() && self.trial.fails(outcome, report, parameters) {
            return [Some(Detection::FailedTrial), None];
        }
        if outcome.is_answer() {
            zero(&self.stalled);
        }
        match report {
            Report::Nothing => [None, None],
            Report::Status(status) => {
                if parameters.rates_answers() {
                    self.answers.add(status < 500);
                }
                self.answered(status, parameters)
            }
            Report::LocalOrigin(well) => {
                if parameters.rates_connections() {
                    self.connections.add(well);
                }
                if well {
                    // So only failures to connect can accumulate: what is lost after connecting is forgotten at the next try.
                    zero(&self.local_origin);
                    return [None, None];
                }
                let reached = reached(&self.local_origin, parameters.consecutive_local_origin);
                [reached.then_some(Detection::ConsecutiveLocalOrigin), None]
            }
        }
    }

    /// Counts a request that has waited too long, although it may still be answered.
    pub(crate) fn stalled(&self, parameters: &OutlierDetection) -> Option<Detection> {
        if self.trial.is_on() {
            let late = Outcome::TimeOut;
            let fails = self.trial.fails(late, late.report(parameters), parameters);
            return fails.then_some(Detection::FailedTrial);
        }
        reached(&self.stalled, parameters.stalls()).then_some(Detection::Stalled)
    }

    fn answered(&self, status: u16, parameters: &OutlierDetection) -> [Option<Detection>; 2] {
        if status < 500 {
            zero(&self.any_5xx);
            zero(&self.gateway);
            return [None, None];
        }
        let gateway = if matches!(status, 502..=504) {
            reached(&self.gateway, parameters.consecutive_gateway)
        } else {
            zero(&self.gateway);
            false
        };
        let any = reached(&self.any_5xx, parameters.consecutive_5xx);
        [gateway.then_some(Detection::ConsecutiveGateway), any.then_some(Detection::Consecutive5xx)]
    }

    /// Takes the endpoint out, or puts it back.
    pub(super) fn set_ejected(&self, ejected: bool) {
        self.ejected.store(ejected, Ordering::Relaxed);
    }

    /// True if traffic has failed since this was last forgotten.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Forgets that traffic has failed.
    pub(super) fn forget_failure(&self) {
        self.failed.store(false, Ordering::Relaxed);
    }

    /// Begins the row that led to a detection anew; rates have none.
    pub(super) fn begin_anew(&self, detection: Detection) {
        match detection {
            Detection::Consecutive5xx => zero(&self.any_5xx),
            Detection::ConsecutiveGateway => zero(&self.gateway),
            Detection::ConsecutiveLocalOrigin => zero(&self.local_origin),
            Detection::Stalled => zero(&self.stalled),
            Detection::SuccessRate
            | Detection::FailurePercentage
            | Detection::LocalOriginSuccessRate
            | Detection::LocalOriginFailurePercentage
            | Detection::FailedTrial => {}
        }
    }

    /// Begins all rows anew.
    pub(super) fn begin_all_anew(&self) {
        [&self.any_5xx, &self.gateway, &self.local_origin, &self.stalled].into_iter().for_each(zero);
    }

    /// What was answered, and what became of connections, since this was last asked.
    pub(super) fn take_rates(&self) -> (Rate, Rate) {
        (self.answers.take(), self.connections.take())
    }
}

/// Zeroes a counter. One that is zero is not written to: its cache line stays shared between workers.
fn zero(counter: &AtomicU32) {
    if counter.load(Ordering::Relaxed) != 0 {
        counter.store(0, Ordering::Relaxed);
    }
}

/// Raises the counter; true at equality, never beyond.
fn reached(counter: &AtomicU32, threshold: Threshold) -> bool {
    let count = counter.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    threshold.count == Some(count)
}

/// Results of one interval: how many in the upper half, how many of them failed in the lower, so that one addition counts both.
#[derive(Debug, Default)]
struct Bucket(AtomicU64);

impl Bucket {
    fn add(&self, well: bool) {
        self.0.fetch_add((1 << 32) | u64::from(!well), Ordering::Relaxed);
    }

    fn take(&self) -> Rate {
        let both = if self.0.load(Ordering::Relaxed) == 0 { 0 } else { self.0.swap(0, Ordering::Relaxed) };
        Rate { total: (both >> 32) as u32, failed: both as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_that_count_together_reach_a_threshold_exactly_once() {
        let rates = OutlierDetection {
            consecutive_5xx: Threshold::at(1000),
            consecutive_gateway: Threshold::at(2000),
            ..OutlierDetection::envoy_default()
        };
        let counters = Counters::default();
        let work =
            || (0..1000).flat_map(|_| counters.observe(Outcome::Status(503), &rates)).flatten().collect::<Vec<_>>();
        let mut detections: Vec<_> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        detections.sort_by_key(|detection| detection.word());
        assert_eq!(detections, [Detection::Consecutive5xx, Detection::ConsecutiveGateway]);
        assert_eq!(counters.take_rates().0, Rate { total: 4000, failed: 4000 });
        assert_eq!(counters.take_rates().0, Rate::default(), "the interval begins anew");
    }

    #[test]
    fn rates_are_counted_only_where_they_may_eject() {
        let counters = Counters::default();
        counters.observe(Outcome::Status(200), &OutlierDetection::istio_default());
        assert_eq!(counters.take_rates().0, Rate::default());
        counters.observe(Outcome::Status(200), &OutlierDetection::envoy_default());
        assert_eq!(counters.take_rates().0, Rate { total: 1, failed: 0 });
    }
}
