//! Policies: where they come from, and what they say as far as a plan depends on it.

use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::PolicySource;
use crate::scenario::written::{Placed, Policy, Service};
use squall_proxy::policy::Healing;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// What the policies say.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// What can be taken out; absent while policies have not been read.
    pub healings: Option<BTreeSet<Healing>>,
    /// First ejection, by service.
    pub base_ejections: BTreeMap<String, Duration>,
    /// The longest time-out of a route, by service.
    pub longest_routes: BTreeMap<String, Duration>,
    /// Services with a liveness probe.
    pub restarted: BTreeSet<String>,
}

impl Facts {
    /// True if a policy gives this healing, or if that is not known.
    pub(super) fn present(&self, healing: Healing) -> bool {
        self.healings.as_ref().is_none_or(|present| present.contains(&healing))
    }

    /// True if the service's processes are restarted when a probe fails.
    pub(super) fn restarts(&self, service: &str) -> bool {
        self.restarted.contains(service)
    }

    /// How long the first ejection of one of the service's instances lasts.
    pub(super) fn base_ejection(&self, service: &str) -> Option<Duration> {
        self.base_ejections.get(service).copied()
    }

    /// The longest time that a route to the service may take.
    pub(super) fn longest_route(&self, service: &str) -> Option<Duration> {
        self.longest_routes.get(service).copied()
    }
}

/// What is known of the services.
pub(super) fn facts(services: &[Service]) -> Facts {
    let probed = services.iter().filter(|service| service.manifest.is_some() || service.health.is_some());
    Facts { restarted: probed.map(|service| service.name.value.clone()).collect(), ..Facts::default() }
}

/// Where the policies are; paths against the scenario's folder.
pub(super) fn sources(written: &[Placed<Policy>], folder: &Path, problems: &mut Problems) -> Vec<PolicySource> {
    let source = |policy: &Placed<Policy>| match &policy.value {
        Policy::Path(path) => {
            let path = folder.join(path);
            if let Err(error) = std::fs::metadata(&path) {
                problems.error(code::FILE, policy.place, format!("cannot read {}: {error}", path.display()));
            }
            PolicySource::Path(path)
        }
        // JSON is YAML.
        Policy::Inline(object) => PolicySource::Inline(serde_json::Value::Object(object.clone()).to_string()),
    };
    written.iter().map(source).collect()
}
