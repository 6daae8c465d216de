//! Bytes without HTTP.

use squall_tests::envoy::{Case, case, hold_all};
use squall_tests::http::Connection;
use std::io::{Read, Write};

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [tcp(), outliers()].into_iter().flatten().collect()
}

fn bytes(name: &'static str, fields: &str) -> Case {
    case(name).tcp(fields).answers_only()
}

fn exchange(case: Case) -> Case {
    case.then("what comes back", |side| said(&mut Connection::to(side.listen).expect("a connection")))
}

fn said(connection: &mut Connection) -> String {
    // Whoever closes at once shows it when it is read.
    let _ = connection.send("GET /x HTTP/1.1\r\nhost: a\r\n\r\n");
    match connection.answer() {
        Ok(Some(answer)) => format!("{} {}", answer.line, answer.text()),
        Ok(None) | Err(_) => "closed".to_owned(),
    }
}

fn log(case: Case) -> Case {
    case.then("access log", |side| {
        squall_tests::until("a line is logged", || !side.log().is_empty());
        side.log().join("\n")
    })
}

/// Four connections to a cluster whose endpoints are reached by their labels alone.
fn parts(name: &'static str, fields: &str) -> Case {
    let labelled = |backend: &str, version: &str| {
        format!(
            "{{endpoint: {{address: ${backend}}}, metadata: {{filter_metadata: {{envoy.lb: {{version: {version}}}}}}}}}"
        )
    };
    let endpoints = format!("[{{lb_endpoints: [{}, {}]}}]", labelled("one", "v1"), labelled("two", "v2"));
    let case = bytes(name, fields)
        .cluster(
            "cart",
            &endpoints,
            "lb_subset_config: {fallback_policy: NO_FALLBACK, subset_selectors: [{keys: [version]}]}",
        )
        .backend("one", &["200 connection: close"])
        .backend("two", &["200 connection: close"]);
    (0..4).fold(case, |case, _| exchange(case)).stats(".upstream_cx_none_healthy")
}

