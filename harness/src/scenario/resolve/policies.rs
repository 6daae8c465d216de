//! What policies say, as far as a plan depends on it.

use super::sites::Sites;
use crate::scenario::resolved::{MeshMode, Service};
use squall_proxy::policy::{Cluster, Config, Healing, Route};
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

/// What is known of the services, and of the proxies of a mode once policies have been read.
pub(super) fn facts(services: &[Service], sites: Option<&Sites>, mode: MeshMode) -> Facts {
    let mut facts = Facts::default();
    let probed =
        |service: &&Service| service.deployment.as_ref().is_some_and(|deployment| deployment.liveness.is_some());
    facts.restarted.extend(services.iter().filter(probed).map(|service| service.name.clone()));
    let Some(sites) = sites else { return facts };
    let mut healings = BTreeSet::new();
    for config in sites.configs(mode) {
        healings.extend(Healing::ALL.into_iter().filter(|healing| healing.present_in(&config)));
        of_proxy(&config, sites, &mut facts);
    }
    facts.healings = Some(healings);
    facts
}

/// What one proxy does.
fn of_proxy(config: &Config, sites: &Sites, facts: &mut Facts) {
    let named = |cluster: &Cluster| sites.service_of(cluster);
    for cluster in &config.clusters {
        if let Some(outlier) = &cluster.outlier {
            let first = facts.base_ejections.entry(named(cluster)).or_insert(outlier.base_ejection_time);
            *first = outlier.base_ejection_time.min(*first);
        }
    }
    for forward in config.routes().filter_map(Route::forward) {
        let Some(time_out) = forward.timeout else { continue };
        for target in forward.to.clusters() {
            let cluster = config.clusters.iter().find(|cluster| cluster.name == target.name);
            let longest = facts.longest_routes.entry(cluster.map(named).unwrap_or_default()).or_default();
            *longest = time_out.max(*longest);
        }
    }
}

/// The first label of a host, by which the scenario knows the service.
pub(super) fn service_of(host: &str) -> &str {
    host.split('.').next().unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::{Facts, facts};
    use crate::scenario::resolve::sites::Sites;
    use crate::scenario::resolved::MeshMode;
    use squall_proxy::config::mesh::IstioVersion;
    use squall_proxy::config::objects::{DestinationRule, EndpointSlice, Objects, TrafficPolicy};
    use squall_proxy::policy::{EndpointHealth, Healing, Origin, OutlierDetection, Place};
    use std::time::Duration;

    #[test]
    fn policies_say_what_can_be_taken_out_and_how_long_an_ejection_lasts() {
        let outlier =
            OutlierDetection { base_ejection_time: Duration::from_secs(3), ..OutlierDetection::istio_default() };
        let rule = DestinationRule {
            name: "cart".into(),
            host: "cart.default.svc.cluster.local".into(),
            policy: TrafficPolicy { outlier: Some(outlier), ..TrafficPolicy::default() },
            ..DestinationRule::default()
        };
        let endpoint = EndpointSlice {
            service: "cart".to_owned(),
            namespace: "default".to_owned(),
            port_name: String::new(),
            address: ([127, 0, 0, 1], 1).into(),
            labels: Default::default(),
            health: EndpointHealth::Healthy,
            place: Place::default(),
            origin: Origin::default(),
        };
        let objects = Objects { destination_rules: vec![rule], endpoints: vec![endpoint], ..Objects::default() };
        let sites = Sites::new(&objects, &[], None, IstioVersion::LATEST);
        let facts: Facts = facts(&[], Some(&sites), MeshMode::Client);
        assert_eq!(facts.base_ejection("cart"), Some(Duration::from_secs(3)));
        assert!(facts.present(Healing::OutlierDetection));
        assert!(!facts.present(Healing::Timeouts) && !facts.present(Healing::ActiveChecks));
    }
}
