//! Faults that spoil an answer on its way back.

use squall::fault::spec::{Delay, Fault, Kind, Part, Pick, Rewrite, Side, Slices};
use squall::shim::wire::{Fate, Report};
use squall_tests::http::{Answer, Backend, Connection, ok};
use squall_tests::relay::{Relays, on_connections, on_requests};
use squall_tests::until;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const GET: &str = "GET / HTTP/1.1\r\nhost: cart\r\n\r\n";

/// What a client gets until the connection ends, and whether that was a reset.
fn everything(mut connection: Connection) -> (Vec<u8>, bool) {
    let (mut all, mut buf) = (Vec::new(), [0; 4096]);
    loop {
        match connection.read(&mut buf) {
            Ok(0) => return (all, false),
            Ok(read) => all.extend_from_slice(&buf[..read]),
            Err(_) => return (all, true),
        }
    }
}

/// Answers each head with exactly these bytes, and leaves the connection open.
fn raw(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut lines = BufReader::new(&stream).lines();
                while let Some(Ok(line)) = lines.next() {
                    if line.is_empty() && (&stream).write_all(answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn elapsed(work: impl FnOnce()) -> Duration {
    #[allow(clippy::disallowed_methods, reason = "the client's own clock")]
    let begin = Instant::now();
    work();
    begin.elapsed()
}

#[test]
fn a_truncated_answer_is_closed_amid_its_body_and_not_reset() {
    let backend = Backend::start(|_| Answer::Status(200, "", vec![b'x'; 50_000]));
    let mut relays = Relays::start(&[&backend]);
    for (fault, after_bytes) in [(1, 0), (2, 1_234)] {
        relays.inject(fault, &on_requests(Kind::Truncate { after_bytes }));
        let mut connection = relays.connect();
        connection.send(GET).expect("sent");
        let (all, reset) = everything(connection);
        let text = String::from_utf8_lossy(&all);
        let (head, body) = text.split_once("\r\n\r\n").expect("the whole head");
        assert!(head.contains("content-length: 50000"), "{head}");
        assert_eq!((body.len() as u64, reset), (after_bytes, false));
        relays.clear(fault);
    }
    assert_eq!(relays.connect().ask(GET).body.len(), 50_000);
    assert!(relays.offers(3).iter().all(|offer| offer.fate == Fate::Relayed), "the instance did its work");
}

#[test]
fn a_corrupt_body_has_its_length_and_not_its_bytes() {
    let backend = Backend::start(|_| Answer::Status(200, "", vec![b'x'; 3_000]));
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_requests(Kind::Corrupt { every: 1_000 }));
    let mut connection = relays.connect();
    for _ in 0..2 {
        let body = connection.ask(GET).body;
        let harmed: Vec<usize> = (0..3_000).filter(|at| body[*at] != b'x').collect();
        assert_eq!(harmed, [0, 1_000, 2_000], "and the connection goes on");
    }
    relays.clear(1);
    assert_eq!(connection.ask(GET).body, vec![b'x'; 3_000]);
}

#[test]
fn a_drip_lets_the_body_come_byte_by_byte_and_its_end_lets_the_rest_go() {
    let backend = Backend::start(|_| ok("0123456789"));
    let mut relays = Relays::start(&[&backend]);
    let drip = |millis| Kind::Drip(Slices { size: 1, every: Duration::from_millis(millis), stray: 0 });
    relays.inject(1, &on_requests(drip(10)));
    let mut connection = relays.connect();
    let took = elapsed(|| assert_eq!(connection.ask(GET).text(), "0123456789"));
    assert!(took >= Duration::from_millis(90), "{took:?}");
    relays.clear(1);
    // At this rate the answer would take hours.
    relays.inject(2, &on_requests(drip(1_000_000)));
    let (sender, answers) = channel();
    std::thread::spawn(move || sender.send(connection.ask(GET).text()));
    until("the instance has answered", || backend.asked().len() == 2);
    relays.clear(2);
    assert_eq!(answers.recv().expect("an answer"), "0123456789");
}

#[test]
fn a_slicer_cuts_both_ways_into_pieces() {
    let backend = Backend::start(|message| ok(&message.text()));
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_connections(Kind::Slicer(Slices { size: 50, every: Duration::from_millis(5), stray: 0 })));
    let mut connection = relays.connect();
    let post = format!("POST / HTTP/1.1\r\nhost: cart\r\ncontent-length: 500\r\n\r\n{}", "y".repeat(500));
    let took = elapsed(|| assert_eq!(connection.ask(&post).text(), "y".repeat(500)));
    // Ten pieces at least each way.
    assert!(took >= Duration::from_millis(90), "{took:?}");
}

#[test]
fn the_head_of_an_answer_may_come_long_before_its_body() {
    let backend = Backend::start(|_| ok("late"));
    let mut relays = Relays::start(&[&backend]);
    let hour = Delay { part: Part::Body, ..Delay::of(Duration::from_secs(3_600)) };
    relays.inject(1, &on_requests(Kind::Latency(hour)));
    let mut connection = relays.connect();
    connection.send(GET).expect("sent");
    let mut head = [0; 12];
    let read = connection.read(&mut head).expect("the head is not held");
    assert_eq!(&head[..read], b"HTTP/1.1 200");
    relays.clear(1);
    let mut rest = [0; 4096];
    let mut text = String::new();
    while !text.ends_with("late") {
        let read = connection.read(&mut rest).expect("the body comes when the fault has gone");
        text.push_str(&String::from_utf8_lossy(&rest[..read]));
    }
}

#[test]
fn trailers_can_be_lost_and_fields_rewritten() {
    let answer = b"HTTP/1.1 200 OK\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n";
    let mut relays = Relays::to(&[raw(answer)], false, 7);
    let ask = |relays: &Relays| {
        let mut stream = TcpStream::connect(relays.listen[0]).expect("a connection");
        stream.write_all(GET.as_bytes()).expect("sent");
        let mut all = Vec::new();
        while !all.ends_with(b"\r\n\r\n") || !all.windows(3).any(|end| end == b"0\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a byte");
            all.push(byte[0]);
        }
        String::from_utf8(all).expect("text")
    };
    assert!(ask(&relays).ends_with("0\r\nx-sum: 1\r\n\r\n"));
    relays.inject(1, &on_requests(Kind::LoseTrailers));
    assert!(ask(&relays).ends_with("2\r\nok\r\n0\r\n\r\n"));
    relays.clear(1);
    let rewrite = Rewrite {
        of: Side::Answer,
        set: vec![("retry-after".to_owned(), "7".to_owned())],
        remove: vec!["cache-control".to_owned()],
    };
    relays.inject(2, &on_requests(Kind::Rewrite(rewrite)));
    let rewritten = ask(&relays);
    assert!(rewritten.contains("retry-after: 7\r\n") && !rewritten.contains("cache-control"), "{rewritten}");
}

