//! Heads of HTTP/1 that are well formed and mean mischief: what a route is chosen by is what goes up.

use proptest::prelude::*;
use squall_tests::http::{Backend, Connection, Message, get, ok};
use squall_tests::proxy::{Proxy, routes};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};

fn head(line: &str, fields: &str) -> String {
    format!("{line}\r\n{fields}\r\n")
}

#[test]
fn there_is_one_authority_and_contradictions_are_refused() {
    let backend = Backend::start(|asked| ok(asked.field("host")));
    let proxy = Proxy::start("", &[&backend]);
    for (line, fields, status, host) in [
        ("GET http://cart/ HTTP/1.1", "host: cart\r\n", 200, "cart"),
        // The target names the authority; what the field says is rewritten.
        ("GET http://cart/ HTTP/1.1", "host: other\r\n", 200, "cart"),
        ("GET / HTTP/1.1", "host: cart\r\nhost: cart\r\n", 400, ""),
        ("GET / HTTP/1.1", "host: cart\r\nhost: other\r\n", 400, ""),
        ("GET / HTTP/1.1", "", 400, ""),
        ("GET / HTTP/1.1", "host: user@cart\r\n", 400, ""),
        ("GET / HTTP/1.1", "host: cart/evil\r\n", 400, ""),
        ("GET / HTTP/1.1", "host: car t\r\n", 400, ""),
        ("GET / HTTP/1.1", "host: cart, other\r\n", 400, ""),
    ] {
        let answer = proxy.connect().ask(&head(line, fields));
        assert_eq!(answer.status(), status, "{line} {fields:?}");
        if status == 200 {
            assert_eq!(answer.text(), host, "{line} {fields:?}");
        }
    }
    assert!(backend.asked().iter().all(|asked| asked.target() == "/"), "a target goes up as a path");
}

#[test]
fn connection_removes_no_field_that_it_must_not() {
    let backend = Backend::start(|asked| ok(asked.field("host")));
    let proxy = Proxy::start("", &[&backend]);
    for named in ["host", "x-forwarded-for", "x-forwarded-proto", ":path"] {
        let answer = proxy.get_with("/", &format!("connection: {named}\r\nx-forwarded-for: 1.2.3.4\r\n"));
        if answer.status() == 200 {
            let asked = backend.asked().pop().expect("a request");
            assert_eq!((asked.field("host"), asked.field("x-forwarded-proto")), ("cart", "http"), "{named}");
        } else {
            assert_eq!(answer.status(), 400, "{named}");
        }
    }
}

/// What the guarded folder is by any reader's rules: decoded until nothing changes, slashes merged, dots resolved.
fn is_guarded(target: &str) -> bool {
    target == "/guarded" || target.starts_with("/guarded/") || target.starts_with("/guarded?")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_path_that_goes_up_is_decided_on_as_it_was_when_it_came(paths in prop::collection::vec(path(), 300)) {
        let backend = Backend::start(|asked| ok(asked.target()));
        let policies = routes(
            "    - match: [{uri: {prefix: /guarded}}]\n      directResponse: {status: 403}\n    - route: [{destination: {host: cart}}]",
        );
        let proxy = Proxy::start(&policies, &[&backend]);
        let mut connection = None::<Connection>;
        let mut ask = |path: &str| -> Message {
            let own = connection.get_or_insert_with(|| proxy.connect());
            let answer = own.ask(&format!("GET {path} HTTP/1.1\r\nhost: cart\r\n\r\n"));
            if answer.field("connection") == "close" {
                connection = None;
            }
            answer
        };
        for path in paths {
            let answer = ask(&path);
            if answer.status() != 200 {
                prop_assert!(matches!(answer.status(), 400 | 403 | 404), "{path}: {}", answer.status());
                continue;
            }
            let sent = answer.text();
            prop_assert!(!is_guarded(&sent), "{path} went up as {sent}");
            prop_assert_eq!(ask(&sent).text(), sent.clone(), "{} went up as {}, which would be decided on otherwise", path, sent);
        }
    }
}

