//! How long things may take.

use squall_tests::envoy::{Case, Side, case, hold_all};
use squall_tests::frames::{END_STREAM, Frames, kind, request};

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [times(), connections_that_hang(), amid_bodies(), connections()].into_iter().flatten().collect()
}

fn connections() -> Vec<Case> {
    let counts = "http.in.downstream_cx_max_duration_reached http.in.downstream_cx_idle_timeout";
    let ends = |name, options: &str| {
        case(name)
            .manager(&format!("common_http_protocol_options: {{{options}}}"))
            .backend("one", &["200"])
            .then("the connection", goodbye)
            .stats(counts)
            .answers_only()
    };
    vec![
        ends("a_client_of_streams_is_told_goodbye_when_it_is_too_old", "max_connection_duration: 0.3s"),
        ends("a_client_of_streams_is_told_goodbye_when_it_idles", "idle_timeout: 0.3s"),
        ends("the_first_of_both_counts", "idle_timeout: 30s, max_connection_duration: 0.3s"),
    ]
}

/// Asks once, and waits until the connection is to be over.
fn goodbye(side: &Side) -> String {
    let mut frames = Frames::to(side.listen);
    frames.ask(1, END_STREAM, &request("GET", "/", &[])).expect("sent");
    let told = std::iter::from_fn(|| frames.next_of(1)).find(|frame| frame.kind == kind::GO_AWAY);
    told.map_or("lost", |_| "goodbye").to_owned()
}

fn times() -> Vec<Case> {
    vec![
        case("the_routes_time")
            .action("timeout: 0.2s")
            .backend("one", &["silence"])
            .asks(&["GET /", "h2 POST / content-type: application/grpc"]),
        case("the_routes_time_over_http2")
            .action("timeout: 0.2s")
            .cart("typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {}}}}")
            .backend2("one", &["silence"])
            .ask("GET /"),
        case("no_time_in_the_policy_is_15_s_and_said").backend("one", &["200"]).ask("GET /"),
        case("a_time_of_nothing_is_none").action("timeout: 0s").backend("one", &["200"]).ask("GET /"),
        case("a_stream_that_idles")
            .action("timeout: 0s, idle_timeout: 0.2s")
            .backend("one", &["silence"])
            .ask("GET /")
            .stats("http.in.downstream_rq_idle_timeout"),
        case("a_head_that_stands_still_is_a_stream_that_idles")
            .manager("stream_idle_timeout: 0.2s")
            .backend("one", &["200"])
            .raw("GET / HTTP/1.1\r\nhost: a\r\n")
            .stats("http.in.downstream_rq_idle_timeout")
            .answers_only(),
        case("a_stream_that_idles_by_the_listener")
            .manager("stream_idle_timeout: 0.2s")
            .action("timeout: 0s")
            .backend("one", &["silence"])
            .ask("GET /"),
        case("a_request_that_never_ends")
            .manager("request_timeout: 0.2s")
            .backend("one", &["200"])
            .raw("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc")
            .stats("http.in.downstream_rq_timeout")
            .answers_only(),
        case("a_head_that_never_ends")
            .manager("request_headers_timeout: 0.2s")
            .backend("one", &["200"])
            .raw("GET / HTTP/1.1\r\nhost: a\r\n")
            .stats("http.in.downstream_rq_header_timeout")
            .answers_only(),
        case("a_body_that_idles")
            .manager("stream_idle_timeout: 0.2s")
            .backend("one", &["200"])
            .raw("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc")
            .answers_only(),
        case("a_stream_that_is_too_old")
            .manager("common_http_protocol_options: {max_stream_duration: 0.2s}")
            .action("timeout: 0s")
            .backend("one", &["silence"])
            .asks(&["GET /", "h2 POST / content-type: application/grpc"])
            .stats("http.in.downstream_rq_max_duration_reached"),
        case("a_stream_that_is_too_old_by_its_route")
            .action("timeout: 0s, max_stream_duration: {max_stream_duration: 0.2s}")
            .backend("one", &["silence"])
            .ask("GET /"),
        case("grpcs_own_time_by_the_older_field")
            .action("timeout: 10s, max_grpc_timeout: 0s")
            .backend("one", &["silence"])
            .ask("h2 POST / content-type: application/grpc; grpc-timeout: 200m"),
        case("a_time_in_the_request_counts_from_inside_alone")
            .action("timeout: 5s")
            .backend("one", &["silence"])
            .action("timeout: 0.3s")
            .ask("GET / x-envoy-upstream-rq-timeout-ms: 100"),
    ]
}

