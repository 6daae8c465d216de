//! How long a route and a try may take.

use squall_tests::http::{Answer, Backend, ok};
use squall_tests::proxy::{Proxy, routes};
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_route_without_a_time_out_waits_and_one_with_it_is_504_ut() {
    let backend = Backend::start(|_| Answer::Silence);
    let proxy = Proxy::start(&routes("    - timeout: 50ms\n      route: [{destination: {host: cart}}]"), &[&backend]);
    let answer = proxy.get("/");
    assert_eq!((answer.status(), answer.text().as_str()), (504, "upstream request timeout"));
    let log = proxy.access_log(1);
    assert_eq!(log[0]["response_flags"], "UT");
    assert_eq!(log[0]["response_code_details"], "response_timeout");
}

#[test]
fn a_per_try_time_out_alone_retries_nothing() {
    let backend = Backend::start(|_| Answer::Silence);
    let http = "    - retries: {attempts: 3, perTryTimeout: 50ms}\n      route: [{destination: {host: cart}}]";
    let proxy = Proxy::start(&routes(http), &[&backend]);
    assert_eq!(proxy.get("/").status(), 504);
    assert_eq!(backend.asked().len(), 1);
    assert_eq!(proxy.access_log(1)[0]["response_code_details"], "upstream_per_try_timeout");
}

#[test]
fn a_per_try_time_out_with_a_condition_that_covers_it_is_tried_again() {
    let seen = AtomicUsize::new(0);
    let backend =
        Backend::start(move |_| if seen.fetch_add(1, Ordering::SeqCst) == 0 { Answer::Silence } else { ok("well") });
    let http = "    - retries: {attempts: 1, perTryTimeout: 50ms, retryOn: gateway-error}\n      route: [{destination: {host: cart}}]";
    assert_eq!(Proxy::start(&routes(http), &[&backend]).get("/").text(), "well");
}

#[test]
fn the_routes_time_out_ends_all_tries() {
    let backend = Backend::start(|_| Answer::Silence);
    let http = "    - timeout: 120ms\n      retries: {attempts: 10, perTryTimeout: 50ms, retryOn: 5xx}\n      route: [{destination: {host: cart}}]";
    let proxy = Proxy::start(&routes(http), &[&backend]);
    assert_eq!(proxy.get("/").status(), 504);
    assert!((2..=3).contains(&backend.asked().len()), "{}", backend.asked().len());
    assert_eq!(proxy.access_log(1)[0]["response_code_details"], "response_timeout");
}

#[test]
fn the_upstream_is_told_how_long_it_has() {
    let backend = Backend::named("cart");
    let http = "    - timeout: 2s\n      route: [{destination: {host: cart}}]";
    let _ = Proxy::start(&routes(http), &[&backend]).get("/");
    assert_eq!(backend.asked()[0].field("x-envoy-expected-rq-timeout-ms"), "2000");
}

#[test]
fn the_routes_time_begins_when_the_request_is_whole() {
    let backend = Backend::start(|_| Answer::Status(200, "", vec![b'x'; 1 << 20]));
    let proxy = Proxy::start(&routes("    - timeout: 300ms\n      route: [{destination: {host: cart}}]"), &[&backend]);
    let mut connection = proxy.connect();
    connection.send("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 5\r\n\r\nhel").expect("sent");
    // The test is about a client that takes longer than the route's time to send.
    std::thread::park_timeout(std::time::Duration::from_millis(450));
    connection.send("lo").expect("sent");
    let answer = connection.answer().expect("a whole answer").expect("an answer");
    assert_eq!((answer.status(), answer.body.len()), (200, 1 << 20));
}