#[test]
fn fields_of_a_request_are_rewritten_before_the_instance_sees_it() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    let rewrite = Rewrite {
        of: Side::Request,
        set: vec![("x-user".to_owned(), "mallory".to_owned())],
        remove: vec!["x-secret".to_owned()],
    };
    relays.inject(1, &on_requests(Kind::Rewrite(rewrite)));
    let mut connection = relays.connect();
    let post = "POST /pay HTTP/1.1\r\nhost: cart\r\nX-User: ann\r\nx-secret: 1\r\ncontent-length: 4\r\n\r\nbody";
    assert_eq!(connection.ask(post).status(), 200);
    let asked = backend.asked().remove(0);
    assert_eq!((asked.field("x-user"), asked.field("x-secret")), ("mallory", ""));
    assert_eq!((asked.target(), asked.text()), ("/pay", "body".to_owned()));
}

#[test]
fn an_error_can_hide_inside_of_an_answer_that_looks_well() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    let Kind::Abort { mut reply, place } = Kind::abort(200) else { unreachable!("an abort") };
    reply.body = "{\"error\": \"out of stock\"}".to_owned();
    reply.headers.push(("retry-after".to_owned(), "2".to_owned()));
    relays.inject(1, &on_requests(Kind::Abort { reply, place }));
    let answer = relays.connect().ask(GET);
    assert_eq!((answer.status(), answer.text()), (200, "{\"error\": \"out of stock\"}".to_owned()));
    assert_eq!(answer.field("retry-after"), "2");
    assert!(backend.asked().is_empty());
}

