//! Each kind of fault: what it does, to whom, and what happens when it ends.

use squall::fault::spec::{AbortPlace, Direction, Fault, Kind, Match, Pick, Reply};
use squall::shim::wire::{Fate, Report};
use squall_tests::http::{Answer, Backend, Connection, ok};
use squall_tests::relay::{Relays, on_connections, on_requests};
use squall_tests::until;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

const GET: &str = "GET / HTTP/1.1\r\nhost: cart\r\n\r\n";
const ABORT: Kind = Kind::abort(503);

/// Waits for the answer in a thread; the test looks whether it has come.
fn asking(mut connection: Connection) -> std::sync::mpsc::Receiver<std::io::Result<u16>> {
    let (answered, answers) = channel();
    std::thread::spawn(move || {
        let answer = connection.send(GET).and_then(|()| connection.answer());
        // A test that is over does not mind.
        let _ = answered.send(answer.map(|answer| answer.map_or(0, |answer| answer.status())));
    });
    answers
}

#[test]
fn abort_before_is_answered_in_the_instances_place_and_withheld() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    let mut connection = relays.connect();
    assert_eq!(connection.ask(GET).status(), 200);
    relays.inject(1, &on_requests(ABORT));
    assert_eq!(connection.ask(GET).status(), 503, "an open connection is hit too");
    relays.clear(1);
    assert_eq!(connection.ask(GET).status(), 200, "and is well again");
    assert_eq!(backend.asked().len(), 2);
    let fates: Vec<_> = relays.offers(3).into_iter().map(|offer| offer.fate).collect();
    assert_eq!(fates, [Fate::Relayed, Fate::Withheld(1), Fate::Relayed]);
    let harmed = relays.wait_for("the harm is told", |report| match report {
        Report::Harmed { fault: 1, units, victims } => Some((*units, victims.clone())),
        _ => None,
    });
    assert_eq!(harmed, (1, vec![1]));
}

#[test]
fn abort_after_lets_the_instance_do_its_work_first() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_requests(Kind::Abort { reply: Reply::of(500), place: AbortPlace::After }));
    assert_eq!(relays.connect().ask(GET).status(), 500);
    assert_eq!(backend.asked().len(), 1);
    assert_eq!(relays.offers(1)[0].fate, Fate::Relayed);
}

#[test]
fn thirty_percent_is_exactly_thirty_of_each_hundred_and_the_same_for_a_seed() {
    let backend = Backend::named("cart");
    let victims = |seed| {
        let mut relays = Relays::to(&[backend.address], false, seed);
        relays.inject(1, &Fault { pick: Pick::Percent(30.0), ..on_requests(ABORT) });
        let mut connection = relays.connect();
        let hit: Vec<usize> = (0..200).filter(|_| connection.ask(GET).status() == 503).collect();
        assert_eq!(hit.iter().filter(|ordinal| **ordinal < 100).count(), 30);
        assert_eq!(hit.len(), 60);
        hit
    };
    let first = victims(7);
    assert_eq!(first, victims(7));
    assert_ne!(first, victims(8));
}

#[test]
fn every_first_and_attempt_pick_by_ordinal_and_by_number() {
    let backend = Backend::named("cart");
    let hits = |pick, request: &str| {
        let mut relays = Relays::start(&[&backend]);
        relays.inject(1, &Fault { pick, ..on_requests(ABORT) });
        let mut connection = relays.connect();
        (1..=6).filter(|_| connection.ask(request).status() == 503).collect::<Vec<i32>>()
    };
    assert_eq!(hits(Pick::Every(3), GET), [3, 6]);
    assert_eq!(hits(Pick::First(2), GET), [1, 2]);
    let second = "GET / HTTP/1.1\r\nhost: cart\r\nx-envoy-attempt-count: 2\r\n\r\n";
    assert_eq!(hits(Pick::Attempt(2), second).len(), 6);
    assert_eq!(hits(Pick::Attempt(1), second).len(), 0);
}

#[test]
fn only_what_matches_is_hit() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    let matching = Match {
        method: Some("GET".to_owned()),
        path: Some("/cart*".to_owned()),
        header: Some(("x-user".to_owned(), "ann".to_owned())),
        ..Match::default()
    };
    relays.inject(1, &Fault { matching, ..on_requests(ABORT) });
    let mut connection = relays.connect();
    for (line, fields, status) in [
        ("GET /cart/1", "x-user: ann\r\n", 503),
        ("GET /card", "x-user: ann\r\n", 200),
        ("GET /cart", "x-user: bob\r\n", 200),
        ("DELETE /cart", "x-user: ann\r\n", 200),
    ] {
        assert_eq!(
            connection.ask(&format!("{line} HTTP/1.1\r\nhost: cart\r\n{fields}\r\n")).status(),
            status,
            "{line}"
        );
    }
}

#[test]
fn latency_holds_each_request_and_ends_at_once_when_cleared() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_requests(Kind::latency(Duration::from_millis(60))));
    let mut connection = relays.connect();
    for _ in 0..2 {
        #[allow(clippy::disallowed_methods, reason = "the client's own clock")]
        let begin = Instant::now();
        let _ = connection.ask(GET);
        assert!(begin.elapsed() >= Duration::from_millis(60));
    }
    relays.clear(1);
    relays.inject(2, &on_requests(Kind::latency(Duration::from_secs(600))));
    let answer = asking(connection);
    assert_eq!(answer.recv_timeout(Duration::from_millis(100)).unwrap_err(), RecvTimeoutError::Timeout);
    relays.clear(2);
    assert_eq!(answer.recv().expect("the thread lives").expect("an answer"), 200);
}

