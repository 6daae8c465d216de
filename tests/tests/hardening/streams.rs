//! HTTP/2 in front of a backend of HTTP/1: nothing that is illegal in one becomes anything in the other, and nobody guesses wrong which of
//! the two a client speaks.

use proptest::prelude::*;
use squall_tests::frames::{ACK, END_HEADERS, END_STREAM, Frame, Frames, PREFACE, fields, kind, request};
use squall_tests::http::{Connection, get};
use squall_tests::proxy::Proxy;
use squall_tests::strict::backend::Strict;
use squall_tests::until;
use std::cell::Cell;
use std::net::TcpStream;

struct Road {
    proxy: Proxy,
    backend: Strict,
}

impl Road {
    fn new() -> Self {
        let backend = Strict::start();
        Self { proxy: Proxy::with_endpoints("", &[(backend.address, "v1", true)]), backend }
    }

    /// What arrives upstream of one stream made of these frames, and how it is answered.
    fn ask(&self, frames: &[Frame]) -> (Vec<squall_tests::strict::Request>, Option<Frame>) {
        let mut connection = Frames::to(self.proxy.listen);
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
        // Whoever refuses may close amid it.
        let _ = connection.write(&bytes);
        let answer = connection.next_of(1);
        (self.backend.take(), answer)
    }

    /// The proxy is well, and the backend has seen nothing odd.
    fn holds(&self) {
        self.backend.has_understood_everything();
        assert_eq!(get(self.proxy.listen, "/", "host: cart\r\n").status(), 200);
        assert_eq!(self.backend.take().len(), 1);
    }
}

fn is_refused(answer: Option<&Frame>) -> bool {
    answer.is_none_or(|frame| {
        matches!(frame.kind, kind::RESET | kind::GO_AWAY)
            || frame.status().is_some_and(|status| (400..500).contains(&status))
    })
}

const METHOD: (&[u8], &[u8]) = (b":method", b"GET");
const SCHEME: (&[u8], &[u8]) = (b":scheme", b"http");
const PATH: (&[u8], &[u8]) = (b":path", b"/");
const HOST: (&[u8], &[u8]) = (b":authority", b"cart");

