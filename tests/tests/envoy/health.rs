//! Active checks, priorities and panic.

use squall_tests::envoy::{Case, case, hold_all};

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [checks(), checks_by_grpc(), checks_by_bytes(), degraded_by_a_check(), priorities_and_panic()]
        .into_iter()
        .flatten()
        .collect()
}

fn checked(name: &'static str, check: &str, fields: &str) -> Case {
    case(name).cart(&format!(
        "common_lb_config: {{healthy_panic_threshold: {{value: 0}}}}, health_checks: [{{timeout: 1s, interval: 0.1s, no_traffic_interval: 0.1s, unhealthy_threshold: 2, healthy_threshold: 2, {check}}}]{fields}"
    )).answers_only()
}

fn checks() -> Vec<Case> {
    let http = "http_health_check: {path: /healthz}";
    vec![
        checked("a_check_that_passes_at_first_is_enough", http, "")
            .backend("one", &["200"])
            .until(".membership_healthy", 1)
            .health()
            .ask("GET /"),
        checked("a_check_that_fails_at_first_is_enough", http, "")
            .backend("one", &["503"])
            .until(".health_check.failure", 1)
            .health()
            .ask("GET /"),
        checked("a_status_that_was_not_expected_fails_at_once", http, "")
            .backend("one", &["200"])
            .until(".membership_healthy", 1)
            .play("one", &["503"])
            .until(".membership_healthy", 0)
            .stats(".health_check.failure")
            .health(),
        checked(
            "an_expected_status_passes",
            "http_health_check: {path: /healthz, expected_statuses: [{start: 500, end: 501}]}",
            "",
        )
        .backend("one", &["500"])
        .until(".membership_healthy", 1)
        .health(),
        checked(
            "a_retriable_status_needs_the_threshold",
            "http_health_check: {path: /healthz, retriable_statuses: [{start: 503, end: 504}]}",
            "",
        )
        .backend("one", &["200"])
        .until(".membership_healthy", 1)
        .play("one", &["503"])
        .until(".membership_healthy", 0)
        .stats(".health_check.failure")
        .health(),
        checked("it_comes_back_after_the_threshold", http, "")
            .backend("one", &["503"])
            .until(".health_check.failure", 1)
            .play("one", &["200"])
            .until(".membership_healthy", 1)
            .stats(".health_check.success")
            .health(),
        checked("a_connection_is_kept_between_checks", http, "")
            .backend("one", &["200"])
            .until_asked("one", 5)
            .connections("one"),
        checked(
            "a_connection_of_http2_is_kept_between_checks",
            "http_health_check: {path: /healthz, codec_client_type: HTTP2}",
            "",
        )
        .backend2("one", &["200"])
        .until_asked("one", 5)
        .connections("one"),
        checked("a_connection_is_a_check", "tcp_health_check: {}", "")
            .backend("one", &["200"])
            .until(".membership_healthy", 1)
            .health(),
        checked("a_refused_connection_fails", "tcp_health_check: {}", "")
            .refusing("one")
            .until(".health_check.failure", 1)
            .health()
            .ask("GET /"),
        checked("a_refused_connection_fails_http", http, "").refusing("one").until(".health_check.failure", 1).health(),
        checked("a_closed_connection_fails", http, "")
            .backend("one", &["close"])
            .until(".health_check.failure", 1)
            .health(),
        checked("an_answer_says_fail_at_once", http, "")
            .backend("one", &["200"])
            .until(".membership_healthy", 1)
            .play("one", &["200 x-envoy-immediate-health-check-fail: true"])
            .ask("GET /")
            .until(".membership_healthy", 0)
            .health(),
    ]
}

/// Upstreams of HTTP/2, as checks by gRPC want them.
const STREAMS: &str = ", typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {}}}}";

