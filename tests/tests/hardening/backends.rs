//! Backends that mean harm, in either version of HTTP: the client is told, or sees its answer cut; nothing of one answer gets into another.

use squall_tests::frames::{ACK, END_HEADERS, END_STREAM, Frames, PREFACE, fields, kind};
use squall_tests::http::{Answer, Backend, Connection, ok};
use squall_tests::proxy::{Proxy, rule};
use squall_tests::until;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const ASK: &str = "GET / HTTP/1.1\r\nhost: cart\r\n\r\n";

/// Does the same with each connection.
fn each(serve: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            // A proxy that closes amid it does as it should.
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Reads a head, and what `serve` makes of the rest.
fn after_a_head(serve: fn(&mut TcpStream) -> std::io::Result<()>) -> SocketAddr {
    each(move |mut stream| {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        serve(&mut stream)
    })
}

fn in_front_of(address: SocketAddr) -> Proxy {
    Proxy::with_endpoints("", &[(address, "v1", true)])
}

#[test]
fn an_answer_that_could_be_read_in_two_ways_is_502() {
    for raw in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi!"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\r\n folded\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad name: a\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 099 Low\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 1000 High\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"hello\r\n\r\n",
    ] {
        let backend = Backend::start(move |_| Answer::Raw(raw));
        let proxy = Proxy::start("", &[&backend]);
        let answer = proxy.get("/");
        assert_eq!(answer.status(), 502, "{}", raw.escape_ascii());
        assert_eq!(proxy.access_log(1)[0]["response_flags"], "UPE", "{}", raw.escape_ascii());
    }
}

#[test]
fn a_body_that_breaks_off_or_breaks_the_rules_is_cut_for_the_client() {
    for raw in [
        &b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n"[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhellooo\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nno trailer\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello",
    ] {
        let backend = Backend::start(move |_| Answer::Raw(raw));
        let proxy = Proxy::start("", &[&backend]);
        let mut connection = proxy.connect();
        connection.send(ASK).expect("sent");
        assert!(!matches!(connection.answer(), Ok(Some(_))), "{}", raw.escape_ascii());
    }
}

#[test]
fn a_connection_with_bytes_that_nobody_asked_for_serves_no_other_request() {
    for (method, raw) in [
        ("GET", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"),
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\nevil"),
        ("GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 4\r\n\r\nevil"),
        ("GET", "HTTP/1.1 204 No Content\r\ncontent-length: 4\r\n\r\nevil"),
    ] {
        let address = each(move |mut stream| {
            let mut head = [0; 4096];
            loop {
                let read = stream.read(&mut head)?;
                if read == 0 {
                    return Ok(());
                }
                let second = head[..read].windows(6).any(|window| window == b"/again");
                let good: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood";
                stream.write_all(if second { good } else { raw.as_bytes() })?;
            }
        });
        let proxy = in_front_of(address);
        let mut connection = proxy.connect();
        connection.send(format!("{method} / HTTP/1.1\r\nhost: cart\r\n\r\n")).expect("sent");
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            assert_eq!(connection.read(&mut byte).expect("a byte"), 1, "{raw}");
            head.push(byte[0]);
        }
        if raw.starts_with("HTTP/1.1 200 OK\r\ncontent-length: 2") {
            connection.read(&mut [0; 2]).expect("a body");
        }
        let again = proxy.get("/again");
        assert_eq!(again.text(), "good", "{raw}");
    }
}

