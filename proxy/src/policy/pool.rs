//! Connection pools and circuit breakers.

use std::time::Duration;

/// Istio's "no limit".
const UNLIMITED: u32 = u32::MAX;

/// Limits of one cluster, all its endpoints together, shared by all workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// Connections; a request that would need one more waits. Each endpoint may have one whatever the limit.
    pub max_connections: u32,
    /// Requests that wait for a connection, a new one included; one more is refused.
    pub max_pending: u32,
    /// Requests on connections; one more is refused.
    pub max_requests: u32,
    /// Retries under way; one more is not made. Ignored with a budget.
    pub max_retries: u32,
    /// Limit of retries as a share of what is under way; off by default.
    pub retry_budget: Option<RetryBudget>,
    /// Requests after which a connection is closed; none by default.
    pub max_requests_per_connection: Option<u32>,
    /// How long connecting may take; 10 s by the mesh's default.
    pub connect_timeout: Duration,
    /// How long a connection may idle; 1 h by default, for ever where the policy says 0.
    pub idle_timeout: Option<Duration>,
}

/// Retries as a share of what is under way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryBudget {
    /// Share of active and pending requests, in percent; 20 by default.
    pub percent: f64,
    /// So many are always allowed; 3 by default.
    pub min_concurrency: u32,
}

impl Eq for RetryBudget {}

impl Default for PoolLimits {
    /// Istio's: no limit of any count.
    fn default() -> Self {
        Self {
            max_connections: UNLIMITED,
            max_pending: UNLIMITED,
            max_requests: UNLIMITED,
            max_retries: UNLIMITED,
            retry_budget: None,
            max_requests_per_connection: None,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Some(Duration::from_secs(3600)),
        }
    }
}

impl PoolLimits {
    /// The same without anything that refuses or queues.
    #[must_use]
    pub fn without_limits(self) -> Self {
        Self {
            max_connections: UNLIMITED,
            max_pending: UNLIMITED,
            max_requests: UNLIMITED,
            max_retries: UNLIMITED,
            retry_budget: None,
            ..self
        }
    }
}
