//! HTTP/2 on either side, and gRPC: each test names a rule.

use h2::Reason;
use http::{HeaderMap, HeaderName, HeaderValue};
use nix::sys::signal::Signal;
use squall_tests::frames::{END_STREAM, Frames, kind, request};
use squall_tests::http::{self as http1, ok as ok1, status as status1};
use squall_tests::http2::{Answer, Backend, Client, call, get, grpc, ok};
use squall_tests::proxy::{Proxy, routes, rule};
use squall_tests::until;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The service speaks HTTP/2.
const UPGRADE: &str = "{connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}";

fn in_front_of(address: SocketAddr, policies: &str) -> Proxy {
    Proxy::with_endpoints(policies, &[(address, "v1", true)])
}

/// The service speaks HTTP/2, and these are its retries.
fn retried(retries: &str) -> String {
    format!(
        "{}{}",
        routes(&format!("    - retries: {retries}\n      route: [{{destination: {{host: cart}}}}]")),
        rule(UPGRADE)
    )
}

fn trailers(name: &'static str, value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))])
}

#[test]
fn streams_of_one_client_connection_are_answered_by_a_backend_of_http1() {
    let backend = http1::Backend::start(|request| ok1(request.target()));
    let proxy = Proxy::start("", &[&backend]);
    let client = Client::to(proxy.listen);
    let paths: Vec<String> = (0..20).map(|number| format!("/{number}")).collect();
    let streams: Vec<_> = paths.iter().map(|path| client.begin(get(path), b"", None)).collect();
    let answers: Vec<String> = streams.into_iter().map(|stream| stream.answer().expect("an answer").text()).collect();
    assert_eq!(answers, paths);
    let asked = &backend.asked()[0];
    assert_eq!((asked.field("host"), asked.field("x-forwarded-proto")), ("cart", "http"));
    let line = &proxy.access_log(20)[0];
    assert_eq!((&line["protocol"], &line["response_code"]), (&"HTTP/2".into(), &200.into()));
}

#[test]
fn messages_of_grpc_are_counted_both_ways_and_of_nothing_else() {
    // Each message has five bytes ahead of it: a flag, and its length.
    let message = |text: &str| [&[0, 0, 0, 0, text.len() as u8], text.as_bytes()].concat();
    let answer = ["a", "", "ccc"].map(message).concat();
    let backend = http1::Backend::start(move |_| http1::Answer::Status(200, "grpc-status: 0\r\n", answer.clone()));
    let proxy = Proxy::start("", &[&backend]);
    let ask = |kind: &str| {
        let body = ["milk", "bread"].map(message).concat();
        let head = format!(
            "POST /a/b HTTP/1.1\r\nhost: cart\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut connection = proxy.connect();
        connection.send([head.as_bytes(), &body].concat()).expect("sent");
        assert_eq!(connection.answer().expect("an answer is read").expect("an answer").status(), 200);
    };
    ask("application/json");
    assert_eq!(proxy.count("istio_request_messages_total{", "cart"), 0);
    ask("application/grpc+proto");
    proxy.until_metric("istio_request_messages_total{", "cart", 2.0);
    assert_eq!(proxy.count("istio_response_messages_total{", "cart"), 3);
}

#[test]
fn h2_upgrade_policy_makes_http1_requests_streams_of_one_connection() {
    let backend = Backend::start(|request| ok(request.head.uri().path()));
    let proxy = in_front_of(backend.address, &rule(UPGRADE));
    for _ in 0..5 {
        let answer = proxy.get("/a");
        assert_eq!((answer.status(), answer.text().as_str()), (200, "/a"));
    }
    assert_eq!(backend.connections(), 1);
    let asked = &backend.asked()[0];
    assert_eq!(asked.head.uri().authority().map(http::uri::Authority::as_str), Some("cart"));
    assert_eq!((asked.field("host"), asked.field("connection")), ("", ""));
}

#[test]
fn use_client_protocol_asks_a_service_as_its_client_asks() {
    let policies = rule("{connectionPool: {http: {useClientProtocol: true}}}");
    let plain = http1::Backend::start(|request| ok1(request.target()));
    assert_eq!(Proxy::start(&policies, &[&plain]).get("/a").text(), "/a");
    let streams = Backend::start(|request| ok(request.head.uri().path()));
    let proxy = in_front_of(streams.address, &policies);
    assert_eq!(Client::to(proxy.listen).ask(get("/b")).text(), "/b");
}

#[test]
fn bodies_go_through_whole_both_ways_whatever_their_size_and_the_windows() {
    let backend =
        Backend::start(|request| Answer::Whole(http::Response::new(()), request.body.clone(), HeaderMap::new()));
    let proxy = in_front_of(backend.address, &rule(UPGRADE));
    let client = Client::to(proxy.listen);
    let body: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let request = http::Request::post("http://cart/echo").body(()).expect("a request");
    let answer = client.begin(request, &body, None).answer().expect("an answer");
    assert!(answer.body == body, "{} bytes of {}", answer.body.len(), body.len());
}

#[test]
fn grpc_trailers_pass_both_ways_and_a_grpc_status_is_not_an_http_status() {
    let backend = Backend::start(|_| grpc(b"answer", "5"));
    let proxy = in_front_of(backend.address, &rule(UPGRADE));
    let client = Client::to(proxy.listen);
    let answer = client.begin(call("/shop.Cart/Get"), b"question", Some(trailers("x-sum", "1"))).answer().expect("one");
    assert_eq!((answer.status(), answer.text().as_str(), answer.grpc_status()), (200, "answer", "5"));
    let asked = &backend.asked()[0];
    assert_eq!((asked.field("te"), asked.field("content-type")), ("trailers", "application/grpc"));
    assert_eq!(asked.trailers.get("x-sum").map(HeaderValue::as_bytes), Some(&b"1"[..]));
}

#[test]
fn an_answer_made_up_for_a_grpc_call_is_200_with_grpc_status_and_message() {
    let proxy = Proxy::start("", &[]);
    let answer = Client::to(proxy.listen).ask(call("/shop.Cart/Get"));
    assert_eq!((answer.status(), answer.field("grpc-status")), (200, "14"));
    assert_eq!(answer.field("grpc-message"), "no healthy upstream");
    assert_eq!(answer.field("content-type"), "application/grpc");
}

#[test]
fn retry_on_unavailable_looks_at_the_grpc_status_of_an_answer_without_body() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let backend = Backend::start(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => {
            let head = http::Response::builder().header("content-type", "application/grpc").header("grpc-status", "14");
            Answer::Whole(head.body(()).expect("a head"), Vec::new(), HeaderMap::new())
        }
        _ => grpc(b"answer", "0"),
    });
    let proxy = in_front_of(backend.address, &retried("{attempts: 2, retryOn: unavailable}"));
    let answer = Client::to(proxy.listen).ask(call("/shop.Cart/Get"));
    assert_eq!((answer.grpc_status(), tries.load(Ordering::SeqCst)), ("0", 2));
}

