//! Ways out: what becomes of clients when the process is told to end, or to take nothing new.

use nix::sys::signal::Signal;
use squall_tests::http::{Answer, Backend, Connection};
use squall_tests::proxy::Proxy;
use squall_tests::until;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: cart\r\n\r\n";

/// A proxy in front of a backend, whose drain takes so many seconds at most.
fn draining_for(seconds: &str, backend: &Backend) -> Proxy {
    Proxy::with_arguments("", &[(backend.address, "v1", true)], &["--drain-time", seconds])
}

/// Asks on one connection until an answer says that it is the last.
fn until_told_to_go(mut connection: Connection, answered: &AtomicUsize) -> Result<(), String> {
    loop {
        let answer = connection.send(REQUEST).and_then(|()| connection.answer());
        match answer {
            Ok(Some(answer)) if answer.status() == 200 => {
                answered.fetch_add(1, Ordering::Relaxed);
                if answer.field("connection") == "close" {
                    return Ok(());
                }
            }
            other => return Err(format!("{other:?}")),
        }
        // Between two requests each is idle for a moment.
        thread::park_timeout(Duration::from_millis(1));
    }
}

#[test]
fn on_term_under_load_clients_that_keep_their_connections_lose_nothing() {
    let backend = Backend::named("cart");
    let mut proxy = Proxy::start("", &[&backend]);
    let mut connections: Vec<Connection> = (0..32).map(|_| proxy.connect()).collect();
    // Whoever is in the queue of a socket when that is closed was never taken.
    connections.iter_mut().for_each(|connection| assert_eq!(connection.ask(REQUEST).status(), 200));
    let answered = AtomicUsize::new(connections.len());
    let lost: Vec<String> = thread::scope(|scope| {
        let (proxy, answered) = (&proxy, &answered);
        let ask = |connection| scope.spawn(move || until_told_to_go(connection, answered));
        let clients: Vec<_> = connections.into_iter().map(ask).collect();
        until("all are at it", || answered.load(Ordering::Relaxed) > 320);
        proxy.signal(Signal::SIGTERM);
        clients.into_iter().filter_map(|client| client.join().expect("no panic").err()).collect()
    });
    assert_eq!(lost, [""; 0], "of {answered:?}");
    let lines = proxy.access_log(answered.load(Ordering::Relaxed));
    assert!(lines.iter().all(|line| line["response_code"] == 200));
    assert!(proxy.ended().success());
}

#[test]
fn an_idle_connection_is_answered_once_more_in_a_drain_and_questions_are_answered_meanwhile() {
    let backend = Backend::named("cart");
    let mut proxy = Proxy::start("", &[&backend]);
    let mut idle = proxy.connect();
    assert_eq!(idle.ask(REQUEST).status(), 200);
    proxy.signal(Signal::SIGTERM);
    until("no new connection is taken", || Connection::to(proxy.listen).is_err());
    assert_eq!(proxy.admin("/ready").status(), 200);
    let answer = idle.ask(REQUEST);
    assert_eq!((answer.status(), answer.field("connection")), (200, "close"));
    assert!(proxy.ended().success());
}

#[test]
fn a_request_that_outlives_the_drain_is_cut_off_and_has_its_line_in_the_log() {
    let backend = Backend::start(|_| Answer::Silence);
    let mut proxy = draining_for("1", &backend);
    let mut waiting = proxy.connect();
    waiting.send(REQUEST).expect("sent");
    until("the request is under way", || backend.asked().len() == 1);
    proxy.signal(Signal::SIGTERM);
    assert!(!matches!(waiting.answer(), Ok(Some(_))));
    assert!(proxy.ended().success());
    let lines = proxy.access_log_now();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((&lines[0]["response_code"], &lines[0]["response_flags"]), (&0.into(), &"DC".into()));
}

#[test]
fn drained_listeners_leave_connections_to_their_next_answer_and_the_workers_at_work() {
    let backend = Backend::named("cart");
    let mut proxy = draining_for("0", &backend);
    let (mut one, mut two) = (proxy.connect(), proxy.connect());
    for connection in [&mut one, &mut two] {
        assert_eq!(connection.ask(REQUEST).status(), 200);
    }
    assert_eq!(proxy.post("/drain_listeners").status(), 200);
    until("no connection is taken", || Connection::to(proxy.listen).is_err());
    let answer = one.ask(REQUEST);
    assert_eq!((answer.status(), answer.field("connection")), (200, "close"));
    // Who had nothing to ask is not hurried, and served by workers that have not ended.
    let answer = two.ask(REQUEST);
    assert_eq!((answer.status(), answer.field("connection")), (200, "close"));
    assert_eq!(proxy.post("/quitquitquit").status(), 200);
    assert!(proxy.ended().success());
}

#[test]
fn half_a_head_does_not_hold_up_a_drain() {
    let backend = Backend::named("cart");
    let arguments = ["--drain-time", "600", "--clients", "mesh"];
    let mut proxy = Proxy::with_arguments("", &[(backend.address, "v1", true)], &arguments);
    let mut half = proxy.connect();
    half.send("GET / HT").expect("sent");
    proxy.signal(Signal::SIGTERM);
    assert_eq!(half.answer().expect("an orderly end").map(|answer| answer.status()), None);
    assert!(proxy.ended().success());
}
