//! How much may be under way at once.

use squall_tests::envoy::{Case, case, hold_all};

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [breakers(), retries(), gauges(), connections_of_streams()].into_iter().flatten().collect()
}

fn limit(name: &'static str, thresholds: &str) -> Case {
    case(name)
        .cart(&format!("circuit_breakers: {{thresholds: [{{{thresholds}}}]}}"))
        .backend("one", &["held 200", "200"])
        .stats(".upstream_rq_pending_overflow .upstream_cx_overflow")
}

/// What is told of a breaker while two requests are under way.
fn remaining(name: &'static str, thresholds: &str) -> Case {
    case(name)
        .cart(&format!("circuit_breakers: {{thresholds: [{{{thresholds}}}]}}"))
        .action("retry_policy: {retry_on: 5xx}")
        .backend("one", &["503", "held 200"])
        .answers_only()
        .hold(2, "GET /a")
        .hold(3, "GET /b")
        .until(".upstream_rq_active", 2)
        .then("left", |side| {
            let stats = side.stats().into_iter();
            let left = stats
                .filter(|(name, _)| name.starts_with("cluster.cart.circuit_breakers.") && !name.ends_with("cx_pools"));
            left.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join("\n")
        })
        .release()
}

fn breakers() -> Vec<Case> {
    vec![
        limit("a_request_beyond_the_limit_is_refused", "max_requests: 1").counting().hold(1, "GET /a").ask("GET /b").release(),
        limit("nothing_may_wait_though_a_connection_could_be_made", "max_pending_requests: 0").counting().ask("GET /b"),
        limit("an_overflow_can_be_kept_quiet", "max_pending_requests: 0").router("suppress_envoy_headers: true").ask("GET /"),
limit("one_connection_and_one_may_wait", "max_connections: 1, max_pending_requests: 1").counting().hold(1, "GET /a").hold(1, "GET /p").until(".upstream_rq_pending_active", 1).ask("GET /b").release(),
        limit("an_overflow_is_never_tried_again", "max_requests: 1").action("retry_policy: {retry_on: 5xx, num_retries: 3}").counting().hold(1, "GET /a").ask("GET /b").release(),
        remaining("what_is_left_is_told", "max_connections: 4, max_pending_requests: 5, max_requests: 2, max_retries: 6, track_remaining: true"),
        remaining("a_budget_has_no_number_left", "max_requests: 2, track_remaining: true, retry_budget: {}"),
        remaining("nothing_left_is_told_unless_asked_for", "max_requests: 2"),
        limit("grpc_is_told", "max_requests: 1").counting().hold(1, "GET /a").ask("h2 POST / content-type: application/grpc").release(),
        limit("what_is_over_is_free_again", "max_requests: 1").counting().hold(1, "GET /a").release().until(".upstream_rq_active", 0).ask("GET /b"),
        case("a_high_priority_has_its_own").cart("circuit_breakers: {thresholds: [{priority: DEFAULT, max_requests: 1}, {priority: HIGH, max_requests: 1}]}").backend("one", &["held 200", "200"]).counting()
            .route("{match: {prefix: /high}, route: {cluster: cart, priority: HIGH}}").route("{match: {prefix: /}, route: {cluster: cart}}").hold(1, "GET /a").asks(&["GET /b", "GET /high"]).release(),
        case("requests_over_http2_are_limited").cart("circuit_breakers: {thresholds: [{max_requests: 1}]}, typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {}}}}")
            .backend2("one", &["held 200", "200"]).counting().hold(1, "GET /a").ask("GET /b").release(),
        case("a_connection_serves_so_many").cart("max_requests_per_connection: 2").backend("one", &["200"]).together(&["GET /a", "GET /b", "GET /c", "GET /d"]).connections("one"),
        case("connections_are_used_again").backend("one", &["200"]).together(&["GET /a", "GET /b", "GET /c"]).connections("one"),
        case("a_client_connection_serves_so_many").manager("common_http_protocol_options: {max_requests_per_connection: 2}").backend("one", &["200"]).together(&["GET /a", "GET /b"]),
    ]
}

/// Each request is tried once more.
fn limited(name: &'static str, thresholds: &str, plays: &[&str]) -> Case {
    case(name)
        .cart(&format!("circuit_breakers: {{thresholds: [{{{thresholds}}}]}}"))
        .action("retry_policy: {retry_on: 5xx, num_retries: 1}")
        .backend("one", plays)
        .counting()
}

/// The first try of `/a` fails, and the second is under way for as long as the case wants.
fn retrying(name: &'static str, thresholds: &str) -> Case {
    limited(name, thresholds, &["503", "held 200", "503"]).hold(2, "GET /a")
}

fn retries() -> Vec<Case> {
    let budget = |percent, least| {
        format!("retry_budget: {{budget_percent: {{value: {percent}}}, min_retry_concurrency: {least}}}")
    };
    vec![
        retrying("a_retry_beyond_the_limit_is_refused", "max_retries: 1").ask("GET /b").release(),
        retrying("a_retry_beyond_the_budgets_least_is_refused", &budget(20, 1)).ask("GET /b").release(),
        // Of three to five requests under way 35 % are one.
        limited(
            "a_retry_beyond_the_budgets_share_is_refused",
            &budget(35, 0),
            &["held 200", "held 200", "held 200", "503", "held 200", "503"],
        )
        .hold(1, "GET /x")
        .hold(2, "GET /y")
        .hold(3, "GET /z")
        .hold(5, "GET /a")
        .ask("GET /b")
        .release()
        // Which of the four ends first is chance.
        .answers_only()
        .stats(".upstream_rq_total .upstream_rq_retry .upstream_rq_retry_overflow .upstream_rq_503"),
        retrying("a_retry_within_the_budgets_share_goes_on", &budget(100, 0)).ask("GET /b").release(),
        retrying("a_retry_within_the_budgets_least_goes_on", &budget(0, 2)).ask("GET /b").release(),
    ]
}

