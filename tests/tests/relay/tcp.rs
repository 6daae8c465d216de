//! Plain TCP: bytes pass as they are, a connection is the unit.

use squall::clock::now;
use squall::fault::spec::{Delay, Direction, Fault, Kind, Part, Slices};
use squall::shim::wire::Fate;
use squall_tests::relay::{Relays, on_connections, on_requests};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Sends back what it gets, while it gets it.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
        }
    });
    address
}

fn connect(relays: &Relays) -> TcpStream {
    let stream = TcpStream::connect(relays.listen[0]).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    stream
}

fn says(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(text)?;
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back)?;
    Ok(back)
}

#[test]
fn bytes_pass_both_ways_at_once_and_an_end_is_passed_on() {
    let relays = Relays::to(&[echo()], true, 1);
    let stream = connect(&relays);
    let mut writer = stream.try_clone().expect("a second handle");
    let body = vec![b'x'; 16 << 20];
    let sent = body.len();
    std::thread::spawn(move || {
        writer.write_all(&body).expect("written");
        writer.shutdown(Shutdown::Write).expect("its end");
    });
    let mut back = Vec::new();
    (&stream).read_to_end(&mut back).expect("read");
    assert_eq!(back.len(), sent);
    let offers = relays.offers(1);
    assert_eq!((offers.len(), &offers[0].fate), (1, &Fate::Relayed));
}

#[test]
fn faults_on_requests_are_refused() {
    let mut relays = Relays::to(&[echo()], true, 1);
    let refused = relays.try_inject(1, &on_requests(Kind::abort(503)));
    assert_eq!(refused.as_deref(), Some("a plain TCP relay sees no requests"));
}

#[test]
fn a_blackhole_holds_an_open_connection_and_lets_it_go() {
    let mut relays = Relays::to(&[echo()], true, 1);
    let mut stream = connect(&relays);
    assert_eq!(says(&mut stream, b"one").expect("an echo"), b"one");
    relays.inject(1, &Fault { direction: Direction::ServerToClient, ..on_connections(Kind::blackhole()) });
    stream.write_all(b"two").expect("sent");
    stream.set_read_timeout(Some(Duration::from_millis(100))).expect("a time-out");
    let mut back = [0; 3];
    assert!(stream.read_exact(&mut back).is_err(), "nothing comes");
    relays.clear(1);
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    stream.read_exact(&mut back).expect("what was held");
    assert_eq!(&back, b"two");
}

#[test]
fn a_reset_after_bytes_cuts_the_answer() {
    let mut relays = Relays::to(&[echo()], true, 1);
    relays.inject(1, &on_connections(Kind::reset(4)));
    let mut stream = connect(&relays);
    assert!(says(&mut stream, b"more than four").is_err());
}