#[test]
fn reset_at_the_head_withholds_and_resets() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_requests(Kind::reset(0)));
    let mut connection = relays.connect();
    connection.send(GET).expect("sent");
    assert_eq!(connection.answer().unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert!(backend.asked().is_empty());
    assert_eq!(relays.offers(1)[0].fate, Fate::Withheld(1));
}

#[test]
fn reset_after_bytes_lets_so_many_of_the_answer_through() {
    let backend = Backend::start(|_| Answer::Status(200, "", vec![b'x'; 100_000]));
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_requests(Kind::reset(5_000)));
    let mut connection = relays.connect();
    connection.send(GET).expect("sent");
    let (mut seen, mut buf) = (0, [0; 4096]);
    let error = loop {
        match connection.read(&mut buf) {
            Ok(0) => panic!("closed in order after {seen} bytes"),
            Ok(read) => seen += read,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    // The kernel may throw away at the reset what the client has not read yet.
    assert!(seen <= 5_000, "{seen}");
    assert_eq!(backend.asked().len(), 1);
}

#[test]
fn reset_of_connections_resets_at_accept_and_those_that_are_open_now() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    let mut open = relays.connect();
    assert_eq!(open.ask(GET).status(), 200);
    relays.inject(1, &on_connections(Kind::reset(0)));
    assert!(open.answer().is_err(), "an idle open connection is reset at once");
    // Made by the kernel before the relay can reset it: the first use fails.
    let mut fresh = relays.connect();
    assert!(fresh.send(GET).and_then(|()| fresh.answer()).is_err());
    relays.clear(1);
    assert_eq!(relays.connect().ask(GET).status(), 200);
}

#[test]
fn new_connections_alone_are_hit_if_so_asked() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    let mut open = relays.connect();
    assert_eq!(open.ask(GET).status(), 200);
    relays.inject(1, &Fault { existing: false, ..on_requests(ABORT) });
    assert_eq!(open.ask(GET).status(), 200);
    assert_eq!(relays.connect().ask(GET).status(), 503);
}

#[test]
fn refuse_is_by_the_kernel_and_resets_open_connections() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    let mut open = relays.connect();
    assert_eq!(open.ask(GET).status(), 200);
    relays.inject(1, &on_connections(Kind::Refuse));
    let refused = std::net::TcpStream::connect(relays.listen[0]).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(open.answer().is_err());
    relays.clear(1);
    assert_eq!(relays.connect().ask(GET).status(), 200);
}

#[test]
fn hang_lets_the_instance_work_and_nobody_hear_of_it_and_ends_in_a_reset() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_requests(Kind::Hang));
    let answer = asking(relays.connect());
    until("the instance has it", || backend.asked().len() == 1);
    assert_eq!(answer.recv_timeout(Duration::from_millis(100)).unwrap_err(), RecvTimeoutError::Timeout);
    assert_eq!(relays.offers(1)[0].fate, Fate::Relayed);
    relays.clear(1);
    let ended = answer.recv().expect("the thread lives");
    assert_eq!(ended.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn a_blackhole_holds_open_connections_too_and_lets_go_what_it_held() {
    for (direction, reaches_instance) in
        [(Direction::ClientToServer, false), (Direction::ServerToClient, true), (Direction::Both, false)]
    {
        let backend = Backend::named("cart");
        let mut relays = Relays::start(&[&backend]);
        let mut open = relays.connect();
        assert_eq!(open.ask(GET).status(), 200);
        relays.inject(1, &Fault { direction, ..on_connections(Kind::blackhole()) });
        let answer = asking(open);
        if reaches_instance {
            until("the instance has it", || backend.asked().len() == 2);
        }
        assert_eq!(answer.recv_timeout(Duration::from_millis(100)).unwrap_err(), RecvTimeoutError::Timeout);
        assert_eq!(backend.asked().len() == 2, reaches_instance, "{direction:?}");
        relays.clear(1);
        assert_eq!(answer.recv().expect("the thread lives").expect("an answer"), 200, "{direction:?}");
    }
}

#[test]
fn bandwidth_bounds_an_answer_that_is_under_way() {
    let backend = Backend::start(|_| Answer::Status(200, "", vec![b'x'; 200_000]));
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_connections(Kind::Bandwidth { bytes_per_second: 1_000_000 }));
    #[allow(clippy::disallowed_methods, reason = "the client's own clock")]
    let begin = Instant::now();
    assert_eq!(relays.connect().ask(GET).body.len(), 200_000);
    assert!(begin.elapsed() >= Duration::from_millis(190), "{:?}", begin.elapsed());
}

#[test]
fn faults_act_together_and_the_first_that_ends_a_request_wins() {
    let backend = Backend::start(|_| ok("cart"));
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_requests(Kind::latency(Duration::from_millis(30))));
    relays.inject(2, &on_requests(ABORT));
    relays.inject(3, &on_requests(Kind::abort(418)));
    let mut connection = relays.connect();
    #[allow(clippy::disallowed_methods, reason = "the client's own clock")]
    let begin = Instant::now();
    assert_eq!(connection.ask(GET).status(), 503);
    assert!(begin.elapsed() >= Duration::from_millis(30));
    relays.clear(2);
    assert_eq!(connection.ask(GET).status(), 418);
}

#[test]
fn a_bandwidth_that_ends_lets_the_rest_go_at_once() {
    let backend = Backend::start(|_| Answer::Status(200, "", vec![b'x'; 1_000_000]));
    let mut relays = Relays::start(&[&backend]);
    // At this rate the answer would take a quarter of an hour.
    relays.inject(1, &on_connections(Kind::Bandwidth { bytes_per_second: 1_000 }));
    let answer = asking(relays.connect());
    until("the instance has answered", || backend.asked().len() == 1);
    relays.clear(1);
    assert_eq!(answer.recv().expect("the thread lives").expect("an answer"), 200);
}
