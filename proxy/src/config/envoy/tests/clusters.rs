use super::support::{ENDPOINTS, cluster, errors, read, told, warnings, with_cluster};
use crate::policy::{Address, AddressFamily, Balance, Cluster, Discovery, Dns, EndpointHealth, SubsetFallback};
use std::time::Duration;

fn with_endpoints(kind: &str, endpoints: &str) -> String {
    format!(
        "static_resources: {{clusters: [{{name: cart, {kind}load_assignment: {{cluster_name: cart, endpoints: [{endpoints}]}}}}]}}"
    )
}

#[test]
fn a_cluster_that_says_nothing_has_envoys_defaults() {
    let read = cluster("");
    let expected = Cluster {
        localities: read.localities.clone(),
        origin: read.origin.clone(),
        drop_unlisted_at_once: true,
        ..Cluster::new("cart")
    };
    assert_eq!(read, expected);
    assert_eq!(read.connections.connect_timeout, Duration::from_secs(5));
    assert_eq!((read.panic_percent, read.overprovisioning), (50.0, 140));
    assert_eq!(read.merge_window, None);
}

#[test]
fn names_are_unique_and_there() {
    let twice = format!("static_resources: {{clusters: [{{name: a, {ENDPOINTS}}}, {{name: a, {ENDPOINTS}}}]}}");
    assert!(errors(&twice)[0].contains("another cluster is called `a` too"));
    let none = format!("static_resources: {{clusters: [{{{ENDPOINTS}}}, {{name: \"\", {ENDPOINTS}}}]}}");
    let told = errors(&none);
    assert!(told.len() == 2 && told[0].contains("`name` is missing") && told[1].contains("empty"), "{told:#?}");
}

#[test]
fn endpoints_are_found_as_the_type_says() {
    let dns = Dns::default();
    for (fields, discovery) in [
        ("type: STATIC", Discovery::Static),
        ("type: STRICT_DNS", Discovery::StrictDns(dns)),
        ("type: 2", Discovery::LogicalDns(dns)),
        (
            "type: STRICT_DNS, dns_refresh_rate: 1s",
            Discovery::StrictDns(Dns {
                refresh: Duration::from_secs(1),
                failure_refresh: Duration::from_secs(1),
                ..dns
            }),
        ),
        (
            "type: STRICT_DNS, respect_dns_ttl: true, dns_lookup_family: ALL, dns_failure_refresh_rate: {base_interval: 2s}",
            Discovery::StrictDns(Dns { family: AddressFamily::All, failure_refresh: Duration::from_secs(2), ..dns }),
        ),
        (
            "cluster_type: {name: dns, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster, \
             dns_lookup_family: V6_ONLY, all_addresses_in_single_endpoint: true}}",
            Discovery::LogicalDns(Dns { family: AddressFamily::V6Only, ..dns }),
        ),
    ] {
        assert_eq!(cluster(fields).discovery, discovery, "{fields}");
    }
    let text = "static_resources: {clusters: [{name: cart, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED}]}";
    assert_eq!(read(text).clusters[0].discovery, Discovery::OriginalDestination);
}

#[test]
fn a_type_and_what_is_listed_fit_each_other() {
    let named = "{lb_endpoints: [{endpoint: {address: {socket_address: {address: cart.internal, port_value: 80}}}}]}";
    let address = with_endpoints("type: STRICT_DNS, ", named);
    assert_eq!(
        read(&address).clusters[0].endpoints().next().unwrap().address,
        Address::Name("cart.internal".to_owned(), 80)
    );
    told(
        str::to_owned,
        &[
            (&with_endpoints("", named), &["endpoint.address", "cart.internal", "STRICT_DNS"]),
            (&with_endpoints("type: LOGICAL_DNS, ", &format!("{named}, {named}")), &["one endpoint", "here are 2"]),
            ("static_resources: {clusters: [{name: cart}]}", &["`load_assignment` is missing"]),
            ("static_resources: {clusters: [{name: cart, type: ORIGINAL_DST}]}", &["CLUSTER_PROVIDED"]),
            (&with_cluster("type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED"), &["lists no endpoints"]),
            (&with_cluster("lb_policy: CLUSTER_PROVIDED"), &["ORIGINAL_DST"]),
        ],
    );
}