#[test]
fn a_reset_hits_open_connections_at_once() {
    let mut relays = Relays::to(&[echo()], true, 1);
    let mut stream = connect(&relays);
    assert_eq!(says(&mut stream, b"one").expect("an echo"), b"one");
    relays.inject(1, &on_connections(Kind::reset(0)));
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn bytes_of_a_connection_are_corrupted_sliced_and_cut_in_order() {
    let mut relays = Relays::to(&[echo()], true, 1);
    relays.inject(1, &on_connections(Kind::Corrupt { every: 4 }));
    assert_eq!(says(&mut connect(&relays), b"aaaaaaaa").expect("an echo"), b"`aaa`aaa");
    relays.clear(1);
    relays.inject(2, &on_connections(Kind::Slicer(Slices { size: 2, every: Duration::from_millis(1), stray: 0 })));
    assert_eq!(says(&mut connect(&relays), b"sliced both ways").expect("an echo"), b"sliced both ways");
    relays.clear(2);
    relays.inject(3, &on_connections(Kind::Truncate { after_bytes: 5 }));
    let mut stream = connect(&relays);
    stream.write_all(b"hello, world").expect("sent");
    let mut back = Vec::new();
    stream.read_to_end(&mut back).expect("closed, not reset");
    assert_eq!(back, b"hello");
}

/// Holds each piece that passes by so much.
fn pieces(base: Duration) -> Kind {
    Kind::Latency(Delay { part: Part::Pieces, ..Delay::of(base) })
}

#[test]
fn pieces_wait_side_by_side_and_not_one_behind_the_other() {
    let mut relays = Relays::to(&[echo()], true, 1);
    let mut stream = connect(&relays);
    assert_eq!(says(&mut stream, b"before").expect("passed"), b"before");
    let delay = Duration::from_millis(200);
    relays.inject(1, &Fault { direction: Direction::ServerToClient, ..on_connections(pieces(delay)) });
    // At least twenty pieces, since so much is not read at once.
    let sent: Vec<u8> = (0..20 * 16 * 1024_u32).map(|at| at as u8).collect();
    let begin = now();
    let mut writer = stream.try_clone().expect("a second handle");
    let bytes = sent.clone();
    std::thread::spawn(move || writer.write_all(&bytes).expect("written"));
    let mut back = vec![0; sent.len()];
    stream.read_exact(&mut back).expect("all of it");
    assert!(back == sent, "in their order");
    let took = now().since(begin);
    assert!(took >= delay, "{took:?}");
    assert!(took < delay * 10, "twenty pieces have waited one behind the other: {took:?}");
}

#[test]
fn pieces_that_wait_go_on_when_their_fault_is_over() {
    let mut relays = Relays::to(&[echo()], true, 1);
    relays.inject(1, &on_connections(pieces(Duration::from_secs(3_600))));
    let mut stream = connect(&relays);
    stream.write_all(b"held").expect("written");
    relays.effect(1);
    relays.clear(1);
    let mut back = [0; 4];
    stream.read_exact(&mut back).expect("let go");
    assert_eq!(&back, b"held");
}

#[test]
fn what_slows_one_way_leaves_the_other_alone() {
    for (direction, slow) in [(Direction::ClientToServer, true), (Direction::ServerToClient, false)] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mut relays = Relays::to(&[listener.local_addr().expect("an address")], true, 1);
        let bandwidth = Kind::Bandwidth { bytes_per_second: 1 };
        relays.inject(1, &Fault { direction, ..on_connections(bandwidth) });
        let mut client = connect(&relays);
        let (mut server, _) = listener.accept().expect("the other side");
        server.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
        let (from, to) = if slow { (&mut server, &mut client) } else { (&mut client, &mut server) };
        from.write_all(&vec![b'x'; 100_000]).expect("written");
        let mut all = vec![0; 100_000];
        to.read_exact(&mut all).expect("at once");
    }
}

#[test]
fn a_hole_closes_and_a_reset_strikes_when_their_time_has_come() {
    let after = Duration::from_millis(50);
    for (kind, is_reset) in [
        (Kind::Blackhole { close_after: Some(after) }, false),
        (Kind::Reset { after_bytes: 0, after: Some(after) }, true),
    ] {
        let mut relays = Relays::to(&[echo()], true, 1);
        let mut open = connect(&relays);
        assert_eq!(says(&mut open, b"before").expect("passed"), b"before");
        relays.inject(1, &on_connections(kind.clone()));
        for mut stream in [open, connect(&relays)] {
            match stream.read(&mut [0; 8]) {
                Ok(0) => assert!(!is_reset, "{kind:?}"),
                Err(error) => {
                    assert!(is_reset && error.kind() == std::io::ErrorKind::ConnectionReset, "{kind:?} {error}");
                }
                Ok(read) => panic!("{kind:?}: {read} bytes"),
            }
        }
    }
}

#[test]
fn a_connection_is_cut_by_what_the_client_has_sent_where_that_is_asked_for() {
    let mut relays = Relays::to(&[echo()], true, 1);
    let cut = Kind::Truncate { after_bytes: 4 };
    relays.inject(1, &Fault { direction: Direction::ClientToServer, ..on_connections(cut) });
    let mut stream = connect(&relays);
    stream.write_all(b"123456").expect("written");
    let mut back = Vec::new();
    // What was let through may come back before the end does.
    let _ = stream.read_to_end(&mut back);
    assert!(b"1234".starts_with(&back), "{back:?}");
}

#[test]
fn relays_come_and_go_and_give_their_ports_back() {
    let mut relays = Relays::to(&[echo()], true, 1);
    let (number, listen) = relays.add(echo());
    let mut stream = TcpStream::connect(listen).expect("a connection");
    assert_eq!(says(&mut stream, b"added").expect("passed"), b"added");
    relays.remove(number);
    assert!(!matches!(stream.read(&mut [0; 1]), Ok(1..)), "its connections go with it");
    assert!(TcpStream::connect(listen).is_err());
    squall_tests::until("its port is free", || TcpListener::bind(listen).is_ok());
    assert_eq!(says(&mut connect(&relays), b"stays").expect("passed"), b"stays");
}
