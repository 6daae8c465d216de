//! What filters answer before the router is reached.

use squall_tests::envoy::{Case, case, hold_all};
use squall_tests::http::Connection;

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [cors(), faults(), rate_limits()].into_iter().flatten().collect()
}

fn cross_origin(name: &'static str, policy: &str) -> Case {
    let policy =
        format!("{{\"@type\": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy, {policy}}}");
    case(name)
        .filter("cors", "")
        .host_field(&format!("typed_per_filter_config: {{envoy.filters.http.cors: {policy}}}"))
        .backend("one", &["200"])
}

const PREFLIGHT: &str = "access-control-request-method: PUT";

fn cors() -> Vec<Case> {
    let origin = "allow_origin_string_match: [{exact: http://a}, {suffix: .b}]";
    vec![
        cross_origin("a_preflight_is_answered", &format!("{origin}, allow_methods: \"GET, PUT\", allow_headers: x-a, expose_headers: x-b, max_age: \"60\", allow_credentials: true"))
            .asks(&[&format!("OPTIONS /x origin: http://a; {PREFLIGHT}"), &format!("OPTIONS /x origin: http://z; {PREFLIGHT}"), "OPTIONS /x origin: http://a", "OPTIONS /x access-control-request-method: PUT"]),
        cross_origin("an_answer_says_who_may_see_it", &format!("{origin}, expose_headers: x-b, allow_credentials: true")).asks(&["GET / origin: http://a", "GET / origin: http://c.b", "GET / origin: http://z", "GET /"]),
        cross_origin("a_star_allows_everybody", "allow_origin_string_match: [{exact: \"*\"}], allow_methods: \"*\", allow_headers: \"*\"").asks(&["GET / origin: http://a", &format!("OPTIONS / origin: http://a; {PREFLIGHT}; access-control-request-headers: x-q")]),
        cross_origin("a_preflight_that_is_not_allowed_can_be_kept_back", &format!("{origin}, forward_not_matching_preflights: false")).asks(&[&format!("OPTIONS / origin: http://z; {PREFLIGHT}"), &format!("OPTIONS / origin: http://a; {PREFLIGHT}")]),
        cross_origin("origins_are_looked_at_where_that_is_enabled", &format!("{origin}, filter_enabled: {{default_value: {{numerator: 0}}}}"))
            .asks(&["GET / origin: http://a", &format!("OPTIONS / origin: http://a; {PREFLIGHT}")]),
        case("direct_answers_know_no_origins").filter("cors", "")
            .route(&format!("{{match: {{prefix: /}}, direct_response: {{status: 200}}, typed_per_filter_config: {{envoy.filters.http.cors: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy, {origin}}}}}}}"))
            .asks(&["GET / origin: http://a", &format!("OPTIONS / origin: http://a; {PREFLIGHT}")]),
    ]
}

fn faults() -> Vec<Case> {
    let all = "percentage: {numerator: 100}";
    let fault = |name, fields: &str| case(name).filter("fault", fields).backend("one", &["200"]);
    vec![
        fault("an_abort_is_ours", &format!("abort: {{http_status: 418, {all}}}")).asks(&["GET /", "HEAD /", "h2 POST / content-type: application/grpc"]).stats("http.in.fault.aborts_injected"),
        fault("an_abort_can_be_grpcs", &format!("abort: {{grpc_status: 5, {all}}}")).asks(&["GET /", "h2 POST / content-type: application/grpc"]),
        fault("an_abort_is_never_tried_again", &format!("abort: {{http_status: 503, {all}}}")).action("retry_policy: {retry_on: 5xx, num_retries: 3}").ask("GET /"),
        fault("a_share_is_aborted", "abort: {http_status: 503, percentage: {numerator: 25}}").spread(2000, "GET /"),
        fault("a_delay_comes_before_the_time_of_the_route", &format!("delay: {{fixed_delay: 0.3s, {all}}}")).action("timeout: 0.1s").ask("GET /").stats("http.in.fault.delays_injected"),
        fault("a_delay_and_an_abort", &format!("delay: {{fixed_delay: 0.05s, {all}}}, abort: {{http_status: 500, {all}}}")).ask("GET /"),
        fault("a_client_asks_for_its_fault", &format!("abort: {{header_abort: {{}}, {all}}}, delay: {{header_delay: {{}}, {all}}}")).asks(&["GET / x-envoy-fault-abort-request: 503", "GET / x-envoy-fault-delay-request: 50", "GET /", "GET / x-envoy-fault-abort-request: 99", "GET / x-envoy-fault-abort-request: 600", "GET / x-envoy-fault-abort-request: x"]),
        fault("a_client_may_lower_the_share", &format!("abort: {{header_abort: {{}}, {all}}}")).asks(&["GET / x-envoy-fault-abort-request: 503; x-envoy-fault-abort-request-percentage: 0"]),
        fault("only_some_fields_are_meant", &format!("headers: [{{name: x-a, string_match: {{exact: b}}}}], abort: {{http_status: 503, {all}}}")).asks(&["GET / x-a: b", "GET / x-a: c", "GET /"]),
        fault("the_scheme_and_the_host_are_fields_too", &format!("headers: [{{name: \":scheme\", string_match: {{exact: http}}}}, {{name: host, string_match: {{exact: shop}}}}], abort: {{http_status: 418, {all}}}")).asks(&["GET / host: shop", "GET / host: other", "h2 GET / host: shop"]),
        fault("no_more_faults_than_so_many_at_once", &format!("max_active_faults: 0, abort: {{http_status: 503, {all}}}")).ask("GET /").stats("http.in.fault.faults_overflow http.in.fault.aborts_injected"),
        fault("an_answer_can_be_slowed_down", &format!("response_rate_limit: {{fixed_limit: {{limit_kbps: 100}}, {all}}}")).asks(&["GET /", "h2 GET /"]).stats("http.in.fault.response_rl_injected"),
        case("a_slowed_answer_comes_piece_by_piece_behind_its_head").filter("fault", &format!("response_rate_limit: {{fixed_limit: {{limit_kbps: 1}}, {all}}}")).backend("one", &[&format!("200 << {}", "x".repeat(600))])
            .then("what comes first", |side| first_of(&mut Connection::to(side.listen).expect("a connection"))),
        fault("a_client_asks_for_a_slow_answer", &format!("response_rate_limit: {{header_limit: {{}}, {all}}}")).asks(&["GET / x-envoy-fault-throughput-response: 100", "GET / x-envoy-fault-throughput-response: 0", "GET /"]).stats("http.in.fault.response_rl_injected"),
        fault("only_one_cluster_is_meant", &format!("upstream_cluster: other, abort: {{http_status: 503, {all}}}")).ask("GET /"),
        case("a_route_has_a_fault_of_its_own").filter("fault", "").backend("one", &["200"])
            .route(&format!("{{match: {{prefix: /a}}, route: {{cluster: cart}}, typed_per_filter_config: {{envoy.filters.http.fault: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, abort: {{http_status: 503, {all}}}}}}}}}"))
            .route("{match: {prefix: /}, route: {cluster: cart}}").asks(&["GET /a", "GET /b"]),
        fault("an_aborted_request_never_came_to_cors", &format!("abort: {{http_status: 503, {all}}}")).filter("cors", "")
            .host_field("typed_per_filter_config: {envoy.filters.http.cors: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy, allow_origin_string_match: [{exact: a}]}}").ask("GET / origin: a"),
    ]
}

