//! Outlier detection: endpoints that fail are taken out, and come back.
//!
//! Counting happens where requests end, on any worker, without a lock: [`Counters`]. When a counter *equals* its threshold a
//! [`Detection`] goes to the one [`Detector`] of the cluster, which decides. So a few more requests may reach an endpoint between
//! the detection and its ejection, as in Envoy.

use crate::policy::OutlierDetection;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What a try tells about its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Answered with this status.
    Status(u16),
    /// A connection was obtained.
    Connected,
    /// No connection could be made, or not in time.
    ConnectFailure,
    /// The connection was lost, before or after the answer began.
    Reset,
    /// No answer in time.
    TimeOut,
}

/// Which threshold was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detection {
    /// Responses of 500 or more in a row.
    Consecutive5xx,
    /// 502, 503, 504 in a row.
    ConsecutiveGateway,
    /// Failures to connect in a row.
    ConsecutiveLocalOrigin,
}

impl Detection {
    /// The word for logs and metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Consecutive5xx => "consecutive-5xx",
            Self::ConsecutiveGateway => "consecutive-gateway-failure",
            Self::ConsecutiveLocalOrigin => "consecutive-local-origin-failure",
        }
    }
}

/// Failures of one endpoint in a row, counted by all workers.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    any_5xx: AtomicU32,
    gateway: AtomicU32,
    local_origin: AtomicU32,
    ejected: AtomicBool,
}

impl Counters {
    /// True while the endpoint is out.
    pub(crate) fn is_ejected(&self) -> bool {
        self.ejected.load(Ordering::Relaxed)
    }

    /// Counts one outcome; the detections are those whose threshold it reached exactly.
    pub(crate) fn observe(&self, outcome: Outcome, parameters: &OutlierDetection) -> [Option<Detection>; 2] {
        if parameters.split_local_origin {
            return self.observe_split(outcome, parameters);
        }
        match outcome {
            Outcome::Status(status) => self.observe_status(status, parameters),
            Outcome::ConnectFailure | Outcome::Reset => self.observe_status(503, parameters),
            Outcome::TimeOut => self.observe_status(504, parameters),
            Outcome::Connected => [None, None],
        }
    }

    /// What was answered and what happened to the connection are counted apart. Every connection obtained zeroes the local counter,
    /// so only failures to connect can accumulate there.
    fn observe_split(&self, outcome: Outcome, parameters: &OutlierDetection) -> [Option<Detection>; 2] {
        match outcome {
            Outcome::Status(status) => self.observe_status(status, parameters),
            Outcome::Connected => {
                self.local_origin.store(0, Ordering::Relaxed);
                [None, None]
            }
            Outcome::ConnectFailure | Outcome::Reset | Outcome::TimeOut => {
                let reached = reached(&self.local_origin, parameters.consecutive_local_origin);
                [reached.then_some(Detection::ConsecutiveLocalOrigin), None]
            }
        }
    }

    fn observe_status(&self, status: u16, parameters: &OutlierDetection) -> [Option<Detection>; 2] {
        if status < 500 {
            // Endpoints that do well are not written to: the cache line stays shared between workers.
            for counter in [&self.any_5xx, &self.gateway] {
                if counter.load(Ordering::Relaxed) != 0 {
                    counter.store(0, Ordering::Relaxed);
                }
            }
            return [None, None];
        }
        let gateway = if matches!(status, 502..=504) {
            reached(&self.gateway, parameters.consecutive_gateway)
        } else {
            self.gateway.store(0, Ordering::Relaxed);
            false
        };
        let any = reached(&self.any_5xx, parameters.consecutive_5xx);
        [gateway.then_some(Detection::ConsecutiveGateway), any.then_some(Detection::Consecutive5xx)]
    }