#[test]
fn fields_that_are_illegal_in_http2_are_never_written_in_http1() {
    let road = Road::new();
    let illegal: &[&[(&[u8], &[u8])]] = &[
        &[METHOD, SCHEME, PATH, HOST, (b"X-Upper", b"a")],
        &[METHOD, SCHEME, PATH, HOST, (b"x", b"a\r\nhost: evil")],
        &[METHOD, SCHEME, PATH, HOST, (b"x", b"a\rb")],
        &[METHOD, SCHEME, PATH, HOST, (b"x", b"a\nb")],
        &[METHOD, SCHEME, PATH, HOST, (b"x", b"a\0b")],
        &[METHOD, SCHEME, PATH, HOST, (b"x\r\ny: z", b"a")],
        &[METHOD, SCHEME, PATH, HOST, (b"x:y", b"a")],
        &[METHOD, SCHEME, PATH, HOST, (b"x y", b"a")],
        &[METHOD, SCHEME, PATH, HOST, (b"x\0", b"a")],
        &[METHOD, SCHEME, PATH, HOST, (b"", b"a")],
        &[METHOD, SCHEME, PATH, HOST, (b"connection", b"close")],
        &[METHOD, SCHEME, PATH, HOST, (b"keep-alive", b"1")],
        &[METHOD, SCHEME, PATH, HOST, (b"proxy-connection", b"close")],
        &[METHOD, SCHEME, PATH, HOST, (b"transfer-encoding", b"chunked")],
        &[METHOD, SCHEME, PATH, HOST, (b"upgrade", b"websocket")],
        &[METHOD, SCHEME, PATH, HOST, (b"te", b"gzip")],
        &[METHOD, SCHEME, PATH, HOST, (b"x", b"a"), (b":path", b"/late")],
        &[METHOD, SCHEME, PATH, PATH, HOST],
        &[METHOD, METHOD, SCHEME, PATH, HOST],
        &[METHOD, SCHEME, HOST],
        &[SCHEME, PATH, HOST],
        &[METHOD, PATH, HOST],
        &[METHOD, SCHEME, PATH, HOST, (b":status", b"200")],
        &[METHOD, SCHEME, PATH, HOST, (b":evil", b"a")],
        &[METHOD, SCHEME, PATH, HOST, (b"host", b"other")],
        &[METHOD, SCHEME, PATH],
        &[METHOD, SCHEME, HOST, (b":path", b"")],
        &[METHOD, SCHEME, HOST, (b":path", b"no-slash")],
        &[METHOD, SCHEME, HOST, (b":path", b"/a b")],
        &[METHOD, SCHEME, HOST, (b":path", b"/ HTTP/1.1\r\nhost: evil\r\n\r\nGET /")],
        &[(b":method", b"GET /evil HTTP/1.1\r\nx:"), SCHEME, PATH, HOST],
        &[(b":method", b"G T"), SCHEME, PATH, HOST],
        &[(b":method", b""), SCHEME, PATH, HOST],
        &[METHOD, (b":scheme", b"ht tp"), PATH, HOST],
        &[METHOD, (b":scheme", b"http\r\n"), PATH, HOST],
        &[METHOD, SCHEME, PATH, (b":authority", b"a b")],
        &[METHOD, SCHEME, PATH, (b":authority", b"user@cart")],
        &[METHOD, SCHEME, PATH, (b":authority", b"cart\r\nx: y")],
        &[METHOD, SCHEME, PATH, HOST, (b"content-length", b"1"), (b"content-length", b"2")],
        &[METHOD, SCHEME, PATH, HOST, (b"content-length", b"+0")],
        &[METHOD, SCHEME, PATH, HOST, (b"content-length", b"1")],
    ];
    for head in illegal {
        let frame = Frame::new(kind::HEADERS, END_STREAM | END_HEADERS, 1, &fields(head));
        let (arrived, answer) = road.ask(&[frame]);
        let shown: Vec<_> =
            head.iter().map(|(name, value)| format!("{}: {}", name.escape_ascii(), value.escape_ascii())).collect();
        assert!(is_refused(answer.as_ref()), "{shown:?}: {answer:?}");
        assert!(arrived.is_empty(), "{shown:?}: {arrived:?}");
    }
    road.holds();
}

#[test]
fn every_byte_that_no_field_may_have_is_refused_wherever_it_stands() {
    let road = Road::new();
    let mut connection = None::<Frames>;
    let mut stream = 1;
    for byte in 0..=255_u8 {
        for (name, value) in [(vec![b'x', byte, b'y'], b"v".to_vec()), (b"x".to_vec(), vec![b'v', byte, b'w'])] {
            let in_name = name.len() == 3;
            let token = byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte);
            let fine = if in_name { token } else { byte == b'\t' || byte >= b' ' && byte != 0x7f };
            let own = connection.get_or_insert_with(|| Frames::to(road.proxy.listen));
            own.ask(stream, END_STREAM, &request("GET", "/", &[(&name, &value)])).expect("sent");
            let answer = own.next_of(stream);
            let passed = answer.as_ref().and_then(Frame::status) == Some(200);
            assert_eq!(passed, fine, "{byte:#x} in a {}: {answer:?}", if in_name { "name" } else { "value" });
            stream += 2;
            if answer.is_none_or(|frame| frame.kind == kind::GO_AWAY) {
                (connection, stream) = (None, 1);
            }
        }
    }
    let _ = road.backend.take();
    road.holds();
}

#[test]
fn trailers_that_are_illegal_end_the_stream_before_its_end_goes_up() {
    let road = Road::new();
    let illegal: &[&[(&[u8], &[u8])]] = &[
        &[(b"X-Upper", b"a")],
        &[(b"x", b"a\r\n\r\nGET /evil HTTP/1.1")],
        &[(b"x", b"a\0")],
        &[(b"connection", b"close")],
        &[(b"transfer-encoding", b"chunked")],
    ];
    for trailers in illegal {
        let (arrived, answer) = road.ask(&[
            Frame::new(kind::HEADERS, END_HEADERS, 1, &request("POST", "/", &[])),
            Frame::new(kind::DATA, 0, 1, b"hello"),
            Frame::new(kind::HEADERS, END_HEADERS | END_STREAM, 1, &fields(trailers)),
        ]);
        assert!(is_refused(answer.as_ref()), "{trailers:?}: {answer:?}");
        assert!(arrived.is_empty(), "{trailers:?}: {arrived:?}");
    }
    road.holds();
}

