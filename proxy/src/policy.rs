//! What the data plane obeys: plain data, resolved, in nobody's dialect.
//!
//! Foreign formats end in [`crate::config`]. Nothing here is optional in the sense of "use the default": defaults are applied when a
//! policy is read, and each says whose it is.

mod deployment;
mod disarm;
mod health_check;
mod outlier;
mod pool;
mod retry;
mod route;
mod service;

pub use deployment::{Deployment, Probe, ProbeAction};
pub use disarm::{Healing, UnknownHealing, disarm};
pub use health_check::HealthCheck;
pub use outlier::OutlierDetection;
pub use pool::{PoolLimits, RetryBudget};
pub use retry::{RetryOn, RetryPolicy};
pub use route::{
    Action, Delay, Destination, DirectResponse, FaultInjection, HeaderOperations, HeaderRules, PathRewrite, Redirect,
    Rewrite, Route, RouteMatch, TextMatch, VirtualService, Weighted,
};
pub use service::{Balance, DestinationRule, Endpoint, Service, Subset, TrafficPolicy};

use std::fmt;
use std::path::PathBuf;

/// Everything that was read, resolved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policies {
    /// Routing, in the order of the files: the first that names a host wins it.
    pub virtual_services: Vec<VirtualService>,
    /// What holds for traffic to a host.
    pub destination_rules: Vec<DestinationRule>,
    /// Kubernetes Services: which ports a host has.
    pub services: Vec<Service>,
    /// Kubernetes Deployments, for whoever runs their probes.
    pub deployments: Vec<Deployment>,
    /// Active checks, by native configuration.
    pub health_checks: Vec<HealthCheck>,
    /// Endpoints that stand among the policies; usually they come from files of their own.
    pub endpoints: Vec<Endpoint>,
    /// Healing that was taken out.
    pub disarmed: Vec<Healing>,
}

impl Policies {
    /// Takes over what stands in `more`, behind what is here.
    pub fn extend(&mut self, more: Self) {
        self.virtual_services.extend(more.virtual_services);
        self.destination_rules.extend(more.destination_rules);
        self.services.extend(more.services);
        self.deployments.extend(more.deployments);
        self.health_checks.extend(more.health_checks);
        self.endpoints.extend(more.endpoints);
        self.disarmed.extend(more.disarmed);
    }
}

/// Where an object stands: for explanations and logs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}
