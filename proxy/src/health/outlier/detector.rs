//! The one who decides: how many may be out, for how long, and who comes back.

use super::Detection;
use super::counters::Counters;
use super::credit::Credit;
use super::rates::{self, Rate};
use crate::policy::{Beyond, OutlierDetection};
use rand::{Rng, RngExt};
use std::time::{Duration, Instant};

/// One endpoint as its cluster's detector sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    ejected_at: Option<Instant>,
    returned_at: Option<Instant>,
    /// How many times the base its ejection lasts; the next lasts one more.
    multiplier: u32,
    /// What chance has added to its ejection.
    jitter: Duration,
    /// What its checks may say of it.
    credit: Credit,
}

impl Standing {
    /// An active check has failed, so that the endpoint counts as failed.
    pub(crate) fn check_failed(&mut self, counters: &Counters) {
        counters.forget_failure();
        self.credit.earned();
    }
}

/// What a detection led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The endpoint is out.
    Ejected,
    /// It would be, but only some detections are enforced, and this is none of them.
    NotEnforced,
    /// It would be, were not too many out already.
    Overflow,
    /// It was out already, or is not listed any more: nothing was detected.
    AlreadyOut,
}

/// A detection that a tick has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Judged {
    /// The endpoint.
    pub at: usize,
    /// What was detected.
    pub detection: Detection,
    /// What it led to.
    pub decision: Decision,
}

/// What a tick has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tick {
    /// Who comes back.
    pub back: Vec<usize>,
    /// Who was far off in the interval that has ended.
    pub judged: Vec<Judged>,
}

/// All endpoints of a cluster, of every priority and whatever their health.
pub(crate) type Endpoints<'a, 'b> = &'a mut [(&'b Counters, &'b mut Standing)];

/// Decides for one cluster. Owns nothing but its parameters: the standing of each endpoint is handed in, so that it survives a reload.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Detector {
    parameters: OutlierDetection,
    beyond: Beyond,
}

impl Detector {
    /// A detector with these parameters.
    pub(crate) fn new(parameters: OutlierDetection, beyond: Beyond) -> Self {
        Self { parameters, beyond }
    }

    /// Decides on a detection at endpoint `at`.
    pub(crate) fn detected(
        &self,
        detection: Detection,
        at: usize,
        endpoints: Endpoints<'_, '_>,
        now: Instant,
        rng: &mut impl Rng,
    ) -> Decision {
        // One on trial is as good as out: its place is its own until it has passed.
        let is_out = |counters: &Counters| counters.is_ejected() || counters.trial.is_on();
        let others = endpoints.iter().enumerate().filter(|(other, _)| *other != at);
        let out = others.filter(|(_, (counters, _))| is_out(counters)).count();
        let total = endpoints.len();
        let Some((counters, standing)) = endpoints.get_mut(at) else { return Decision::AlreadyOut };
        if counters.is_ejected() {
            // The counter keeps growing: no second ejection until it is zeroed.
            return Decision::AlreadyOut;
        }
        counters.begin_anew(detection);
        if !self.allows(out, total) {
            if detection == Detection::FailedTrial {
                counters.trial.begin(&self.parameters);
            }
            return Decision::Overflow;
        }
        if rng.random_range(0..100) >= self.enforcing(detection) {
            return Decision::NotEnforced;
        }
        counters.set_ejected(true);
        if self.beyond.half_open {
            counters.trial.close();
        }
        standing.credit.ejected();
        standing.ejected_at = Some(now);
        let jitter = self.parameters.max_ejection_time_jitter.as_millis() as u64;
        standing.jitter = Duration::from_millis(rng.random_range(0..=jitter));
        let base = self.parameters.base_ejection_time;
        if base.saturating_mul(standing.multiplier) < self.parameters.max_ejection_time.saturating_add(base) {
            standing.multiplier += 1;
        }
        Decision::Ejected
    }

    /// True if one more may be out.
    fn allows(&self, out: usize, total: usize) -> bool {
        let percent = self.parameters.max_ejection_percent.min(100) as usize;
        100 * (out + 1) <= percent * total || (self.parameters.always_eject_one && out == 0)
    }