#[test]
fn a_refused_stream_is_retried_by_refused_stream_and_reset_is_503_ur_without() {
    for (retries, expected) in [("{attempts: 2, retryOn: refused-stream}", 200), ("{attempts: 0}", 503)] {
        let tries = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&tries);
        let backend = Backend::start(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::Reset(Reason::REFUSED_STREAM),
            _ => ok("second"),
        });
        let proxy = in_front_of(backend.address, &retried(retries));
        let answer = Client::to(proxy.listen).ask(get("/"));
        assert_eq!(answer.status(), expected, "{retries}");
        if expected == 503 {
            assert_eq!(proxy.access_log(1)[0]["response_flags"], "UR");
        }
    }
}

#[test]
fn a_stream_that_is_refused_while_its_body_comes_is_refused_and_not_only_reset() {
    let backend = Backend::refusing_every_second();
    let proxy = in_front_of(backend.address, &retried("{attempts: 2, retryOn: refused-stream}"));
    let client = Client::to(proxy.listen);
    // More than there is room for at once, so that some of it waits when the stream is reset.
    let body = vec![b'x'; 100_000];
    for number in 1..=20 {
        let answer = client.begin(call("/shop.Cart/Add"), &body, None).answer();
        assert_eq!(answer.expect("an answer").text(), "answered", "call {number}");
    }
    assert_eq!(backend.asked().len(), 20);
}

#[test]
fn a_stream_that_its_client_resets_is_reset_ahead_and_leaves_the_connection_alone() {
    let backend =
        Backend::start(|request| if request.head.uri().path() == "/wait" { Answer::Silence } else { ok("here") });
    let proxy = in_front_of(backend.address, &rule(UPGRADE));
    let client = Client::to(proxy.listen);
    let waiting = client.begin(get("/wait"), b"", None);
    until("the backend has been asked", || backend.asked().len() == 1);
    waiting.reset();
    until("the request is over", || proxy.metric("envoy_cluster_upstream_rq_active{", "cart") < 1.0);
    assert_eq!(client.ask(get("/")).text(), "here");
    let lines = proxy.access_log(2);
    let reset = lines.iter().find(|line| line["path"] == "/wait").expect("a line for it");
    assert_eq!((&reset["response_code"], &reset["response_flags"]), (&0.into(), &"DR".into()));
    assert_eq!(backend.connections(), 1);
}