/// What the gauges of a priority say: 1 for each limit that is reached.
fn open(case: Case, priority: &'static str) -> Case {
    case.then("gauges", move |side| {
        let stats = side.stats();
        let begin = format!("cluster.cart.circuit_breakers.{priority}.");
        let gauge = |(name, value): (&String, &i64)| Some(format!("{}: {value}", name.strip_prefix(&begin)?));
        let gauges = stats.iter().filter_map(gauge).filter(|line| line.contains("_open"));
        gauges.collect::<Vec<_>>().join("\n      ")
    })
}

fn gauges() -> Vec<Case> {
    let limits = "max_connections: 1, max_pending_requests: 1, max_requests: 2";
    let full = limit("gauges_tell_which_limits_are_reached", limits)
        .counting()
        .hold(1, "GET /a")
        .until(".circuit_breakers.default.cx_open", 1);
    let full = open(full, "default").hold(1, "GET /p").until(".circuit_breakers.default.rq_pending_open", 1);
    let full = open(full, "default").release().until(".circuit_breakers.default.rq_pending_open", 0);
    let requests = limit("a_gauge_tells_that_no_more_requests_are_taken", "max_requests: 1").counting();
    let requests = requests.hold(1, "GET /a").until(".circuit_breakers.default.rq_open", 1);
    let requests = open(requests, "default").release().until(".circuit_breakers.default.rq_open", 0);
    let high = limit("a_high_priority_has_gauges_of_its_own", "priority: HIGH, max_requests: 1")
        .route("{match: {prefix: /}, route: {cluster: cart, priority: HIGH}}")
        .counting();
    let high = high.hold(1, "GET /a").until(".circuit_breakers.high.rq_open", 1);
    let retries = retrying("a_gauge_tells_that_no_more_is_tried_again", "max_retries: 1");
    let retries = retries.until(".circuit_breakers.default.rq_retry_open", 1);
    let retries = open(retries, "default").release().until(".circuit_breakers.default.rq_retry_open", 0);
    vec![
        open(full, "default"),
        open(requests, "default"),
        open(open(high, "high"), "default").release(),
        open(retries, "default"),
        open(retrying("a_budget_and_its_gauge", "retry_budget: {min_retry_concurrency: 1}"), "default").release(),
    ]
}

/// HTTP/2 to the upstream, by connections that are bound so.
fn streams(name: &'static str, bound: &str, plays: &[&str]) -> Case {
    let message = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    case(name)
        .cart(&format!("circuit_breakers: {{thresholds: [{{max_connections: 2}}]}}, typed_extension_protocol_options: {{envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{\"@type\": {message}, common_http_protocol_options: {{{bound}}}, explicit_http_config: {{http2_protocol_options: {{}}}}}}}}"))
        .backend2("one", plays)
}

fn connections_of_streams() -> Vec<Case> {
    vec![
        case("a_connection_that_ends_with_its_answer_was_not_lost_under_way")
            .backend("one", &["200 connection: close"])
            .times(3, "GET /")
            .until(".upstream_cx_active", 0)
            .stats(".upstream_cx_destroy .upstream_cx_destroy_with_active_rq .upstream_cx_close_notify"),
        streams("a_connection_serves_so_many_streams", "max_requests_per_connection: 1", &["200"])
            .times(5, "GET /")
            .until(".upstream_cx_active", 0)
            .connections("one")
            .stats(
                ".upstream_cx_max_requests .upstream_cx_total .upstream_cx_destroy .upstream_cx_destroy_with_active_rq",
            ),
        streams("a_connection_of_streams_idles_so_long", "idle_timeout: 0.2s", &["200"])
            .ask("GET /a")
            .until(".upstream_cx_idle_timeout", 1)
            .until(".upstream_cx_active", 0)
            .ask("GET /b")
            .connections("one")
            .stats(".upstream_cx_max_requests .upstream_cx_max_duration_reached"),
        streams("a_connection_of_streams_lives_so_long", "max_connection_duration: 0.3s", &["held 200", "200"])
            .hold(1, "GET /a")
            .until(".upstream_cx_max_duration_reached", 1)
            .ask("GET /b")
            .release()
            .connections("one")
            .until(".upstream_cx_max_duration_reached", 2)
            .until(".upstream_cx_active", 0)
            .stats(".upstream_cx_idle_timeout .upstream_cx_destroy_with_active_rq"),
        streams("a_connection_that_says_goodbye_gets_no_more_streams", "", &["held 200", "goodbye", "200"])
            .hold(1, "GET /a")
            .asks(&["GET /b", "GET /c"])
            .release()
            .connections("one")
            .stats(".upstream_cx_close_notify .upstream_cx_total"),
    ]
}
