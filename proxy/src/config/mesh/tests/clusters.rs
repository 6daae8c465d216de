use super::support::*;
use crate::config::mesh::{Mode, OutboundTraffic, Site, resolve};
use crate::config::objects::{
    AppProtocol, CheckOf, ConnectionPool, DestinationRule, LoadBalancer, Objects, TlsSetting, TrafficPolicy,
};
use crate::policy::{
    Balance, Discovery, HealthCheck, HealthProbe, HttpProbe, NameMatch, OutlierDetection, PoolLimits, ProtocolChoice,
    RetryBudget, ServerNames, ServiceIdentity, SlowStart, Sni, Trust, UNLIMITED,
};
use std::time::Duration;

use ProtocolChoice::{Http1, Http2, OfClient};

const SECOND: Duration = Duration::from_secs(1);

fn with(policy: TrafficPolicy) -> Objects {
    Objects { destination_rules: vec![destination_rule("cart", policy)], ..shop() }
}

fn pool(pool: ConnectionPool) -> Objects {
    with(TrafficPolicy { connection_pool: Some(pool), ..TrafficPolicy::default() })
}

#[test]
fn every_port_and_subset_of_a_service_has_a_cluster_whether_a_route_names_it_or_not() {
    let http = |number| port(number, "http", AppProtocol::Http);
    let mut objects = shop();
    objects.services = vec![service_with("cart", vec![http(80), http(81), port(53, "dns", AppProtocol::Udp)])];
    let rule = destination_rule("cart", TrafficPolicy::default());
    objects.destination_rules = vec![DestinationRule { subsets: vec![subset("v1", &[]), subset("v2", &[])], ..rule }];
    let config = resolved(&objects);
    let names: Vec<_> = config.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    let host = "cart.default.svc.cluster.local";
    let expected = ["80|", "80|v1", "80|v2", "81|", "81|v1", "81|v2"].map(|part| format!("outbound|{part}|{host}"));
    assert_eq!(names[..6], expected);
    assert_eq!(names[6..], ["PassthroughCluster"]);
    assert_eq!(
        cluster(&config, "outbound|81|v2|cart.default.svc.cluster.local").service,
        ServiceIdentity {
            host: host.to_owned(),
            name: "cart".to_owned(),
            namespace: "default".to_owned(),
            subset: "v2".to_owned(),
            port: 81
        }
    );
}

#[test]
fn the_meshs_defaults_hold_without_a_rule() {
    let config = resolved(&shop());
    let cluster = cluster(&config, CART);
    assert_eq!(cluster.balance, Balance::LEAST_REQUEST);
    assert_eq!(cluster.limits, PoolLimits::unlimited());
    assert_eq!(cluster.high_limits, PoolLimits::envoy_default());
    assert_eq!(cluster.connections.connect_timeout, Duration::from_secs(10));
    assert_eq!(cluster.connections.idle_timeout, Some(Duration::from_secs(3600)));
    assert_eq!((cluster.connections.max_requests, cluster.connections.max_duration), (None, None));
    assert_eq!((&cluster.outlier, &cluster.tls, cluster.slow_start), (&None, &None, None));
    assert_eq!(cluster.protocol.choice, Http1);
    assert_eq!(cluster.discovery, Discovery::Static);
    assert!(!cluster.locality_weighted);
}

#[test]
fn limits_are_taken_over_and_zero_says_nothing() {
    let config = resolved(&pool(ConnectionPool {
        max_connections: Some(1),
        max_pending: Some(2),
        max_requests: Some(3),
        max_retries: Some(4),
        ..ConnectionPool::default()
    }));
    let limits = cluster(&config, CART).limits;
    assert_eq!([limits.connections, limits.pending, limits.requests, limits.retries], [1, 2, 3, 4]);
    let config = resolved(&pool(ConnectionPool {
        max_connections: Some(0),
        max_pending: Some(0),
        max_requests_per_connection: Some(0),
        ..ConnectionPool::default()
    }));
    let cluster = cluster(&config, CART);
    assert_eq!((cluster.limits.connections, cluster.limits.pending), (UNLIMITED, UNLIMITED));
    assert_eq!(cluster.connections.max_requests, None);
}

#[test]
fn the_idle_time_of_tcp_holds_for_http_where_that_is_unsaid_and_zero_is_for_ever() {
    for (http, tcp, idle) in [
        (None, None, Some(SECOND * 3600)),
        (Some(SECOND), Some(SECOND * 2), Some(SECOND)),
        (None, Some(SECOND * 2), Some(SECOND * 2)),
        (None, Some(Duration::ZERO), None),
    ] {
        let settings = ConnectionPool { http_idle_timeout: http, tcp_idle_timeout: tcp, ..ConnectionPool::default() };
        assert_eq!(cluster(&resolved(&pool(settings)), CART).connections.idle_timeout, idle);
    }
}

