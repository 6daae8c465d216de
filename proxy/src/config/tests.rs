mod support;

use super::*;
use crate::policy::{Action, Balance, RetryOn, RetryPolicy, TextMatch};
use std::time::Duration;

fn sources(text: &str) -> Vec<Source> {
    vec![Source { path: "cart.yaml".into(), text: text.to_owned() }]
}

fn good(text: &str) -> Loaded {
    read(&sources(text), &LoadOptions::default()).unwrap_or_else(|findings| panic!("{findings:#?}"))
}

fn errors(text: &str) -> Vec<String> {
    let findings = read(&sources(text), &LoadOptions::default()).expect_err("errors");
    findings.iter().map(|one| format!("{}:{} {}", one.place.line, one.place.column, one.message)).collect()
}

fn rule(block: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: cart}}\nspec:\n  host: cart\n{block}"
    )
}

fn service(rule: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1beta1\nkind: VirtualService\nmetadata: {{name: cart}}\nspec:\n  hosts: [Cart]\n  http:\n    - {rule}\n"
    )
}

fn retry(block: &str) -> RetryPolicy {
    let text = service(&format!("{{route: [{{destination: {{host: cart}}}}]{block}}}"));
    good(&text).policies.virtual_services[0].routes[0].retry.clone()
}

#[test]
fn an_empty_outlier_detection_turns_it_on_with_istios_defaults() {
    let loaded = good(&rule("  trafficPolicy: {outlierDetection: {}}"));
    let outlier = loaded.policies.destination_rules[0].policy.outlier.clone().unwrap();
    assert_eq!((outlier.consecutive_5xx, outlier.consecutive_gateway), (Some(5), None));
    assert_eq!((outlier.interval, outlier.base_ejection_time), (Duration::from_secs(10), Duration::from_secs(30)));
    assert_eq!(outlier.max_ejection_percent, 10);
    assert!(good(&rule("  trafficPolicy: {}")).policies.destination_rules[0].policy.outlier.is_none());
}

#[test]
fn gateway_errors_alone_leave_5xx_enforced_at_5_and_0_switches_off() {
    let of = |block: &str| {
        let text = rule(&format!("  trafficPolicy: {{outlierDetection: {{{block}}}}}"));
        good(&text).policies.destination_rules[0].policy.outlier.clone().unwrap()
    };
    let gateway = of("consecutiveGatewayErrors: 3");
    assert_eq!((gateway.consecutive_gateway, gateway.consecutive_5xx), (Some(3), Some(5)));
    assert_eq!(of("consecutive5xxErrors: 0").consecutive_5xx, None);
    assert_eq!(of("baseEjectionTime: 10m").max_ejection_time, Duration::from_secs(600));
}

#[test]
fn retries_absent_are_the_meshs_default_and_empty_are_off() {
    assert_eq!(retry(""), RetryPolicy::mesh_default());
    assert_eq!(retry(", retries: {}").attempts, 0);
    assert_eq!(retry(", retries: {attempts: 0}").attempts, 0);
    let default_on = retry(", retries: {attempts: 3, perTryTimeout: 2s}");
    assert_eq!((default_on.attempts, default_on.on), (3, RetryOn::mesh_default()));
    assert_eq!(default_on.per_try_timeout, Some(Duration::from_secs(2)));
}

#[test]
fn integers_in_retry_on_are_status_codes() {
    let policy = retry(", retries: {attempts: 1, retryOn: \"503, gateway-error,reset\"}");
    assert_eq!(policy.on.statuses, [503]);
    assert!(policy.on.gateway_error && policy.on.reset && !policy.on.any_5xx);
}

#[test]
fn the_default_balancer_is_least_request_and_zero_counts_mean_unset() {
    let loaded = good(&rule(
        "  trafficPolicy: {connectionPool: {tcp: {maxConnections: 0}, http: {http1MaxPendingRequests: 7}}}",
    ));
    let policy = &loaded.policies.destination_rules[0].policy;
    assert_eq!(policy.balance, Balance::LeastRequest);
    assert_eq!((policy.pool.max_connections, policy.pool.max_pending), (u32::MAX, 7));
}

#[test]
fn a_subset_overrides_block_by_block_and_a_port_replaces_everything() {
    let loaded = good(&rule(concat!(
        "  trafficPolicy:\n    loadBalancer: {simple: RANDOM}\n    outlierDetection: {consecutive5xxErrors: 7}\n",
        "    portLevelSettings: [{port: {number: 81}, loadBalancer: {simple: ROUND_ROBIN}}]\n",
        "  subsets: [{name: v2, labels: {version: v2}, trafficPolicy: {outlierDetection: {interval: 1s}}}]"
    )));
    let rule = &loaded.policies.destination_rules[0];
    let subset = &rule.subsets[0].policy;
    assert_eq!(subset.balance, Balance::Random);
    assert_eq!(subset.outlier.as_ref().unwrap().consecutive_5xx, Some(5), "the block is replaced whole");
    let port = &rule.port_policies[0].1;
    assert_eq!((port.balance, port.outlier.clone()), (Balance::RoundRobin, None));
}

