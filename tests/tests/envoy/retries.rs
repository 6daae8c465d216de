//! Which failures are tried again, and how often.

use squall_tests::envoy::{Case, case, hold_all};

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [conditions(), grpc_conditions(), limits()].into_iter().flatten().collect()
}

fn retry(name: &'static str, policy: &str, plays: &[&str]) -> Case {
    case(name)
        .action(&format!("retry_policy: {{{policy}}}"))
        .host_field("include_request_attempt_count: true")
        .backend("one", plays)
}

fn conditions() -> Vec<Case> {
    vec![
        retry("any_5xx", "retry_on: 5xx", &["500", "200", "503", "200", "404"]).times(3, "GET /"),
        retry("gateway_errors_are_502_to_504", "retry_on: gateway-error", &["502", "200", "500", "504", "503"])
            .times(3, "GET /"),
        retry("retriable_4xx_is_409", "retry_on: retriable-4xx", &["409", "200", "404", "429"]).times(3, "GET /"),
        retry(
            "listed_statuses",
            "retry_on: retriable-status-codes, retriable_status_codes: [418, 429]",
            &["418", "429", "503", "200"],
        )
        .times(3, "GET /"),
        retry(
            "statuses_without_the_condition_mean_nothing",
            "retry_on: gateway-error, retriable_status_codes: [418]",
            &["418", "200"],
        )
        .times(2, "GET /"),
        retry(
            "fields_of_the_answer",
            "retry_on: retriable-headers, retriable_headers: [{name: x-again, string_match: {exact: \"yes\"}}]",
            &["200 x-again: yes", "200 x-again: no", "200"],
        )
        .times(2, "GET /"),
        retry(
            "only_some_requests_are_tried_again",
            "retry_on: 5xx, retriable_request_headers: [{name: \":method\", string_match: {exact: GET}}]",
            &["503", "200", "503", "200"],
        )
        .asks(&["GET /", "POST / << a", "GET /"]),
        retry("a_close_is_a_reset", "retry_on: reset", &["close", "200", "close"]).times(2, "GET /"),
        retry("a_close_is_no_connect_failure", "retry_on: connect-failure", &["close", "200"]).times(2, "GET /"),
        retry("a_close_is_a_5xx", "retry_on: 5xx", &["close", "200"]).ask("GET /"),
        retry("a_tcp_reset_is_a_reset", "retry_on: reset", &["reset", "200"]).ask("GET /"),
        retry("reset_before_request_is_not_for_what_was_sent", "retry_on: reset-before-request", &["close", "200"])
            .ask("GET /"),
        retry("a_ratelimited_answer_needs_its_condition", "retry_on: 5xx", &["503 x-envoy-ratelimited: true", "200"])
            .ask("GET /"),
        retry(
            "a_ratelimited_answer_with_its_condition",
            "retry_on: envoy-ratelimited",
            &["429 x-envoy-ratelimited: true", "200"],
        )
        .ask("GET /"),
        retry("an_overloaded_answer_is_like_any_other", "retry_on: 5xx", &["503 x-envoy-overloaded: true", "200"])
            .ask("GET /"),
        retry("nothing_is_tried_again_without_a_condition", "num_retries: 3", &["503", "200"]).ask("GET /"),
        retry("a_broken_answer", "retry_on: 5xx", &["raw HTTP/1.1 2x0 x\r\n\r\n", "200"]).ask("GET /"),
        case("a_broken_answer_is_502")
            .backend("one", &["raw garbage\r\n\r\n"])
            .ask("GET /")
            .stats(".upstream_rq_502 .upstream_rq_503"),
        case("a_refused_connection_is_tried_again")
            .refusing("one")
            .action("retry_policy: {retry_on: connect-failure, num_retries: 2}")
            .ask("GET /"),
        case("a_refused_connection_without_retries").refusing("one").ask("GET /"),
    ]
}