    fn zero(&self, detection: Detection) {
        let counter = match detection {
            Detection::Consecutive5xx => &self.any_5xx,
            Detection::ConsecutiveGateway => &self.gateway,
            Detection::ConsecutiveLocalOrigin => &self.local_origin,
        };
        counter.store(0, Ordering::Relaxed);
    }

    fn zero_all(&self) {
        [&self.any_5xx, &self.gateway, &self.local_origin]
            .iter()
            .for_each(|counter| counter.store(0, Ordering::Relaxed));
    }
}

/// Raises the counter; true at equality, never beyond.
fn reached(counter: &AtomicU32, threshold: Option<u32>) -> bool {
    let count = counter.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    threshold == Some(count)
}

/// One endpoint as its cluster's detector sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    ejected_at: Option<Instant>,
    returned_at: Option<Instant>,
    /// How many times the base the next ejection lasts, less one.
    multiplier: u32,
}

/// What a detection led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The endpoint is out.
    Ejected,
    /// It would be, were not too many out already.
    Overflow,
    /// It was out already.
    AlreadyOut,
}

/// Decides for one cluster. Owns nothing but its parameters: the standing of each endpoint is handed in, so that it survives a reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Detector {
    parameters: OutlierDetection,
}

impl Detector {
    /// A detector with these parameters.
    pub(crate) fn new(parameters: OutlierDetection) -> Self {
        Self { parameters }
    }

    /// Decides on a detection at endpoint `at` of all the cluster's, healthy or not.
    pub(crate) fn detected(
        &self,
        detection: Detection,
        at: usize,
        endpoints: &mut [(&Counters, &mut Standing)],
        now: Instant,
    ) -> Decision {
        let out = endpoints.iter().filter(|(counters, _)| counters.is_ejected()).count();
        let total = endpoints.len();
        let Some((counters, standing)) = endpoints.get_mut(at) else { return Decision::AlreadyOut };
        if counters.is_ejected() {
            // The counter keeps growing: no second ejection until it is zeroed.
            return Decision::AlreadyOut;
        }
        let allowed = 100 * (out + 1) <= self.parameters.max_ejection_percent as usize * total;
        counters.zero(detection);
        if !allowed {
            return Decision::Overflow;
        }
        counters.ejected.store(true, Ordering::Relaxed);
        standing.ejected_at = Some(now);
        let longest = self.parameters.max_ejection_time + self.parameters.base_ejection_time;
        if self.parameters.base_ejection_time * standing.multiplier < longest {
            standing.multiplier += 1;
        }
        Decision::Ejected
    }

    /// How long an endpoint of this standing stays out, at least: until the first look after it.
    pub(crate) fn duration(&self, standing: &Standing) -> Duration {
        (self.parameters.base_ejection_time * standing.multiplier).min(self.parameters.max_ejection_time)
    }

    /// The look at each interval: who comes back, by index. Endpoints that have behaved for an interval are forgiven one ejection.
    pub(crate) fn tick(&self, endpoints: &mut [(&Counters, &mut Standing)], now: Instant) -> Vec<usize> {
        let mut back = Vec::new();
        for (index, (counters, standing)) in endpoints.iter_mut().enumerate() {
            match standing.ejected_at {
                Some(since) if counters.is_ejected() => {
                    if now.duration_since(since) >= self.duration(standing) {
                        readmit(counters, standing, now);
                        back.push(index);
                    }
                }
                _ => {
                    let behaved = |since| now.duration_since(since) >= self.parameters.interval;
                    if standing.returned_at.is_some_and(behaved) {
                        standing.multiplier = standing.multiplier.saturating_sub(1);
                    }
                }
            }
        }
        back
    }
}

/// Puts an endpoint back, by the clock or because an active check has passed. Its counters begin anew.
pub(crate) fn readmit(counters: &Counters, standing: &mut Standing, now: Instant) {
    counters.zero_all();
    counters.ejected.store(false, Ordering::Relaxed);
    standing.ejected_at = None;
    standing.returned_at = Some(now);
}

#[cfg(test)]
mod tests;