/// What a service of gRPC's health protocol says: one message whose field 1 is the status.
const SERVING: &str = "200 content-type: application/grpc << \0\0\0\0\u{2}\u{8}\u{1} ++ grpc-status: 0";
const NOT_SERVING: &str = "200 content-type: application/grpc << \0\0\0\0\u{2}\u{8}\u{2} ++ grpc-status: 0";
const UNKNOWN: &str = "200 content-type: application/grpc << \0\0\0\0\0 ++ grpc-status: 0";
const OF_ANOTHER_KIND: &str = "200 content-type: text/plain << \0\0\0\0\u{2}\u{8}\u{1} ++ grpc-status: 0";
const NO_SUCH_SERVICE: &str = "200 content-type: application/grpc; grpc-status: 5 << -";

fn by_grpc(name: &'static str, check: &str, plays: &[&str]) -> Case {
    checked(name, &format!("grpc_health_check: {{{check}}}"), STREAMS).backend2("one", plays)
}

fn checks_by_grpc() -> Vec<Case> {
    let passes = |case: Case| case.until(".membership_healthy", 1).health();
    let fails = |case: Case| case.until(".health_check.failure", 1).health().ask("GET /");
    vec![
        passes(by_grpc("serving_passes", "", &[SERVING])),
        fails(by_grpc("not_serving_fails", "", &[NOT_SERVING])),
        fails(by_grpc("a_status_that_is_not_told_fails", "", &[UNKNOWN])),
        fails(by_grpc("a_service_that_nobody_knows_fails", "service_name: none", &[NO_SUCH_SERVICE])),
        fails(by_grpc("another_status_of_http_fails_grpc", "", &["503 content-type: application/grpc"])),
        fails(by_grpc("an_answer_of_another_kind_fails_grpc", "", &[OF_ANOTHER_KIND])),
        by_grpc("not_serving_any_more_fails_at_once", "", &[SERVING])
            .until(".membership_healthy", 1)
            .play("one", &[NOT_SERVING])
            .until(".membership_healthy", 0)
            .stats(".health_check.failure")
            .health(),
        by_grpc("a_stream_that_is_reset_fails_grpc", "", &["cancel"]).until(".health_check.failure", 1).health(),
        by_grpc("a_connection_is_kept_between_checks_by_grpc", "", &[SERVING]).until_asked("one", 5).connections("one"),
        by_grpc("a_service_and_authority_are_asked_for", "service_name: shop.Cart, authority: cart.shop", &[SERVING])
            .first_asked("one"),
    ]
}

fn by_bytes(name: &'static str, check: &str, plays: &[&str]) -> Case {
    // `PING` and the end of a head, so that a backend of HTTP answers.
    checked(
        name,
        &format!("reuse_connection: false, tcp_health_check: {{send: {{text: \"50494e470d0a0d0a\"}}, {check}}}"),
        "",
    )
    .backend("one", plays)
}

fn checks_by_bytes() -> Vec<Case> {
    let pong = "receive: [{text: \"504f4e47\"}]";
    vec![
        by_bytes("bytes_that_are_answered_as_expected_pass", pong, &["stall PONG"])
            .until(".membership_healthy", 1)
            .health(),
        by_bytes("bytes_around_those_expected_do_not_matter", pong, &["stall +PONG now"])
            .until(".membership_healthy", 1)
            .health(),
        by_bytes("all_that_is_expected_must_come", "receive: [{text: \"504f\"}, {text: \"4e47\"}]", &["stall PO, NG"])
            .until(".membership_healthy", 1)
            .health(),
        by_bytes("another_answer_fails", pong, &["raw NOPE"]).until(".health_check.failure", 1).health(),
        by_bytes(
            "what_is_expected_in_another_order_fails",
            "receive: [{text: \"504f\"}, {text: \"4e47\"}]",
            &["raw NGPO"],
        )
        .until(".health_check.failure", 1)
        .health(),
        by_bytes("without_an_expectation_any_connection_passes", "receive: []", &["stall NOPE"])
            .until(".membership_healthy", 1)
            .health(),
    ]
}