#[test]
fn a_slow_close_comes_later_than_the_instances() {
    let backend = Backend::start(|_| Answer::Status(200, "connection: close\r\n", b"bye".to_vec()));
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_connections(Kind::SlowClose { by: Duration::from_millis(80) }));
    let mut connection = relays.connect();
    assert_eq!(connection.ask(GET).text(), "bye");
    let took = elapsed(|| assert_eq!(everything(connection), (Vec::new(), false)));
    assert!(took >= Duration::from_millis(60), "{took:?}");
}

#[test]
fn connections_beyond_a_limit_are_reset_and_those_within_it_go_on() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &Fault { existing: false, ..on_connections(Kind::ConnectionLimit { most: 2 }) });
    let mut open: Vec<Connection> = (0..2).map(|_| relays.connect()).collect();
    open.iter_mut().for_each(|connection| assert_eq!(connection.ask(GET).status(), 200));
    let mut third = relays.connect();
    assert!(third.send(GET).and_then(|()| third.answer()).is_err());
    open.iter_mut().for_each(|connection| assert_eq!(connection.ask(GET).status(), 200));
    drop(open);
    until("there is room again", || {
        let mut next = relays.connect();
        next.send(GET).and_then(|()| next.answer()).is_ok_and(|answer| answer.is_some())
    });
}

#[test]
fn an_overloaded_instance_is_slower_the_more_is_open() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_requests(Kind::Overload { free: 1, each: Duration::from_millis(40) }));
    let mut alone = relays.connect();
    assert_eq!(alone.ask(GET).status(), 200);
    relays.clear(1);
    let harmed = relays.wait_for("the harm is told", |report| match report {
        Report::Harmed { fault: 1, units, .. } => Some(*units),
        _ => None,
    });
    assert_eq!(harmed, 0, "one at a time is what it can do");
    let first = Fault { pick: Pick::First(1), ..on_requests(Kind::latency(Duration::from_secs(3_600))) };
    relays.inject(2, &first);
    relays.inject(3, &on_requests(Kind::Overload { free: 1, each: Duration::from_millis(40) }));
    let mut held = relays.connect();
    let asking = std::thread::spawn(move || held.ask(GET).status());
    relays.wait_for("a request is held", |report| matches!(report, Report::Effect { fault: 2, .. }).then_some(()));
    let took = elapsed(|| assert_eq!(alone.ask(GET).status(), 200));
    assert!(took >= Duration::from_millis(40), "{took:?}");
    relays.clear(2);
    assert_eq!(asking.join().expect("an answer"), 200);
}

#[test]
fn a_stalled_accept_makes_connections_that_nobody_reads_and_leaves_open_ones_alone() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    let mut open = relays.connect();
    relays.inject(1, &Fault { existing: false, ..on_connections(Kind::AcceptStall) });
    assert_eq!(open.ask(GET).status(), 200);
    let mut fresh = relays.connect();
    fresh.send(GET).expect("sent into the kernel's buffers");
    relays.wait_for("it is stalled", |report| matches!(report, Report::Effect { fault: 1, .. }).then_some(()));
    assert_eq!(backend.asked().len(), 1);
    relays.clear(1);
    assert_eq!(fresh.answer().expect("an answer").map(|answer| answer.status()), Some(200));
}