#[test]
fn a_length_unlike_the_body_ends_the_stream_before_its_end_goes_up() {
    let road = Road::new();
    for (length, body, fine) in [
        ("5", &b"hello"[..], true),
        ("4", b"hello", false),
        ("6", b"hello", false),
        ("0", b"hello", false),
        ("5", b"", false),
    ] {
        let head = request("POST", "/", &[(b"content-length", length.as_bytes())]);
        let (arrived, answer) =
            road.ask(&[Frame::new(kind::HEADERS, END_HEADERS, 1, &head), Frame::new(kind::DATA, END_STREAM, 1, body)]);
        assert_eq!(!is_refused(answer.as_ref()), fine, "{length} for {}: {answer:?}", body.len());
        assert_eq!(arrived.len(), usize::from(fine), "{length} for {}", body.len());
    }
    road.holds();
}

#[test]
fn a_reset_amid_a_body_is_no_end_of_it() {
    let road = Road::new();
    let mut frames = Frames::to(road.proxy.listen);
    frames.ask(1, 0, &request("POST", "/", &[(b"content-length", b"9")])).expect("sent");
    frames.send(kind::DATA, 0, 1, b"hello").expect("sent");
    frames.send(kind::RESET, 0, 1, &8_u32.to_be_bytes()).expect("sent");
    until("the stream is over", || road.proxy.metric("envoy_cluster_upstream_rq_active{", "cart") < 1.0);
    assert!(road.backend.take().is_empty());
    road.holds();
}

#[test]
fn the_preface_is_known_however_it_is_cut() {
    let road = Road::new();
    let settings = Frame::new(kind::SETTINGS, 0, 0, &[]).bytes();
    let ask = Frame::new(kind::HEADERS, END_STREAM | END_HEADERS, 1, &request("GET", "/", &[])).bytes();
    let whole = [PREFACE, &settings, &ask].concat();
    for cut in 1..whole.len() {
        let mut frames = Frames::bare(TcpStream::connect(road.proxy.listen).expect("a connection"));
        frames.write(&whole[..cut]).expect("sent");
        // Two writes are two packets once the first has been acknowledged.
        std::thread::yield_now();
        frames.write(&whole[cut..]).expect("sent");
        let answer = frames.next_of(1).expect("an answer");
        assert_eq!(answer.status(), Some(200), "cut at {cut}");
    }
    assert_eq!(road.backend.take().len(), whole.len() - 1);
}

#[test]
fn what_only_begins_like_the_preface_is_http1_or_nothing() {
    let road = Road::new();
    for (bytes, status) in [
        ("PUT / HTTP/1.1\r\nhost: cart\r\ncontent-length: 0\r\n\r\n", 200),
        ("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 0\r\n\r\n", 200),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\t", 426),
        ("PRI * HTTP/1.1\r\nhost: cart\r\n\r\n", 400),
        ("PRI / HTTP/2.0\r\nhost: cart\r\n\r\n", 426),
    ] {
        let mut connection = Connection::to(road.proxy.listen).expect("a connection");
        for byte in bytes.bytes() {
            connection.send([byte]).expect("sent");
        }
        let answer = connection.answer().expect("read").expect("an answer");
        assert_eq!(answer.status(), status, "{}", bytes.escape_debug());
    }
}

