//! The part of a Kubernetes Deployment that heals: replicas, labels, probes.

use crate::policy::Origin;
use std::collections::BTreeMap;
use std::time::Duration;

/// A Deployment. Its probes are run by whoever supervises the processes, as the kubelet does; never by the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Its name.
    pub name: String,
    /// How many instances; 1 by Kubernetes' default.
    pub replicas: u32,
    /// Labels of its pods.
    pub labels: BTreeMap<String, String>,
    /// While it fails, the instance is taken out of the endpoints.
    pub readiness: Option<Probe>,
    /// When it fails, the instance is restarted.
    pub liveness: Option<Probe>,
    /// Until it passes, the other two do not run.
    pub startup: Option<Probe>,
    /// Where it stands.
    pub origin: Origin,
}

impl Deployment {
    /// One instance that is restarted when its process ends, and never asked how it is.
    pub fn without_probes(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            replicas: 1,
            labels: BTreeMap::new(),
            readiness: None,
            liveness: None,
            startup: None,
            origin: Origin::default(),
        }
    }
}

/// A probe. All defaults are Kubernetes'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What is asked.
    pub action: ProbeAction,
    /// Before the first probe; 0.
    pub initial_delay: Duration,
    /// Between probes; 10 s.
    pub period: Duration,
    /// How long an answer may take; 1 s.
    pub timeout: Duration,
    /// Passes in a row until it counts as passed; 1.
    pub success_threshold: u32,
    /// Failures in a row until it counts as failed; 3.
    pub failure_threshold: u32,
}

/// What a probe asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeAction {
    /// 200 to 399 passes.
    HttpGet {
        /// `/` by default.
        path: String,
    },
    /// A connection passes.
    Tcp,
}
