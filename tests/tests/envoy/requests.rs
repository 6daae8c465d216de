//! What a request asks for by fields of its own, and what becomes of such fields.

use squall_tests::envoy::{Case, case, hold_all};

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [retries(), times(), certificates(), schemes()].into_iter().flatten().collect()
}

/// Requests from 10.0.0.0/8 are from inside.
fn inside(name: &'static str) -> Case {
    case(name).manager("internal_address_config: {cidr_ranges: [{address_prefix: 10.0.0.0, prefix_len: 8}]}")
}

fn retries() -> Vec<Case> {
    let asking = |name, plays: &[&str]| inside(name).backend("one", plays);
    vec![
        asking("a_request_brings_its_conditions", &["503", "200"]).ask("GET / x-envoy-retry-on: 5xx; x-forwarded-for: 10.0.0.1"),
        asking("a_request_brings_several_conditions", &["409", "200"])
            .ask("GET / x-envoy-retry-on: connect-failure,retriable-4xx; x-forwarded-for: 10.0.0.1"),
        asking("a_condition_that_is_none_means_nothing", &["503", "200"]).ask("GET / x-envoy-retry-on: whatever; x-forwarded-for: 10.0.0.1"),
        asking("a_request_brings_its_number", &["503", "503", "503", "200"])
            .ask("GET / x-envoy-retry-on: 5xx; x-envoy-max-retries: 3; x-forwarded-for: 10.0.0.1"),
        asking("a_number_that_is_none_means_nothing", &["503", "503", "200"])
            .ask("GET / x-envoy-retry-on: 5xx; x-envoy-max-retries: many; x-forwarded-for: 10.0.0.1"),
        asking("a_request_brings_its_statuses", &["418", "200"])
            .ask("GET / x-envoy-retry-on: retriable-status-codes; x-envoy-retriable-status-codes: 418,x,429; x-forwarded-for: 10.0.0.1"),
        asking("a_request_brings_its_fields", &["200 x-again: 1", "200"])
            .ask("GET / x-envoy-retry-on: retriable-headers; x-envoy-retriable-header-names: x-again; x-forwarded-for: 10.0.0.1"),
        asking(
            "a_request_brings_conditions_of_grpc",
            &["200 grpc-status: 14; content-type: application/grpc", "200 grpc-status: 0"],
        )
        .ask("GET / x-envoy-retry-grpc-on: unavailable; x-forwarded-for: 10.0.0.1"),
        asking("a_requests_conditions_join_the_routes", &["409", "503", "200"])
            .action("retry_policy: {retry_on: 5xx, num_retries: 2}")
            .ask("GET / x-envoy-retry-on: retriable-4xx; x-forwarded-for: 10.0.0.1"),
        asking("a_request_asks_for_no_retries", &["503", "200"])
            .action("retry_policy: {retry_on: 5xx, num_retries: 2}")
            .ask("GET / x-envoy-max-retries: 0; x-forwarded-for: 10.0.0.1"),
        asking("at_the_edge_nobody_asks_for_retries", &["503", "200"])
            .manager("use_remote_address: true")
            .ask("GET / x-envoy-retry-on: 5xx; x-forwarded-for: 8.8.8.8; x-envoy-max-retries: 3"),
        asking("attempts_are_told_to_both_sides", &["503", "200"])
            .host_field("include_request_attempt_count: true")
            .host_field("include_attempt_count_in_response: true")
            .action("retry_policy: {retry_on: 5xx}")
            .asks(&["GET /", "GET / x-envoy-attempt-count: 7"]),
    ]
}

fn times() -> Vec<Case> {
    let slow = |name| inside(name).action("timeout: 20s").backend("one", &["silence"]);
    vec![
        slow("a_request_brings_its_time").ask("GET / x-envoy-upstream-rq-timeout-ms: 200; x-forwarded-for: 10.0.0.1"),
        slow("a_request_brings_a_tries_time").ask("GET / x-envoy-upstream-rq-per-try-timeout-ms: 200; x-forwarded-for: 10.0.0.1"),
        slow("a_tries_time_beyond_the_whole_is_none").ask("GET / x-envoy-upstream-rq-timeout-ms: 200; x-envoy-upstream-rq-per-try-timeout-ms: 300; x-forwarded-for: 10.0.0.1"),
        slow("a_time_can_be_answered_otherwise").ask("GET / x-envoy-upstream-rq-timeout-ms: 100; x-envoy-upstream-rq-timeout-alt-response: 1; x-forwarded-for: 10.0.0.1"),
        slow("a_proxy_ahead_has_said_how_long").router("respect_expected_rq_timeout: true").ask("GET / x-envoy-expected-rq-timeout-ms: 200; x-forwarded-for: 10.0.0.1"),
        inside("a_proxy_ahead_is_not_asked_unless_told").action("timeout: 0.3s").backend("one", &["silence"]).ask("GET / x-envoy-expected-rq-timeout-ms: 20000; x-forwarded-for: 10.0.0.1"),
        inside("a_proxys_own_fields_can_be_left_out").router("suppress_envoy_headers: true").backend("one", &["200", "503"]).asks(&["GET /", "GET / x-envoy-upstream-rq-timeout-ms: 5000; x-forwarded-for: 10.0.0.1"]),
    ]
}

fn certificates() -> Vec<Case> {
    let told = "GET / x-forwarded-client-cert: Hash=1234;Subject=\"CN=a\"";
    let plain = |name, how: &str| {
        case(name)
            .manager(&format!("forward_client_cert_details: {how}"))
            .backend("one", &["200"])
            .asks(&[told, "GET /"])
    };
    vec![
        case("a_clients_certificate_is_not_believed").backend("one", &["200"]).ask(told),
        plain("without_tls_a_certificate_is_dropped", "SANITIZE"),
        plain("without_tls_a_certificate_is_not_forwarded", "FORWARD_ONLY"),
        plain("without_tls_nothing_is_appended", "APPEND_FORWARD"),
        plain("without_tls_nothing_is_set", "SANITIZE_SET"),
        plain("a_certificate_can_always_be_forwarded", "ALWAYS_FORWARD_ONLY"),
    ]
}

fn schemes() -> Vec<Case> {
    let host = |tls: &str| {
        format!(
            "{{name: all, domains: [\"*\"], require_tls: {tls}, routes: [{{match: {{prefix: /}}, route: {{cluster: cart}}}}]}}"
        )
    };
    vec![
        case("a_host_may_need_tls").host(&host("ALL")).backend("one", &["200"]).asks(&[
            "GET /x?y host: a",
            "GET / host: a; x-forwarded-proto: https",
            "POST / host: a << x",
            "h2 GET / host: a:80",
        ]),
        case("a_port_is_told")
            .manager("append_x_forwarded_port: true")
            .backend("one", &["200"])
            .asks(&["GET /", "GET / x-forwarded-port: 1"]),
        case("a_port_is_told_at_the_edge")
            .manager("append_x_forwarded_port: true")
            .manager("use_remote_address: true")
            .backend("one", &["200"])
            .asks(&["GET /", "GET / x-forwarded-port: 1"]),
        case("a_scheme_is_known_in_http2").backend("one", &["200"]).asks(&[
            "h2 GET / x-forwarded-proto: https",
            "h2 GET / x-forwarded-proto: nonsense",
            "GET / x-forwarded-proto: nonsense",
        ]),
    ]
}
