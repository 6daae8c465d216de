//! HTTP/2 clients that send what costs them little, over and over: their connection ends, the backend is spared, and nobody else notices.

use squall_tests::frames::{END_STREAM, Frames, fields, kind, request};
use squall_tests::http::{Answer, Backend, ok};
use squall_tests::proxy::Proxy;
use squall_tests::until;
use std::io::Write;
use std::time::Duration;

/// Frames of a flood.
const MANY: u32 = 200_000;

/// A reason of HTTP/2: the peer asks for too much.
const ENHANCE_YOUR_CALM: u32 = 11;

/// Sends until the other end closes, or takes nothing more for a second, or there is nothing more to send; true if it closed.
fn flood(frames: &mut Frames, mut piece: impl FnMut(u32) -> Vec<u8>) -> bool {
    frames.socket().set_write_timeout(Some(Duration::from_secs(1))).expect("a socket");
    for number in (0..MANY).step_by(100) {
        let pieces: Vec<u8> = (number..number + 100).flat_map(&mut piece).collect();
        if let Err(error) = frames.socket().write_all(&pieces) {
            return !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut);
        }
    }
    false
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    squall_tests::frames::Frame::new(kind, flags, stream, payload).bytes()
}

/// The number of the `n`th stream.
fn stream(n: u32) -> u32 {
    n * 2 + 1
}

struct Field {
    proxy: Proxy,
    backend: Backend,
    before: u64,
}

impl Field {
    fn new(backend: Backend) -> Self {
        let proxy = Proxy::start("", &[&backend]);
        assert_eq!(Backend::named("other").asked().len(), 0);
        // Whatever is allocated once is there before memory is looked at.
        let _ = squall_tests::http2::Client::to(proxy.listen).try_ask(squall_tests::http2::get("/quick"));
        let before = proxy.resident();
        Self { proxy, backend, before }
    }

    /// Somebody else is served as ever, and memory is what it was.
    fn holds(&self, what: &str) {
        assert_eq!(self.proxy.get("/quick").status(), 200, "{what}");
        let grown = self.proxy.resident().saturating_sub(self.before);
        assert!(grown < 24 << 20, "{what}: {} KiB more", grown >> 10);
    }
}

fn patient() -> Backend {
    Backend::start(|asked| if asked.target() == "/quick" { ok("quick") } else { Answer::Silence })
}

#[test]
fn opening_and_resetting_streams_ends_the_connection_after_a_bounded_number() {
    let field = Field::new(patient());
    let mut frames = Frames::to(field.proxy.listen);
    let head = request("GET", "/", &[]);
    let closed = flood(&mut frames, |n| {
        [frame(kind::HEADERS, 5, stream(n), &head), frame(kind::RESET, 0, stream(n), &8_u32.to_be_bytes())].concat()
    });
    assert!(closed || frames.end() == Some(ENHANCE_YOUR_CALM));
    let asked = field.backend.asked().len();
    assert!(asked < 1000, "{asked} of them went up");
    until("what was begun upstream is given up", || {
        field.proxy.metric("envoy_cluster_upstream_rq_active{", "cart") < 1.0
    });
    field.holds("rapid reset");
}

#[test]
fn resets_at_a_slow_rate_are_counted_all_the_same() {
    let field = Field::new(patient());
    let mut frames = Frames::to(field.proxy.listen);
    let head = request("GET", "/", &[]);
    let mut sent = 0;
    // One after the other, each once the one before has gone up.
    while sent < 2000 {
        let id = stream(sent);
        let pair =
            [frame(kind::HEADERS, 5, id, &head), frame(kind::PING, 0, 0, &u64::from(sent).to_be_bytes())].concat();
        if frames.write(&pair).is_err() || frames.next_of(0).is_none_or(|frame| frame.kind == kind::GO_AWAY) {
            break;
        }
        if frames.send(kind::RESET, 0, id, &8_u32.to_be_bytes()).is_err() {
            break;
        }
        sent += 1;
    }
    assert!((400..1500).contains(&sent), "{sent} streams were begun and given up");
    assert!(field.proxy.metric("envoy_http_downstream_rq_too_many_premature_resets", "") >= 1.0);
    field.holds("slow resets");
}

