//! Bootstraps, in Envoy's words.

use super::{Silent, Told, advice, hold, indented, silent, told};

/// One listener with one route, whose fields stand from line 22 on, to a cluster of three instances, whose fields stand from line 30 on.
fn bootstrap(route: &str, cluster: &str) -> String {
    of_instances(3, route, cluster)
}

fn of_instances(number: u16, route: &str, cluster: &str) -> String {
    let endpoint =
        |port| format!("{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}");
    let endpoints: Vec<String> = (1..=number).map(endpoint).collect();
    format!(
        "static_resources:
  listeners:
  - name: in
    address: {{socket_address: {{address: 127.0.0.1, port_value: 8080}}}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          http_filters:
          - name: router
            typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - name: all
              domains: ['*']
              routes:
              - match: {{prefix: /}}
                route:
                  cluster: store
{}  clusters:
  - name: store
    load_assignment: {{cluster_name: store, endpoints: [{{lb_endpoints: [{}]}}]}}
{}",
        indented(route, 18),
        endpoints.join(", "),
        indented(cluster, 4)
    )
}

/// The same for POST alone.
fn posted(bootstrap: &str) -> String {
    let by_method = "{prefix: /, headers: [{name: \":method\", string_match: {exact: POST}}]}";
    bootstrap.replace("match: {prefix: /}", &format!("match: {by_method}"))
}

const RETRIED: &str = "retry_policy: {retry_on: 5xx, num_retries: 2}";

pub(super) fn table() -> (Vec<Told>, Vec<Silent>) {
    let told = vec![
        told(
            "SQ0501",
            "25:5",
            "max_ejection_percent 10 of 3 instances is 0: no instance of store is ever ejected",
            bootstrap("", "outlier_detection: {consecutive_5xx: 3}"),
        ),
        told(
            "SQ0505",
            "25:25",
            "consecutive_gateway_failure 3 ejects no instance of store: enforcing_consecutive_gateway_failure is 0 by default",
            bootstrap("", "outlier_detection: {consecutiveGatewayFailure: 3}"),
        ),
        told(
            "SQ0507",
            "25:25",
            "success_rate_stdev_factor does nothing with 3 instances of store: success_rate_minimum_hosts is 5",
            bootstrap("", "outlier_detection: {success_rate_stdev_factor: 1500, max_ejection_percent: 50}"),
        ),
        told(
            "SQ0509",
            "25:50",
            "healthy_panic_threshold 80 acts as 71 does: from 71.4 % healthy instances of store on there is no panic",
            bootstrap("", "common_lb_config: {healthy_panic_threshold: {value: 80}}"),
        ),
        told(
            "SQ0515",
            "22:19",
            "1 retry of store, and nothing is retried: retry_on names no failure",
            bootstrap("retry_policy: {num_retries: 1}", ""),
        ),
        told(
            "SQ0517",
            "22:65",
            "per_try_timeout 20s has no effect: timeout is 15s by default",
            bootstrap("retry_policy: {retry_on: 5xx, num_retries: 2, per_try_timeout: 20s}", ""),
        ),
        told(
            "SQ0522",
            "22:19",
            "a POST to store with more than 1 MiB is tried once, whatever the retries say",
            posted(&bootstrap(RETRIED, "")),
        ),
        told(
            "SQ0523",
            "24:5",
            "max_retries 3 by default: while store fails, 3 requests are retried at a time",
            bootstrap(RETRIED, "lb_policy: RANDOM"),
        ),
        told(
            "SQ0526",
            "25:38",
            "max_pending_requests 0 refuses every request to store that finds no connection ready, the first of all included",
            bootstrap("", "circuit_breakers: {thresholds: [{max_pending_requests: 0}]}"),
        ),
        told(
            "SQ0534",
            "20:17",
            "requests by this route to store go to any instance: it has no hash_policy",
            bootstrap("", "lb_policy: RING_HASH"),
        ),
        told(
            "SQ0538",
            "30:7",
            "unhealthy_threshold 3 does not count statuses: one bad answer takes an instance of store out",
            bootstrap(
                "",
                "health_checks:\n- timeout: 1s\n  interval: 5s\n  healthy_threshold: 1\n  http_health_check: {path: /}\n  unhealthy_threshold: 3",
            ),
        ),
    ];
    let silent = vec![
        silent("SQ0501", bootstrap("", "outlier_detection: {always_eject_one_host: true}")),
        silent("SQ0501", of_instances(10, "", "outlier_detection: {}")),
        silent(
            "SQ0505",
            bootstrap(
                "",
                "outlier_detection: {consecutive_gateway_failure: 3, enforcing_consecutive_gateway_failure: 100}",
            ),
        ),
        silent(
            "SQ0505",
            bootstrap(
                "",
                "outlier_detection: {consecutive_gateway_failure: 3, enforcing_consecutive_gateway_failure: 0}",
            ),
        ),
        silent("SQ0506", bootstrap("", "outlier_detection: {split_external_local_origin_errors: true}")),
        silent("SQ0507", of_instances(5, "", "outlier_detection: {success_rate_stdev_factor: 1500}")),
        silent("SQ0507", bootstrap("", "outlier_detection: {max_ejection_percent: 50}")),
        silent("SQ0507", bootstrap("", "outlier_detection: {success_rate_stdev_factor: 1, enforcing_success_rate: 0}")),
        silent("SQ0515", bootstrap(RETRIED, "")),
        silent(
            "SQ0522",
            posted(&bootstrap(RETRIED, ""))
                .replace("- match: {", "- request_body_buffer_limit: 4194304\n                match: {"),
        ),
        silent("SQ0523", bootstrap(RETRIED, "circuit_breakers: {thresholds: [{max_retries: 50}]}")),
        silent("SQ0524", bootstrap("", "outlier_detection: {max_ejection_percent: 50}")),
        silent("SQ0534", bootstrap("hash_policy: [{header: {header_name: x-user}}]", "lb_policy: RING_HASH")),
    ];
    (told, silent)
}

#[test]
fn envoy() {
    let (told, silent) = table();
    hold(told, silent);
}

#[test]
fn what_to_write_is_said_in_the_same_words() {
    let fix = |policy: &str, code: &str| {
        let mut all = advice(policy).into_iter();
        all.find(|one| one.code.code == code).map(|one| one.fix).unwrap_or_default()
    };
    let policy = bootstrap("", "outlier_detection: {consecutive_5xx: 3}");
    assert_eq!(fix(&policy, "SQ0501"), "outlier_detection:\n  max_ejection_percent: 34");
    let policy = super::rule("outlierDetection: {consecutive5xxErrors: 3}");
    assert_eq!(fix(&policy, "SQ0501"), "outlierDetection:\n  maxEjectionPercent: 34");
}
