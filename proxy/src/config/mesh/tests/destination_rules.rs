use super::support::*;
use crate::config::mesh::{Site, resolve};
use crate::config::objects::{ConnectionPool, DestinationRule, Objects, TrafficPolicy};
use crate::policy::{Config, Node, RetryBudget, UNLIMITED};

/// A policy that is told from others by its limit of connections.
fn limit(connections: u32) -> TrafficPolicy {
    let pool = ConnectionPool { max_connections: Some(connections), ..ConnectionPool::default() };
    TrafficPolicy { connection_pool: Some(pool), ..TrafficPolicy::default() }
}

fn of(namespace: &str, host: &str, connections: u32) -> DestinationRule {
    DestinationRule { namespace: namespace.to_owned(), ..destination_rule(host, limit(connections)) }
}

fn exported(rule: DestinationRule, to: &[&str]) -> DestinationRule {
    DestinationRule { export_to: strings(to), ..rule }
}

fn seen_from(namespace: &str, labelled: &[(&str, &str)], rules: Vec<DestinationRule>) -> Config {
    let mut objects = Objects { destination_rules: rules, ..shop() };
    objects.services.push(service("till", "bank"));
    let node = Node { namespace: namespace.to_owned(), labels: labels(labelled), ..Node::default() };
    resolve(&objects, &Site { node, ..caller() })
}

const TILL: &str = "outbound|80||till.bank.svc.cluster.local";
const TILL_HOST: &str = "till.bank.svc.cluster.local";

#[test]
fn the_callers_namespace_comes_before_the_services_and_that_before_the_root() {
    let rules = |kept: &[&str]| -> Vec<_> {
        let all = [of("istio-system", TILL_HOST, 3), of("bank", TILL_HOST, 2), of("default", TILL_HOST, 1)];
        all.into_iter().filter(|rule| kept.contains(&rule.namespace.as_str())).collect()
    };
    for (kept, from, connections) in [
        (&["istio-system", "bank", "default"][..], "default", 1),
        (&["istio-system", "bank"][..], "default", 2),
        (&["istio-system"][..], "default", 3),
        (&["istio-system", "default"][..], "bank", 3),
        (&["default"][..], "bank", UNLIMITED),
        (&["istio-system", "bank"][..], "istio-system", 2),
    ] {
        let config = seen_from(from, &[], rules(kept));
        assert_eq!(cluster(&config, TILL).limits.connections, connections, "{kept:?} from {from}");
    }
}

#[test]
fn a_rule_of_another_namespace_must_be_exported_to_the_caller() {
    for (export_to, connections) in [
        (&[][..], 2),
        (&["*"][..], 2),
        (&["default"][..], 2),
        (&["."][..], UNLIMITED),
        (&["bank"][..], UNLIMITED),
        (&["x", "y"][..], UNLIMITED),
    ] {
        let config = seen_from("default", &[], vec![exported(of("bank", TILL_HOST, 2), export_to)]);
        assert_eq!(cluster(&config, TILL).limits.connections, connections, "{export_to:?}");
    }
}

#[test]
fn what_the_root_namespace_keeps_for_itself_is_for_its_own_callers() {
    let rules = vec![exported(of("istio-system", TILL_HOST, 3), &["."])];
    assert_eq!(cluster(&seen_from("istio-system", &[], rules.clone()), TILL).limits.connections, 3);
    assert_eq!(cluster(&seen_from("default", &[], rules), TILL).limits.connections, UNLIMITED);
}

#[test]
fn the_most_specific_host_of_a_namespace_wins() {
    let rules = vec![of("default", "*.local", 1), of("default", "*.svc.cluster.local", 2), of("default", "cart", 3)];
    let config = seen_from("default", &[], rules);
    assert_eq!(cluster(&config, CART).limits.connections, 3);
    assert_eq!(cluster(&config, PAY).limits.connections, 2);
}

#[test]
fn a_namespace_with_a_wider_rule_still_comes_first() {
    let rules = vec![of("bank", TILL_HOST, 2), of("default", "*.local", 1)];
    assert_eq!(cluster(&seen_from("default", &[], rules), TILL).limits.connections, 1);
}