fn grpc_conditions() -> Vec<Case> {
    let grpc = |name, on: &str, plays: &[&str]| {
        case(name).cart("typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {}}}}")
            .action(&format!("retry_policy: {{retry_on: \"{on}\"}}")).backend2("one", plays)
    };
    let ask = "h2 POST /a.B/C content-type: application/grpc; te: trailers << x";
    vec![
        grpc("unavailable", "unavailable", &["200 grpc-status: 14 << -", "200 grpc-status: 0 << -"]).ask(ask),
        grpc("cancelled_is_another", "unavailable", &["200 grpc-status: 1 << -", "200 grpc-status: 0 << -"]).ask(ask),
        grpc(
            "a_status_in_trailers_is_too_late",
            "unavailable",
            &["200 content-type: application/grpc << x ++ grpc-status: 14", "200 grpc-status: 0 << -"],
        )
        .ask(ask),
        grpc("a_refused_stream", "refused-stream", &["refuse", "200"]).ask(ask),
        grpc("a_refused_stream_is_a_reset", "reset", &["refuse", "200"]).ask("h2 GET /"),
        grpc("a_reset_stream", "reset", &["cancel", "200"]).ask("h2 GET /"),
        grpc("a_reset_stream_that_is_not_tried_again", "connect-failure", &["cancel"])
            .asks(&["h2 GET /", "GET /", ask]),
        grpc("a_refused_stream_that_is_not_tried_again", "connect-failure", &["refuse"]).asks(&["h2 GET /"]),
    ]
}

fn limits() -> Vec<Case> {
    vec![
        retry("so_many_and_then_urx", "retry_on: 5xx, num_retries: 2", &["503"]).ask("GET /"),
        retry("one_unless_told", "retry_on: 5xx", &["503"]).ask("GET /"),
        retry("none", "retry_on: 5xx, num_retries: 0", &["503"]).ask("GET /"),
        retry("resets_and_then_urx", "retry_on: reset, num_retries: 1", &["close"]).ask("GET /"),
        retry("a_body_is_sent_again", "retry_on: 5xx", &["503", "200"]).asks(&["POST / << hello", "POST / << hello ++ x-t: 1"]),
        retry("a_body_beyond_the_buffer_is_not", "retry_on: 5xx", &["503", "200"]).listener("per_connection_buffer_limit_bytes: 32768").ask("POST / << x*200000"),
        retry("a_tries_time_ends_it", "retry_on: 5xx, num_retries: 1, per_try_timeout: 0.2s", &["silence", "200"]).ask("GET /"),
        retry("a_tries_time_ends_the_last", "retry_on: 5xx, num_retries: 1, per_try_timeout: 0.2s", &["silence"]).ask("GET /"),
        retry("a_tries_time_is_no_gateway_error_of_another_kind", "retry_on: gateway-error, num_retries: 1, per_try_timeout: 0.2s", &["silence", "200"]).ask("GET /"),
        retry("a_tries_time_that_is_not_tried_again", "retry_on: connect-failure, per_try_timeout: 0.2s", &["silence", "200"]).ask("GET /"),
        retry("a_tries_idle_time", "retry_on: 5xx, per_try_idle_timeout: 0.2s", &["silence", "200"]).ask("GET /"),
        retry("a_tries_idle_time_ends_the_last", "retry_on: 5xx, per_try_idle_timeout: 0.2s", &["silence"]).ask("GET /").stats(".upstream_rq_per_try_idle_timeout"),
        retry("the_routes_time_ends_all_tries", "retry_on: 5xx, num_retries: 5, per_try_timeout: 0.3s", &["silence"]).action("timeout: 0.5s, retry_policy: {retry_on: 5xx, num_retries: 5, per_try_timeout: 0.3s}").ask("GET /"),
        retry("a_back_off_beyond_the_routes_time", "", &["503"]).action("timeout: 0.3s, retry_policy: {retry_on: 5xx, num_retries: 100, retry_back_off: {base_interval: 0.1s, max_interval: 0.1s}}").summing().answers_only().ask("GET /"),
        retry("a_limit_on_retries_at_once", "retry_on: 5xx, num_retries: 2", &["503"]).cart("circuit_breakers: {thresholds: [{max_retries: 0}]}").ask("GET /"),
        retry("a_server_says_how_long", "retry_on: 5xx, rate_limited_retry_back_off: {reset_headers: [{name: retry-after, format: SECONDS}], max_interval: 1s}", &["503 retry-after: 100", "200"]).ask("GET /"),
        retry("a_request_asks_for_retries", "retry_on: gateway-error", &["503", "503", "200"]).asks(&["GET / x-envoy-max-retries: 2; x-forwarded-for: 10.0.0.1", "GET /"]),
        case("a_retry_avoids_a_host").cart("lb_policy: ROUND_ROBIN").backend("one", &["503"]).backend("two", &["200"])
            .action("retry_policy: {retry_on: 5xx, num_retries: 1, host_selection_retry_max_attempts: 5, retry_host_predicate: [{name: envoy.retry_host_predicates.previous_hosts, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate}}]}")
            .align("one").times(4, "GET /"),
        case("a_retry_goes_on_in_the_rotation").backend("one", &["503"]).backend("two", &["200"]).action("retry_policy: {retry_on: 5xx}").align("two").times(4, "GET /"),
    ]
}
