//! When a request is tried again.

use std::time::Duration;

/// The retry policy of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Retries, not tries; 0 is off.
    pub attempts: u32,
    /// How long one try may take once it has a connection.
    pub per_try_timeout: Option<Duration>,
    /// What is tried again.
    pub on: RetryOn,
    /// Bound of the first back-off; doubles up to ten times itself. 25 ms by default.
    pub back_off_base: Duration,
    /// Prefer endpoints that this request has not tried; on by Istio's default.
    pub avoid_previous_hosts: bool,
}

/// Conditions of a retry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// These gRPC statuses, where they stand in the answer's headers.
    pub grpc_statuses: Vec<u8>,
}

impl RetryPolicy {
    /// No retries.
    pub fn none() -> Self {
        Self {
            attempts: 0,
            per_try_timeout: None,
            on: RetryOn::default(),
            back_off_base: Duration::from_millis(25),
            avoid_previous_hosts: true,
        }
    }

    /// Istio's default where a route says nothing: two retries, for failures that the application cannot have seen.
    pub fn mesh_default() -> Self {
        Self { attempts: 2, on: RetryOn::mesh_default(), ..Self::none() }
    }
}

impl RetryOn {
    /// `connect-failure, refused-stream, unavailable, cancelled, retriable-status-codes` with an empty list: no 503 of the application.
    pub fn mesh_default() -> Self {
        Self { connect_failure: true, refused_stream: true, grpc_statuses: vec![14, 1], ..Self::default() }
    }
}
