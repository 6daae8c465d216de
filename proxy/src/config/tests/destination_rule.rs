//! What a DestinationRule means.

use super::*;
use crate::config::objects::{DestinationRule, LoadBalancer, TlsSetting, TrafficPolicy};
use crate::policy::{
    Balance, Certificate, HashOf, Http2Keepalive, OutlierDetection, RetryBudget, SlowStart, TcpKeepalive, Threshold,
};
use std::time::Duration;

fn rule_of(text: &str) -> DestinationRule {
    good(text).objects.destination_rules.remove(0)
}

fn of(block: &str) -> TrafficPolicy {
    rule_of(&policy(block)).policy
}

fn balancer(block: &str) -> LoadBalancer {
    of(&format!("loadBalancer: {{{block}}}")).load_balancer.unwrap()
}

fn outlier(block: &str) -> OutlierDetection {
    of(&format!("outlierDetection: {{{block}}}")).outlier.unwrap()
}

#[test]
fn an_empty_outlier_detection_turns_it_on_with_istios_defaults() {
    assert_eq!(outlier(""), OutlierDetection::istio_default());
    assert_eq!(of("connectionPool: {tcp: {}}").outlier, None);
    assert_eq!(of("outlierDetection: {}").min_health_percent, 0);
}

#[test]
fn gateway_errors_alone_leave_5xx_enforced_at_5_and_0_switches_off() {
    let gateway = outlier("consecutiveGatewayErrors: 3");
    assert_eq!((gateway.consecutive_gateway, gateway.consecutive_5xx), (Threshold::at(3), Threshold::at(5)));
    assert_eq!(outlier("consecutive5xxErrors: 0").consecutive_5xx, Threshold::OFF);
    assert_eq!(outlier("consecutiveGatewayErrors: 0").consecutive_gateway, Threshold::OFF);
    let split = outlier("splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 2");
    assert_eq!((split.split_local_origin, split.consecutive_local_origin), (true, Threshold::at(2)));
}

#[test]
fn the_longest_ejection_is_300s_or_the_base_and_0_percent_is_the_default() {
    assert_eq!(outlier("baseEjectionTime: 10m").max_ejection_time, Duration::from_secs(600));
    assert_eq!(outlier("baseEjectionTime: 1s").max_ejection_time, Duration::from_secs(300));
    assert_eq!(outlier("maxEjectionPercent: 0").max_ejection_percent, 10);
    let policy = of("outlierDetection: {minHealthPercent: 40, outlierDetectionHttpErrorCodes: [429, 500]}");
    assert_eq!(policy.min_health_percent, 40);
    assert_eq!(policy.outlier.unwrap().error_statuses, Some(vec![(429, 430), (500, 501)]));
}

#[test]
fn zero_counts_mean_unset() {
    let pool = of(
        "connectionPool: {tcp: {maxConnections: 0, idleTimeout: 0s, tcpKeepalive: {probes: 3, time: 10s}}, http: {http1MaxPendingRequests: 7, maxRetries: 0, http2KeepAlive: {interval: 30s, timeout: 5s}, h2UpgradePolicy: UPGRADE}}",
    );
    let pool = pool.connection_pool.unwrap();
    assert_eq!((pool.max_connections, pool.max_pending, pool.max_retries), (None, Some(7), None));
    assert_eq!((pool.tcp_idle_timeout, pool.http_idle_timeout), (Some(Duration::ZERO), None));
    let keepalive = TcpKeepalive { probes: Some(3), time: Some(Duration::from_secs(10)), interval: None };
    assert_eq!(pool.tcp_keepalive, Some(keepalive));
    let pings = Http2Keepalive { interval: Duration::from_secs(30), timeout: Duration::from_secs(5) };
    assert_eq!((pool.http2_keepalive, pool.upgrade_to_http2), (Some(pings), Some(true)));
}