#[test]
fn making_us_reset_streams_ends_the_connection() {
    type Trigger = (&'static str, fn(u32) -> Vec<u8>);
    let triggers: [Trigger; 5] = [
        ("a window of 0", |id| frame(kind::WINDOW, 0, id, &[0; 4])),
        ("a window beyond its size", |id| frame(kind::WINDOW, 0, id, &(u32::MAX >> 1).to_be_bytes())),
        ("data behind the end", |id| frame(kind::DATA, 0, id, b"x")),
        ("fields behind the end", |id| frame(kind::HEADERS, 5, id, &fields(&[(b"x", b"y")]))),
        ("a priority of itself", |id| frame(kind::PRIORITY, 0, id, &[&id.to_be_bytes()[..], &[0]].concat())),
    ];
    for (name, trigger) in triggers {
        let field = Field::new(patient());
        let mut frames = Frames::to(field.proxy.listen);
        let head = request("GET", "/", &[]);
        let closed = flood(&mut frames, |n| [frame(kind::HEADERS, 5, stream(n), &head), trigger(stream(n))].concat());
        assert!(closed || frames.end().is_some_and(|reason| reason != 0), "{name}");
        assert!(field.backend.asked().len() < 2000, "{name}: {} went up", field.backend.asked().len());
        field.holds(name);
    }
}

#[test]
fn fields_without_end_end_the_connection() {
    type Piece = fn() -> Vec<u8>;
    let pieces: [(&str, Piece); 3] =
        [("with fields", || fields(&[(b"x", &[b'y'; 1000])])), ("empty", Vec::new), ("of a byte each", || vec![0])];
    for (name, piece) in pieces {
        let field = Field::new(patient());
        let mut frames = Frames::to(field.proxy.listen);
        frames.send(kind::HEADERS, 1, 1, &request("GET", "/", &[])).expect("sent");
        let piece = piece();
        let closed = flood(&mut frames, |_| frame(kind::CONTINUATION, 0, 1, &piece));
        assert!(closed || frames.end().is_some_and(|reason| reason != 0), "CONTINUATION {name}");
        assert_eq!(field.backend.asked().iter().filter(|asked| asked.target() == "/").count(), 0);
        field.holds(name);
    }
}

#[test]
fn empty_pieces_of_a_body_end_the_connection() {
    for piece in [&b""[..], b"x"] {
        let field = Field::new(patient());
        let mut frames = Frames::to(field.proxy.listen);
        frames.ask(1, 0, &request("POST", "/", &[])).expect("sent");
        let closed = flood(&mut frames, |_| frame(kind::DATA, 0, 1, piece));
        // Pieces of one byte end with the window at the latest.
        assert!(closed || frames.end().is_some_and(|reason| reason != 0), "{} bytes a frame", piece.len());
        field.holds("DATA");
    }
}

#[test]
fn frames_that_want_answers_from_a_client_that_reads_none_are_not_heaped_up() {
    for (name, piece) in [
        ("PING", frame(kind::PING, 0, 0, &[0; 8])),
        ("SETTINGS", frame(kind::SETTINGS, 0, 0, &[])),
        ("SETTINGS with a value", frame(kind::SETTINGS, 0, 0, &[0, 4, 0, 0, 0xff, 0xff])),
        ("PRIORITY", frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 3, 0])),
        ("WINDOW_UPDATE", frame(kind::WINDOW, 0, 0, &1_u32.to_be_bytes())),
        ("an unknown kind", frame(0xbe, 0, 0, &[0; 100])),
    ] {
        let field = Field::new(patient());
        let mut frames = Frames::to(field.proxy.listen);
        flood(&mut frames, |_| piece.clone());
        field.holds(name);
    }
}

#[test]
fn a_table_of_fields_that_unpacks_to_more_than_the_limit_is_refused() {
    let field = Field::new(patient());
    let mut frames = Frames::to(field.proxy.listen);
    // One long field into the table, then a byte for each time that it is meant.
    let mut bomb = request("GET", "/bomb", &[]);
    bomb.extend([0x40, 1, b'x', 127, 0x81, 0x1e]);
    bomb.extend([b'y'; 4000]);
    bomb.extend([0xbe; 8000]);
    frames.ask(1, END_STREAM, &bomb).expect("sent");
    let answer = frames.next_of(1).expect("an answer");
    assert!(answer.status() == Some(431) || matches!(answer.kind, kind::RESET | kind::GO_AWAY), "{answer:?}");
    assert!(field.backend.asked().iter().all(|asked| asked.target() != "/bomb"));
    field.holds("HPACK bomb");
}