#[test]
fn several_rules_for_a_host_unite_their_subsets_under_the_first_policy() {
    let with = |rule: DestinationRule, subsets| DestinationRule { subsets, ..rule };
    let rules = vec![
        with(destination_rule("cart", TrafficPolicy::default()), vec![subset("v1", &[("v", "1")])]),
        with(of("default", "cart", 5), vec![subset("v1", &[("v", "other")]), subset("v2", &[("v", "2")])]),
        of("default", "cart", 6),
    ];
    let mut objects = Objects { destination_rules: rules, ..shop() };
    objects.endpoints = vec![endpoint("cart", 1, &[("v", "1")]), endpoint("cart", 2, &[("v", "2")])];
    let config = resolved(&objects);
    assert_eq!(cluster(&config, CART).limits.connections, 5);
    for version in ["v1", "v2"] {
        let cluster = cluster(&config, &format!("outbound|80|{version}|cart.default.svc.cluster.local"));
        assert_eq!((cluster.limits.connections, cluster.endpoints().count()), (5, 1));
    }
}

#[test]
fn a_rule_that_selects_workloads_is_for_those_of_its_namespace_alone() {
    let selecting = DestinationRule { workload_selector: labels(&[("app", "web")]), ..of("default", "cart", 1) };
    let rules = vec![of("default", "cart", 2), selecting];
    assert_eq!(cluster(&seen_from("default", &[("app", "web")], rules.clone()), CART).limits.connections, 1);
    assert_eq!(cluster(&seen_from("default", &[("app", "other")], rules.clone()), CART).limits.connections, 2);
    assert_eq!(cluster(&seen_from("bank", &[("app", "web")], rules), CART).limits.connections, 2);
}

#[test]
fn a_subset_replaces_blocks_whole_and_leaves_the_others() {
    let mut own = subset("v1", &[]);
    own.policy.connection_pool = Some(ConnectionPool { max_pending: Some(9), ..ConnectionPool::default() });
    let mut rule = of("default", "cart", 5);
    rule.policy.outlier = detector().outlier;
    rule.policy.min_health_percent = 30;
    rule.subsets = vec![own, subset("v2", &[])];
    let config = seen_from("default", &[], vec![rule]);
    let of = |version: &str| cluster(&config, &format!("outbound|80|{version}|cart.default.svc.cluster.local"));
    assert_eq!((of("v1").limits.connections, of("v1").limits.pending), (UNLIMITED, 9));
    assert_eq!((of("v2").limits.connections, of("v2").limits.pending), (5, UNLIMITED));
    for version in ["v1", "v2"] {
        assert!(of(version).outlier.is_some());
        assert!((of(version).panic_percent - 30.0).abs() < f64::EPSILON);
    }
}

#[test]
fn a_policy_for_a_port_replaces_everything_so_that_what_it_omits_is_the_default() {
    let mut rule = of("default", "cart", 5);
    rule.policy.outlier = detector().outlier;
    rule.policy.retry_budget = Some(RetryBudget { percent: 20.0, min_concurrency: 3 });
    rule.port_policies = vec![(80, limit(7))];
    rule.subsets = vec![subset("v1", &[]), subset("v2", &[]), subset("v3", &[])];
    rule.subsets[1].policy = detector();
    rule.subsets[2].policy = limit(8);
    rule.subsets[2].port_policies = vec![(80, detector())];
    let config = seen_from("default", &[], vec![rule]);
    let of = |version: &str| {
        let cluster = cluster(&config, &format!("outbound|80|{version}|cart.default.svc.cluster.local"));
        (cluster.limits.connections, cluster.outlier.is_some(), cluster.limits.retry_budget.is_some())
    };
    assert_eq!(of(""), (7, false, false));
    assert_eq!(of("v1"), (7, false, false));
    assert_eq!(of("v2"), (7, true, false), "blocks of a subset replace those of the host's port");
    assert_eq!(of("v3"), (UNLIMITED, true, false), "its own policy for the port replaces all");
}