#[test]
fn requests_of_a_connection_that_is_lost_are_logged_and_counted_to_their_end() {
    let leave: fn(Frames) = drop;
    // No body belongs to the connection itself.
    let misbehave: fn(Frames) = |mut frames| {
        frames.send(kind::DATA, 0, 0, b"x").expect("sent");
        assert_eq!(frames.end(), Some(1));
    };
    for (end, flag, details) in [(leave, "DC", "downstream_remote_disconnect"), (misbehave, "DPE", "codec_error")] {
        let backend = http1::Backend::start(|_| http1::Answer::Silence);
        let proxy = Proxy::start("", &[&backend]);
        let mut frames = Frames::to(proxy.listen);
        for stream in [1, 3, 5] {
            frames.ask(stream, END_STREAM, &request("GET", "/", &[])).expect("sent");
        }
        // The body of this one is under way for ever.
        frames.ask(7, 0, &request("POST", "/", &[])).expect("sent");
        proxy.until_metric("envoy_cluster_upstream_rq_active{", "cart", 4.0);
        end(frames);
        for line in proxy.access_log(4) {
            assert_eq!((&line["response_code"], &line["response_flags"]), (&0.into(), &flag.into()));
            assert_eq!(line["response_code_details"], details);
        }
        proxy.until_metric("istio_requests_total{", "cart", 4.0);
        assert_eq!(proxy.count("envoy_http_downstream_rq_rx_reset", ""), 4);
        until("nothing of them is left", || {
            ["downstream_rq_active", "downstream_cx_active", "downstream_cx_http2_active"]
                .iter()
                .all(|level| proxy.metric(&format!("envoy_http_{level}"), "") < 1.0)
        });
    }
}

#[test]
fn streams_that_one_connection_has_no_room_for_get_others() {
    let backend = Backend::start(|_| Answer::Silence);
    let policies = rule("{connectionPool: {http: {h2UpgradePolicy: UPGRADE, maxRequestsPerConnection: 1}}}");
    let proxy = in_front_of(backend.address, &policies);
    let client = Client::to(proxy.listen);
    let streams: Vec<_> = (0..4).map(|_| client.begin(get("/"), b"", None)).collect();
    until("all are under way", || backend.asked().len() == 4);
    assert_eq!(backend.connections(), 4);
    drop(streams);
}

#[test]
fn on_term_streams_under_way_are_finished_and_the_connection_is_told_to_go_away() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Mutex::new(released);
    let backend = http1::Backend::start(move |_| {
        // The test says when; an error means that the test is over.
        let _ = released.lock().expect("no panic").recv();
        ok1("finished")
    });
    let mut proxy = Proxy::start("", &[&backend]);
    let client = Client::to(proxy.listen);
    let stream = client.begin(get("/"), b"", None);
    until("the request is under way", || backend.asked().len() == 1);
    proxy.signal(Signal::SIGTERM);
    until("no new connection is taken", || std::net::TcpStream::connect(proxy.listen).is_err());
    release.send(()).expect("the backend waits");
    assert_eq!(stream.answer().expect("an answer").text(), "finished");
    until("the connection is over", || client.is_over().is_some());
    assert_eq!(client.is_over(), Some(true));
    assert!(proxy.ended().success());
}

#[test]
fn the_fields_of_a_connection_are_taken_out_of_an_answer_that_becomes_http2() {
    let backend = http1::Backend::start(|_| {
        http1::Answer::Status(
            200,
            "connection: keep-alive, x-hop\r\nkeep-alive: timeout=5\r\nx-hop: 1\r\nx-kept: 2\r\n",
            b"a".to_vec(),
        )
    });
    let proxy = Proxy::start("", &[&backend]);
    let answer = Client::to(proxy.listen).ask(get("/"));
    assert_eq!((answer.field("connection"), answer.field("keep-alive")), ("", ""));
    assert_eq!((answer.field("x-kept"), answer.text().as_str()), ("2", "a"));
}

#[test]
fn retries_of_a_request_with_a_body_send_it_whole_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let backend = http1::Backend::start(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => status1(503),
        _ => ok1("second"),
    });
    let policies = routes("    - retries: {attempts: 2, retryOn: 5xx}\n      route: [{destination: {host: cart}}]");
    let proxy = Proxy::start(&policies, &[&backend]);
    let request = http::Request::post("http://cart/").body(()).expect("a request");
    let answer = Client::to(proxy.listen).begin(request, b"the body", None).answer().expect("an answer");
    assert_eq!(answer.text(), "second");
    let bodies: Vec<String> = backend.asked().iter().map(http1::Message::text).collect();
    assert_eq!(bodies, ["the body", "the body"]);
}