#[test]
fn the_default_balancer_is_least_request_and_passthrough_is_none() {
    for (block, balance) in [
        ("simple: UNSPECIFIED", Some(Balance::LEAST_REQUEST)),
        ("simple: LEAST_CONN", Some(Balance::LEAST_REQUEST)),
        ("simple: ROUND_ROBIN", Some(Balance::RoundRobin)),
        ("simple: RANDOM", Some(Balance::Random)),
        ("simple: PASSTHROUGH", None),
        ("localityLbSetting: {enabled: false}", Some(Balance::LEAST_REQUEST)),
        ("consistentHash: {useSourceIp: true}", Some(Balance::RingHash { min_size: 1024, max_size: 8_388_608 })),
        (
            "consistentHash: {useSourceIp: true, minimumRingSize: 9}",
            Some(Balance::RingHash { min_size: 9, max_size: 8_388_608 }),
        ),
        (
            "consistentHash: {useSourceIp: true, maglev: {tableSize: 65537}}",
            Some(Balance::Maglev { table_size: 65537 }),
        ),
    ] {
        assert_eq!(balancer(block).balance, balance, "{block}");
    }
    assert_eq!(of("tls: {mode: DISABLE}").load_balancer, None);
}

#[test]
fn a_hash_is_made_of_one_key_or_of_none() {
    let hash = |block: &str| balancer(&format!("consistentHash: {{{block}}}")).hash;
    assert_eq!(hash("httpHeaderName: X-User"), Some(HashOf::Header("x-user".to_owned())));
    assert_eq!(hash("useSourceIp: true"), Some(HashOf::SourceIp));
    assert_eq!(hash("httpQueryParameterName: q"), Some(HashOf::Query("q".to_owned())));
    let cookie = HashOf::Cookie {
        name: "user".to_owned(),
        ttl: Some(Duration::ZERO),
        path: "/".to_owned(),
        attributes: vec![("SameSite".to_owned(), "Lax".to_owned())],
    };
    assert_eq!(
        hash("httpCookie: {name: user, ttl: 0s, path: /, attributes: [{name: SameSite, value: Lax}]}"),
        Some(cookie)
    );
    assert_eq!((hash("useSourceIp: false"), hash("")), (None, None));
}

#[test]
fn warming_up_is_a_straight_line_from_a_tenth() {
    let window = Duration::from_secs(30);
    let line = SlowStart { window, aggression: 1.0, min_percent: 10.0 };
    assert_eq!(balancer("simple: ROUND_ROBIN, warmup: {duration: 30s}").warmup, Some(line));
    assert_eq!(balancer("warmupDurationSecs: 30s").warmup, Some(line));
    let curve = SlowStart { window, aggression: 2.0, min_percent: 5.0 };
    assert_eq!(balancer("warmup: {duration: 30s, aggression: 2, minimumPercent: 5}").warmup, Some(curve));
    assert_eq!(balancer("simple: RANDOM, warmup: {duration: 30s}").warmup, None);
}

#[test]
fn policies_of_ports_and_subsets_are_read_as_they_stand_with_the_hosts_budget_on_its_ports() {
    let rule = rule_of(&istio(
        "DestinationRule",
        concat!(
            "\n  host: cart\n  trafficPolicy:\n    loadBalancer: {simple: RANDOM}\n    outlierDetection: {consecutive5xxErrors: 7}\n",
            "    retryBudget: {percent: 5}\n    portLevelSettings: [{port: {number: 81}, loadBalancer: {simple: ROUND_ROBIN}}]\n",
            "  subsets:\n  - {name: v2, labels: {version: v2}, trafficPolicy: {outlierDetection: {interval: 1s}}}\n",
            "  - {name: v3, trafficPolicy: {portLevelSettings: [{port: {number: 81}, tls: {mode: DISABLE}}]}}"
        ),
    ));
    let budget = Some(RetryBudget { percent: 5.0, min_concurrency: 3 });
    let balance = |policy: &TrafficPolicy| policy.load_balancer.as_ref().and_then(|balancer| balancer.balance.clone());
    let (port, on_port) = &rule.port_policies[0];
    assert_eq!((*port, balance(on_port), on_port.outlier.clone()), (81, Some(Balance::RoundRobin), None));
    assert_eq!((rule.policy.retry_budget, on_port.retry_budget), (budget, budget), "a port has no budget of its own");
    let v2 = &rule.subsets[0];
    assert_eq!((balance(&v2.policy), v2.port_policies.len()), (None, 0));
    assert_eq!(v2.policy.outlier.as_ref().unwrap().consecutive_5xx, Threshold::at(5), "the block is replaced whole");
    let (_, on_port) = &rule.subsets[1].port_policies[0];
    assert_eq!((on_port.load_balancer.clone(), on_port.tls.clone()), (None, Some(TlsSetting::Disable)));
}

