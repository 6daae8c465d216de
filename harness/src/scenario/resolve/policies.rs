//! What policies say, as far as a plan depends on it.

use crate::scenario::resolved::Service;
use squall_proxy::policy::{Action, Healing, Policies};
use std::collections::{BTreeMap, BTreeSet};
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

/// What is known of the services, and of the policies once they have been read.
pub(super) fn facts(services: &[Service], policies: Option<&Policies>) -> Facts {
    let mut facts = Facts::default();
    let probed =
        |service: &&Service| service.deployment.as_ref().is_some_and(|deployment| deployment.liveness.is_some());
    facts.restarted.extend(services.iter().filter(probed).map(|service| service.name.clone()));
    let Some(policies) = policies else { return facts };
    facts.healings = Some(Healing::ALL.into_iter().filter(|healing| healing.present_in(policies)).collect());
    for rule in &policies.destination_rules {
        let first =
            rule.traffic_policies().filter_map(|policy| policy.outlier.as_ref()).map(|o| o.base_ejection_time).min();
        if let Some(first) = first {
            facts.base_ejections.insert(service_of(&rule.host).to_owned(), first);
        }
    }
    for route in policies.virtual_services.iter().flat_map(|service| &service.routes) {
        let (Some(time_out), Action::Forward { to, .. }) = (route.timeout, &route.action) else { continue };
        for weighted in to {
            let longest = facts.longest_routes.entry(service_of(&weighted.destination.host).to_owned()).or_default();
            *longest = time_out.max(*longest);
        }
    }
    facts
}

/// The first label of a host, by which the scenario knows the service.
pub(super) fn service_of(host: &str) -> &str {
    host.split('.').next().unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::{Facts, facts};
    use squall_proxy::policy::{DestinationRule, Healing, Origin, OutlierDetection, Policies, TrafficPolicy};
    use std::time::Duration;

    #[test]
    fn policies_say_what_can_be_taken_out_and_how_long_an_ejection_lasts() {
        let outlier = OutlierDetection { base_ejection_time: Duration::from_secs(3), ..OutlierDetection::default() };
        let rule = DestinationRule {
            name: "cart".into(),
            host: "cart.default.svc.cluster.local".into(),
            policy: TrafficPolicy { outlier: Some(outlier), ..TrafficPolicy::default() },
            port_policies: Vec::new(),
            subsets: Vec::new(),
            origin: Origin::default(),
        };
        let facts: Facts = facts(&[], Some(&Policies { destination_rules: vec![rule], ..Policies::default() }));
        assert_eq!(facts.base_ejection("cart"), Some(Duration::from_secs(3)));
        assert!(facts.present(Healing::OutlierDetection) && facts.present(Healing::Retries));
        assert!(!facts.present(Healing::Timeouts) && !facts.present(Healing::ActiveChecks));
    }
}