#[test]
fn many_small_fields_and_crumbs_of_cookies_have_the_limits_of_any_head() {
    let field = Field::new(patient());
    for (name, count, goes_up) in [
        (&b"x"[..], 50, true),
        (b"x", 101, false),
        (b"x", 5000, false),
        (b"cookie", 101, false),
        (b"cookie", 5000, false),
    ] {
        let mut frames = Frames::to(field.proxy.listen);
        let many = vec![(name, &b"a=b"[..]); count];
        let _ = frames.ask(1, END_STREAM, &request("GET", "/quick", &many));
        let answer = frames.next_of(1);
        let fine = answer.as_ref().and_then(squall_tests::frames::Frame::status) == Some(200);
        assert_eq!(fine, goes_up, "{count} of {}: {answer:?}", name.escape_ascii());
    }
    field.holds("many fields");
}

#[test]
fn a_window_that_is_never_opened_holds_the_backend_and_little_memory() {
    const STREAMS: u32 = 50;
    let large = Backend::start(|asked| {
        if asked.target() == "/quick" { ok("quick") } else { Answer::Status(200, "", vec![b'x'; 4 << 20]) }
    });
    let field = Field::new(large);
    for window in [0, 1] {
        let mut frames = Frames::with_settings(field.proxy.listen, &[(4, window)]);
        for n in 0..STREAMS {
            frames.ask(stream(n), END_STREAM, &request("GET", "/large", &[])).expect("sent");
        }
        // Each has its head, and no body to speak of.
        let mut heads = 0;
        while heads < STREAMS {
            let frame = frames.read().expect("a frame");
            heads += u32::from(frame.kind == kind::HEADERS);
            assert!(frame.kind != kind::DATA || frame.payload.len() as u32 <= window, "{} bytes", frame.payload.len());
        }
        let grown = field.proxy.resident().saturating_sub(field.before);
        assert!(grown < 40 << 20, "{} KiB for {STREAMS} answers of 4 MiB", grown >> 10);
    }
    until("what nobody takes is given up", || field.proxy.metric("envoy_cluster_upstream_rq_active{", "cart") < 1.0);
    assert_eq!(field.proxy.get("/quick").status(), 200);
}

#[test]
fn settings_that_shrink_a_window_below_nothing_lose_nothing() {
    let large = Backend::start(|_| Answer::Status(200, "", (0..400_000_u32).map(|at| (at % 251) as u8).collect()));
    let proxy = Proxy::start("", &[&large]);
    let mut frames = Frames::to(proxy.listen);
    frames.ask(1, END_STREAM, &request("GET", "/", &[])).expect("sent");
    let mut body = Vec::new();
    let mut shrunk = false;
    loop {
        let frame = frames.next_of(1).expect("a frame");
        assert_ne!(frame.kind, kind::GO_AWAY);
        if frame.kind != kind::DATA {
            continue;
        }
        body.extend_from_slice(&frame.payload);
        if frame.flags & END_STREAM != 0 {
            break;
        }
        if !shrunk && body.len() > 20_000 {
            shrunk = true;
            // The initial window falls to 0, so that of this stream below it; then other sizes of frames, and room again.
            frames.send(kind::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]).expect("sent");
            frames.send(kind::SETTINGS, 0, 0, &[0, 5, 0, 1, 0, 0, 0, 4, 0, 0, 0x40, 0]).expect("sent");
        }
        let room = (frame.payload.len() as u32).to_be_bytes();
        if !frame.payload.is_empty() {
            frames.send(kind::WINDOW, 0, 1, &room).expect("sent");
            frames.send(kind::WINDOW, 0, 0, &room).expect("sent");
        }
        if shrunk {
            frames.send(kind::WINDOW, 0, 1, &65_535_u32.to_be_bytes()).expect("sent");
        }
    }
    assert_eq!(body.len(), 400_000);
    assert!(body.iter().enumerate().all(|(at, byte)| *byte == (at % 251) as u8));
}
