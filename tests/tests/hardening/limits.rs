//! Each limit at its value and one beyond, with the number that tells of it. Times are set to a second.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use squall_tests::frames::{END_STREAM, Frames, kind, request};
use squall_tests::http::{Answer, Backend, Connection, Message, ok};
use squall_tests::proxy::Proxy;
use squall_tests::{tls, until};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

fn limited(backend: &Backend, limits: &[&str]) -> Proxy {
    let arguments: Vec<&str> = limits.iter().flat_map(|limit| ["--limit", limit]).collect();
    Proxy::with_arguments("", &[(backend.address, "v1", true)], &arguments)
}

fn quick() -> Backend {
    Backend::start(|asked| if asked.target() == "/silent" { Answer::Silence } else { ok("quick") })
}

/// What comes on a connection to its end.
fn rest(connection: &mut Connection) -> String {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = connection.read(&mut piece) {
        all.extend_from_slice(&piece[..read]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[test]
fn a_head_that_is_not_there_in_time_is_408_whether_or_not_it_has_begun() {
    let backend = quick();
    let proxy = limited(&backend, &["request-head=1s"]);
    for begun in ["", "G", "PRI * HT", "GET / HTTP/1.1\r\nhost: ca"] {
        let mut connection = proxy.connect();
        connection.send(begun).expect("sent");
        let answer = rest(&mut connection);
        assert!(answer.starts_with("HTTP/1.1 408 "), "{begun:?}: {answer:?}");
        assert!(answer.contains("connection: close"), "{begun:?}: {answer:?}");
    }
    // Byte by byte is not faster.
    let mut slow = proxy.connect();
    let mut sent = 0;
    while sent < 200 && slow.send("x").is_ok() {
        std::thread::park_timeout(Duration::from_millis(20));
        sent += 1;
    }
    assert!(rest(&mut slow).is_empty() || sent < 200);
    assert!(proxy.metric("envoy_http_downstream_rq_header_timeout", "") >= 4.0);
    assert!(backend.asked().is_empty());
}

#[test]
fn between_requests_the_time_of_a_head_begins_with_its_first_byte() {
    let backend = quick();
    let proxy = limited(&backend, &["request-head=300ms"]);
    let mut connection = proxy.connect();
    assert_eq!(connection.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").status(), 200);
    // Longer than a head may take.
    std::thread::park_timeout(Duration::from_millis(450));
    assert_eq!(connection.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").status(), 200);
    connection.send("GET /").expect("sent");
    assert!(rest(&mut connection).starts_with("HTTP/1.1 408 "));
}

#[test]
fn in_a_mesh_a_head_may_take_its_time() {
    let backend = quick();
    let proxy = Proxy::with_arguments("", &[(backend.address, "v1", true)], &["--clients", "mesh"]);
    let dump = proxy.admin("/config_dump").text();
    assert!(!dump.is_empty());
    let mut connection = proxy.connect();
    connection.send("GET / HT").expect("sent");
    std::thread::park_timeout(Duration::from_millis(300));
    assert_eq!(connection.ask("TP/1.1\r\nhost: cart\r\n\r\n").status(), 200);
}

#[test]
fn in_a_mesh_a_connection_that_stands_amid_a_head_has_the_time_of_one_that_idles_or_of_a_stream() {
    let backend = quick();
    let in_a_mesh = |limits: &[&str]| {
        let limits = limits.iter().flat_map(|limit| ["--limit", limit]);
        let arguments: Vec<&str> = ["--clients", "mesh"].into_iter().chain(limits).collect();
        Proxy::with_arguments("", &[(backend.address, "v1", true)], &arguments)
    };
    let stands_still = |proxy: &Proxy| {
        let mut connection = proxy.connect();
        connection.send("GET / HT").expect("sent");
        rest(&mut connection)
    };
    let idling = in_a_mesh(&["connection-idle=1s"]);
    assert_eq!(stands_still(&idling), "");
    assert!(idling.metric("envoy_http_downstream_cx_idle_timeout", "") >= 1.0);
    let streaming = in_a_mesh(&["stream-idle=1s"]);
    let answer = stands_still(&streaming);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("connection: close"), "{answer:?}");
    assert!(streaming.metric("envoy_http_downstream_rq_idle_timeout", "") >= 1.0);
}

#[test]
fn a_target_of_16_kib_is_taken_and_one_byte_more_is_414_in_either_version() {
    let backend = quick();
    let proxy = limited(&backend, &[]);
    let ask = |length: usize| -> Message { proxy.get(&format!("/{}", "x".repeat(length - 1))) };
    assert_eq!(ask(16 << 10).status(), 200);
    assert_eq!(ask((16 << 10) + 1).status(), 414);
    assert_eq!(ask(50_000).status(), 414);
    for (length, status) in [(16 << 10, 200), ((16 << 10) + 1, 414)] {
        let mut frames = Frames::to(proxy.listen);
        let path = format!("/{}", "x".repeat(length - 1));
        let head = request("GET", &path, &[]);
        // More than one frame may hold.
        let (first, second) = head.split_at(head.len().min(16_000));
        frames.send(kind::HEADERS, END_STREAM, 1, first).expect("sent");
        frames.send(kind::CONTINUATION, 4, 1, second).expect("sent");
        assert_eq!(frames.next_of(1).and_then(|frame| frame.status()), Some(status), "{length}");
    }
    assert!(proxy.metric("envoy_http_downstream_rq_uri_too_long", "") >= 3.0);
}

#[test]
fn a_head_of_60_kib_and_100_fields_is_taken_and_one_more_is_431() {
    let backend = quick();
    let proxy = limited(&backend, &[]);
    let fields = |count: usize| {
        proxy.connect().ask(&format!("GET / HTTP/1.1\r\nhost: cart\r\n{}\r\n", "a: b\r\n".repeat(count - 1))).status()
    };
    assert_eq!((fields(100), fields(101), fields(2000)), (200, 431, 431));
    let bytes = |length: usize| {
        let frame = "GET / HTTP/1.1\r\nhost: cart\r\nx: \r\n\r\n".len();
        let request = format!("GET / HTTP/1.1\r\nhost: cart\r\nx: {}\r\n\r\n", "y".repeat(length - frame));
        proxy.connect().ask(&request).status()
    };
    assert_eq!((bytes(60 << 10), bytes((60 << 10) + 1), bytes(100 << 10)), (200, 431, 431));
    assert!(proxy.metric("envoy_http_downstream_rq_too_many_headers", "") >= 2.0);
    assert!(proxy.metric("envoy_http_downstream_rq_headers_too_large", "") >= 2.0);
}

#[test]
fn a_body_that_stands_still_is_408_and_its_backend_is_free() {
    let backend = quick();
    let proxy = limited(&backend, &["body-idle=1s"]);
    let mut connection = proxy.connect();
    let answer = connection.ask("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 10\r\n\r\nhello");
    assert_eq!((answer.status(), answer.field("connection")), (408, "close"));
    until("the backend is free", || proxy.metric("envoy_cluster_upstream_rq_active{", "cart") < 1.0);
    assert!(proxy.metric("envoy_http_downstream_rq_body_idle_timeout", "") >= 1.0);
    // As long as some of it comes it may take longer.
    let mut steady = proxy.connect();
    steady.send("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 7\r\n\r\n").expect("sent");
    for _ in 0..7 {
        std::thread::park_timeout(Duration::from_millis(200));
        steady.send("x").expect("sent");
    }
    assert_eq!(steady.answer().expect("read").expect("an answer").status(), 200);
}

#[test]
fn an_answer_that_stands_still_amid_its_body_is_cut_and_one_that_has_not_begun_is_waited_for() {
    let backend = Backend::start(|asked| {
        std::thread::park_timeout(Duration::from_millis(if asked.target() == "/late" { 1500 } else { 0 }));
        if asked.target() == "/late" {
            ok("late")
        } else {
            Answer::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
        }
    });
    let proxy = limited(&backend, &["body-idle=1s"]);
    let mut connection = proxy.connect();
    connection.send("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").expect("sent");
    assert!(connection.answer().is_err(), "cut");
    assert_eq!(proxy.get("/late").text(), "late");
}

#[test]
fn a_stream_without_a_byte_is_408_or_504() {
    let backend = quick();
    let proxy = limited(&backend, &["stream-idle=1s", "body-idle=none"]);
    assert_eq!(proxy.get("/silent").status(), 504);
    let answer = proxy.connect().ask("POST /silent HTTP/1.1\r\nhost: cart\r\ncontent-length: 10\r\n\r\nhello");
    assert_eq!(answer.status(), 408);
    let mut frames = Frames::to(proxy.listen);
    frames.ask(1, END_STREAM, &request("GET", "/silent", &[])).expect("sent");
    assert_eq!(frames.next_of(1).and_then(|frame| frame.status()), Some(504));
    assert!(proxy.metric("envoy_http_downstream_rq_idle_timeout", "") >= 3.0);
}

#[test]
fn a_connection_without_a_request_is_closed_or_told_to_go() {
    let backend = quick();
    let proxy = limited(&backend, &["connection-idle=1s"]);
    let mut one = proxy.connect();
    assert_eq!(one.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").status(), 200);
    let mut two = Frames::to(proxy.listen);
    assert_eq!(rest(&mut one), "");
    assert_eq!(two.end(), Some(0));
    assert!(proxy.metric("envoy_http_downstream_cx_idle_timeout", "") >= 2.0);
}

/// A client that asks for more than the buffers of a connection hold, and reads none of it.
fn silent_reader(address: std::net::SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    socket.connect(&address.into()).expect("a connection");
    socket.into()
}

#[test]
fn a_client_that_reads_nothing_is_reset_and_its_backend_is_free() {
    let backend = Backend::start(|asked| {
        if asked.target() == "/large" { Answer::Status(200, "", vec![b'x'; 32 << 20]) } else { ok("quick") }
    });
    let proxy = limited(&backend, &["slow-reader=1s", "body-idle=none", "stream-idle=none"]);
    let mut one = silent_reader(proxy.listen);
    one.write_all(b"GET /large HTTP/1.1\r\nhost: cart\r\n\r\n").expect("sent");
    proxy.until_metric("envoy_http_downstream_cx_slow_reader", "", 1.0);
    until("the backend is free", || proxy.metric("envoy_cluster_upstream_rq_active{", "cart") < 1.0);
    let mut all = Vec::new();
    assert!(one.read_to_end(&mut all).is_err() || all.len() < 32 << 20, "whole");
    // The same of one stream, whose window is never opened, while another is served.
    let mut frames = Frames::to(proxy.listen);
    frames.ask(1, END_STREAM, &request("GET", "/large", &[])).expect("sent");
    let reset = loop {
        let frame = frames.next_of(1).expect("a frame");
        if frame.kind == kind::RESET {
            break frame;
        }
    };
    assert_eq!(reset.payload, 8_u32.to_be_bytes(), "CANCEL");
    frames.send(kind::WINDOW, 0, 0, &65_535_u32.to_be_bytes()).expect("sent");
    frames.ask(3, END_STREAM, &request("GET", "/quick", &[])).expect("sent");
    assert_eq!(frames.next_of(3).and_then(|frame| frame.status()), Some(200));
    assert!(proxy.metric("envoy_http_downstream_rq_slow_reader", "") >= 1.0);
}

#[test]
fn so_many_streams_are_served_at_once_and_one_more_is_refused() {
    let backend = quick();
    let proxy = limited(&backend, &["streams=3"]);
    let mut frames = Frames::to(proxy.listen);
    for stream in [1, 3, 5] {
        frames.ask(stream, END_STREAM, &request("GET", "/silent", &[])).expect("sent");
    }
    until("they are under way", || backend.asked().len() == 3);
    frames.ask(7, END_STREAM, &request("GET", "/", &[])).expect("sent");
    let refused = frames.next_of(7).expect("an answer");
    assert_eq!((refused.kind, refused.payload), (kind::RESET, 7_u32.to_be_bytes().to_vec()), "REFUSED_STREAM");
    frames.send(kind::RESET, 0, 1, &8_u32.to_be_bytes()).expect("sent");
    frames.ask(9, END_STREAM, &request("GET", "/", &[])).expect("sent");
    assert_eq!(frames.next_of(9).and_then(|frame| frame.status()), Some(200));
}

#[test]
fn so_many_connections_are_taken_and_one_more_is_closed_and_counted() {
    let backend = quick();
    let proxy = limited(&backend, &["connections=3"]);
    let mut kept: Vec<Connection> = (0..3).map(|_| proxy.connect()).collect();
    for connection in &mut kept {
        assert_eq!(connection.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").status(), 200);
    }
    let mut fourth = proxy.connect();
    assert_eq!(rest(&mut fourth), "");
    assert!(proxy.metric("envoy_listener_downstream_cx_overflow", "") >= 1.0);
    kept.pop();
    until("there is room again", || {
        let mut connection = proxy.connect();
        connection.send("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").is_ok() && matches!(connection.answer(), Ok(Some(_)))
    });
}

#[test]
fn a_tls_handshake_that_stands_still_is_closed() {
    let authority = tls::Authority::default();
    let proxy = super::features::gateway(&authority, &["--limit", "tls-handshake=1s", "--limit", "request-head=1s"]);
    // The beginning of a client hello, and nothing more.
    for begun in [&b"\x16\x03\x01\x02\x00\x01"[..], b"\x16"] {
        let mut connection = Connection::to(proxy.listen).expect("a connection");
        connection.send(begun).expect("sent");
        assert_eq!(rest(&mut connection), "");
    }
    until("looking at it is counted", || proxy.metric("envoy_listener_downstream_pre_cx_timeout", "") >= 2.0);
    let handshakes = || proxy.metric("envoy_listener_downstream_cx_transport_socket_connect_timeout", "");
    until("handshakes are counted", || handshakes() >= 2.0);
}

#[test]
fn thousands_of_slow_clients_cost_little_and_leave_nothing() {
    const CLIENTS: usize = 2_000;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("as many descriptors as there may be");
    let backend = quick();
    let proxy = limited(&backend, &["request-head=8s"]);
    for _ in 0..20 {
        assert_eq!(proxy.get("/").status(), 200);
    }
    until("none is left", || proxy.metric("envoy_http_downstream_cx_active", "") < 1.0);
    let (memory, descriptors) = (proxy.resident(), proxy.descriptors());
    let mut slow: Vec<Connection> = (0..CLIENTS).map(|_| proxy.connect()).collect();
    slow.iter_mut().for_each(|connection| connection.send("GET / HTTP/1.1\r\nhost:").expect("sent"));
    // A question to the admin interface may have been among them.
    until("all are there", || proxy.descriptors() >= descriptors + CLIENTS - 3);
    for _ in 0..50 {
        assert_eq!(proxy.get("/").status(), 200);
    }
    let each = proxy.resident().saturating_sub(memory) / CLIENTS as u64;
    assert!(each <= 16 << 10, "{each} bytes a slow connection");
    until("all are gone", || proxy.descriptors() <= descriptors + 2);
    assert!(proxy.metric("envoy_http_downstream_rq_header_timeout", "") >= CLIENTS as f64);
}
