//! Outlier detection: endpoints that fail are taken out, and come back.
//!
//! Counting happens where requests end, on any worker, without a lock: [`Counters`]. When a counter *equals* its threshold a
//! [`Detection`] goes to the one [`Detector`] of the cluster, which decides. So a few more requests may reach an endpoint between
//! the detection and its ejection, as in Envoy. Rates of whole intervals are judged by the detector itself, at each tick.

mod counters;
mod credit;
mod detector;
mod outcome;
mod rates;
mod trial;

pub(crate) use counters::Counters;
pub(crate) use detector::{Decision, Detector, Endpoints, Standing};
#[cfg(test)]
use detector::{Judged, Tick};
pub(crate) use outcome::Outcome;

/// Which threshold was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detection {
    /// Responses of 500 or more in a row.
    Consecutive5xx,
    /// 502, 503, 504 in a row.
    ConsecutiveGateway,
    /// Failures to connect in a row.
    ConsecutiveLocalOrigin,
    /// A rate of success far below the others'.
    SuccessRate,
    /// Too large a share of failures.
    FailurePercentage,
    /// The rate of success of connections alone.
    LocalOriginSuccessRate,
    /// The share of failed connections alone.
    LocalOriginFailurePercentage,
    /// A failure on trial.
    FailedTrial,
    /// Requests in a row that have waited too long for an answer.
    Stalled,
}

impl Detection {
    /// The word for logs and metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Consecutive5xx => "consecutive-5xx",
            Self::ConsecutiveGateway => "consecutive-gateway-failure",
            Self::ConsecutiveLocalOrigin => "consecutive-local-origin-failure",
            Self::SuccessRate => "success-rate",
            Self::FailurePercentage => "failure-percentage",
            Self::LocalOriginSuccessRate => "local-origin-success-rate",
            Self::LocalOriginFailurePercentage => "local-origin-failure-percentage",
            Self::FailedTrial => "failed-trial",
            Self::Stalled => "stalled",
        }
    }
}

#[cfg(test)]
mod tests;