    /// How many of a hundred detections are enforced.
    fn enforcing(&self, detection: Detection) -> u32 {
        match detection {
            Detection::Consecutive5xx => self.parameters.consecutive_5xx.enforcing,
            Detection::ConsecutiveGateway => self.parameters.consecutive_gateway.enforcing,
            Detection::ConsecutiveLocalOrigin => self.parameters.consecutive_local_origin.enforcing,
            Detection::SuccessRate => self.parameters.success_rate.enforcing,
            Detection::FailurePercentage => self.parameters.failure_percentage.enforcing,
            Detection::LocalOriginSuccessRate => self.parameters.local_origin_success_rate_enforcing,
            Detection::LocalOriginFailurePercentage => self.parameters.local_origin_failure_percentage_enforcing,
            Detection::FailedTrial => 100,
            Detection::Stalled => self.parameters.stalls().enforcing,
        }
    }

    /// How long an endpoint of this standing stays out, at least: until the first look after it.
    pub(crate) fn duration(&self, standing: &Standing) -> Duration {
        let base = self.parameters.base_ejection_time.saturating_mul(standing.multiplier);
        base.min(self.parameters.max_ejection_time).saturating_add(standing.jitter)
    }

    /// The look at each interval: who comes back, and who was far off in the interval that has ended. Endpoints that have behaved for an
    /// interval are forgiven one ejection.
    pub(crate) fn tick(&self, endpoints: Endpoints<'_, '_>, now: Instant, rng: &mut impl Rng) -> Tick {
        let mut tick = Tick::default();
        let (mut answers, mut connections) = (Vec::new(), Vec::new());
        for (at, (counters, standing)) in endpoints.iter_mut().enumerate() {
            let is_over = |since| now.saturating_duration_since(since) >= self.duration(standing);
            if counters.is_ejected() && standing.ejected_at.is_none_or(is_over) {
                self.readmit(counters, standing, now);
                tick.back.push(at);
            }
            if !counters.is_ejected() && counters.trial.is_closed() {
                // It failed while nobody decided.
                counters.trial.begin(&self.parameters);
            }
            let ended = counters.take_rates();
            if !counters.is_ejected() {
                answers.push((at, ended.0));
                connections.push((at, ended.1));
            }
        }
        for (at, detection) in self.far_off(&answers, &connections) {
            let decision = self.detected(detection, at, endpoints, now, rng);
            tick.judged.push(Judged { at, detection, decision });
        }
        for (counters, standing) in endpoints.iter_mut() {
            let behaved = |since| now.saturating_duration_since(since) >= self.parameters.interval;
            let is_in = !counters.is_ejected() && !counters.trial.is_on();
            if is_in && standing.returned_at.is_some_and(behaved) {
                standing.credit = Credit::default();
                standing.multiplier = standing.multiplier.saturating_sub(1);
            }
        }
        tick
    }

    /// Who was far off in an interval, in the order in which it is decided.
    fn far_off(&self, answers: &[(usize, Rate)], connections: &[(usize, Rate)]) -> Vec<(usize, Detection)> {
        let mut far_off = Vec::new();
        let mut judge = |rates, success, failure| {
            let below = rates::below_the_others(rates, &self.parameters.success_rate);
            far_off.extend(below.into_iter().map(|at| (at, success)));
            let failing = rates::failing(rates, &self.parameters.failure_percentage);
            far_off.extend(failing.into_iter().map(|at| (at, failure)));
        };
        if self.parameters.rates_answers() {
            judge(answers, Detection::SuccessRate, Detection::FailurePercentage);
        }
        if self.parameters.rates_connections() {
            judge(connections, Detection::LocalOriginSuccessRate, Detection::LocalOriginFailurePercentage);
        }
        far_off
    }

    /// An active check has passed, and none fails: an ejection ends at once, unless the policy keeps to its time. True if it did.
    pub(crate) fn check_passed(&self, counters: &Counters, standing: &mut Standing, now: Instant) -> bool {
        let believed = !self.beyond.fresh_evidence || standing.credit.is_due(counters.has_failed());
        let ends = self.parameters.check_ends_ejection && counters.is_ejected() && believed;
        if ends {
            standing.credit.used();
            self.readmit(counters, standing, now);
        }
        ends
    }

    /// Puts an endpoint back. Its counters begin anew.
    fn readmit(&self, counters: &Counters, standing: &mut Standing, now: Instant) {
        counters.begin_all_anew();
        if self.beyond.half_open {
            counters.trial.begin(&self.parameters);
        }
        counters.set_ejected(false);
        standing.ejected_at = None;
        standing.returned_at = Some(now);
    }
}