#[test]
fn the_panic_threshold_is_the_rules_with_a_detector_and_without_one_that_of_the_version() {
    let without = TrafficPolicy::default();
    let some = TrafficPolicy { min_health_percent: 40, ..detector() };
    for (policy, version, percent) in [
        (without.clone(), "latest", 0.0),
        (without, "1.31", 50.0),
        (detector(), "latest", 0.0),
        (detector(), "1.20", 0.0),
        (some, "1.20", 40.0),
    ] {
        let site = Site { version: version.parse().unwrap(), ..caller() };
        let config = resolve(&with(policy), &site);
        assert!((cluster(&config, CART).panic_percent - percent).abs() < f64::EPSILON, "{version}");
    }
}

#[test]
fn a_detector_is_taken_over_and_an_old_one_may_always_eject_one() {
    let config = resolved(&with(detector()));
    assert_eq!(cluster(&config, CART).outlier, Some(OutlierDetection::istio_default()));
    let config = resolve(&with(detector()), &Site { version: "1.19".parse().unwrap(), ..caller() });
    assert!(cluster(&config, CART).outlier.as_ref().unwrap().always_eject_one);
}

#[test]
fn statuses_that_fail_and_the_retry_budget_are_taken_over() {
    let failures = Some(vec![(503, 504)]);
    let outlier = OutlierDetection { error_statuses: failures.clone(), ..OutlierDetection::istio_default() };
    let policy = TrafficPolicy {
        outlier: Some(outlier),
        retry_budget: Some(RetryBudget { percent: 20.0, min_concurrency: 3 }),
        ..detector()
    };
    let config = resolved(&with(policy));
    let cluster = cluster(&config, CART);
    assert_eq!(cluster.outlier.as_ref().unwrap().error_statuses, failures);
    assert!(cluster.limits.retry_budget.is_some());
}

#[test]
fn the_protocol_is_the_ports_unless_the_rule_says_another() {
    let say = |upgrade, of_client| ConnectionPool {
        upgrade_to_http2: upgrade,
        use_client_protocol: of_client,
        ..ConnectionPool::default()
    };
    for (spoken, upgrade, of_client, choice) in [
        (AppProtocol::Http, None, false, Http1),
        (AppProtocol::Http2, None, false, Http2),
        (AppProtocol::Grpc, None, false, Http2),
        (AppProtocol::GrpcWeb, None, false, Http1),
        (AppProtocol::Sniffed, None, false, OfClient),
        (AppProtocol::Http, Some(true), false, Http2),
        (AppProtocol::Http, Some(false), false, Http1),
        (AppProtocol::Http, Some(true), true, OfClient),
        (AppProtocol::Grpc, None, true, OfClient),
        (AppProtocol::Sniffed, Some(true), false, OfClient),
        (AppProtocol::Tcp, None, false, Http1),
    ] {
        let mut objects = pool(say(upgrade, of_client));
        objects.services = vec![service_with("cart", vec![port(80, "p", spoken)])];
        let made = cluster(&resolved(&objects), CART).protocol.choice;
        assert_eq!(made, choice, "{spoken:?} {upgrade:?} {of_client}");
        if spoken == AppProtocol::Sniffed {
            let config = resolve(&objects, &Site { mode: Mode::Gateway, ..caller() });
            assert_ne!(cluster(&config, CART).protocol.choice, OfClient, "a gateway finds nothing out");
        }
    }
}

#[test]
fn streams_of_http2_are_limited_only_where_it_is_spoken_for_certain() {
    let settings = |upgrade| ConnectionPool {
        max_concurrent_streams: Some(7),
        upgrade_to_http2: upgrade,
        ..ConnectionPool::default()
    };
    for (upgrade, version, streams) in
        [(Some(true), "latest", 7), (None, "latest", 1024), (None, "1.27", (1 << 31) - 1), (Some(true), "1.27", 7)]
    {
        let config = resolve(&pool(settings(upgrade)), &Site { version: version.parse().unwrap(), ..caller() });
        assert_eq!(cluster(&config, CART).protocol.http2.max_concurrent_streams, streams);
    }
}

