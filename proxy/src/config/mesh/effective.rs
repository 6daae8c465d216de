//! Which blocks of a rule hold for one port and subset.

use super::rules::Rule;
use crate::config::objects::{Subset, TrafficPolicy};
use crate::policy::HashOf;

/// What holds at a port of the whole host. A port's own policy replaces the host's whole: a block that it leaves out is the mesh's default.
pub(super) fn at_port(rule: &Rule, port: u16) -> TrafficPolicy {
    match of_port(&rule.port_policies, port) {
        Some(own) => TrafficPolicy { retry_budget: None, ..own.clone() },
        None => rule.policy.clone(),
    }
}

/// What holds at a port of a subset: each block of the subset replaces that of the host; the subset's policy for the port replaces all.
pub(super) fn of_subset(rule: &Rule, subset: &Subset, port: u16) -> TrafficPolicy {
    let host = at_port(rule, port);
    if let Some(own) = of_port(&subset.port_policies, port) {
        return TrafficPolicy { retry_budget: host.retry_budget, ..own.clone() };
    }
    let own = subset.policy.clone();
    let detector = if own.outlier.is_some() { &own } else { &host };
    TrafficPolicy {
        outlier: detector.outlier.clone(),
        min_health_percent: detector.min_health_percent,
        load_balancer: own.load_balancer.or(host.load_balancer),
        connection_pool: own.connection_pool.or(host.connection_pool),
        tls: own.tls.or(host.tls),
        retry_budget: own.retry_budget.or(host.retry_budget),
    }
}

/// What a consistent hash to a destination is made of. A policy for a port counts only where the destination names the port.
pub(super) fn hash_of_destination(rule: &Rule, subset: Option<&str>, named_port: Option<u16>) -> Option<HashOf> {
    let at = |policies: &[(u16, TrafficPolicy)]| named_port.and_then(|port| of_port(policies, port).and_then(hash));
    let subset = rule.subsets.iter().find(|known| Some(known.name.as_str()) == subset);
    let of_subset = subset.and_then(|subset| at(&subset.port_policies).or_else(|| hash(&subset.policy)));
    of_subset.or_else(|| at(&rule.port_policies)).or_else(|| hash(&rule.policy))
}

/// The same for a service that no object routes.
pub(super) fn hash_of_service(rule: &Rule, port: u16) -> Option<HashOf> {
    of_port(&rule.port_policies, port).and_then(hash).or_else(|| hash(&rule.policy))
}

fn of_port(policies: &[(u16, TrafficPolicy)], port: u16) -> Option<&TrafficPolicy> {
    policies.iter().find(|(known, _)| *known == port).map(|(_, policy)| policy)
}

fn hash(policy: &TrafficPolicy) -> Option<HashOf> {
    policy.load_balancer.as_ref()?.hash.clone()
}