fn tcp() -> Vec<Case> {
    vec![
        log(exchange(bytes("bytes_pass", "cluster: cart").backend("one", &["200"])))
            .stats("tcp.in.downstream_cx_total tcp.in.downstream_cx_rx_bytes_total .upstream_cx_total"),
        log(exchange(bytes("a_refused_connection_closes", "cluster: cart").refusing("one")))
            .stats("tcp.in.downstream_cx_total .upstream_cx_connect_fail .upstream_cx_connect_attempts_exceeded"),
        log(exchange(bytes("another_attempt", "cluster: cart\n          max_connect_attempts: 3").refusing("one")))
            .stats(".upstream_cx_connect_fail .upstream_cx_connect_attempts_exceeded"),
        log(exchange(bytes("no_endpoint_closes", "cluster: cart").backend("one", &["200"]).cluster("cart", "[]", "")))
            .stats(".upstream_cx_none_healthy"),
        log(exchange(bytes("no_cluster_closes", "cluster: none").backend("one", &["200"]))),
        log(exchange(
            bytes("weights", "weighted_clusters: {clusters: [{name: cart, weight: 1}]}").backend("one", &["200"]),
        )),
        parts("a_connection_goes_where_its_labels_say", "cluster: cart\n          metadata_match: {filter_metadata: {envoy.lb: {version: v2}}}"),
        parts("a_destinations_labels_come_before_those_of_all", "weighted_clusters: {clusters: [{name: cart, weight: 1, metadata_match: {filter_metadata: {envoy.lb: {version: v2}}}}]}\n          metadata_match: {filter_metadata: {envoy.lb: {version: v1}}}"),
        parts("nobody_has_such_labels", "cluster: cart\n          metadata_match: {filter_metadata: {envoy.lb: {version: v3}}}"),
        bytes("a_connection_beyond_the_limit_is_closed", "cluster: cart")
            .cart("circuit_breakers: {thresholds: [{max_connections: 1}]}")
            .backend("one", &["200"])
            .then("two at once", |side| {
                let mut first = Connection::to(side.listen).expect("a connection");
                let one = said(&mut first);
                let mut second = Connection::to(side.listen).expect("a connection");
                format!("{one}, then {}, then {}", said(&mut second), said(&mut first))
            })
            .stats(".upstream_cx_overflow .upstream_cx_total"),
        log(exchange(
            bytes("a_connection_lives_so_long", "cluster: cart\n          max_downstream_connection_duration: 0.3s")
                .backend("one", &["silence"]),
        )),
        bytes("an_end_of_one_direction_is_passed_on", "cluster: cart").backend("one", &["200"]).then("half", |side| {
            let mut stream = std::net::TcpStream::connect(side.listen).expect("a connection");
            stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").expect("sent");
            stream.shutdown(std::net::Shutdown::Write).expect("a connection");
            let mut text = String::new();
            stream.read_to_string(&mut text).expect("a text");
            text
        }),
        bytes("many_bytes_go_both_ways", "cluster: cart").backend("one", &["200"]).then("large", |side| {
            let mut connection = Connection::to(side.listen).expect("a connection");
            let body = "x".repeat(500_000);
            let answer = connection.ask(&format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 500000\r\n\r\n{body}"));
            format!("{} {}", answer.line, answer.body.len())
        })
        .stats("tcp.in.downstream_cx_rx_bytes_total tcp.in.downstream_cx_tx_bytes_total .upstream_cx_tx_bytes_total .upstream_cx_rx_bytes_total"),
        bytes("connections_are_shared_by_weight", "weighted_clusters: {clusters: [{name: a, weight: 1}, {name: b, weight: 2}]}")
            .cluster("a", "one", "")
            .cluster("b", "two", "")
            .backend("one", &["200 connection: close"])
            .backend("two", &["200 connection: close"])
            .spread(600, "GET /"),
        exchange(
            bytes("idle_connections_are_closed", "cluster: cart\n          idle_timeout: 0.2s")
                .backend("one", &["silence"]),
        )
        .stats("tcp.in.idle_timeout"),
    ]
}

/// Connections to the cluster `cart` count for and against its endpoints.
fn ejecting(name: &'static str, cluster: &str, detection: &str) -> Case {
    bytes(name, "cluster: cart").cart(&format!(
        "connect_timeout: 0.2s, {cluster}outlier_detection: {{base_ejection_time: 60s, max_ejection_percent: 100, {detection}}}"
    ))
}

fn outliers() -> Vec<Case> {
    let twice = |case: Case| exchange(exchange(case)).until(".outlier_detection.ejections_active", 1).health();
    let no_panic = "common_lb_config: {healthy_panic_threshold: {value: 0}}, ";
    vec![
        twice(ejecting("refused_connections_eject", no_panic, "consecutive_5xx: 2").refusing("one"))
            .stats(".outlier_detection.ejections_enforced_consecutive_5xx .upstream_cx_none_healthy .upstream_cx_connect_fail"),
        exchange(twice(ejecting("who_is_ejected_gets_no_more_connections", no_panic, "consecutive_5xx: 2").refusing("one")))
            .stats(".upstream_cx_none_healthy .upstream_cx_connect_fail"),
        twice(ejecting("connections_that_hang_eject_as_a_time_out", "", "consecutive_gateway_failure: 2, enforcing_consecutive_gateway_failure: 100").hanging("one"))
            .stats(".outlier_detection.ejections_enforced_consecutive_gateway_failure .upstream_cx_connect_timeout .upstream_cx_connect_fail"),
        twice(ejecting("refused_connections_eject_by_their_own_count", "", "split_external_local_origin_errors: true, consecutive_local_origin_failure: 2").refusing("one"))
            .stats(".outlier_detection.ejections_enforced_consecutive_local_origin_failure"),
    ]
}
