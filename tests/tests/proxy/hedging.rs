//! Tries side by side: a late one goes on while the next one runs, and the first good answer is the client's.

use squall_tests::bootstrap::Bootstrap;
use squall_tests::http::{Answer, Backend, Message, ok, status};
use squall_tests::proxy::Proxy;
use squall_tests::until;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

const RETRY: &str = "retry_policy: {retry_on: 5xx, num_retries: 2, per_try_timeout: 0.1s, retry_host_predicate: [{name: hosts, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate}}], host_selection_retry_max_attempts: 5}, hedge_policy: {hedge_on_per_try_timeout: true}";

fn hedging(action: &str, endpoints: &[SocketAddr]) -> Proxy {
    Proxy::on_bootstrap(
        &Bootstrap { action, host: "include_request_attempt_count: true", ..Bootstrap::default() }.text(endpoints),
    )
}

/// A backend that lets the first request that is asked of any of its kind wait until somebody else was asked.
fn slow_then(second: fn() -> Answer) -> impl Fn(&Message) -> Answer + Send + Sync + 'static {
    move |request| if request.field("x-envoy-attempt-count") == "1" { Answer::Silence } else { second() }
}

#[test]
fn a_late_try_is_joined_by_another_and_the_first_answer_wins() {
    let backends = [0, 1].map(|_| Backend::start(slow_then(|| ok("second"))));
    let proxy = hedging(RETRY, &backends.each_ref().map(|backend| backend.address));
    let answer = proxy.connect().ask("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 4\r\n\r\nmilk");
    assert_eq!((answer.status(), answer.text().as_str()), (200, "second"));
    let asked: Vec<Message> = backends.iter().flat_map(Backend::asked).collect();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|request| request.text() == "milk"), "each has the whole request");
    assert_eq!(proxy.count("envoy_cluster_upstream_rq_retry{", "cart"), 1);
    assert_eq!(proxy.count("envoy_cluster_upstream_rq_retry_success{", "cart"), 1);
    assert_eq!(proxy.count("envoy_cluster_upstream_rq_per_try_timeout{", "cart"), 0, "it was not ended by its time");
    assert_eq!(proxy.count("envoy_cluster_upstream_rq_total{", "cart"), 2);
    until("the late try is given up", || proxy.count("envoy_cluster_upstream_rq_active{", "cart") == 0);
    assert_eq!(proxy.access_log(1)[0]["response_flags"], "-");
}

/// Says whether the second try was asked for, so that the first can wait for that.
fn second_asked(request: &Message, asked: &AtomicBool) -> bool {
    if request.field("x-envoy-attempt-count") != "1" {
        asked.store(true, Ordering::SeqCst);
        return true;
    }
    until("the second try is asked for", || asked.load(Ordering::SeqCst));
    false
}

#[test]
fn a_late_try_may_still_win() {
    // The second try is never answered: what the first one says in the end is what the client gets.
    let asked = AtomicBool::new(false);
    let late = Backend::start(
        move |request: &Message| {
            if second_asked(request, &asked) { Answer::Silence } else { ok("first") }
        },
    );
    let proxy = hedging(&RETRY.replace("num_retries: 2", "num_retries: 1"), &[late.address]);
    let answer = proxy.get("/");
    assert_eq!((answer.status(), answer.text().as_str()), (200, "first"));
    assert_eq!(late.asked().len(), 2);
}

#[test]
fn a_bad_answer_waits_for_the_tries_beside_it() {
    // The first is late and bad in the end; the second comes after that, and is good.
    let (asked, first_ended) = (AtomicBool::new(false), AtomicBool::new(false));
    let backend = Backend::start(move |request: &Message| {
        if second_asked(request, &asked) {
            until("the first try has ended", || first_ended.load(Ordering::SeqCst));
            return ok("second");
        }
        first_ended.store(true, Ordering::SeqCst);
        status(503)
    });
    let proxy = hedging(&RETRY.replace("num_retries: 2", "num_retries: 1"), &[backend.address]);
    let answer = proxy.get("/");
    assert_eq!((answer.status(), answer.text().as_str()), (200, "second"));
}

#[test]
fn without_a_retry_left_a_late_try_goes_on_to_the_routes_end() {
    let backend = Backend::start(|_| Answer::Silence);
    let proxy =
        hedging(&format!("timeout: 0.5s, {}", RETRY.replace("num_retries: 2", "num_retries: 1")), &[backend.address]);
    let answer = proxy.get("/");
    assert_eq!((answer.status(), answer.text().as_str()), (504, "upstream request timeout"));
    assert_eq!(backend.asked().len(), 2);
    assert_eq!(proxy.count("envoy_cluster_upstream_rq_timeout{", "cart"), 2, "each that owed an answer");
    let line = &proxy.access_log(1)[0];
    assert_eq!(
        (&line["response_flags"], &line["response_code_details"]),
        (&"URX,UT".into(), &"response_timeout".into())
    );
}

#[test]
fn a_client_that_leaves_ends_all_its_tries() {
    let backends = [0, 1].map(|_| Backend::start(|_| Answer::Silence));
    let proxy = hedging(RETRY, &backends.each_ref().map(|backend| backend.address));
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").expect("sent");
    until("there are two tries", || backends.iter().map(|backend| backend.asked().len()).sum::<usize>() >= 2);
    drop(client);
    until("none is left", || proxy.count("envoy_cluster_upstream_rq_active{", "cart") == 0);
    assert_eq!(proxy.access_log(1)[0]["response_flags"], "DC");
}

#[test]
fn a_backend_that_never_comes_to_its_answer_does_not_speak_http() {
    let text = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(101) + "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let text: &'static str = text.leak();
    let backend = Backend::start(move |_| Answer::Raw(text.as_bytes()));
    let proxy = hedging(
        "retry_policy: {retry_on: connect-failure, per_try_timeout: 10s}, hedge_policy: {hedge_on_per_try_timeout: true}",
        &[backend.address],
    );
    for request in
        ["GET / HTTP/1.1\r\nhost: cart\r\n\r\n", "POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 4\r\n\r\nmilk"]
    {
        assert_eq!(proxy.connect().ask(request).status(), 502);
    }
}