#[test]
fn answers_ahead_of_the_answer_have_an_end() {
    let flood = after_a_head(|stream| {
        loop {
            stream.write_all(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")?;
        }
    });
    let proxy = in_front_of(flood);
    let mut connection = proxy.connect();
    connection.send(ASK).expect("sent");
    let mut interim = 0;
    let last = loop {
        let answer = connection.answer().expect("read").expect("an answer");
        match answer.status() {
            103 => interim += 1,
            status => break status,
        }
    };
    assert_eq!((interim, last), (100, 502));
}

#[test]
fn a_head_of_an_answer_has_the_limits_of_one_of_a_request() {
    let fields = |count: usize| "a: b\r\n".repeat(count);
    let long = |bytes: usize| {
        let rest = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx: \r\n\r\n".len();
        format!("x: {}\r\n", "y".repeat(bytes - rest))
    };
    for (fields, status) in [
        (fields(99), 200),
        (fields(100), 502),
        (fields(10_000), 502),
        (long(60 << 10), 200),
        (long((60 << 10) + 1), 502),
        (long(10 << 20), 502),
    ] {
        let head: &'static [u8] = format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{fields}\r\n").into_bytes().leak();
        let backend = Backend::start(move |_| Answer::Raw(head));
        assert_eq!(Proxy::start("", &[&backend]).get("/").status(), status, "{} bytes", head.len());
    }
    // One that never ends is not waited for.
    let endless = after_a_head(|stream| {
        loop {
            stream.write_all(&[b'x'; 4096])?;
        }
    });
    assert_eq!(in_front_of(endless).get("/").status(), 502);
}

#[test]
fn what_a_backend_says_unasked_is_nobodys_answer() {
    let said = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&said);
    let chatty = each(move |mut stream| {
        let mut head = [0; 4096];
        while stream.read(&mut head)? > 0 {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nmine")?;
            // And a while later, with the connection idle.
            std::thread::park_timeout(std::time::Duration::from_millis(30));
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")?;
            count.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    });
    let proxy = in_front_of(chatty);
    for round in 1..=5 {
        assert_eq!(proxy.get("/").text(), "mine");
        until("it has been said", || said.load(Ordering::SeqCst) == round);
    }
}

#[test]
fn an_early_answer_belongs_to_its_request_and_the_rest_of_the_body_to_nobody() {
    // It answers at the head, says that it keeps the connection, and reads on.
    let hasty = each(|mut stream| {
        let mut bytes = [0; 8192];
        let mut head = true;
        while let Ok(read @ 1..) = stream.read(&mut bytes) {
            if head || bytes[..read].starts_with(b"GET") {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhasty")?;
            }
            head = false;
        }
        Ok(())
    });
    let proxy = in_front_of(hasty);
    let mut connection = proxy.connect();
    connection
        .send("POST / HTTP/1.1\r\nhost: cart\r\nexpect: 100-continue\r\ncontent-length: 37\r\n\r\n")
        .expect("sent");
    assert_eq!(connection.answer().expect("read").expect("an answer").text(), "hasty");
    // What would be a request, were the body not still due.
    let _ = connection.send("GET /inner HTTP/1.1\r\nhost: cart\r\n\r\n\r\n");
    assert!(!matches!(connection.answer(), Ok(Some(_))), "the body was taken for a request");
    assert_eq!(proxy.get("/").text(), "hasty");
}

#[test]
fn an_answer_ahead_of_the_whole_request_outlives_the_reset_behind_it() {
    let early = each(|mut stream| {
        stream.read_exact(&mut [0; 16])?;
        // What was not read makes a reset of the close.
        stream.write_all(b"HTTP/1.1 413 x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nlarge")
    });
    let proxy = in_front_of(early);
    for _ in 0..20 {
        let mut connection = proxy.connect();
        connection.send("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 4000000\r\n\r\n").expect("sent");
        // Where the answer comes first, the rest is not taken.
        let _ = connection.send(vec![b'x'; 4_000_000]);
        let answer = connection.answer().expect("read").expect("an answer");
        assert_eq!((answer.status(), &*answer.text()), (413, "large"));
    }
}

/// A backend of HTTP/2 that does as `serve` says with each stream.
fn http2(serve: fn(&mut Frames, u32) -> std::io::Result<()>) -> SocketAddr {
    each(move |mut stream| {
        let mut preface = [0; PREFACE.len()];
        stream.read_exact(&mut preface)?;
        let mut frames = Frames::bare(stream);
        frames.send(kind::SETTINGS, 0, 0, &[])?;
        while let Some(frame) = frames.read() {
            match frame.kind {
                kind::SETTINGS if frame.flags & ACK == 0 => frames.send(kind::SETTINGS, ACK, 0, &[])?,
                kind::HEADERS => serve(&mut frames, frame.stream)?,
                _ => {}
            }
        }
        Ok(())
    })
}

fn in_front_of_http2(address: SocketAddr) -> Proxy {
    let policy = rule("{connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}");
    Proxy::with_endpoints(&policy, &[(address, "v1", true)])
}

/// What a client of HTTP/1 gets: a status, or none if its answer is cut.
fn seen(proxy: &Proxy) -> Option<u16> {
    let mut connection = Connection::to(proxy.listen).expect("a connection");
    connection.send(ASK).expect("sent");
    connection.answer().ok().flatten().map(|answer| answer.status())
}

#[test]
fn fields_that_http2_forbids_never_reach_a_client_of_http1() {
    const HEADS: &[&[(&[u8], &[u8])]] = &[
        &[(b":status", b"200"), (b"X-Upper", b"a")],
        &[(b":status", b"200"), (b"x", b"a\r\nset-cookie: evil")],
        &[(b":status", b"200"), (b"x", b"a\nb")],
        &[(b":status", b"200"), (b"x", b"a\0b")],
        &[(b":status", b"200"), (b"x\r\ny", b"a")],
        &[(b":status", b"200"), (b"x y", b"a")],
        &[(b":status", b"200"), (b"connection", b"close")],
        &[(b":status", b"200"), (b"transfer-encoding", b"chunked")],
        &[(b":status", b"200"), (b":status", b"200")],
        &[(b"x", b"a"), (b":status", b"200")],
        &[(b":status", b"abc")],
        &[(b":status", b"99")],
        &[(b":status", b"101")],
        &[(b"x", b"a")],
        &[(b":status", b"200"), (b"content-length", b"5"), (b"content-length", b"6")],
        &[(b":status", b"200"), (b"content-length", b"+5")],
    ];
    static AT: AtomicUsize = AtomicUsize::new(0);
    let backend = http2(|frames, stream| {
        let head = HEADS[AT.load(Ordering::SeqCst)];
        frames.send(kind::HEADERS, END_HEADERS | END_STREAM, stream, &fields(head))
    });
    let proxy = in_front_of_http2(backend);
    for (at, head) in HEADS.iter().enumerate() {
        AT.store(at, Ordering::SeqCst);
        let status = seen(&proxy);
        assert!(matches!(status, Some(502 | 503)), "{status:?} for {:?}", head.last());
    }
}

#[test]
fn a_length_that_is_a_lie_leaves_no_whole_answer() {
    let short = http2(|frames, stream| {
        frames.send(kind::HEADERS, END_HEADERS, stream, &fields(&[(b":status", b"200"), (b"content-length", b"9")]))?;
        frames.send(kind::DATA, END_STREAM, stream, b"hello")
    });
    let long = http2(|frames, stream| {
        frames.send(kind::HEADERS, END_HEADERS, stream, &fields(&[(b":status", b"200"), (b"content-length", b"2")]))?;
        frames.send(kind::DATA, END_STREAM, stream, b"hello")
    });
    for backend in [short, long] {
        assert!(!matches!(seen(&in_front_of_http2(backend)), Some(200)));
    }
}

#[test]
fn an_answer_that_has_no_body_by_its_status_is_not_framed_as_if_it_had() {
    let empty = http2(|frames, stream| {
        frames.send(kind::HEADERS, END_HEADERS, stream, &fields(&[(b":status", b"204")]))?;
        frames.send(kind::DATA, END_STREAM, stream, b"")
    });
    let proxy = in_front_of_http2(empty);
    let mut connection = proxy.connect();
    for _ in 0..3 {
        let answer = connection.ask(ASK);
        assert_eq!((answer.status(), answer.field("transfer-encoding")), (204, ""));
    }
    let full = http2(|frames, stream| {
        frames.send(kind::HEADERS, END_HEADERS, stream, &fields(&[(b":status", b"204")]))?;
        frames.send(kind::DATA, END_STREAM, stream, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
    });
    let mut connection = in_front_of_http2(full).connect();
    for _ in 0..2 {
        let _ = connection.send(ASK);
        let answer = connection.answer().ok().flatten();
        assert!(answer.is_none_or(|answer| answer.status() == 204), "a body was taken for an answer");
    }
}

#[test]
fn floods_of_an_http2_backend_end_its_connection_and_not_the_proxy() {
    type Flood = (&'static str, fn(&mut Frames, u32) -> std::io::Result<()>);
    const MANY: usize = 100_000;
    let floods: [Flood; 7] = [
        ("PING", |frames, _| (0..MANY).try_for_each(|_| frames.send(kind::PING, 0, 0, &[0; 8]))),
        ("SETTINGS", |frames, _| (0..MANY).try_for_each(|_| frames.send(kind::SETTINGS, 0, 0, &[]))),
        ("empty DATA", |frames, stream| {
            frames.send(kind::HEADERS, END_HEADERS, stream, &fields(&[(b":status", b"200")]))?;
            (0..MANY).try_for_each(|_| frames.send(kind::DATA, 0, stream, &[]))
        }),
        ("CONTINUATION", |frames, stream| {
            frames.send(kind::HEADERS, 0, stream, &fields(&[(b":status", b"200")]))?;
            (0..MANY).try_for_each(|_| frames.send(kind::CONTINUATION, 0, stream, &fields(&[(b"x", &[b'y'; 1000])])))
        }),
        ("interim answers", |frames, stream| {
            (0..MANY)
                .try_for_each(|_| frames.send(kind::HEADERS, END_HEADERS, stream, &fields(&[(b":status", b"103")])))
        }),
        ("bytes beyond the window", |frames, stream| {
            frames.send(kind::HEADERS, END_HEADERS, stream, &fields(&[(b":status", b"200")]))?;
            (0..MANY).try_for_each(|_| frames.send(kind::DATA, 0, stream, &[0; 16384]))
        }),
        ("a promise", |frames, stream| {
            let promise = [&2_u32.to_be_bytes()[..], &fields(&[(b":method", b"GET"), (b":path", b"/")])].concat();
            frames.send(5, END_HEADERS, stream, &promise)
        }),
    ];
    for (name, flood) in floods {
        let backend = http2(flood);
        let proxy = in_front_of_http2(backend);
        let before = proxy.resident();
        let mut connection = Connection::to(proxy.listen).expect("a connection");
        connection.socket().set_read_timeout(Some(std::time::Duration::from_secs(1))).expect("a socket");
        connection.send(ASK).expect("sent");
        // A whole answer would be made up; one that does not come is the backend's to answer for.
        let answer = connection.answer();
        assert!(!matches!(&answer, Ok(Some(answer)) if answer.status() == 200), "{name}: {answer:?}");
        drop(connection);
        let grown = proxy.resident().saturating_sub(before);
        assert!(grown < 32 << 20, "{name}: {} KiB more", grown >> 10);
        until("the proxy answers", || proxy.admin("/ready").status() == 200);
    }
}

#[test]
fn a_request_that_a_hostile_backend_spoils_is_answered_by_another() {
    let hostile = http2(|frames, _| frames.send(kind::GO_AWAY, 0, 0, &[0; 8]));
    let good = squall_tests::http2::Backend::start(|_| squall_tests::http2::ok("good"));
    let policies = format!(
        "{}{}",
        squall_tests::proxy::routes(
            "    - retries: {attempts: 3, retryOn: \"refused-stream,reset\"}\n      route: [{destination: {host: cart}}]"
        ),
        rule("{connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}")
    );
    let proxy = Proxy::with_endpoints(&policies, &[(hostile, "v1", true), (good.address, "v1", true)]);
    for _ in 0..10 {
        assert_eq!(proxy.get("/").text(), "good");
    }
    let plain = Backend::start(|_| ok("plain"));
    assert_eq!(Proxy::start("", &[&plain]).get("/").text(), "plain");
}
