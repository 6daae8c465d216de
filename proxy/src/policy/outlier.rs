//! Outlier detection: which failures take an endpoint out, for how long, and how many may be out.

use super::TextMatch;
use super::words::told;
use serde::Serialize;
use std::time::Duration;

/// Parameters of one cluster's detector, in Envoy's words; defaults differ between Envoy and Istio where it says so.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OutlierDetection {
    /// Responses of 500 or more in a row; 5.
    pub consecutive_5xx: Threshold,
    /// 502, 503 or 504 in a row; 5, enforced for nobody.
    pub consecutive_gateway: Threshold,
    /// Count what happened to the connection apart from what was answered; off.
    pub split_local_origin: bool,
    /// With the split: failures to connect in a row; 5.
    pub consecutive_local_origin: Threshold,
    /// Statuses that count as failures, as half-open ranges, and no others do; none is 500 and above. Answers to gRPC are judged by
    /// their own status all the same.
    #[serde(serialize_with = "told::statuses_or_none")]
    pub error_statuses: Option<Vec<(u16, u16)>>,
    /// Far worse than the others. 100 % by Envoy's default, 0 % by Istio's.
    pub success_rate: SuccessRate,
    /// With the split, the same of what happened to connections.
    #[serde(serialize_with = "told::percent")]
    pub local_origin_success_rate_enforcing: u32,
    /// Too large a share of failures; enforced for nobody.
    pub failure_percentage: FailurePercentage,
    /// With the split, the same of what happened to connections.
    #[serde(serialize_with = "told::percent")]
    pub local_origin_failure_percentage_enforcing: u32,
    /// Between two looks at who may come back; 10 s.
    #[serde(serialize_with = "told::time")]
    pub interval: Duration,
    /// First ejection lasts so long, the n-th n times as long; 30 s.
    #[serde(serialize_with = "told::time")]
    pub base_ejection_time: Duration,
    /// The longest ejection: 300 s, or the base if that is longer.
    #[serde(serialize_with = "told::time")]
    pub max_ejection_time: Duration,
    /// Added to each ejection, up to so much; 0.
    #[serde(serialize_with = "told::time")]
    pub max_ejection_time_jitter: Duration,
    /// Share of all endpoints that may be out at once; 10, which is none of fewer than ten.
    #[serde(serialize_with = "told::percent")]
    pub max_ejection_percent: u32,
    /// One may always be out; off. Istio cannot switch it on.
    pub always_eject_one: bool,
    /// A passing active check ends an ejection; on.
    pub check_ends_ejection: bool,
}

/// Failures in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Threshold {
    /// So many; none never.
    pub count: Option<u32>,
    /// Share of detections that eject, in percent.
    #[serde(serialize_with = "told::percent")]
    pub enforcing: u32,
}

impl Threshold {
    /// So many, always enforced.
    pub const fn at(count: u32) -> Self {
        Self { count: Some(count), enforcing: 100 }
    }

    /// True if it ejects anybody.
    pub(crate) fn is_enforced(&self) -> bool {
        self.count.is_some() && self.enforcing > 0
    }

    /// Never.
    pub const OFF: Self = Self { count: None, enforcing: 0 };
}

/// Ejection of endpoints whose rate of success is far below the others'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SuccessRate {
    /// Share of detections that eject, in percent.
    #[serde(serialize_with = "told::percent")]
    pub enforcing: u32,
    /// So many endpoints must have had enough requests; 5.
    pub minimum_hosts: u32,
    /// What is enough, in one interval; 100.
    pub request_volume: u32,
    /// Below the mean by so many thousandths of the standard deviation; 1900.
    pub stdev_factor: u32,
}

/// Ejection of endpoints of whose requests too large a share fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FailurePercentage {
    /// Share of detections that eject, in percent; 0.
    #[serde(serialize_with = "told::percent")]
    pub enforcing: u32,
    /// Percent; 85.
    #[serde(serialize_with = "told::percent")]
    pub threshold: u32,
    /// So many endpoints must have had enough requests; 5.
    pub minimum_hosts: u32,
    /// What is enough, in one interval; 50.
    pub request_volume: u32,
}

impl OutlierDetection {
    /// The statuses that satisfy any of some conditions, so that a request need not look at texts; none where there is no condition.
    pub(crate) fn failures(conditions: &[TextMatch]) -> Option<Vec<(u16, u16)>> {
        let fits = |status: &u16| conditions.iter().any(|condition| condition.matches(&status.to_string()));
        let statuses = (100..600).filter(fits).map(|status| (status, status + 1));
        (!conditions.is_empty()).then(|| statuses.collect())
    }

    /// How many requests in a row that wait too long eject: as many as failures of that kind.
    pub(crate) fn stalls(&self) -> Threshold {
        if self.split_local_origin {
            self.consecutive_local_origin
        } else if self.consecutive_5xx.is_enforced() {
            self.consecutive_5xx
        } else {
            self.consecutive_gateway
        }
    }

    /// What an empty block means in Envoy.
    pub fn envoy_default() -> Self {
        Self {
            consecutive_5xx: Threshold::at(5),
            consecutive_gateway: Threshold { count: Some(5), enforcing: 0 },
            split_local_origin: false,
            consecutive_local_origin: Threshold::at(5),
            error_statuses: None,
            success_rate: SuccessRate { enforcing: 100, minimum_hosts: 5, request_volume: 100, stdev_factor: 1900 },
            local_origin_success_rate_enforcing: 100,
            failure_percentage: FailurePercentage { enforcing: 0, threshold: 85, minimum_hosts: 5, request_volume: 50 },
            local_origin_failure_percentage_enforcing: 0,
            interval: Duration::from_secs(10),
            base_ejection_time: Duration::from_secs(30),
            max_ejection_time: Duration::from_secs(300),
            max_ejection_time_jitter: Duration::ZERO,
            max_ejection_percent: 10,
            always_eject_one: false,
            check_ends_ejection: true,
        }
    }

    /// What an empty block means in Istio: consecutive failures alone.
    pub fn istio_default() -> Self {
        let envoy = Self::envoy_default();
        Self {
            consecutive_gateway: Threshold::OFF,
            success_rate: SuccessRate { enforcing: 0, ..envoy.success_rate },
            local_origin_success_rate_enforcing: 0,
            ..envoy
        }
    }
}
