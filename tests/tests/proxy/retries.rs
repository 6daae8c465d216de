//! Which failures are tried again, where, and how often.

use squall_tests::http::{Answer, Backend, Refusing, ok, status};
use squall_tests::proxy::{Proxy, routes, rule};
use squall_tests::until;
use std::sync::atomic::{AtomicUsize, Ordering};

fn retrying(retries: &str) -> String {
    routes(&format!("    - route: [{{destination: {{host: cart}}}}]\n      retries: {retries}"))
}

/// Answers 503 so many times, then well.
fn recovering(failures: usize) -> Backend {
    let seen = AtomicUsize::new(0);
    Backend::start(move |_| if seen.fetch_add(1, Ordering::SeqCst) < failures { status(503) } else { ok("well") })
}

#[test]
fn the_meshs_default_does_not_retry_a_503_of_the_application() {
    let backend = recovering(1);
    assert_eq!(Proxy::start("", &[&backend]).get("/").status(), 503);
    assert_eq!(backend.asked().len(), 1);
}

#[test]
fn the_meshs_default_retries_a_refused_connection_elsewhere() {
    let backend = Backend::named("well");
    let refused = Refusing::start();
    let proxy = Proxy::with_endpoints("", &[(refused.address, "v1", true), (backend.address, "v1", true)]);
    for _ in 0..20 {
        assert_eq!(proxy.get("/").status(), 200);
    }
    assert!(proxy.metric("envoy_cluster_upstream_rq_retry{", "cart") >= 1.0, "some first picks were refused");
}

#[test]
fn retry_on_5xx_tries_again_and_counts_the_attempts_in_a_header() {
    let backend = recovering(2);
    let proxy = Proxy::start(&retrying("{attempts: 3, retryOn: 5xx}"), &[&backend]);
    assert_eq!(proxy.get("/").text(), "well");
    let attempts: Vec<_> =
        backend.asked().iter().map(|asked| asked.field("x-envoy-attempt-count").to_owned()).collect();
    assert_eq!(attempts, ["1", "2", "3"]);
    assert_eq!(proxy.access_log(1)[0]["attempts"], 3);
}

#[test]
fn attempts_are_retries_so_n_means_n_plus_one_tries_and_then_urx() {
    let backend = Backend::start(|_| status(503));
    let proxy = Proxy::start(&retrying("{attempts: 2, retryOn: 5xx}"), &[&backend]);
    assert_eq!(proxy.get("/").status(), 503);
    assert_eq!(backend.asked().len(), 3);
    let exhausted = proxy.metric("envoy_cluster_upstream_rq_retry_limit_exceeded", "cart");
    assert!((exhausted - 1.0).abs() < 0.1, "{exhausted}");
}

#[test]
fn an_empty_retries_block_switches_retries_off() {
    let backend = Backend::start(|_| Answer::Close);
    assert_eq!(Proxy::start(&retrying("{}"), &[&backend]).get("/").status(), 503);
    assert_eq!(backend.asked().len(), 1);
}

#[test]
fn gateway_error_covers_502_to_504_and_not_500() {
    for (code, tries) in [(500, 1), (502, 2), (503, 2), (504, 2)] {
        let backend = Backend::start(move |_| status(code));
        let _ = Proxy::start(&retrying("{attempts: 1, retryOn: gateway-error}"), &[&backend]).get("/");
        assert_eq!(backend.asked().len(), tries, "{code}");
    }
}

#[test]
fn listed_status_codes_are_retried() {
    let seen = AtomicUsize::new(0);
    let backend =
        Backend::start(move |_| if seen.fetch_add(1, Ordering::SeqCst) == 0 { status(429) } else { ok("well") });
    let proxy = Proxy::start(&retrying("{attempts: 1, retryOn: \"retriable-status-codes,429\"}"), &[&backend]);
    assert_eq!(proxy.get("/").text(), "well");
}

#[test]
fn a_connection_closed_before_the_answer_is_a_reset() {
    let seen = AtomicUsize::new(0);
    let backend =
        Backend::start(move |_| if seen.fetch_add(1, Ordering::SeqCst) == 0 { Answer::Close } else { ok("well") });
    let proxy = Proxy::start(&retrying("{attempts: 1, retryOn: reset}"), &[&backend]);
    assert_eq!(proxy.get("/").text(), "well");
}

