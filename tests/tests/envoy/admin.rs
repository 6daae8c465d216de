//! What people and scripts ask about a proxy.

use serde_json::Value;
use squall_tests::envoy::{Case, Side, case, hold_all};
use std::collections::BTreeMap;

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [numbers(), questions(), health_checks_from_ahead()].into_iter().flatten().collect()
}

/// A status and a body.
fn asked(side: &Side, path: &str) -> String {
    let answer = side.ask_admin(path);
    format!("{} {}", answer.status(), answer.text())
}

fn posted(side: &Side, path: &str) -> String {
    let mut connection = squall_tests::http::Connection::to(side.admin).expect("a connection");
    let answer = connection.ask(&format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n"));
    format!("{} {}", answer.status(), answer.text())
}

/// Counters and levels of the traffic, without those of bytes: the two do not write the same fields of connections.
fn values(side: &Side) -> BTreeMap<String, String> {
    let of_traffic = |name: &str| ["cluster.", "http.in."].iter().any(|begin| name.starts_with(begin));
    let reused = |name: &str| REUSED.iter().any(|known| name == format!("cluster.cart.{known}"));
    let stats =
        side.stats().into_iter().filter(|(name, _)| of_traffic(name) && !name.contains("bytes") && !reused(name));
    stats.map(|(name, value)| (name, value.to_string())).collect()
}

/// Whoever tries again closes the connection in Envoy; here it serves the next try if the answer is there as a whole.
const REUSED: [&str; 8] = [
    "upstream_cx_total",
    "upstream_cx_http1_total",
    "upstream_cx_active",
    "upstream_cx_destroy",
    "upstream_cx_destroy_with_active_rq",
    "upstream_rq_pending_total",
    "upstream_cx_close_notify",
    "upstream_rq_tx_reset",
];

/// What people look for, whether or not anything has been counted yet.
const NAMES: &str = "cluster.cart.upstream_rq_total cluster.cart.upstream_rq_active cluster.cart.upstream_rq_pending_total \
cluster.cart.upstream_rq_pending_active cluster.cart.upstream_rq_pending_overflow cluster.cart.upstream_rq_pending_failure_eject \
cluster.cart.upstream_rq_cancelled cluster.cart.upstream_rq_timeout cluster.cart.upstream_rq_per_try_timeout \
cluster.cart.upstream_rq_per_try_idle_timeout cluster.cart.upstream_rq_rx_reset cluster.cart.upstream_rq_tx_reset \
cluster.cart.upstream_rq_retry cluster.cart.upstream_rq_retry_success cluster.cart.upstream_rq_retry_overflow \
cluster.cart.upstream_rq_retry_limit_exceeded cluster.cart.upstream_rq_retry_backoff_exponential \
cluster.cart.upstream_rq_retry_backoff_ratelimited cluster.cart.upstream_rq_maintenance_mode \
cluster.cart.upstream_cx_total cluster.cart.upstream_cx_active cluster.cart.upstream_cx_http1_total \
cluster.cart.upstream_cx_http2_total cluster.cart.upstream_cx_connect_fail cluster.cart.upstream_cx_connect_timeout \
cluster.cart.upstream_cx_connect_attempts_exceeded cluster.cart.upstream_cx_overflow cluster.cart.upstream_cx_pool_overflow \
cluster.cart.upstream_cx_destroy cluster.cart.upstream_cx_destroy_with_active_rq cluster.cart.upstream_cx_idle_timeout \
cluster.cart.upstream_cx_max_requests cluster.cart.upstream_cx_max_duration_reached cluster.cart.upstream_cx_none_healthy \
cluster.cart.upstream_cx_close_notify cluster.cart.upstream_cx_protocol_error cluster.cart.upstream_cx_rx_bytes_total \
cluster.cart.upstream_cx_tx_bytes_total cluster.cart.membership_change cluster.cart.membership_total \
cluster.cart.membership_healthy cluster.cart.membership_degraded cluster.cart.membership_excluded cluster.cart.lb_healthy_panic \
cluster.cart.retry_or_shadow_abandoned cluster.cart.circuit_breakers.default.cx_open cluster.cart.circuit_breakers.default.rq_open \
cluster.cart.circuit_breakers.default.rq_pending_open cluster.cart.circuit_breakers.default.rq_retry_open \
cluster.cart.circuit_breakers.default.cx_pool_open cluster.cart.circuit_breakers.high.rq_open \
cluster.cart.outlier_detection.ejections_active cluster.cart.outlier_detection.ejections_enforced_total \
cluster.cart.outlier_detection.ejections_overflow cluster.cart.outlier_detection.ejections_detected_consecutive_5xx \
cluster.cart.outlier_detection.ejections_enforced_consecutive_gateway_failure \
cluster.cart.outlier_detection.ejections_enforced_consecutive_local_origin_failure \
cluster.cart.outlier_detection.ejections_enforced_success_rate cluster.cart.outlier_detection.ejections_enforced_local_origin_success_rate \
cluster.cart.outlier_detection.ejections_enforced_failure_percentage \
cluster.cart.outlier_detection.ejections_enforced_local_origin_failure_percentage \
cluster.cart.health_check.attempt cluster.cart.health_check.success cluster.cart.health_check.failure \
cluster.cart.health_check.passive_failure cluster.cart.health_check.network_failure cluster.cart.health_check.verify_cluster \
cluster.cart.health_check.healthy cluster.cart.health_check.degraded \
http.in.downstream_cx_total http.in.downstream_cx_http1_total http.in.downstream_cx_http2_total http.in.downstream_cx_ssl_total \
http.in.downstream_cx_active http.in.downstream_cx_destroy http.in.downstream_cx_idle_timeout \
http.in.downstream_cx_max_duration_reached http.in.downstream_cx_max_requests_reached http.in.downstream_cx_drain_close \
http.in.downstream_cx_protocol_error http.in.downstream_cx_rx_bytes_total http.in.downstream_cx_tx_bytes_total \
http.in.downstream_cx_upgrades_total http.in.downstream_cx_upgrades_active http.in.downstream_rq_total \
http.in.downstream_rq_http1_total http.in.downstream_rq_http2_total http.in.downstream_rq_completed http.in.downstream_rq_timeout \
http.in.downstream_rq_header_timeout http.in.downstream_rq_idle_timeout http.in.downstream_rq_max_duration_reached \
http.in.downstream_rq_rx_reset http.in.downstream_rq_tx_reset http.in.downstream_rq_non_relative_path \
http.in.downstream_rq_ws_on_non_ws_route http.in.downstream_rq_1xx http.in.downstream_rq_5xx http.in.no_route http.in.no_cluster \
http.in.rq_total http.in.rq_direct_response http.in.rq_reset_after_downstream_response_started \
http.in.tracing.random_sampling http.in.tracing.service_forced http.in.tracing.client_enabled http.in.tracing.not_traceable";

/// Those that are not there.
fn missing(side: &Side) -> String {
    let stats = side.stats();
    NAMES.split_whitespace().filter(|name| !stats.contains_key(*name)).collect::<Vec<_>>().join("\n")
}

/// The kinds of metrics as Prometheus gets them.
fn kinds(side: &Side) -> BTreeMap<String, String> {
    let text = side.ask_admin("/stats/prometheus").text();
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    kinds.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

fn busy(name: &'static str) -> Case {
    case(name)
        .route("{match: {prefix: /none}, direct_response: {status: 404}}")
        .route("{match: {prefix: /moved}, redirect: {host_redirect: b}}")
        .route("{match: {prefix: /}, route: {cluster: cart, retry_policy: {retry_on: 5xx, num_retries: 2}}}")
        .cart("outlier_detection: {}, health_checks: [{timeout: 1s, interval: 60s, unhealthy_threshold: 2, healthy_threshold: 2, tcp_health_check: {}}]")
        .backend("one", &["200", "503", "200", "close", "200", "404", "503"])
        .until(".membership_healthy", 1)
        .asks(&["GET /", "GET /", "POST / << body", "GET /", "GET /", "GET /none", "GET /moved", "h2 GET /none"])
        .answers_only()
}

fn numbers() -> Vec<Case> {
    vec![
        busy("a_number_has_its_name").then("what is missing", missing),
        busy("a_number_has_its_value").until("http.in.downstream_cx_active", 0).table_of("values", values),
        busy("a_metric_has_its_kind").table_of("kinds", kinds),
        busy("a_label_has_its_name").then("labels", |side| {
            let text = side.ask_admin("/stats/prometheus").text();
            let chosen =
                ["envoy_cluster_upstream_rq{", "envoy_cluster_upstream_rq_xx{", "envoy_http_downstream_rq_xx{"];
            let mut lines: Vec<_> = text
                .lines()
                .filter(|line| chosen.iter().any(|begin| line.starts_with(begin)) && !line.contains("admin"))
                .collect();
            lines.sort_unstable();
            lines.join("\n")
        }),
        busy("numbers_can_be_filtered")
            .then("filtered", |side| asked(side, "/stats?filter=^cluster.cart.upstream_rq_(5xx|retry|503)$")),
        busy("numbers_can_be_set_to_nothing")
            .until("http.in.downstream_cx_active", 0)
            .then("reset", |side| posted(side, "/reset_counters"))
            .then("filtered", |side| asked(side, "/stats?filter=^cluster.cart.upstream_rq_(5xx|retry|503)$")),
    ]
}

/// What is counted of clusters alone, as docs/differences.md says.
fn is_left_out(name: &str) -> bool {
    let of_clusters =
        ["cx_active", "cx_connect_fail", "cx_total", "rq_error", "rq_pending_active", "rq_success", "rq_timeout"];
    of_clusters.contains(&name)
}

/// The lines of `/clusters`, without what is counted of clusters alone.
fn endpoints(side: &Side) -> String {
    let text = side.ask_admin("/clusters").text();
    let mut lines: Vec<_> = text.lines().filter(|line| !line.rsplit("::").nth(1).is_some_and(is_left_out)).collect();
    // Clusters come in any order.
    lines.sort_by_key(|line| line.split("::").next().unwrap_or_default());
    lines.join("\n")
}

/// Each value with its path, a line each: JSON's fields come in any order.
fn sorted(json: &Value) -> String {
    fn walk(path: &str, value: &Value, lines: &mut Vec<String>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                fields.iter().for_each(|(name, value)| walk(&format!("{path}.{name}"), value, lines));
            }
            Value::Array(values) => {
                values.iter().enumerate().for_each(|(at, value)| walk(&format!("{path}.{at}"), value, lines));
            }
            value => lines.push(format!("{path}: {value}")),
        }
    }
    let mut lines = Vec::new();
    walk("", json, &mut lines);
    lines.sort();
    lines.join("\n")
}

