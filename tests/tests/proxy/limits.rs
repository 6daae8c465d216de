//! Connection-pool limits: what is over is refused at once.

use squall_tests::http::{Answer, Backend, Message};
use squall_tests::proxy::{Proxy, rule};
use squall_tests::until;
use std::thread;

fn silent() -> Backend {
    Backend::start(|_| Answer::Silence)
}

fn is_overflow(answer: &Message) {
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.field("x-envoy-overloaded"), "true");
    assert!(answer.text().contains("overflow"), "{}", answer.text());
}

#[test]
fn a_request_beyond_pending_and_connections_is_503_uo() {
    let backend = silent();
    let policies = rule("{connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1}}}");
    let proxy = Proxy::start(&policies, &[&backend]);
    let listen = proxy.listen;
    // Two that stay: one on the connection, then one waiting for it. Until the connection is there, the first is pending too.
    thread::spawn(move || squall_tests::http::get(listen, "/", "host: cart\r\n"));
    until("the first request is under way", || backend.asked().len() == 1);
    thread::spawn(move || squall_tests::http::get(listen, "/", "host: cart\r\n"));
    proxy.until_metric("envoy_cluster_upstream_rq_pending_active", "cart", 1.0);
    is_overflow(&proxy.get("/"));
    assert_eq!(proxy.access_log(1)[0]["response_flags"], "UO");
    assert_eq!(backend.connections(), 1);
    assert!(proxy.metric("envoy_cluster_upstream_rq_pending_overflow", "cart") >= 1.0);
}

#[test]
fn max_requests_bounds_those_under_way() {
    let backend = silent();
    let policies = rule("{connectionPool: {http: {http2MaxRequests: 1}}}");
    let proxy = Proxy::start(&policies, &[&backend]);
    let listen = proxy.listen;
    thread::spawn(move || squall_tests::http::get(listen, "/", "host: cart\r\n"));
    until("the first request is under way", || backend.asked().len() == 1);
    is_overflow(&proxy.get("/"));
}

#[test]
fn a_connection_is_used_for_so_many_requests() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start(&rule("{connectionPool: {http: {maxRequestsPerConnection: 2}}}"), &[&backend]);
    let mut connection = proxy.connect();
    for _ in 0..4 {
        let _ = connection.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n");
    }
    assert_eq!(backend.connections(), 2);
}

#[test]
fn without_limits_connections_are_kept_and_used_again() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start("", &[&backend]);
    let mut connection = proxy.connect();
    for _ in 0..10 {
        assert_eq!(connection.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").status(), 200);
    }
    assert_eq!(backend.connections(), 1);
}

#[test]
fn a_client_that_leaves_gives_up_its_place_in_the_queue() {
    let backend = silent();
    let policies = rule("{connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1}}}");
    let proxy = Proxy::start(&policies, &[&backend]);
    let listen = proxy.listen;
    thread::spawn(move || squall_tests::http::get(listen, "/", "host: cart\r\n"));
    until("the first request is under way", || backend.asked().len() == 1);
    let mut waiting = proxy.connect();
    waiting.send("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").expect("sent");
    proxy.until_metric("envoy_cluster_upstream_rq_pending_active", "cart", 1.0);
    drop(waiting);
    until("the place is free", || proxy.metric("envoy_cluster_upstream_rq_pending_active", "cart") < 0.5);
}