/// How much of a body has come with its head, and whether the rest came at once.
fn first_of(connection: &mut Connection) -> String {
    connection.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").expect("sent");
    let (mut bytes, mut pieces, mut first) = (Vec::new(), 0, None);
    let body = |bytes: &[u8]| bytes.windows(4).position(|end| end == b"\r\n\r\n").map(|at| bytes.len() - at - 4);
    while body(&bytes).is_none_or(|come| come < 600) {
        let mut piece = [0; 4096];
        let read = connection.read(&mut piece).expect("more of the answer");
        assert!(read > 0, "the answer is whole");
        bytes.extend_from_slice(&piece[..read]);
        pieces += 1;
        first = first.or(body(&bytes));
    }
    let little = if first < Some(600) { "a little" } else { "all" };
    format!("{little} of the body with the head, then {}", if pieces > 3 { "bit by bit" } else { "the rest" })
}

fn rate_limits() -> Vec<Case> {
    let on = "filter_enabled: {default_value: {numerator: 100}}, filter_enforced: {default_value: {numerator: 100}}";
    let limit = |name, fields: &str| {
        case(name).filter("local_ratelimit", &format!("stat_prefix: limit, token_bucket: {{max_tokens: 2, tokens_per_fill: 2, fill_interval: 60s}}, {fields}")).backend("one", &["200"])
            .stats("limit.http_local_rate_limit.rate_limited limit.http_local_rate_limit.ok limit.http_local_rate_limit.enforced limit.http_local_rate_limit.enabled")
    };
    vec![
        limit("a_bucket_runs_dry", on).times(4, "GET /"),
        limit("a_limit_has_a_status_and_fields", &format!("{on}, status: {{code: ServiceUnavailable}}, response_headers_to_add: [{{header: {{key: x-limited, value: \"true\"}}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}}]")).times(3, "GET /"),
        limit("a_limit_can_only_count", "filter_enabled: {default_value: {numerator: 100}}, filter_enforced: {default_value: {numerator: 0}}").times(4, "GET /"),
        limit("a_limit_that_is_not_enabled_does_nothing", "").times(3, "GET /"),
        limit("a_limit_tells_grpc", on).times(3, "h2 POST / content-type: application/grpc"),
        limit("a_limit_is_exhaustion_to_grpc", &format!("{on}, rate_limited_as_resource_exhausted: true")).times(3, "h2 POST / content-type: application/grpc"),
        limit("a_limit_tells_what_is_left", &format!("{on}, enable_x_ratelimit_headers: DRAFT_VERSION_03")).times(3, "GET /"),
        limit("descriptions_know_the_scheme", &format!("{on}, descriptors: [{{entries: [{{key: scheme, value: http}}], token_bucket: {{max_tokens: 1, tokens_per_fill: 1, fill_interval: 60s}}}}]"))
            .route("{match: {prefix: /}, route: {cluster: cart, rate_limits: [{actions: [{request_headers: {header_name: \":scheme\", descriptor_key: scheme}}]}]}}").times(2, "GET /"),
        limit("a_connection_has_its_own", &format!("{on}, local_rate_limit_per_downstream_connection: true")).together(&["GET /", "GET /", "GET /"]).together(&["GET /"]),
    ]
}