fn questions() -> Vec<Case> {
    let question = |name| case(name).backend("one", &["200"]).answers_only();
    vec![
        question("it_says_that_it_is_ready").then("ready", |side| asked(side, "/ready")),
        question("it_says_what_endpoints_are_like").asks(&["GET /", "GET /"]).then("lines", endpoints),
        question("it_says_what_a_detector_watches")
            .cart("outlier_detection: {enforcing_success_rate: 0}, common_lb_config: {locality_weighted_lb_config: {}}")
            .cluster("far", "[{locality: {region: eu, zone: a, sub_zone: b}, priority: 1, load_balancing_weight: 1, lb_endpoints: [{health_status: DEGRADED, load_balancing_weight: 3, endpoint: {hostname: far, address: $one}}]}]", "")
            .cluster("cart", "one", "outlier_detection: {}")
            .then("lines", endpoints),
        question("it_says_what_endpoints_are_like_in_json")
            .cluster("far", "[{locality: {region: eu, zone: a, sub_zone: b}, priority: 1, lb_endpoints: [{health_status: DEGRADED, load_balancing_weight: 3, endpoint: {hostname: far, address: $one}}]}]", "")
            .cluster("cart", "one", "circuit_breakers: {thresholds: [{max_requests: 7}]}")
            .asks(&["GET /", "GET /"])
            .then("endpoints", |side| {
                let mut told: Value = serde_json::from_str(&side.ask_admin("/clusters?format=json").text()).expect("JSON");
                let clusters = told["cluster_statuses"].as_array_mut().expect("clusters");
                clusters.sort_by_key(|cluster| cluster["name"].to_string());
                for host in clusters.iter_mut().filter_map(|cluster| cluster["host_statuses"].as_array_mut()).flatten() {
                    let stats = host["stats"].as_array_mut().expect("stats");
                    stats.retain(|stat| !is_left_out(stat["name"].as_str().unwrap_or_default()));
                }
                sorted(&told)
            }),
        question("it_says_where_it_listens").then("listeners", |side| {
            let json: Value = serde_json::from_str(&side.ask_admin("/listeners?format=json").text()).expect("JSON");
            let told = format!("{}{}", side.ask_admin("/listeners").text(), sorted(&json));
            told.replace(&side.listen.port().to_string(), "PORT")
        }),
        question("what_changes_anything_is_posted").then("status", |side| {
            let paths = ["/healthcheck/fail", "/drain_listeners", "/reset_counters", "/quitquitquit"];
            paths.map(|path| side.ask_admin(path).status().to_string()).join(" ")
        }),
        question("one_that_shall_fail_is_not_ready").then("states", |side| {
            let state = || {
                let info: Value =
                    serde_json::from_str(&side.ask_admin("/server_info").text()).expect("JSON");
                format!("{} {} {:?}", asked(side, "/ready"), info["state"], side.stats().get("server.live"))
            };
            let after = |path: &str| format!("{}\n{}", posted(side, path), state());
            [state(), after("/healthcheck/fail"), after("/healthcheck/ok"), after("/drain_listeners")].join("\n")
        }),
        question("levels_are_set_by_their_names").then("answers", |side| {
            let status = |query: &str| posted(side, &format!("/logging{query}"))[..3].to_owned();
            ["", "?level=warning", "?level=nonsense", "?nonsense", "?nonsense=debug"].map(status).join(" ")
        }),
        question("listeners_of_the_services_side_alone").then("answers", |side| {
            let drained = posted(side, "/drain_listeners?inboundonly");
            let get = squall_tests::http::get(side.listen, "/", "host: cart\r\n");
            format!("{drained} {}", get.status())
        }),
        question("a_question_that_is_none").then("status", |side| side.ask_admin("/none").status().to_string()),
        question("its_state_is_live").then("state", |side| {
            let info: Value = serde_json::from_str(&side.ask_admin("/server_info").text()).expect("JSON");
            info["state"].to_string()
        }),
    ]
}

