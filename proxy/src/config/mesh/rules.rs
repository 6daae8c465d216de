//! Which DestinationRule holds for a host, and what several for the same host make together.

use super::export::seen;
use super::host::{ROOT_NAMESPACE, namespace, qualified, specificity};
use super::scope::subset_of;
use crate::config::objects::{DestinationRule, Objects, Subset, TrafficPolicy};
use crate::policy::{Node, Origin};
use std::collections::BTreeMap;

/// What holds for a host.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::config) struct Rule {
    /// For all of it.
    pub policy: TrafficPolicy,
    /// For single ports.
    pub port_policies: Vec<(u16, TrafficPolicy)>,
    /// Its subsets, each name once.
    pub subsets: Vec<Subset>,
    /// Where the first of the objects stands.
    pub origin: Origin,
}

/// Whose traffic a rule is for.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) enum Caller<'n> {
    /// That which leaves a workload: rules that select others do not hold.
    Outbound(&'n Node),
    /// That which enters it: rules that select workloads never hold.
    Inbound(&'n Node),
}

/// The rule for a host of a service of a namespace. Looked for in the caller's namespace, then in the service's, then in the root
/// namespace; the first with a rule for the host wins, and in it the most specific host.
pub(in crate::config) fn rule_for(objects: &Objects, caller: Caller<'_>, host: &str, owner: &str) -> Option<Rule> {
    let (Caller::Outbound(node) | Caller::Inbound(node)) = caller;
    let home = namespace(&node.namespace);
    let of = |place: &str, counts: &dyn Fn(&DestinationRule) -> bool| {
        let rules = objects.destination_rules.iter();
        most_specific(rules.filter(|rule| namespace(&rule.namespace) == place && counts(rule)).collect(), host)
    };
    // What the root namespace exports is looked at last even by its own callers; what it keeps for itself is meant for them.
    let at_home = of(home, &|rule| {
        let own = !rule.workload_selector.is_empty() || seen(&rule.export_to, home, home).is_some();
        own && (home != ROOT_NAMESPACE || is_private(rule))
    });
    let exported = |place: &str| {
        let group = of(place, &|rule| !is_private(rule));
        group.into_iter().filter(|rule| seen(&rule.export_to, place, home).is_some()).collect::<Vec<_>>()
    };
    let mut groups = [at_home, exported(owner), exported(ROOT_NAMESPACE)].into_iter();
    let group = groups.find(|group| !group.is_empty())?;
    let selecting = group.iter().copied().find(|rule| {
        let selects = !rule.workload_selector.is_empty() && subset_of(&rule.workload_selector, &node.labels);
        selects && namespace(&rule.namespace) == home && matches!(caller, Caller::Outbound(_))
    });
    let selector = selecting.map_or_else(BTreeMap::new, |rule| rule.workload_selector.clone());
    merged(group.into_iter().filter(|rule| rule.workload_selector == selector))
}

/// Seen by its own namespace alone, as is every rule that selects workloads.
fn is_private(rule: &DestinationRule) -> bool {
    let owner = namespace(&rule.namespace);
    let alone = matches!(rule.export_to.as_slice(), [only] if only == "." || only == owner);
    alone || !rule.workload_selector.is_empty()
}

fn most_specific<'o>(rules: Vec<&'o DestinationRule>, host: &str) -> Vec<&'o DestinationRule> {
    let fit = |rule: &DestinationRule| specificity(&qualified(&rule.host, &rule.namespace), host);
    let best = rules.iter().filter_map(|rule| fit(rule)).max();
    rules.into_iter().filter(|rule| best.is_some() && fit(rule) == best).collect()
}

/// Subsets of all, the first of a name; the policy of the first that has one.
fn merged<'o>(rules: impl Iterator<Item = &'o DestinationRule>) -> Option<Rule> {
    let mut merged: Option<Rule> = None;
    for rule in rules {
        let into = merged.get_or_insert_with(|| Rule { origin: rule.origin.clone(), ..Rule::default() });
        if into.policy == TrafficPolicy::default() && into.port_policies.is_empty() {
            into.policy = rule.policy.clone();
            into.port_policies.clone_from(&rule.port_policies);
        }
        for subset in &rule.subsets {
            if into.subsets.iter().all(|known| known.name != subset.name) {
                into.subsets.push(subset.clone());
            }
        }
    }
    merged
}