/// The only endpoint does not answer connections.
fn hanging(name: &'static str, action: &str, cluster: &str) -> Case {
    case(name).action(action).cart(cluster).hanging("one")
}

fn connections_that_hang() -> Vec<Case> {
    vec![
        hanging("a_connection_that_hangs_is_503", "timeout: 5s", "connect_timeout: 0.2s")
            .asks(&["GET /", "h2 POST / content-type: application/grpc"]),
        hanging("the_routes_time_ends_a_connection_that_hangs", "timeout: 0.2s", "connect_timeout: 5s").ask("GET /"),
        hanging(
            "a_connection_that_hangs_is_tried_again",
            "timeout: 5s, retry_policy: {retry_on: connect-failure, num_retries: 2}",
            "connect_timeout: 0.2s",
        )
        .ask("GET /"),
        hanging(
            "a_connection_that_hangs_is_no_answer_of_5xx",
            "timeout: 5s, retry_policy: {retry_on: gateway-error}",
            "connect_timeout: 0.2s",
        )
        .ask("GET /"),
        hanging(
            "a_tries_time_begins_with_its_connection",
            "timeout: 5s, retry_policy: {retry_on: connect-failure, num_retries: 1, per_try_timeout: 0.1s}",
            "connect_timeout: 0.4s",
        )
        .ask("GET /"),
        hanging("a_connection_that_hangs_is_tried_elsewhere", "", "lb_policy: ROUND_ROBIN, connect_timeout: 0.2s")
            .backend("two", &["200"])
            .action("timeout: 5s, retry_policy: {retry_on: connect-failure}")
            .align("two")
            .times(2, "GET /"),
        hanging(
            "connections_that_hang_eject",
            "timeout: 5s",
            "connect_timeout: 0.2s, outlier_detection: {consecutive_gateway_failure: 2, enforcing_consecutive_gateway_failure: 100, base_ejection_time: 60s, max_ejection_percent: 100}",
        )
        .times(2, "GET /")
        .until(".outlier_detection.ejections_active", 1)
        .stats(".outlier_detection.ejections_enforced_consecutive_gateway_failure")
        .health(),
        hanging(
            "connections_that_hang_eject_by_their_own_count",
            "timeout: 5s",
            "connect_timeout: 0.2s, outlier_detection: {split_external_local_origin_errors: true, consecutive_local_origin_failure: 2, base_ejection_time: 60s, max_ejection_percent: 100}",
        )
        .times(2, "GET /")
        .until(".outlier_detection.ejections_active", 1)
        .stats(".outlier_detection.ejections_enforced_consecutive_local_origin_failure")
        .health(),
    ]
}

/// An answer that begins and never ends.
const STALLS: &str = "stall HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";

fn amid_bodies() -> Vec<Case> {
    let stalls = |name, action: &str| {
        case(name)
            .action(action)
            .cart("outlier_detection: {consecutive_5xx: 1, base_ejection_time: 60s, max_ejection_percent: 100}")
            .backend("one", &[STALLS])
            .stats(".outlier_detection.ejections_active .upstream_rq_504 http.in.rq_reset_after_downstream_response_started")
    };
    vec![
        stalls("the_routes_time_amid_a_body_is_nobodys_fault", "timeout: 0.3s").ask("GET /").health(),
        stalls(
            "a_tries_idle_time_holds_amid_its_body",
            "timeout: 5s, retry_policy: {retry_on: 5xx, num_retries: 2, per_try_idle_timeout: 0.3s}",
        )
        .ask("GET /")
        .until(".outlier_detection.ejections_active", 1)
        .stats(".upstream_rq_per_try_idle_timeout"),
        case("the_routes_time_while_a_retry_waits_counts_nothing")
            .action("timeout: 0.3s, retry_policy: {retry_on: 5xx, retry_back_off: {base_interval: 300s, max_interval: 300s}}")
            .backend("one", &["503"])
            .ask("GET /")
            .stats(".upstream_rq_504 .upstream_rq_503"),
    ]
}