fn path() -> impl Strategy<Value = String> {
    let pieces = [
        "/",
        "//",
        "/.",
        "/./",
        "/..",
        "/../",
        "a",
        "guarded",
        "Guarded",
        "%2e",
        "%2E%2e",
        "%2f",
        "%5c",
        "\\",
        "%67uarded",
        "%00",
        ";x=y",
        "?a=/../guarded",
        "#guarded",
        "%25",
        "%2567",
        "...",
        "~",
        "%zz",
        "%",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 1..7)
        .prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// A backend that gives what it reads to the test, and answers each head that it sees as told.
fn recording(answer: &'static str) -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (seen, all) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let seen = seen.clone();
            std::thread::spawn(move || {
                let mut bytes = [0; 8192];
                while let Ok(read @ 1..) = stream.read(&mut bytes) {
                    // A test that is over wants no more.
                    let _ = seen.send(bytes[..read].to_vec());
                    if bytes[..read].windows(4).any(|window| window == b"\r\n\r\n") {
                        let _ = stream.write_all(answer.as_bytes());
                    }
                }
            });
        }
    });
    (address, all)
}

#[test]
fn bytes_behind_an_upgrade_go_up_only_once_it_has_been_accepted() {
    let upgrade = "GET /chat HTTP/1.1\r\nhost: cart\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
    let hidden = "GET /hidden HTTP/1.1\r\nhost: cart\r\n\r\n";
    let (refusing, seen) = recording("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno");
    let proxy = Proxy::with_endpoints("", &[(refusing, "v1", true)]);
    let mut connection = proxy.connect();
    connection.send([upgrade, hidden].concat()).expect("sent");
    assert_eq!(connection.answer().expect("read").expect("an answer").status(), 200);
    // Nothing more is taken from somebody who went on as if it had been accepted.
    while let Ok(Some(answer)) = connection.answer() {
        assert_eq!(answer.status(), 200);
    }
    let first = seen.recv().expect("a head");
    assert!(!String::from_utf8_lossy(&first).contains("/hidden"), "{}", first.escape_ascii());
    let (accepting, seen) =
        recording("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    let proxy = Proxy::with_endpoints("", &[(accepting, "v1", true)]);
    let mut connection = proxy.connect();
    connection.send([upgrade, "hello"].concat()).expect("sent");
    let first = seen.recv().expect("a head");
    assert!(first.ends_with(b"\r\n\r\n"), "{}", first.escape_ascii());
    assert_eq!(seen.recv().expect("bytes"), b"hello");
}

#[test]
fn fields_of_a_stranger_whose_names_have_underscores_do_not_stand_for_others() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start("", &[&backend]);
    let fields = "x_forwarded_proto: https\r\nx-envoy-internal: true\r\nx-envoy-original-path: /evil\r\n";
    assert_eq!(proxy.get_with("/", fields).status(), 200);
    let asked = &backend.asked()[0];
    assert_eq!((asked.field("x-forwarded-proto"), asked.field("x_forwarded_proto")), ("http", "https"));
}

#[test]
fn a_request_that_is_refused_has_no_effect_on_those_before_it() {
    let backend = Backend::start(|asked| ok(asked.target()));
    let proxy = Proxy::start("", &[&backend]);
    let mut connection = proxy.connect();
    let good = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: cart\r\n\r\n");
    connection
        .send([&good("/1"), &good("/2"), "GET /3 HTTP/1.1\r\nhost : cart\r\n\r\n", &good("/4")].concat())
        .expect("sent");
    let mut answers = Vec::new();
    while let Ok(Some(answer)) = connection.answer() {
        answers.push((answer.status(), answer.text()));
    }
    assert_eq!(answers.len(), 3, "{answers:?}");
    assert_eq!((answers[0].1.as_str(), answers[1].1.as_str(), answers[2].0), ("/1", "/2", 400));
    assert_eq!(backend.asked().len(), 2);
    assert_eq!(get(proxy.listen, "/5", "host: cart\r\n").text(), "/5");
}