fn degraded_by_a_check() -> Vec<Case> {
    let http = "http_health_check: {path: /healthz}";
    let degraded = "200 x-envoy-degraded: true";
    vec![
        checked("a_check_says_that_an_endpoint_is_degraded", http, "")
            .backend("one", &[degraded])
            .until(".membership_degraded", 1)
            .stats(".health_check.degraded")
            .health()
            .ask("GET /"),
        checked("what_is_degraded_is_well_again", http, "")
            .backend("one", &[degraded])
            .until(".membership_degraded", 1)
            .play("one", &["200"])
            .until(".membership_healthy", 1)
            .stats(".membership_degraded")
            .health(),
        checked("what_is_degraded_by_a_check_gives_way_to_what_is_well", http, "")
            .backend("one", &[degraded])
            .backend("two", &["200"])
            .until(".membership_degraded", 1)
            .until(".membership_healthy", 1)
            .health()
            .spread(2000, "GET /"),
    ]
}

fn priorities_and_panic() -> Vec<Case> {
    let tiers = "[{priority: 0, lb_endpoints: [{endpoint: {address: $one}}]}, {priority: 1, lb_endpoints: [{endpoint: {address: $two}}]}]";
    let out = |health: &str| {
        format!(
            "[{{priority: 0, lb_endpoints: [{{endpoint: {{address: $one}}, health_status: {health}}}]}}, {{priority: 1, lb_endpoints: [{{endpoint: {{address: $two}}}}]}}]"
        )
    };
    let two = |name| case(name).backend("one", &["200"]).backend("two", &["200"]);
    let rotating = |health: &str| {
        format!(
            "[{{lb_endpoints: [{{endpoint: {{address: $one}}, health_status: {health}}}, {{endpoint: {{address: $two}}}}]}}]"
        )
    };
    vec![
        two("the_first_priority_takes_all").cluster("cart", tiers, "").times(4, "GET /").health(),
        two("the_next_priority_stands_in").cluster("cart", &out("UNHEALTHY"), "").times(4, "GET /").health(),
        two("what_drains_gets_nothing").cluster("cart", &rotating("DRAINING"), "").times(4, "GET /").health(),
        two("what_is_unhealthy_gets_nothing").cluster("cart", &rotating("UNHEALTHY"), "").times(4, "GET /").health(),
        two("what_is_degraded_stands_in_for_what_is_missing").cluster("cart", &rotating("DEGRADED"), "").health().spread(2000, "GET /"),
        two("below_the_threshold_all_are_used").cluster("cart", &rotating("UNHEALTHY"), "common_lb_config: {healthy_panic_threshold: {value: 60}}").align("two").times(4, "GET /").stats(".lb_healthy_panic"),
        two("all_out_without_panic_is_503").cluster("cart", "[{lb_endpoints: [{endpoint: {address: $one}, health_status: UNHEALTHY}]}]", "common_lb_config: {healthy_panic_threshold: {value: 0}}").ask("GET /"),
        two("a_cluster_without_endpoints_is_503").cluster("cart", "[]", "").asks(&["GET /", "h2 POST / content-type: application/grpc"]),
        two("the_next_priority_shares_by_health").refusing("gone").cluster("cart", "[{priority: 0, lb_endpoints: [{endpoint: {address: $one}}, {endpoint: {address: $gone}, health_status: UNHEALTHY}]}, {priority: 1, lb_endpoints: [{endpoint: {address: $two}}]}]", "common_lb_config: {healthy_panic_threshold: {value: 0}}").spread(2000, "GET /"),
        two("retries_can_go_to_the_next_priority").cluster("cart", tiers, "").play("one", &["503"])
            .action("retry_policy: {retry_on: 5xx, retry_priority: {name: envoy.retry_priorities.previous_priorities, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig, update_frequency: 1}}}").ask("GET /"),
    ]
}
