//! Active checks, which Istio has no words for: native configuration only.

use super::Origin;
use std::time::Duration;

/// An active HTTP check of every endpoint of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// The host whose endpoints are checked.
    pub host: String,
    /// What is asked for; 200 passes, anything else fails at once.
    pub path: String,
    /// From the end of one check to the next.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Passes in a row until an endpoint that failed is used again; the very first check counts alone.
    pub healthy_threshold: u32,
    /// Time-outs and lost connections in a row until an endpoint is taken out.
    pub unhealthy_threshold: u32,
    /// Where it stands.
    pub origin: Origin,
}
