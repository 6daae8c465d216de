//! How long connections live, how many there may be, and what ends them.

use squall_tests::envoy::{Case, Side, case, hold_all};
use squall_tests::http::Connection;

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [of_clients(), to_backends(), by_limits(), by_checks()].into_iter().flatten().collect()
}

/// One request, and then nothing: what becomes of its connection.
fn left_alone(case: Case) -> Case {
    case.backend("one", &["200"]).then("a connection that is left alone", |side: &Side| {
        let mut connection = Connection::to(side.listen).expect("a connection");
        let answer = connection.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n");
        let end = match connection.answer() {
            Ok(None) => "is closed",
            Ok(Some(_)) => "is told something",
            Err(_) => "is reset or open",
        };
        format!("{} {end}", answer.status())
    })
}

fn of_clients() -> Vec<Case> {
    vec![
        left_alone(
            case("a_clients_connection_idles_so_long").manager("common_http_protocol_options: {idle_timeout: 0.3s}"),
        )
        .stats("http.in.downstream_cx_idle_timeout http.in.downstream_cx_destroy"),
        left_alone(
            case("a_clients_connection_lives_so_long")
                .manager("common_http_protocol_options: {max_connection_duration: 0.3s}")
                .manager("drain_timeout: 0.1s"),
        )
        .stats("http.in.downstream_cx_max_duration_reached http.in.downstream_cx_destroy"),
    ]
}

/// The upstream's connections of HTTP/1 are bound so.
fn bound(name: &'static str, bound: &str, plays: &[&str]) -> Case {
    let message = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    case(name)
        .cluster("cart", "one", &format!("typed_extension_protocol_options: {{envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{\"@type\": {message}, common_http_protocol_options: {{{bound}}}, explicit_http_config: {{http_protocol_options: {{}}}}}}}}"))
        .backend("one", plays)
        .stats(".upstream_cx_idle_timeout .upstream_cx_max_duration_reached .upstream_cx_total .upstream_cx_destroy .upstream_cx_destroy_with_active_rq")
}

fn to_backends() -> Vec<Case> {
    vec![
        bound("a_backends_connection_idles_so_long", "idle_timeout: 0.2s", &["200"])
            .ask("GET /a")
            .until(".upstream_cx_idle_timeout", 1)
            .until(".upstream_cx_active", 0)
            .ask("GET /b")
            .connections("one"),
        bound("a_backends_connection_lives_so_long", "max_connection_duration: 0.3s", &["200"])
            .ask("GET /a")
            .until(".upstream_cx_max_duration_reached", 1)
            .until(".upstream_cx_active", 0)
            .ask("GET /b")
            .connections("one"),
        // The first is under way for longer than its connection may live, since the second takes that long.
        bound(
            "a_backends_connection_outlives_its_time_with_its_request",
            "max_connection_duration: 0.3s",
            &["held 200", "200"],
        )
        .cluster("late", "two", "")
        .backend("two", &["silence"])
        .route("{match: {prefix: /late}, route: {cluster: late, timeout: 0.6s}}")
        .route("{match: {prefix: /}, route: {cluster: cart}}")
        .hold(1, "GET /a")
        .ask("GET /late")
        .release()
        .until(".upstream_cx_active", 0)
        .ask("GET /b")
        .connections("one"),
    ]
}

fn by_limits() -> Vec<Case> {
    let message = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let as_the_client = format!(
        "typed_extension_protocol_options: {{envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{\"@type\": {message}, use_downstream_protocol_config: {{http2_protocol_options: {{}}}}}}}}"
    );
    vec![
        case("each_endpoint_has_so_many_connections")
            .cart("circuit_breakers: {per_host_thresholds: [{max_connections: 1}]}")
            .backend("one", &["held 200", "200"])
            .counting()
            .hold(1, "GET /a")
            .hold(1, "GET /p")
            .until(".upstream_rq_pending_active", 1)
            .release()
            .until(".upstream_rq_active", 0)
            .connections("one")
            .stats(".upstream_cx_overflow .upstream_cx_total"),
        case("there_are_so_many_pools")
            .cart(&format!("circuit_breakers: {{thresholds: [{{max_connection_pools: 1}}]}}, {as_the_client}"))
            .backend("one", &["held 200", "200"])
            .counting()
            .hold(1, "GET /a")
            .ask("h2 GET /b")
            .release()
            .stats(".upstream_cx_pool_overflow"),
        case("what_speaks_as_its_client_does").cart(&as_the_client).backend2("one", &["200"]).ask("h2 GET /a"),
    ]
}

const NO_PANIC: &str = "common_lb_config: {healthy_panic_threshold: {value: 0}}, ";

fn by_checks() -> Vec<Case> {
    let check = "health_checks: [{timeout: 1s, interval: 0.1s, no_traffic_interval: 0.1s, unhealthy_threshold: 1, healthy_threshold: 1, http_health_check: {path: /healthz}}]";
    let used = |name, fields: &str| {
        case(name)
            .cart(&format!("{NO_PANIC}{fields}{check}"))
            .backend("one", &["200"])
            .answers_only()
            .until(".membership_healthy", 1)
    };
    let told = "close_connections_on_host_health_failure: true, ";
    let fails = |case: Case| {
        case.ask("GET /")
            .until(".upstream_cx_active", 1)
            .play("one", &["503"])
            .until(".membership_healthy", 0)
            .until(".upstream_cx_active", 0)
            .stats(".upstream_cx_destroy")
    };
    vec![
        fails(used("connections_to_who_fails_its_checks_are_closed", "")),
        fails(used("connections_to_who_fails_its_checks_are_closed_if_told", told)),
        used("who_asks_to_be_left_out_is_met_on_new_connections", "")
            .play("one", &["200 x-envoy-immediate-health-check-fail: true"])
            .ask("GET /")
            .until(".membership_healthy", 0)
            .until(".upstream_cx_active", 0),
        case("connections_to_who_is_ejected_are_closed")
            .cart(&format!("{NO_PANIC}outlier_detection: {{consecutive_5xx: 2, base_ejection_time: 60s, max_ejection_percent: 100}}"))
            .backend("one", &["500"])
            .times(2, "GET /")
            .until(".outlier_detection.ejections_active", 1)
            .until(".upstream_cx_active", 0)
            .stats(".upstream_cx_destroy .upstream_cx_total"),
        // A check that gets no answer fails after a second; the client waits for as long as its connection is there.
        used("connections_of_bytes_to_who_fails_its_checks_are_cut_if_told", told)
            .tcp("cluster: cart")
            .play("one", &["silence"])
            .hold(1, "GET /a")
            .until(".membership_healthy", 0)
            .until(".upstream_cx_active", 0)
            .release(),
    ]
}
