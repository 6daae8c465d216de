//! Outlier detection: which failures take an endpoint out, for how long, and how many may be out.

use std::time::Duration;

/// Parameters of one cluster's detector. Istio's words; Envoy's meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlierDetection {
    /// Responses of 500 or more in a row; 5 by Istio's default, none where the policy says 0.
    pub consecutive_5xx: Option<u32>,
    /// 502, 503 or 504 in a row; off by Istio's default.
    pub consecutive_gateway: Option<u32>,
    /// Count what happened to the connection apart from what was answered; off by default.
    pub split_local_origin: bool,
    /// With the split: failures to connect in a row; 5 by default.
    pub consecutive_local_origin: Option<u32>,
    /// Between two looks at who may come back; 10 s by default.
    pub interval: Duration,
    /// First ejection lasts so long, the n-th n times as long; 30 s by default.
    pub base_ejection_time: Duration,
    /// The longest ejection: 300 s, or the base if that is longer. Envoy's; Istio cannot set it.
    pub max_ejection_time: Duration,
    /// Share of all endpoints that may be out at once; 10 by default, which is none of fewer than ten.
    pub max_ejection_percent: u32,
}

impl Default for OutlierDetection {
    /// What an empty `outlierDetection: {}` means in Istio.
    fn default() -> Self {
        Self {
            consecutive_5xx: Some(5),
            consecutive_gateway: None,
            split_local_origin: false,
            consecutive_local_origin: Some(5),
            interval: Duration::from_secs(10),
            base_ejection_time: Duration::from_secs(30),
            max_ejection_time: Duration::from_secs(300),
            max_ejection_percent: 10,
        }
    }
}
