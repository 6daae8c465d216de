//! The same faults over HTTP/2: one stream is hit, and its connection goes on with the others.

use squall::fault::spec::{AbortPlace, Direction, Fault, Kind, Match, Pick, Reply, Rewrite, Side, Slices};
use squall::shim::wire::{Fate, Report};
use squall_tests::http::streams::{Client, Request, ask};
use squall_tests::http::{Answer, Backend, Message, ok};
use squall_tests::relay::{Relays, on_connections, on_requests};
use squall_tests::until;
use std::time::Duration;

fn get(path: &str) -> Request {
    Request { method: "GET".to_owned(), authority: "cart".to_owned(), path: path.to_owned(), ..Request::default() }
}

fn named() -> Backend {
    Backend::http2(|_| ok("cart"))
}

fn asked(relays: &Relays, path: &str) -> Message {
    ask(relays.listen[0], &get(path))
}

#[test]
fn requests_bodies_and_trailers_pass_both_ways_and_each_is_counted_once() {
    let backend = Backend::http2(|message| Answer::Trailers(200, "x-own: 1", message.body.clone(), "grpc-status: 0"));
    let relays = Relays::start(&[&backend]);
    let fields = [
        ("x-envoy-attempt-count", "2"),
        ("x-request-id", "53715541-4c4c-4000-8000-00000000002a"),
        ("traceparent", "00-1-2-01"),
    ];
    let post = Request {
        method: "POST".to_owned(),
        fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: vec![b'x'; 300_000],
        trailers: vec![("x-sum".to_owned(), "9".to_owned())],
        ..get("/buy?n=1")
    };
    let answer = ask(relays.listen[0], &post);
    assert_eq!((answer.line.as_str(), answer.field("x-own")), ("HTTP/2 200", "1"));
    assert_eq!(answer.body.len(), 300_000);
    assert_eq!(answer.trailers.get("grpc-status").map(String::as_str), Some("0"));
    let request = backend.asked().remove(0);
    assert_eq!((request.target(), request.body.len()), ("/buy?n=1", 300_000));
    assert_eq!(request.trailers.get("x-sum").map(String::as_str), Some("9"));
    let offer = relays.offers(1).remove(0);
    assert_eq!((offer.fate, offer.attempt, offer.request, offer.probe), (Fate::Relayed, 2, Some(42), false));
}

#[test]
fn one_stream_is_hit_and_the_others_of_its_connection_go_on() {
    let backend = named();
    let mut relays = Relays::start(&[&backend]);
    let matching = Match { path: Some("/bad".to_owned()), ..Match::default() };
    let mut client = Client::to(relays.listen[0]);
    for (fault, kind, wanted) in [
        (1, Kind::abort(503), "HTTP/2 503"),
        (2, Kind::Abort { reply: Reply::of(500), place: AbortPlace::After }, "HTTP/2 500"),
        (3, Kind::ResetStream { code: 7, place: AbortPlace::Before }, " [REFUSED_STREAM]"),
        (4, Kind::ResetStream { code: 8, place: AbortPlace::After }, " [CANCEL]"),
    ] {
        relays.inject(fault, &Fault { matching: matching.clone(), ..on_requests(kind) });
        assert_eq!(client.ask(&get("/bad")).line, wanted);
        assert_eq!(client.ask(&get("/good")).line, "HTTP/2 200");
        relays.clear(fault);
    }
    assert_eq!(client.ask(&get("/bad")).line, "HTTP/2 200", "on the same connection");
    assert_eq!(backend.connections(), 1);
    // Those that were hit before the instance could see them never came to it.
    assert_eq!(backend.asked().iter().filter(|message| message.target() == "/bad").count(), 3);
    let fates: Vec<_> = relays.offers(9).into_iter().map(|offer| offer.fate).collect();
    let withheld: Vec<_> = fates.iter().filter(|fate| matches!(fate, Fate::Withheld(_))).collect();
    assert_eq!(withheld, [&Fate::Withheld(1), &Fate::Withheld(3)]);
}

#[test]
fn a_call_fails_with_a_status_of_grpc_in_place_of_its_instance() {
    let backend = named();
    let mut relays = Relays::start(&[&backend]);
    let headers = [("content-type", "application/grpc"), ("grpc-status", "14"), ("grpc-message", "out for lunch")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let reply = Reply { headers, ..Reply::of(200) };
    relays.inject(1, &on_requests(Kind::Abort { reply, place: AbortPlace::Before }));
    let answer = asked(&relays, "/shop.Cart/Add");
    assert_eq!((answer.line.as_str(), answer.field("grpc-status")), ("HTTP/2 200", "14"));
    assert!(answer.body.is_empty() && backend.asked().is_empty());
}

#[test]
fn a_goodbye_answers_the_request_and_ends_the_connection_behind_it() {
    let backend = named();
    let mut relays = Relays::start(&[&backend]);
    let mut client = Client::to(relays.listen[0]);
    assert_eq!(client.ask(&get("/")).line, "HTTP/2 200");
    relays.inject(1, &Fault { pick: Pick::First(1), ..on_requests(Kind::GoAway) });
    assert_eq!(client.ask(&get("/")).line, "HTTP/2 200", "this one is answered");
    assert!(client.is_over(), "and the connection ends in order");
    assert_eq!(asked(&relays, "/").line, "HTTP/2 200", "a fresh one is not hit any more");
}

#[test]
fn a_reset_takes_the_whole_connection() {
    let backend = Backend::http2(|_| Answer::Status(200, "", vec![b'x'; 100_000]));
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_requests(Kind::reset(0)));
    assert_eq!(asked(&relays, "/").line, " [closed]");
    assert!(backend.asked().is_empty());
    relays.clear(1);
    relays.inject(2, &on_requests(Kind::reset(5_000)));
    let cut = asked(&relays, "/");
    assert!(cut.line.ends_with("[closed]") && cut.body.len() <= 5_000, "{} {}", cut.line, cut.body.len());
    relays.clear(2);
    let mut client = Client::to(relays.listen[0]);
    assert_eq!(client.ask(&get("/")).line, "HTTP/2 200");
    relays.inject(3, &on_connections(Kind::Refuse));
    assert!(client.is_over(), "an idle connection is reset at once");
}