#[test]
fn balancers_are_taken_over_and_warm_up_is_for_two_of_them() {
    let warmup = SlowStart { window: SECOND, aggression: 1.0, min_percent: 10.0 };
    for (balance, warms_up) in [
        (Balance::LEAST_REQUEST, true),
        (Balance::RoundRobin, true),
        (Balance::Random, false),
        (Balance::Maglev { table_size: 65_537 }, false),
    ] {
        let lb = LoadBalancer { balance: Some(balance.clone()), warmup: Some(warmup), ..balancer() };
        let config = resolved(&with(TrafficPolicy { load_balancer: Some(lb), ..TrafficPolicy::default() }));
        let cluster = cluster(&config, CART);
        assert_eq!((&cluster.balance, cluster.slow_start.is_some()), (&balance, warms_up));
    }
}

#[test]
fn passing_through_leaves_the_endpoints_out() {
    let lb = LoadBalancer { balance: None, ..balancer() };
    let mut objects = with(TrafficPolicy { load_balancer: Some(lb), ..TrafficPolicy::default() });
    objects.endpoints = vec![endpoint("cart", 1, &[])];
    let config = resolved(&objects);
    assert_eq!(cluster(&config, CART).discovery, Discovery::OriginalDestination);
    assert_eq!(cluster(&config, CART).endpoints().count(), 0);
}

#[test]
fn tls_checks_the_name_that_was_asked_for_unless_names_or_a_server_name_are_given() {
    let simple = |names: &[&str], sni: Option<&str>, ca: Option<&str>, insecure| TlsSetting::Simple {
        certificate: None,
        ca: ca.map(Into::into),
        names: strings(names),
        sni: sni.map(str::to_owned),
        insecure,
    };
    let own = ServerNames::OneOf(vec![NameMatch::exact("a")]);
    let fixed = Sni::Fixed("s".to_owned());
    for (setting, sni, trust, names) in [
        (simple(&[], None, None, false), Sni::FromHost, Trust::System, ServerNames::Sni),
        (simple(&["a"], None, Some("ca"), false), Sni::FromHost, Trust::File("ca".into()), own.clone()),
        (simple(&[], Some("s"), None, false), fixed.clone(), Trust::System, ServerNames::Any),
        (simple(&["a"], Some("s"), None, false), fixed, Trust::System, own),
        (simple(&["a"], None, Some("ca"), true), Sni::FromHost, Trust::Nobody, ServerNames::Any),
    ] {
        let config = resolved(&with(TrafficPolicy { tls: Some(setting), ..TrafficPolicy::default() }));
        let tls = cluster(&config, CART).tls.as_ref().unwrap();
        assert_eq!((&tls.sni, &tls.trust, &tls.names), (&sni, &trust, &names));
    }
    let config = resolved(&with(TrafficPolicy { tls: Some(TlsSetting::Disable), ..TrafficPolicy::default() }));
    assert_eq!(cluster(&config, CART).tls, None);
}

#[test]
fn active_checks_go_to_every_cluster_of_their_host() {
    let check = HealthCheck {
        probe: HealthProbe::Http(HttpProbe::get("/")),
        interval: SECOND,
        timeout: SECOND,
        healthy_threshold: 1,
        unhealthy_threshold: 1,
        no_traffic_interval: None,
        no_traffic_healthy_interval: None,
        unhealthy_interval: None,
        unhealthy_edge_interval: None,
        healthy_edge_interval: None,
        initial_jitter: Duration::ZERO,
        interval_jitter: Duration::ZERO,
        interval_jitter_percent: 0,
        reuse_connection: true,
        origin: Default::default(),
    };
    let mut objects = with(TrafficPolicy::default());
    objects.destination_rules[0].subsets = vec![subset("v1", &[])];
    objects.health_checks = vec![CheckOf { host: "cart".to_owned(), check: check.clone() }];
    let config = resolved(&objects);
    let checked = config.clusters.iter().filter(|cluster| cluster.health_checks == [check.clone()]);
    assert!(checked.clone().all(|cluster| cluster.service.name == "cart"));
    assert_eq!(checked.count(), 2);
}

#[test]
fn what_nobody_knows_goes_through_unlimited_or_nowhere() {
    let config = resolved(&shop());
    let through = cluster(&config, "PassthroughCluster");
    assert_eq!((&through.discovery, through.protocol.choice), (&Discovery::OriginalDestination, OfClient));
    assert_eq!(through.limits, PoolLimits::unlimited());
    let config = resolve(&shop(), &Site { unknown_hosts: OutboundTraffic::RegistryOnly, ..caller() });
    assert_eq!(cluster(&config, "BlackHoleCluster").endpoints().count(), 0);
    assert!(config.clusters.iter().all(|cluster| cluster.name != "PassthroughCluster"));
}