#[test]
fn an_endpoint_has_all_that_is_said_of_it() {
    let text = with_endpoints(
        "",
        "{locality: {region: eu, zone: a, sub_zone: b}, priority: 2, load_balancing_weight: 5, lb_endpoints: [\
         {endpoint: {address: {pipe: {path: /run/a}}, hostname: a, health_check_config: {port_value: 81, hostname: h}}, \
          load_balancing_weight: 7, health_status: TIMEOUT, metadata: {filter_metadata: {envoy.lb: {version: v1, canary: true}, other: {a: []}}}}, \
         {endpoint: {address: {socket_address: {address: \"::1\", port_value: 80}}}, health_status: DRAINING}]}",
    );
    let cluster = read(&text).clusters.remove(0);
    let locality = &cluster.localities[0];
    assert_eq!((locality.place.sub_zone.as_str(), locality.priority, locality.weight), ("b", 2, Some(5)));
    let [first, second] = locality.endpoints.as_slice() else { panic!("two") };
    assert_eq!(first.address, Address::Pipe("/run/a".into()));
    assert_eq!((first.weight, first.health, first.check_port), (7, EndpointHealth::Unhealthy, Some(81)));
    assert_eq!((first.hostname.as_str(), first.check_hostname.as_str()), ("a", "h"));
    assert_eq!(first.labels.get("canary").map(String::as_str), Some("true"));
    assert_eq!(first.labels.len(), 2);
    assert_eq!((second.health, second.weight), (EndpointHealth::Draining, 1));
    told(
        |endpoint| with_endpoints("", &format!("{{lb_endpoints: [{endpoint}]}}")),
        &[
            ("{}", &["lb_endpoints[0]", "`endpoint` is missing"]),
            ("{endpoint: {}}", &["lb_endpoints[0].endpoint", "`address` is missing"]),
            ("{endpoint: {address: {}}}", &["endpoint.address", "`socket_address`, `pipe`"]),
            ("{endpoint: {address: {socket_address: {address: 10.0.0.1}}}}", &["`port_value` is missing"]),
            (
                "{endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 65536}}}}",
                &["port_value", "65535"],
            ),
            (
                "{endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 1, protocol: UDP}}}}",
                &["protocol", "`UDP`"],
            ),
            ("{endpoint: {address: {pipe: {path: \"\"}}}}", &["pipe.path", "empty"]),
            (
                "{endpoint: {address: {pipe: {path: /a}}}, load_balancing_weight: 0}",
                &["load_balancing_weight", "from 1"],
            ),
            (
                "{endpoint_name: a, endpoint: {address: {pipe: {path: /a}}}}",
                &["endpoint_name` is valid but not obeyed"],
            ),
        ],
    );
}

