//! The trial of an endpoint that comes back: one request at a time, until enough of them were answered well. Goes beyond Envoy.

use super::outcome::{Outcome, Report};
use crate::policy::{OutlierDetection, Threshold};
use std::sync::atomic::{AtomicU32, Ordering};

/// Good answers in a row that end a trial, at most.
const MOST: u32 = 3;

/// No request is to go there.
const CLOSED: u32 = u32::MAX;

/// The trial of one endpoint, seen by all workers. Never begun where that is not switched on.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    /// Good answers that are still wanted; 0 is no trial, [`CLOSED`] is out.
    wanted: AtomicU32,
    /// Requests of the trial that wait for their answers.
    waiting: AtomicU32,
}

impl Trial {
    /// True from an ejection to the end of the trial that follows it.
    pub(crate) fn is_on(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) != 0
    }

    /// True if it has failed, or is not there yet.
    pub(super) fn is_closed(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) == CLOSED
    }

    /// True if no request is to go there now. Two workers that ask at the same moment may both send one.
    pub(crate) fn is_taken(&self) -> bool {
        match self.wanted.load(Ordering::Relaxed) {
            0 => false,
            CLOSED => true,
            _ => self.waiting.load(Ordering::Relaxed) > 0,
        }
    }

    /// A request goes there; [`Self::leave`] when it has its answer, or has given up.
    pub(crate) fn enter(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends what [`Self::enter`] began.
    pub(crate) fn leave(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// The endpoint is out: nothing is to go there, whatever balancing knows so far.
    pub(super) fn close(&self) {
        self.wanted.store(CLOSED, Ordering::Relaxed);
    }

    /// The endpoint is back, on trial.
    pub(super) fn begin(&self, parameters: &OutlierDetection) {
        self.wanted.store(parameters.trials(), Ordering::Relaxed);
    }

    /// Takes in what a request has shown; true if the trial has failed by it.
    pub(super) fn fails(&self, outcome: Outcome, report: Report, parameters: &OutlierDetection) -> bool {
        let Some(well) = outcome.passes(report, parameters) else { return false };
        let next = |wanted: u32| match wanted {
            0 | CLOSED => None,
            _ if well => Some(wanted - 1),
            _ => Some(CLOSED),
        };
        self.wanted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok() && !well
    }
}

impl Outcome {
    /// Whether a request of a trial has gone well; none if that is not known yet.
    fn passes(self, report: Report, parameters: &OutlierDetection) -> Option<bool> {
        match report {
            _ if self == Self::Connected => None,
            Report::Nothing => None,
            Report::LocalOrigin(well) => Some(well),
            Report::Status(status) => Some(!parameters.fails_trial(status)),
        }
    }
}

impl OutlierDetection {
    /// Good answers in a row that end a trial: as many as the failures in a row that eject.
    fn trials(&self) -> u32 {
        let split = self.split_local_origin.then_some(self.consecutive_local_origin);
        let rows = [Some(self.consecutive_5xx), Some(self.consecutive_gateway), split];
        let enforced = rows.into_iter().flatten().filter(Threshold::is_enforced);
        enforced.filter_map(|row| row.count).min().map_or(MOST, |count| count.clamp(1, MOST))
    }

    /// The failures that eject: where only 502, 503 and 504 do, a 500 is an answer.
    fn fails_trial(&self, status: u16) -> bool {
        let gateway_alone = self.consecutive_gateway.is_enforced() && !self.consecutive_5xx.is_enforced();
        if gateway_alone { matches!(status, 502..=504) } else { status >= 500 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(any: u32, gateway: u32) -> OutlierDetection {
        let row = |count| if count == 0 { Threshold::OFF } else { Threshold::at(count) };
        OutlierDetection {
            consecutive_5xx: row(any),
            consecutive_gateway: row(gateway),
            ..OutlierDetection::istio_default()
        }
    }

    #[test]
    fn as_many_good_answers_are_wanted_as_failures_eject_but_three_at_most() {
        for (any, gateway, wanted) in [(5, 0, 3), (2, 0, 2), (1, 0, 1), (5, 2, 2), (0, 1, 1), (0, 0, 3)] {
            assert_eq!(parameters(any, gateway).trials(), wanted, "{any} and {gateway} in a row");
        }
        let split = OutlierDetection { split_local_origin: true, ..parameters(3, 0) };
        let split = OutlierDetection { consecutive_local_origin: Threshold::at(2), ..split };
        assert_eq!(split.trials(), 2);
    }

    #[test]
    fn an_outcome_passes_fails_or_tells_nothing() {
        let split = OutlierDetection { split_local_origin: true, ..parameters(3, 0) };
        for (outcome, any, gateway, with_split) in [
            (Outcome::Status(200), Some(true), Some(true), Some(true)),
            (Outcome::Status(404), Some(true), Some(true), Some(true)),
            (Outcome::Status(500), Some(false), Some(true), Some(false)),
            (Outcome::Status(503), Some(false), Some(false), Some(false)),
            (Outcome::Connected, None, None, None),
            (Outcome::Reached, Some(true), Some(true), Some(true)),
            (Outcome::ConnectFailure, Some(false), Some(false), Some(false)),
            (Outcome::TimeOut, Some(false), Some(false), Some(false)),
        ] {
            for (parameters, expected) in [(&parameters(3, 0), any), (&parameters(0, 3), gateway), (&split, with_split)]
            {
                assert_eq!(outcome.passes(outcome.report(parameters), parameters), expected, "{outcome:?}");
            }
        }
    }

    #[test]
    fn one_request_at_a_time_until_enough_went_well() {
        let (trial, parameters) = (Trial::default(), parameters(2, 0));
        let shows = |status| {
            let outcome = Outcome::Status(status);
            trial.fails(outcome, outcome.report(&parameters), &parameters)
        };
        assert!(!trial.is_on() && !trial.is_taken());
        trial.close();
        assert!(trial.is_on() && trial.is_taken());
        assert!(!shows(200), "a late answer to a request from before says nothing of an endpoint that is out");
        assert!(trial.is_taken());
        trial.begin(&parameters);
        assert!(!trial.is_taken());
        trial.enter();
        assert!(trial.is_taken());
        trial.leave();
        assert!(!shows(200) && trial.is_on() && !trial.is_taken());
        assert!(!shows(200) && !trial.is_on(), "two are enough");
        trial.begin(&parameters);
        assert!(!shows(200) && shows(503), "one failure is enough");
        assert!(trial.is_taken() && !shows(503), "it fails once");
    }
}
