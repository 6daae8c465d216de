//! When a request is tried again.

mod conditions;

use super::HeaderMatch;
use super::words::told;
use serde::Serialize;
use std::time::Duration;

/// The retry policy of a route.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RetryPolicy {
    /// Retries, not tries; 0 is off.
    pub attempts: u32,
    /// What is tried again.
    pub on: RetryOn,
    /// How long one try may take once it has a connection.
    #[serde(serialize_with = "told::time_or_none")]
    pub per_try_timeout: Option<Duration>,
    /// How long one try may go without a byte.
    #[serde(serialize_with = "told::time_or_none")]
    pub per_try_idle_timeout: Option<Duration>,
    /// Bound of the first back-off; doubles. 25 ms by default.
    #[serde(serialize_with = "told::time")]
    pub back_off_base: Duration,
    /// Bound of all; ten times the base by default.
    #[serde(serialize_with = "told::time")]
    pub back_off_max: Duration,
    /// Where an answer says when to come again.
    pub rate_limited_back_off: Option<RateLimitedBackOff>,
    /// Prefer endpoints that this request has not tried; on by Istio's default.
    pub avoid_previous_hosts: bool,
    /// Endpoints with these labels are not picked for a retry.
    #[serde(serialize_with = "told::map")]
    pub omit_labels: Vec<(String, String)>,
    /// Leave a priority after so many of its endpoints were tried.
    pub previous_priorities: Option<u32>,
    /// Picks that are thrown away to find an endpoint; 5 in Istio, 1 in Envoy.
    pub host_reselections: u32,
    /// Only requests with these fields; all where empty.
    pub request_headers: Vec<HeaderMatch>,
    /// At a per-try time-out a further try begins while the first goes on.
    pub hedge: bool,
}

/// A back-off that the answer of the last try asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RateLimitedBackOff {
    /// Fields that say it, in order.
    pub headers: Vec<ResetHeader>,
    /// At most so long; 300 s by default.
    #[serde(serialize_with = "told::time")]
    pub max: Duration,
}

/// A field that says when to come again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResetHeader {
    /// Its name, in lower case.
    pub name: String,
    /// It is a moment in seconds since the epoch, not a number of seconds.
    pub is_timestamp: bool,
}

/// Conditions of a retry.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RetryOn {
    /// Any 5xx, any reset, a failure to connect, a per-try time-out.
    pub any_5xx: bool,
    /// 502, 503, 504, any reset, a failure to connect, a per-try time-out.
    pub gateway_error: bool,
    /// A failure to connect.
    pub connect_failure: bool,
    /// A stream refused by HTTP/2.
    pub refused_stream: bool,
    /// Any reset, a failure to connect, a per-try time-out.
    pub reset: bool,
    /// A reset while nothing of the request has been written in any try.
    pub reset_before_request: bool,
    /// 409.
    pub retriable_4xx: bool,
    /// An answer that carries `x-envoy-ratelimited`, which nothing else retries.
    pub envoy_ratelimited: bool,
    /// These statuses.
    pub statuses: Vec<u16>,
    /// Answers with any of these fields.
    pub headers: Vec<HeaderMatch>,
    /// These gRPC statuses, where they stand in the answer's headers.
    #[serde(serialize_with = "told::grpc_statuses")]
    pub grpc_statuses: Vec<u32>,
}

impl RetryPolicy {
    /// No retries.
    pub fn none() -> Self {
        let back_off_base = Duration::from_millis(25);
        Self {
            attempts: 0,
            on: RetryOn::default(),
            per_try_timeout: None,
            per_try_idle_timeout: None,
            back_off_base,
            back_off_max: back_off_base * 10,
            rate_limited_back_off: None,
            avoid_previous_hosts: false,
            omit_labels: Vec::new(),
            previous_priorities: None,
            host_reselections: 1,
            request_headers: Vec::new(),
            hedge: false,
        }
    }

    /// Istio's default where a route says nothing: two retries, for failures that the application cannot have seen.
    pub fn mesh_default() -> Self {
        Self {
            attempts: 2,
            on: RetryOn::mesh_default(),
            avoid_previous_hosts: true,
            host_reselections: 5,
            ..Self::none()
        }
    }
}

impl RetryOn {
    /// `connect-failure, refused-stream, unavailable, cancelled, retriable-status-codes` with an empty list: no 503 of the application.
    pub fn mesh_default() -> Self {
        Self { connect_failure: true, refused_stream: true, grpc_statuses: vec![14, 1], ..Self::default() }
    }
}