#[test]
fn an_endpoint_is_picked_as_the_policy_says() {
    let maglev = Balance::Maglev { table_size: 65_537 };
    let slow = "slow_start_config: {slow_start_window: 10s}";
    let extension = |name: &str, kind: &str, fields: &str| {
        format!(
            "load_balancing_policy: {{policies: [{{typed_extension_config: {{name: a, typed_config: {{\"@type\": \
            type.googleapis.com/envoy.extensions.load_balancing_policies.{name}.v3.{kind}{fields}}}}}}}]}}"
        )
    };
    for (fields, balance) in [
        (String::new(), Balance::RoundRobin),
        ("lb_policy: LEAST_REQUEST".to_owned(), Balance::LEAST_REQUEST),
        (
            "lb_policy: LEAST_REQUEST, least_request_lb_config: {choice_count: 4, active_request_bias: {default_value: 0.5}}".to_owned(),
            Balance::LeastRequest { choices: 4, active_bias: 0.5 },
        ),
        ("lb_policy: RANDOM".to_owned(), Balance::Random),
        ("lb_policy: RING_HASH".to_owned(), Balance::RingHash { min_size: 1024, max_size: 8_388_608 }),
        ("lb_policy: MAGLEV".to_owned(), maglev.clone()),
        ("lb_policy: MAGLEV, maglev_lb_config: {table_size: 101}".to_owned(), Balance::Maglev { table_size: 101 }),
        (extension("round_robin", "RoundRobin", ""), Balance::RoundRobin),
        (extension("least_request", "LeastRequest", ", choice_count: 5"), Balance::LeastRequest { choices: 5, active_bias: 1.0 }),
        (extension("random", "Random", ""), Balance::Random),
        (extension("ring_hash", "RingHash", ", hash_function: XX_HASH, minimum_ring_size: 2"), Balance::RingHash { min_size: 2, max_size: 8_388_608 }),
        (extension("maglev", "Maglev", ""), maglev),
    ] {
        assert_eq!(cluster(&fields).balance, balance, "{fields}");
    }
    let start = cluster(&format!("round_robin_lb_config: {{{slow}}}")).slow_start.unwrap();
    assert_eq!((start.window, start.aggression, start.min_percent), (Duration::from_secs(10), 1.0, 10.0));
    assert!(cluster("common_lb_config: {locality_weighted_lb_config: {}}").locality_weighted);
    assert!(
        cluster(&extension("random", "Random", ", locality_lb_config: {locality_weighted_lb_config: {}}"))
            .locality_weighted
    );
    assert_eq!(cluster("common_lb_config: {update_merge_window: 0s}").merge_window, None);
    let window = cluster("common_lb_config: {update_merge_window: 2s}").merge_window;
    assert_eq!(window, Some(Duration::from_secs(2)));
    assert!(cluster("common_lb_config: {ignore_new_hosts_until_first_hc: true}").ignore_unchecked);
    assert!(cluster("common_lb_config: {close_connections_on_host_set_change: true}").close_on_change);
    assert!(!cluster("type: STRICT_DNS").drop_unlisted_at_once);
    assert!(cluster("type: STRICT_DNS, ignore_health_on_host_removal: true").drop_unlisted_at_once);
    told(
        with_cluster,
        &[
            ("lb_policy: LEAST_REQUEST, least_request_lb_config: {choice_count: 1}", &["choice_count", "from 2"]),
            ("lb_policy: MAGLEV, maglev_lb_config: {table_size: 100}", &["100", "no prime"]),
            ("lb_policy: MAGLEV, maglev_lb_config: {table_size: 5000012}", &["table_size", "out of range"]),
            (
                "lb_policy: RING_HASH, ring_hash_lb_config: {hash_function: MURMUR_HASH_2}",
                &["hash_function", "not obeyed"],
            ),
            ("lb_policy: RING_HASH, ring_hash_lb_config: {minimum_ring_size: 9, maximum_ring_size: 8}", &["above"]),
            (
                "round_robin_lb_config: {slow_start_config: {slow_start_window: 1s, aggression: {default_value: 0}}}",
                &["above 0"],
            ),
            ("lb_policy: LOAD_BALANCING_POLICY_CONFIG", &["needs a `load_balancing_policy`"]),
            (&extension("wrr_locality", "WrrLocality", ""), &["typed_config.WrrLocality` is valid but not obeyed"]),
        ],
    );
    let warned = warnings(&with_cluster("ring_hash_lb_config: {}"));
    assert!(warned[0].contains("no effect"), "{warned:?}");
}

#[test]
fn subsets_fall_back_to_nothing_unless_told_otherwise() {
    let read = cluster(
        "lb_subset_config: {subset_selectors: [{keys: [a, b]}, {keys: [c], fallback_policy: DEFAULT_SUBSET}], default_subset: {v: \"1\"}}",
    );
    let subsets = read.subsets.unwrap();
    assert_eq!(subsets.fallback, SubsetFallback::None);
    assert_eq!(subsets.selectors[0].fallback, None);
    assert_eq!((subsets.selectors[1].fallback, subsets.default_subset.len()), (Some(SubsetFallback::Default), 1));
    told(
        with_cluster,
        &[("lb_subset_config: {subset_selectors: [{keys: [a], fallback_policy: KEYS_SUBSET}]}", &["KEYS_SUBSET"])],
    );
}
