//! Versions of HTTP on either side, upgrades, answers ahead of the answer, trailers and gRPC.

use squall_tests::envoy::{Case, Side, case, hold_all};
use squall_tests::frames::{END_STREAM, Frames, fields, kind, request};
use squall_tests::http::Connection;

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [versions(), trailers_and_informational_answers(), upgrades(), grpc()].into_iter().flatten().collect()
}

const TO_HTTP2: &str = "typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {}}}}";

const AS_CLIENT: &str = "typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, use_downstream_protocol_config: {http_protocol_options: {}, http2_protocol_options: {}}}}";

const SPOKEN: &str = ".upstream_cx_http1_total .upstream_cx_http2_total";

fn to2(name: &'static str, plays: &[&str]) -> Case {
    case(name).cart(TO_HTTP2).backend2("one", plays)
}

fn versions() -> Vec<Case> {
    vec![
        case("http2_to_http1").backend("one", &["200 x-a: b", "204 << -", "200 << x*3"]).asks(&[
            "h2 GET /x?y x-q: 1",
            "h2 POST / << hello",
            "h2 HEAD /",
        ]),
        to2("http1_to_http2", &["200 x-a: b", "204 << -"])
            .asks(&["GET /x?y x-q: 1; connection: keep-alive, x-q; te: gzip", "POST / << hello"]),
        to2("http2_to_http2", &["200 x-a: b"]).asks(&["h2 GET /x", "h2 POST / << hello", "h2 HEAD /"]),
        case("http1_as_its_client_speaks").cart(AS_CLIENT).backend("one", &["200"]).ask("GET /x").stats(SPOKEN),
        case("http2_as_its_client_speaks").cart(AS_CLIENT).backend2("one", &["200"]).ask("h2 GET /x").stats(SPOKEN),
        case("cookies_are_joined_for_http1").backend("one", &["200"]).ask("h2 GET / cookie: a=1; cookie: b=2"),
        case("fields_of_the_connection_stay_behind").backend("one", &["200 keep-alive: timeout=5; x-c: 1"]).ask(
            "GET / connection: x-drop; x-drop: 1; keep-alive: 3; proxy-connection: close; te: trailers; x-keep: 2",
        ),
        case("a_referer_is_one_url").backend("one", &["200"]).asks(&[
            "GET / referer: http://a:80/b?c",
            "GET / referer: http://a/#d",
            "GET / referer: https://me@a/",
            "GET / referer: ftp://a",
            "GET / referer: /x",
            "GET / referer: a",
            "GET / referer: http://",
            "GET / referer: about:blank",
            "GET / referer: http://a b",
            "GET / referer: http://a:b/",
            "GET / referer: http://a; referer: http://a",
            "h2 GET / referer: http://a_b",
        ]),
        case("http10_can_be_taken")
            .manager("http_protocol_options: {accept_http_10: true, default_host_for_http_10: old}")
            .backend("one", &["200"])
            .raw("GET / HTTP/1.0\r\n\r\n")
            .raw("GET / HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n")
            .answers_only(),
        case("an_answer_by_its_length_and_by_its_end")
            .backend(
                "one",
                &[
                    "raw HTTP/1.1 200 OK\r\n\r\nuntil the end",
                    "raw HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                ],
            )
            .asks(&["GET /", "GET /"]),
        case("an_answer_that_breaks_off")
            .backend("one", &["raw HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"])
            .answers_only()
            .asks(&["h2 GET /", "h2 POST / content-type: application/grpc"])
            .stats("http.in.rq_reset_after_downstream_response_started"),
        case("streams_that_are_given_up_amid_their_answers_are_no_flood")
            .backend("one", &["200"])
            .then("the connection", |side| given_up(side, 700))
            .stats("http.in.downstream_rq_too_many_premature_resets")
            .answers_only(),
        case("a_large_body_goes_both_ways").backend("one", &["200"]).ask("POST / << x*300000"),
    ]
}

/// Asks so often with no room for a body, and gives up each stream once the head of its answer is there.
fn given_up(side: &Side, times: u32) -> String {
    let initial_window = 4;
    let mut frames = Frames::with_settings(side.listen, &[(initial_window, 0)]);
    for id in (1..).step_by(2).take(times as usize) {
        frames.ask(id, END_STREAM, &request("GET", "/", &[])).expect("sent");
        if frames.next_of(id).is_none_or(|frame| frame.kind != kind::HEADERS) {
            return format!("over at {id}");
        }
        frames.send(kind::RESET, 0, id, &8_u32.to_be_bytes()).expect("sent");
    }
    frames.send(kind::PING, 0, 0, &[0; 8]).expect("sent");
    let mut answers = std::iter::from_fn(|| frames.next_of(0));
    let last = answers.find(|frame| matches!(frame.kind, kind::PING | kind::GO_AWAY));
    if last.is_some_and(|frame| frame.kind == kind::PING) { "goes on".to_owned() } else { "over".to_owned() }
}

fn trailers_and_informational_answers() -> Vec<Case> {
    vec![
        case("trailers_of_http1_need_leave").backend("one", &["200 ++ x-t: 1"]).asks(&["GET /", "h2 GET /"]),
        case("trailers_of_http1_with_leave").manager("http_protocol_options: {enable_trailers: true}")
            .cart("typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http_protocol_options: {enable_trailers: true}}}}")
            .backend("one", &["200 ++ x-t: 1"]).asks(&["GET /", "h2 GET /", "POST / << a ++ x-q: 2"]),
        to2("trailers_of_http2", &["200 ++ x-t: 1"]).asks(&["h2 GET /", "h2 POST / << a ++ x-q: 2", "GET /"]),
        case("early_hints_are_kept_back").backend("one", &["raw HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]).ask("GET /"),
        case("processing_is_kept_back_too").backend("one", &["raw HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]).ask("GET /"),
        case("leave_to_send_is_given_here").backend("one", &["200"]).ask("POST / expect: 100-continue << body"),
        case("leave_to_send_is_given_by_the_upstream").manager("proxy_100_continue: true").backend("one", &["raw HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]).ask("POST / expect: 100-continue << body"),
    ]
}

/// What a client of HTTP/1 gets of a tunnel.
fn chat(side: &Side) -> String {
    let mut connection = Connection::to(side.listen).expect("a connection");
    connection
        .send("GET /ws HTTP/1.1\r\nhost: cart\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n")
        .expect("sent");
    let answer = connection.answer().expect("an answer").expect("an answer");
    let (mut bytes, mut read) = ([0; 5], 0);
    if answer.status() == 101 {
        connection.send("hello").expect("sent");
        while read < 5 {
            read += connection.read(&mut bytes[read..]).expect("bytes");
        }
    }
    let fields = [answer.field("upgrade"), answer.field("connection")].map(str::to_lowercase);
    format!("{} {fields:?} {}", answer.line, String::from_utf8_lossy(&bytes))
}

/// What one of HTTP/2 gets of it.
fn chat2(side: &Side) -> String {
    tunnel2(side, &request("CONNECT", "/ws", &[(b":protocol", b"websocket")]))
}

/// What one of HTTP/2 gets of a place that it names.
fn connect2(side: &Side) -> String {
    tunnel2(side, &fields(&[(b":method", b"CONNECT"), (b":authority", b"a:80")]))
}

fn tunnel2(side: &Side, head: &[u8]) -> String {
    let mut frames = Frames::to(side.listen);
    frames.ask(1, 0, head).expect("sent");
    let answer = frames.next_of(1).expect("an answer");
    if answer.kind != kind::HEADERS || answer.flags & END_STREAM != 0 {
        return format!("{:?}, and no more", answer.status());
    }
    frames.send(kind::DATA, 0, 1, b"hello").expect("sent");
    let echo = frames.next_of(1).expect("an echo");
    format!("{:?} {} {}", answer.status(), echo.kind, String::from_utf8_lossy(&echo.payload))
}

/// A chat that a client of each version begins, to an upstream with these fields; without any it speaks HTTP/1.
fn chats(names: [&'static str; 2], upstream: &str) -> [Case; 2] {
    names.map(|name| {
        let case = case(name)
            .manager("upgrade_configs: [{upgrade_type: websocket}]")
            .manager("http2_protocol_options: {allow_connect: true}")
            .answers_only()
            .stats("http.in.downstream_cx_upgrades_total http.in.downstream_rq_1xx .upstream_rq_1xx .upstream_rq_2xx");
        let case = if upstream.is_empty() {
            case.backend("one", &["echo"])
        } else {
            case.cart(upstream).backend2("one", &["echo"])
        };
        case.then("a chat", if name.starts_with("http1") { chat } else { chat2 })
    })
}

fn upgrades() -> Vec<Case> {
    let to2 = TO_HTTP2.replace("http2_protocol_options: {}", "http2_protocol_options: {allow_connect: true}");
    let mut cases = vec![
        case("an_upgrade_needs_leave").backend("one", &["echo"]).ask("GET /ws connection: upgrade; upgrade: websocket").stats("http.in.downstream_rq_ws_on_non_ws_route"),
        case("an_upgrade_may_be_declined").manager("upgrade_configs: [{upgrade_type: websocket}]").backend("one", &["400"]).ask("GET /ws connection: upgrade; upgrade: websocket"),
        case("a_route_may_forbid_it").manager("upgrade_configs: [{upgrade_type: websocket}]").action("upgrade_configs: [{upgrade_type: websocket, enabled: false}]").backend("one", &["echo"]).ask("GET /ws connection: upgrade; upgrade: websocket"),
        case("a_route_may_allow_it").action("upgrade_configs: [{upgrade_type: websocket}]").backend("one", &["400"]).ask("GET /ws connection: upgrade; upgrade: websocket"),
        case("connect_needs_leave").backend("one", &["200"]).raw("CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n").answers_only(),
        case("connect_over_http2_needs_leave").backend("one", &["200"]).ask("h2 CONNECT / host: a:80").answers_only(),
        case("h2c_is_passed_over").backend("one", &["200"]).raw("GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n").answers_only(),
    ];
    let places = |name| {
        case(name)
            .manager("upgrade_configs: [{upgrade_type: CONNECT}]")
            .manager("http2_protocol_options: {allow_connect: true}")
            .route("{match: {connect_matcher: {}}, route: {cluster: cart}}")
            .answers_only()
            .stats("http.in.downstream_cx_upgrades_total .upstream_rq_2xx")
    };
    cases.push(places("http2_connects_by_http2").cart(&to2).backend2("one", &["echo"]).then("a place", connect2));
    cases.push(
        places("http1_connects_by_http1")
            .backend("one", &["raw HTTP/1.1 200 OK\r\n\r\nhello"])
            .raw("CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n"),
    );
    cases.extend(chats(["http1_chats_with_http1", "http2_chats_with_http1"], ""));
    cases.extend(chats(["http1_chats_with_http2", "http2_chats_with_http2"], &to2));
    cases
}

fn grpc() -> Vec<Case> {
    let ask = "h2 POST /a.B/C content-type: application/grpc; te: trailers << x";
    vec![
        to2("a_call_and_its_trailers", &["200 content-type: application/grpc << abc ++ grpc-status: 0"]).ask(ask),
        to2(
            "a_call_that_fails_in_its_trailers",
            &["200 content-type: application/grpc << abc ++ grpc-status: 13; grpc-message: no"],
        )
        .ask(ask),
        to2("a_call_that_fails_at_once", &["200 content-type: application/grpc; grpc-status: 7 << -"]).ask(ask),
        to2("a_call_to_nowhere", &["200"]).route("{match: {prefix: /other}, route: {cluster: cart}}").ask(ask),
        case("a_call_that_is_refused")
            .cart(TO_HTTP2)
            .refusing("one")
            .ask("h2 POST /a.B/C content-type: application/grpc"),
    ]
}