#[test]
fn reset_before_request_does_not_cover_a_request_that_was_written() {
    let backend = Backend::start(|_| Answer::Close);
    let proxy = Proxy::start(&retrying("{attempts: 1, retryOn: reset-before-request}"), &[&backend]);
    assert_eq!(proxy.get("/").status(), 503);
    assert_eq!(backend.asked().len(), 1);
    assert_eq!(proxy.access_log(1)[0]["response_flags"], "UC");
}

#[test]
fn a_retry_avoids_the_hosts_that_were_tried() {
    let bad = Backend::start(|_| status(503));
    let good = Backend::named("well");
    let policies =
        format!("{}{}", retrying("{attempts: 1, retryOn: 5xx}"), rule("{loadBalancer: {simple: ROUND_ROBIN}}"));
    let proxy = Proxy::start(&policies, &[&bad, &good]);
    for _ in 0..10 {
        assert_eq!(proxy.get("/").text(), "well");
    }
    assert!(!bad.asked().is_empty());
    assert!(bad.asked().iter().all(|asked| asked.field("x-envoy-attempt-count") == "1"), "no second try comes here");
}

#[test]
fn a_body_is_sent_again_with_each_try() {
    let backend = recovering(1);
    let proxy = Proxy::start(&retrying("{attempts: 1, retryOn: 5xx}"), &[&backend]);
    let answer = proxy.connect().ask("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 5\r\n\r\nhello");
    assert_eq!(answer.text(), "well");
    let bodies: Vec<_> = backend.asked().iter().map(squall_tests::http::Message::text).collect();
    assert_eq!(bodies, ["hello", "hello"]);
}

#[test]
fn a_body_beyond_the_buffer_is_not_tried_again() {
    let backend = Backend::start(|_| status(503));
    let proxy = Proxy::start(&retrying("{attempts: 1, retryOn: 5xx}"), &[&backend]);
    let mut connection = proxy.connect();
    connection.send("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 4194304\r\n\r\n").expect("sent");
    connection.send(vec![b'x'; 4 << 20]).expect("sent");
    let answer = connection.answer().expect("read").expect("an answer");
    assert_eq!(answer.status(), 503);
    assert_eq!(backend.asked().len(), 1);
    assert_eq!(backend.asked()[0].body.len(), 4 << 20);
}

#[test]
fn a_client_cannot_steer_retries_by_fields() {
    let backend = Backend::start(|_| status(503));
    let proxy = Proxy::start(&retrying("{}"), &[&backend]);
    let _ = proxy.get_with("/", "x-envoy-retry-on: 5xx\r\nx-envoy-max-retries: 3\r\n");
    assert_eq!(backend.asked().len(), 1);
    assert_eq!(backend.asked()[0].field("x-envoy-retry-on"), "");
}

#[test]
fn max_retries_bounds_how_many_run_at_once() {
    // The first try of `/a` fails, and its second is under way until the client leaves.
    let backend = Backend::start(|asked| match asked.field("x-envoy-attempt-count") {
        "2" => Answer::Silence,
        _ => status(503),
    });
    let policies =
        format!("{}{}", retrying("{attempts: 1, retryOn: 5xx}"), rule("{connectionPool: {http: {maxRetries: 1}}}"));
    let proxy = Proxy::start(&policies, &[&backend]);
    let mut first = proxy.connect();
    first.send("GET /a HTTP/1.1\r\nhost: cart\r\n\r\n").expect("sent");
    until("one is tried again", || backend.asked().len() == 2);
    proxy.until_metric("envoy_cluster_circuit_breakers_default_rq_retry_open", "cart", 1.0);
    assert_eq!(proxy.get("/b").status(), 503);
    assert_eq!(backend.asked().len(), 3, "there is no room for a second retry");
    assert_eq!(proxy.access_log(1)[0]["response_flags"], "UO");
    assert_eq!(proxy.count("envoy_cluster_upstream_rq_retry_overflow", "cart"), 1);
    drop(first);
    until("the place is free", || proxy.metric("envoy_cluster_circuit_breakers_default_rq_retry_open", "cart") < 0.5);
}
