//! What was offered, and what became of it.

use squall::shim::wire::{Fate, REQUEST_NUMBER};
use squall_tests::http::{Answer, Backend, Refusing};
use squall_tests::relay::Relays;
use std::sync::Mutex;
use std::sync::mpsc::channel;

#[test]
fn each_attempt_is_offered_once_with_its_number_and_told_from_a_probe() {
    let backend = Backend::named("cart");
    let relays = Relays::start(&[&backend]);
    let mut connection = relays.connect();
    let request = format!(
        "GET / HTTP/1.1\r\nhost: cart\r\nx-request-id: {REQUEST_NUMBER}00000000002a\r\nx-envoy-attempt-count: 3\r\ntraceparent: 00-1-1-01\r\n\r\n"
    );
    assert_eq!(connection.ask(&request).text(), "cart");
    assert_eq!(connection.ask("GET /health HTTP/1.1\r\nhost: cart\r\n\r\n").text(), "cart");
    let offers = relays.offers(2);
    assert_eq!(offers.len(), 2);
    assert_eq!((offers[0].request, offers[0].attempt, offers[0].probe), (Some(42), 3, false));
    assert_eq!((offers[1].request, offers[1].attempt, offers[1].probe), (None, 1, true));
    assert!(offers.iter().all(|offer| offer.fate == Fate::Relayed && offer.relay == 0));
    assert_eq!(backend.connections(), 1, "a connection for a connection");
}

#[test]
fn what_the_instance_had_not_answered_when_its_connection_went_is_cut() {
    let backend = Backend::start(|_| Answer::Close);
    let relays = Relays::start(&[&backend]);
    let mut connection = relays.connect();
    connection.send("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").expect("sent");
    assert!(!matches!(connection.answer(), Ok(Some(_))));
    assert_eq!(relays.offers(1)[0].fate, Fate::Cut);
}

#[test]
fn an_instance_that_cannot_be_reached_is_told_apart() {
    let gone = Refusing::start();
    let relays = Relays::to(&[gone.address], false, 1);
    let mut connection = relays.connect();
    connection.send("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").expect("sent");
    assert!(!matches!(connection.answer(), Ok(Some(_))));
    assert_eq!(relays.offers(1)[0].fate, Fate::Unreachable);
}

#[test]
fn an_instance_that_goes_is_refused_and_one_that_returns_is_reached_at_the_same_port() {
    let (first, second) = (Backend::named("first"), Backend::named("second"));
    let mut relays = Relays::start(&[&first]);
    let mut open = relays.connect();
    assert_eq!(open.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").text(), "first");
    relays.down();
    assert!(std::net::TcpStream::connect(relays.listen[0]).is_err(), "new connections are refused");
    assert!(open.answer().is_err(), "open ones are reset");
    relays.up(second.address);
    assert_eq!(relays.connect().ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").text(), "second");
}

#[test]
fn an_answer_that_comes_before_the_request_is_whole_is_passed_on() {
    let (told, tell) = channel::<()>();
    let tell = Mutex::new(tell);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut head = [0; 20];
        stream.read_exact(&mut head).expect("the beginning of a request");
        stream.write_all(b"HTTP/1.1 413 too large\r\ncontent-length: 0\r\n\r\n").expect("written");
        // Until the test is over.
        let _ = tell.lock().expect("no panic").recv();
    });
    let relays = Relays::to(&[address], false, 1);
    let mut connection = relays.connect();
    let answer = connection.ask("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 1000000\r\n\r\nsome");
    assert_eq!(answer.status(), 413);
    drop(told);
}

#[test]
fn a_large_answer_and_a_large_request_pass_at_once() {
    let backend = Backend::start(|asked| Answer::Status(200, "", asked.body.clone()));
    let relays = Relays::start(&[&backend]);
    let body = vec![b'x'; 8 << 20];
    let mut connection = relays.connect();
    connection.send(format!("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: {}\r\n\r\n", body.len())).expect("sent");
    connection.send(&body).expect("sent");
    assert!(connection.answer().expect("read").expect("an answer").body == body);
    assert_eq!(connection.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").status(), 200);
}