#[test]
fn a_single_destination_needs_no_weight_and_one_without_among_several_gets_nothing() {
    let to = |route: &str| {
        let loaded = good(&service(&format!("{{route: [{route}]}}")));
        let Action::Forward { to, .. } = loaded.policies.virtual_services[0].routes[0].action.clone() else { panic!() };
        to.iter().map(|one| (one.destination.host.clone(), one.weight)).collect::<Vec<_>>()
    };
    assert_eq!(to("{destination: {host: a}, weight: 0}"), [("a".to_owned(), 1)]);
    assert_eq!(to("{destination: {host: a}, weight: 30}, {destination: {host: b}}"), [("a".to_owned(), 30)]);
}

#[test]
fn an_empty_string_match_means_present_and_a_regex_matches_the_whole() {
    let loaded = good(&service(
        "{match: [{headers: {X-User: {}, x-id: {regex: \"[0-9]+\"}}, uri: {prefix: /}}], route: [{destination: {host: a}}]}",
    ));
    let block = &loaded.policies.virtual_services[0].routes[0].matches[0];
    let by_name = |name: &str| &block.headers.iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!(by_name("x-user"), &TextMatch::Present);
    assert!(by_name("x-id").matches("12") && !by_name("x-id").matches("12x"));
}

#[test]
fn what_istio_refuses_is_refused_with_its_place() {
    let route = "route: [{destination: {host: a}}]";
    for (rule, expected) in [
        (format!("{{{route}, timeout: 0s}}"), "Istio refuses `timeout: 0s`"),
        (format!("{{{route}, retries: {{attempts: 0, perTryTimeout: 1s}}}}"), "Istio refuses `attempts: 0`"),
        (format!("{{{route}, retries: {{attempts: 1, retryOn: gateway-eror}}}}"), "`gateway-eror` is no condition"),
        (format!("{{{route}, redirect: {{uri: /}}}}"), "exactly one of"),
        (
            format!("{{{route}, fault: {{abort: {{httpStatus: 503, percentage: {{value: 130}}}}}}}}"),
            "130 is no percentage",
        ),
        (format!("{{{route}, timeout: 5 seconds}}"), "no duration"),
        (format!("{{{route}, timeot: 5s}}"), "timeot"),
        (format!("{{match: [{{uri: {{regex: \"(\"}}}}], {route}}}"), "is not understood"),
        ("{route: [{destination: {host: a}, weight: 0}, {destination: {host: b}, weight: 0}]}".to_owned(), "weight"),
        ("{directResponse: {status: 99}}".to_owned(), "99 is no status"),
    ] {
        let found = errors(&service(&rule));
        assert!(found.iter().any(|one| one.contains(expected)), "{rule}: {found:?}");
        assert!(found.iter().all(|one| !one.starts_with("0:")), "{found:?}");
    }
}

#[test]
fn fields_that_are_not_obeyed_are_refused_by_name_unless_accepted() {
    let text = service("{route: [{destination: {host: a}}], mirror: {host: b}}");
    let found = errors(&text);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("`VirtualService.spec.http.mirror` is valid but not obeyed"), "{found:?}");
    let options = LoadOptions { accept_unsupported: vec!["VirtualService.spec.http.mirror".to_owned()] };
    let loaded = read(&sources(&text), &options).unwrap();
    assert_eq!(loaded.unsupported.len(), 1);
}

#[test]
fn unknown_kinds_are_refused_with_what_is_read() {
    assert!(errors("apiVersion: v1\nkind: Pod\n")[0].contains("`Pod` are not read"));
    assert!(errors("kind: VirtualService\n")[0].contains("`apiVersion`"));
    assert!(errors("just text")[0].contains("apiVersion"));
}

#[test]
fn a_deployments_probes_have_kubernetes_defaults() {
    let loaded = good(concat!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart}\nspec:\n  replicas: 3\n  selector: {matchLabels: {app: cart}}\n",
        "  template:\n    metadata: {labels: {app: cart}}\n    spec:\n      containers:\n",
        "        - {name: cart, image: cart, livenessProbe: {httpGet: {path: /health, port: 8080}}}\n"
    ));
    let deployment = &loaded.policies.deployments[0];
    let probe = deployment.liveness.as_ref().unwrap();
    assert_eq!((deployment.replicas, probe.failure_threshold), (3, 3));
    assert_eq!((probe.period, probe.timeout), (Duration::from_secs(10), Duration::from_secs(1)));
    assert!(deployment.readiness.is_none());
}

#[test]
fn endpoints_carry_the_labels_of_their_slice() {
    let loaded = good(concat!(
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: web-1\n",
        "  labels: {kubernetes.io/service-name: web, version: v2}\naddressType: IPv4\n",
        "ports: [{port: 4000}]\nendpoints: [{addresses: [127.0.0.1], conditions: {ready: false}}]\n"
    ));
    let endpoint = &loaded.policies.endpoints[0];
    assert_eq!((endpoint.service.as_str(), endpoint.ready), ("web", false));
    assert_eq!(endpoint.address.to_string(), "127.0.0.1:4000");
    assert_eq!(endpoint.labels.len(), 1);
}