#[test]
fn a_port_for_one_version_of_http_refuses_the_other() {
    let backend = Strict::start();
    for (codec, http1, http2) in [("HTTP1", true, false), ("HTTP2", false, true), ("AUTO", true, true)] {
        let proxy = Proxy::on_bootstrap(&bootstrap(codec, backend.address.port()));
        let mut one = Connection::to(proxy.listen).expect("a connection");
        one.send("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").expect("sent");
        let answered = matches!(one.answer(), Ok(Some(answer)) if answer.status() == 200);
        assert_eq!(answered, http1, "HTTP/1 on a port of {codec}");
        let mut two = Frames::to(proxy.listen);
        let _ = two.ask(1, END_STREAM, &request("GET", "/", &[]));
        // In the words of HTTP/1, what is refused is no frame.
        let answer = if http1 && !http2 { None } else { two.next_of(1) };
        assert_eq!(answer.and_then(|frame| frame.status()) == Some(200), http2, "HTTP/2 on a port of {codec}");
    }
    backend.has_understood_everything();
}

fn bootstrap(codec: &str, port: u16) -> String {
    format!(
        "static_resources:
  listeners:
  - name: in
    address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          codec_type: {codec}
          route_config: {{virtual_hosts: [{{name: all, domains: [\"*\"], routes: [{{match: {{prefix: /}}, route: {{cluster: cart}}}}]}}]}}
          http_filters: [{{name: envoy.filters.http.router, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]
  clusters:
  - name: cart
    type: STATIC
    load_assignment: {{cluster_name: cart, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}]}}]}}
"
    )
}

#[test]
fn an_upgrade_to_h2c_is_not_taken() {
    let road = Road::new();
    let head = "host: cart\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    let answer = get(road.proxy.listen, "/", head);
    assert_ne!(answer.status(), 101);
    road.backend.has_understood_everything();
    assert!(road.backend.take().iter().all(|asked| asked.fields.iter().all(|(name, _)| name != "http2-settings")));
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let good_head = prop::sample::select(vec![("GET", "/"), ("POST", "/a"), ("PUT", "/b"), ("DELETE", "/c")])
        .prop_map(|(method, path)| request(method, path, &[]));
    let odd_head = prop::collection::vec(any::<u8>(), 0..60);
    let payload = prop_oneof![
        3 => good_head,
        2 => odd_head,
        1 => prop::collection::vec(any::<u8>(), 4..=4),
        1 => prop::collection::vec(any::<u8>(), 8..=8),
        1 => Just(Vec::new()),
        1 => Just(vec![0, 4, 0, 0, 0, 9]),
        1 => Just(vec![b'x'; 16_384]),
    ];
    let kind = prop_oneof![6 => prop::sample::select(vec![kind::HEADERS, kind::DATA]), 4 => 0..11_u8];
    let flags = prop_oneof![6 => prop::sample::select(vec![0, 1, 4, 5]), 1 => any::<u8>()];
    let stream = prop_oneof![8 => 0..9_u32, 1 => any::<u32>()];
    (kind, flags, stream, payload).prop_map(|(kind, flags, stream, payload)| Frame::new(kind, flags, stream, &payload))
}

#[test]
fn whatever_frames_a_client_sends_the_backend_sees_requests_and_the_proxy_lives_on() {
    let road = Road::new();
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    // Over all cases: a request may reach the backend when its case is over.
    let (heads, requests) = (Cell::new(0), Cell::new(0));
    proptest!(config, |(sent in prop::collection::vec(any_frame(), 1..12))| {
        let mut frames = Frames::to(road.proxy.listen);
        heads.set(heads.get() + sent.iter().filter(|frame| frame.kind == kind::HEADERS).count());
        let bytes: Vec<u8> = sent.iter().flat_map(Frame::bytes).collect();
        // Whoever refuses may close amid it.
        let _ = frames.write(&bytes);
        // An answer to a last ping, or the end, says that all of it has been looked at.
        let _ = frames.send(kind::PING, 0, 0, b"the last");
        while let Some(frame) = frames.read() {
            if frame.kind == kind::GO_AWAY || frame.kind == kind::PING && frame.flags & ACK != 0 && frame.payload == b"the last" {
                break;
            }
        }
        road.backend.has_understood_everything();
        requests.set(requests.get() + road.backend.take().len());
        prop_assert!(requests.get() <= heads.get());
    });
    until("nothing is under way", || road.proxy.metric("envoy_cluster_upstream_rq_active{", "cart") < 1.0);
    let _ = road.backend.take();
    road.holds();
}