#[test]
fn delays_and_holes_hold_a_stream_and_let_it_go() {
    let hole = |direction| Fault { direction, ..on_connections(Kind::blackhole()) };
    for fault in [
        on_requests(Kind::latency(Duration::from_secs(3_600))),
        hole(Direction::ClientToServer),
        hole(Direction::ServerToClient),
    ] {
        let backend = named();
        let mut relays = Relays::start(&[&backend]);
        relays.inject(1, &fault);
        let address = relays.listen[0];
        let asking = std::thread::spawn(move || ask(address, &get("/")).line);
        relays.wait_for("it is held", |report| matches!(report, Report::Effect { fault: 1, .. }).then_some(()));
        assert!(!asking.is_finished(), "{fault:?}");
        relays.clear(1);
        assert_eq!(asking.join().expect("an answer"), "HTTP/2 200", "{fault:?}");
    }
}

#[test]
fn a_call_that_hangs_is_done_by_its_instance_and_ends_with_the_fault() {
    let backend = named();
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_requests(Kind::Hang));
    let address = relays.listen[0];
    let asking = std::thread::spawn(move || ask(address, &get("/")).line);
    until("the instance has it", || backend.asked().len() == 1);
    assert_eq!(relays.offers(1)[0].fate, Fate::Relayed);
    relays.clear(1);
    assert_eq!(asking.join().expect("its end"), " [CANCEL]");
}

#[test]
fn answers_are_cut_corrupted_dripped_and_lose_their_trailers() {
    let backend = Backend::http2(|_| Answer::Trailers(200, "", b"0123456789".to_vec(), "grpc-status: 0"));
    let mut relays = Relays::start(&[&backend]);
    let mut under = |kind: Kind| {
        relays.inject(1, &on_requests(kind));
        let answer = ask(relays.listen[0], &get("/"));
        relays.clear(1);
        (answer.text(), !answer.trailers.is_empty())
    };
    assert_eq!(under(Kind::Truncate { after_bytes: 4 }), ("0123".to_owned(), false));
    assert_eq!(under(Kind::Corrupt { every: 5 }), ("1123446789".to_owned(), true));
    assert_eq!(under(Kind::LoseTrailers), ("0123456789".to_owned(), false));
    let drip = Slices { size: 3, every: Duration::from_millis(2), stray: 0 };
    assert_eq!(under(Kind::Drip(drip)), ("0123456789".to_owned(), true));
    let rewrite = Rewrite { of: Side::Request, set: vec![("x-user".to_owned(), "eve".to_owned())], remove: Vec::new() };
    let _ = under(Kind::Rewrite(rewrite));
    assert_eq!(backend.asked().last().map(|message| message.field("x-user").to_owned()).as_deref(), Some("eve"));
}

#[test]
fn bytes_of_a_connection_pass_in_pieces_and_no_faster_than_allowed() {
    let backend = Backend::http2(|_| Answer::Status(200, "", vec![b'x'; 100_000]));
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_connections(Kind::Bandwidth { bytes_per_second: 1_000_000 }));
    relays.inject(2, &on_connections(Kind::Slicer(Slices { size: 4_000, every: Duration::from_millis(1), stray: 0 })));
    #[allow(clippy::disallowed_methods, reason = "the client's own clock")]
    let begin = std::time::Instant::now();
    assert_eq!(asked(&relays, "/").body.len(), 100_000);
    assert!(begin.elapsed() >= Duration::from_millis(90), "{:?}", begin.elapsed());
}

#[test]
fn what_the_instance_does_to_a_stream_or_its_connection_happens_to_the_clients() {
    let backend = Backend::http2(|message| match message.target() {
        "/refused" => Answer::GiveUp(h2::Reason::REFUSED_STREAM),
        "/goodbye" => Answer::Goodbye("bye".to_owned()),
        _ => Answer::Close,
    });
    let relays = Relays::start(&[&backend]);
    assert_eq!(asked(&relays, "/refused").line, " [REFUSED_STREAM]");
    let mut client = Client::to(relays.listen[0]);
    assert_eq!(client.ask(&get("/goodbye")).text(), "bye");
    assert!(client.is_over(), "a goodbye is passed on");
    assert!(asked(&relays, "/closed").line.contains('['));
}

#[test]
fn an_instance_that_is_not_there_is_told_apart_and_one_that_goes_cuts_what_is_open() {
    let backend = Backend::http2(|_| Answer::Silence);
    let mut relays = Relays::start(&[&backend]);
    let address = relays.listen[0];
    let asking = std::thread::spawn(move || ask(address, &get("/")).line);
    until("the instance has it", || backend.asked().len() == 1);
    relays.down();
    assert!(asking.join().expect("its end").ends_with("[closed]"));
    assert_eq!(relays.offers(1)[0].fate, Fate::Cut);
}