#[test]
fn files_of_tls_lie_beside_the_policy() {
    let TlsSetting::Simple { certificate, ca, names, sni, insecure } =
        of("tls: {mode: MUTUAL, clientCertificate: a.pem, privateKey: /etc/a.key, caCertificates: ca.pem, subjectAltNames: [a], sni: b}").tls.unwrap()
    else {
        panic!()
    };
    let own = Certificate { chain: "shop/a.pem".into(), key: "/etc/a.key".into() };
    assert_eq!(
        (certificate, ca, names, sni, insecure),
        (Some(own), Some("shop/ca.pem".into()), vec!["a".to_owned()], Some("b".to_owned()), false)
    );
    let simple = of("tls: {mode: SIMPLE, clientCertificate: a, privateKey: b}").tls.unwrap();
    assert!(matches!(simple, TlsSetting::Simple { certificate: None, ca: None, .. }));
    assert_eq!(of("tls: {}").tls, Some(TlsSetting::Disable));
}

#[test]
fn places_are_shared_out_or_fail_over() {
    let setting =
        balancer("localityLbSetting: {distribute: [{from: eu/a/*, to: {eu/a/*: 80, eu/b/*: 20}}]}").locality.unwrap();
    let shares = vec![("eu/a/*".to_owned(), 80), ("eu/b/*".to_owned(), 20)];
    assert_eq!(setting.distribute, [("eu/a/*".to_owned(), shares)]);
    let failover = of("outlierDetection: {}, loadBalancer: {localityLbSetting: {failover: [{from: eu, to: us}]}}");
    let failover = failover.load_balancer.unwrap().locality.unwrap().failover;
    assert_eq!((failover[0].from.as_str(), failover[0].to.as_str()), ("eu", "us"));
}

#[test]
fn what_istio_warns_of_is_a_warning() {
    for (block, told) in [
        ("outlierDetection: {consecutiveErrors: 3}", "say `consecutive5xxErrors`"),
        ("loadBalancer: {consistentHash: {useSourceIp: true, minimumRingSize: 9}}", "`minimumRingSize` is deprecated"),
        ("loadBalancer: {consistentHash: {}}", "without a key"),
        (
            "loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}]}}",
            "nothing fails over without outlier detection",
        ),
        ("loadBalancer: {localityLbSetting: {failoverPriority: [a]}}", "nothing fails over without outlier detection"),
        ("loadBalancer: {simple: RANDOM, warmup: {duration: 1s}}", "ROUND_ROBIN and LEAST_REQUEST alone"),
    ] {
        let found = warnings(&policy(block));
        assert!(found.len() == 1 && found[0].contains(told), "{block}: {found:?}");
    }
    let empty = warnings(&istio("DestinationRule", "{host: cart, workloadSelector: {}}"));
    assert!(empty[0].contains("every workload"), "{empty:?}");
}

/// What the objects of this text are with the fields and defaults of a version.
fn by(version: &str, text: &str) -> Result<TrafficPolicy, Vec<String>> {
    let source = Source {
        path: "rule.yaml".into(),
        text: format!(
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: cart}}\nspec:\n  host: cart\n  trafficPolicy: {{{text}}}\n"
        ),
    };
    let options = LoadOptions { version: version.parse().unwrap(), ..LoadOptions::default() };
    let read = read(&[source], &options);
    let told = |findings: Vec<Finding>| findings.iter().map(ToString::to_string).collect();
    read.map(|loaded| loaded.objects.destination_rules[0].policy.clone()).map_err(told)
}

#[test]
fn a_retry_budget_without_its_percentage_is_a_hundredth_of_what_was_meant_in_old_versions() {
    for (version, percent) in [("1.27", 0.2), ("1.28", 20.0), ("latest", 20.0)] {
        let budget = by(version, "retryBudget: {minRetryConcurrency: 5}").unwrap().retry_budget.unwrap();
        assert!((budget.percent - percent).abs() < f64::EPSILON, "{version}");
    }
    let said = by("1.27", "retryBudget: {percent: 30}").unwrap().retry_budget.unwrap();
    assert!((said.percent - 30.0).abs() < f64::EPSILON);
}

#[test]
fn error_codes_of_a_detector_are_refused_in_versions_that_do_not_have_them() {
    let text = "outlierDetection: {outlierDetectionHttpErrorCodes: [503]}";
    assert_eq!(by("1.32", text).unwrap().outlier.unwrap().error_statuses, Some(vec![(503, 504)]));
    let told = by("1.31", text).unwrap_err();
    assert!(told[0].contains("Istio 1.31 has no `outlierDetectionHttpErrorCodes`"), "{told:?}");
}
