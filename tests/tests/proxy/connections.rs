//! HTTP/1.1 on both sides: bodies, framing, what goes only one hop, and what is refused since two readers could read it differently.

use squall_tests::http::{Answer, Backend, ok};
use squall_tests::proxy::Proxy;

fn echo() -> Backend {
    Backend::start(|asked| Answer::Status(200, "", asked.body.clone()))
}

#[test]
fn a_large_body_streams_both_ways() {
    let backend = echo();
    let proxy = Proxy::start("", &[&backend]);
    let body: Vec<u8> = (0..8 << 20).map(|byte: u32| byte as u8).collect();
    let mut connection = proxy.connect();
    connection.send(format!("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: {}\r\n\r\n", body.len())).expect("sent");
    connection.send(&body).expect("sent");
    let answer = connection.answer().expect("read").expect("an answer");
    assert!(answer.body == body, "{} bytes came back", answer.body.len());
}

#[test]
fn chunks_are_passed_on() {
    let backend = echo();
    let proxy = Proxy::start("", &[&backend]);
    let answer = proxy.connect().ask(
        "POST / HTTP/1.1\r\nhost: cart\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    );
    assert_eq!(answer.text(), "hello world");
}

#[test]
fn an_answer_that_ends_with_its_connection_is_passed_on_whole() {
    let backend = Backend::start(|_| Answer::Raw(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end"));
    let proxy = Proxy::start("", &[&backend]);
    assert_eq!(proxy.get("/").text(), "until the end");
}

#[test]
fn an_answer_cut_short_is_not_made_to_look_whole() {
    let backend = Backend::start(|_| Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this"));
    let proxy = Proxy::start("", &[&backend]);
    let mut connection = proxy.connect();
    connection.send("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").expect("sent");
    assert!(connection.answer().is_err(), "the end comes before the hundredth byte");
}

#[test]
fn what_is_meant_for_one_hop_goes_no_further() {
    let backend = Backend::start(|_| Answer::Status(200, "keep-alive: timeout=5\r\nx-end: 1\r\n", Vec::new()));
    let proxy = Proxy::start("", &[&backend]);
    let fields =
        "connection: x-one-hop\r\nx-one-hop: 1\r\nkeep-alive: 3\r\nproxy-connection: close\r\nte: gzip\r\nx-end: 1\r\n";
    let answer = proxy.get_with("/", fields);
    let asked = &backend.asked()[0];
    for name in ["connection", "x-one-hop", "keep-alive", "proxy-connection", "te"] {
        assert_eq!(asked.field(name), "", "{name}");
    }
    assert_eq!((asked.field("x-end"), answer.field("x-end"), answer.field("keep-alive")), ("1", "1", ""));
}

#[test]
fn requests_that_could_be_read_in_two_ways_are_refused_and_the_connection_is_closed() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start("", &[&backend]);
    for (request, code) in [
        ("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!", 400),
        ("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: +5\r\n\r\nhello", 400),
        ("POST / HTTP/1.1\r\nhost: cart\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\nhost: cart\r\nbad name: x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost : cart\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: cart\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nhost: cart\r\n\r\n", 426),
        ("CONNECT cart:80 HTTP/1.1\r\nhost: cart\r\n\r\n", 403),
        ("nonsense\r\n\r\n", 400),
    ] {
        let mut connection = proxy.connect();
        let answer = connection.ask(request);
        assert_eq!(answer.status(), code, "{request}");
        assert_eq!(answer.field("connection"), "close", "{request}");
        assert!(!matches!(connection.answer(), Ok(Some(_))), "{request}");
    }
    assert!(backend.asked().is_empty(), "nothing of it went on");
}

#[test]
fn requests_in_a_row_on_one_connection_are_answered_in_order() {
    let backend = Backend::start(|asked| ok(asked.target()));
    let proxy = Proxy::start("", &[&backend]);
    let mut connection = proxy.connect();
    connection
        .send("GET /1 HTTP/1.1\r\nhost: cart\r\n\r\nGET /2 HTTP/1.1\r\nhost: cart\r\n\r\nGET /3 HTTP/1.1\r\nhost: cart\r\n\r\n")
        .expect("sent");
    for expected in ["/1", "/2", "/3"] {
        assert_eq!(connection.answer().expect("read").expect("an answer").text(), expected);
    }
}

#[test]
fn an_interim_answer_is_passed_on_before_the_final_one() {
    let backend = Backend::start(|_| {
        Answer::Raw(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    });
    let proxy = Proxy::start("", &[&backend]);
    let mut connection = proxy.connect();
    let interim = connection.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n");
    assert_eq!((interim.status(), interim.field("link")), (103, "</a>"));
    assert_eq!(connection.answer().expect("read").expect("an answer").text(), "ok");
}

#[test]
fn a_head_request_has_no_body_however_long_it_says_it_is() {
    let backend = Backend::start(|asked| {
        if asked.line.starts_with("HEAD") {
            Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\nconnection: close\r\n\r\n")
        } else {
            ok("next")
        }
    });
    let proxy = Proxy::start("", &[&backend]);
    let mut connection = proxy.connect();
    connection.send("HEAD / HTTP/1.1\r\nhost: cart\r\n\r\nGET / HTTP/1.1\r\nhost: cart\r\n\r\n").expect("sent");
    // The head ends with an empty line; what follows is the next answer.
    let mut text = String::new();
    while !text.ends_with("next") {
        let mut byte = [0];
        connection.read(&mut byte).expect("read");
        text.push(char::from(byte[0]));
    }
    assert!(text.contains("content-length: 1000"), "{text}");
}

#[test]
fn leave_to_send_a_body_is_asked_of_the_upstream_and_passed_on() {
    let answers = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
    let backend = Backend::reading_only_heads(move |_| Answer::Raw(answers));
    let proxy = Proxy::start("", &[&backend]);
    let mut connection = proxy.connect();
    let leave = connection.ask("POST / HTTP/1.1\r\nhost: cart\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
    assert_eq!(leave.status(), 100);
    assert_eq!(connection.ask("hello").text(), "hi");
    assert_eq!(backend.asked()[0].field("expect"), "100-continue");
}

#[test]
fn an_answer_before_the_whole_request_reaches_a_client_that_goes_on_sending() {
    let early = Backend::reading_only_heads(|_| Answer::Raw(b"HTTP/1.1 413 too large\r\ncontent-length: 0\r\n\r\n"));
    let proxy = Proxy::start("", &[&early]);
    let mut connection = proxy.connect();
    connection.send("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 50000000\r\n\r\n").expect("sent");
    // More than the buffers of two sockets hold; what is not taken any more is no matter.
    let _ = connection.send(vec![b'x'; 20 << 20]);
    assert_eq!(connection.answer().expect("read").expect("an answer").status(), 413);
}

#[test]
fn the_answer_to_an_unwanted_body_arrives() {
    let proxy = Proxy::start("", &[]);
    let mut connection = proxy.connect();
    connection.send("POST / HTTP/1.1\r\nhost: nobody\r\ncontent-length: 1000000\r\n\r\n").expect("sent");
    connection.send(vec![b'x'; 1_000_000]).expect("sent");
    assert_eq!(connection.answer().expect("read").expect("an answer").status(), 503);
}

#[test]
fn an_answer_ahead_of_the_whole_request_says_that_it_ends_the_connection() {
    let proxy = Proxy::start("", &[]);
    for (body, connection) in
        [("transfer-encoding: chunked", "close"), ("content-length: 5", "close"), ("content-length: 0", "")]
    {
        let answer = proxy.connect().ask(&format!("POST / HTTP/1.1\r\nhost: nobody\r\n{body}\r\n\r\n"));
        assert_eq!((answer.status(), answer.field("connection")), (503, connection), "{body}");
    }
}

#[test]
fn fields_of_one_hop_do_not_pass_even_if_connection_is_misused() {
    let backend = Backend::start(|_| Answer::Status(200, "connection: host\r\nkeep-alive: timeout=5\r\n", Vec::new()));
    let answer = Proxy::start("", &[&backend]).get("/");
    assert_eq!((answer.status(), answer.field("keep-alive")), (200, ""));
}