fn health_checks_from_ahead() -> Vec<Case> {
    let check = |name, mode: &str| {
        let fields = format!("{mode}, headers: [{{name: \":path\", string_match: {{exact: /healthz}}}}]");
        case(name).filter("health_check", &fields).backend("one", &["200"])
    };
    let fail = |side: &Side| posted(side, "/healthcheck/fail");
    let mend = |side: &Side| posted(side, "/healthcheck/ok");
    vec![
        check("a_check_is_answered_here", "pass_through_mode: false").asks(&[
            "GET /healthz",
            "HEAD /healthz",
            "h2 GET /healthz",
            "GET /x",
        ]),
        check("a_check_is_passed_on", "pass_through_mode: true").asks(&["GET /healthz", "GET /x"]),
        check("a_proxy_that_shall_fail_fails", "pass_through_mode: false")
            .then("fail", fail)
            .asks(&["GET /healthz", "GET /x", "h2 GET /healthz"])
            .then("mend", mend)
            .ask("GET /healthz"),
        check("a_check_is_not_passed_on_by_one_that_shall_fail", "pass_through_mode: true")
            .then("fail", fail)
            .ask("GET /healthz"),
        check("an_answer_is_kept_for_a_while", "pass_through_mode: true, cache_time: 60s")
            .backend("two", &["200"])
            .cluster("cart", "one", "")
            .asks(&["GET /healthz", "GET /healthz"]),
    ]
}
