//! `DestinationRule`s for hosts that are not there, and subsets of them that select nothing.

use super::destinations::nearest_host;
use super::finding;
use crate::config::mesh::{Known, Registry, covers, namespace, of_service, qualified, subset_of};
use crate::config::objects::{DestinationRule, EndpointSlice, Objects};
use squall_yaml::Finding;
use std::collections::BTreeSet;

/// What is wrong between rules and the services that they are for.
pub(super) fn findings(objects: &Objects, registry: &Registry<'_>) -> Vec<Finding> {
    objects.destination_rules.iter().flat_map(|rule| of_rule(rule, objects, registry)).collect()
}

fn of_rule(rule: &DestinationRule, objects: &Objects, registry: &Registry<'_>) -> Vec<Finding> {
    let home = namespace(&rule.namespace);
    let host = qualified(&rule.host, home);
    let services = registry.visible(home);
    let of_hosts: Vec<&Known<'_>> = services.iter().copied().filter(|service| covers(&host, &service.host)).collect();
    let is_known = !of_hosts.is_empty() || services.iter().any(|service| covers(&service.host, &host));
    if !is_known {
        let message = format!("`{}` is the host of no service that `{home}` sees", rule.host);
        let help = nearest_host(&rule.host, home, &services);
        return vec![finding("SQ0412", &rule.origin, rule.host_place, &rule.host, message, help)];
    }
    let of_rule = |slice: &&EndpointSlice| {
        let service = of_service(&slice.service, &slice.namespace);
        of_hosts.iter().any(|known| known.host == service)
    };
    let endpoints: Vec<_> = objects.endpoints.iter().filter(of_rule).collect();
    // Of a service whose endpoints nobody knows yet there is nothing to say.
    if endpoints.is_empty() {
        return Vec::new();
    }
    let empty = rule
        .subsets
        .iter()
        .filter(|subset| endpoints.iter().all(|endpoint| !subset_of(&subset.labels, &endpoint.labels)));
    let report = empty.map(|subset| {
        let message = format!("no endpoint of `{}` carries the labels of the subset `{}`", rule.host, subset.name);
        let values = endpoints
            .iter()
            .flat_map(|endpoint| endpoint.labels.iter().filter(|(name, _)| subset.labels.contains_key(*name)));
        let values: BTreeSet<_> = values.map(|(name, value)| format!("`{name}: {value}`")).collect();
        let values: Vec<_> = values.into_iter().collect();
        let help = (!values.is_empty()).then(|| format!("endpoints carry {}", values.join(", ")));
        finding("SQ0411", &rule.origin, subset.place, &subset.name, message, help)
    });
    report.collect()
}
