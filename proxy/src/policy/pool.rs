//! Circuit breakers: how much of one cluster may be under way at once.

use super::words::told;
use serde::Serialize;

/// No limit.
pub const UNLIMITED: u32 = u32::MAX;

/// Limits of one cluster and priority, all its endpoints together, shared by all workers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PoolLimits {
    /// Connections; a request that would need one more waits. Each endpoint may have one whatever the limit.
    #[serde(serialize_with = "told::limit")]
    pub connections: u32,
    /// Requests that wait for a connection, a new one included; one more is refused.
    #[serde(serialize_with = "told::limit")]
    pub pending: u32,
    /// Requests on connections; one more is refused.
    #[serde(serialize_with = "told::limit")]
    pub requests: u32,
    /// Retries under way; one more is not made. Ignored with a budget.
    #[serde(serialize_with = "told::limit")]
    pub retries: u32,
    /// Limit of retries as a share of what is under way; off by default.
    pub retry_budget: Option<RetryBudget>,
    /// Pools, of which each endpoint has one a protocol; a request that would need one more has no endpoint.
    #[serde(serialize_with = "told::limit")]
    pub pools: u32,
    /// Connections of one endpoint.
    #[serde(serialize_with = "told::limit")]
    pub connections_per_host: u32,
    /// Tell in the metrics how much is left.
    pub track_remaining: bool,
}

/// Retries as a share of what is under way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RetryBudget {
    /// Share of active and pending requests, in percent; 20 by default.
    #[serde(serialize_with = "told::percent")]
    pub percent: f64,
    /// So many are always allowed; 3 by default.
    pub min_concurrency: u32,
}

impl PoolLimits {
    /// Nothing is refused or queued: Istio's default.
    pub const fn unlimited() -> Self {
        Self {
            connections: UNLIMITED,
            pending: UNLIMITED,
            requests: UNLIMITED,
            retries: UNLIMITED,
            retry_budget: None,
            pools: UNLIMITED,
            connections_per_host: UNLIMITED,
            track_remaining: false,
        }
    }

    /// Envoy's default.
    pub const fn envoy_default() -> Self {
        Self { connections: 1024, pending: 1024, requests: 1024, retries: 3, ..Self::unlimited() }
    }
}
