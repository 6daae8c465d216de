//! Plain TCP: bytes pass as they are, a connection is the unit.

use squall::fault::spec::{Direction, Kind, Slices};
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
    relays.inject(1, &on_connections(Kind::Blackhole { direction: Direction::ServerToClient }));
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
    relays.inject(1, &on_connections(Kind::Reset { after_bytes: 4 }));
    let mut stream = connect(&relays);
    assert!(says(&mut stream, b"more than four").is_err());
}

#[test]
fn a_reset_hits_open_connections_at_once() {
    let mut relays = Relays::to(&[echo()], true, 1);
    let mut stream = connect(&relays);
    assert_eq!(says(&mut stream, b"one").expect("an echo"), b"one");
    relays.inject(1, &on_connections(Kind::Reset { after_bytes: 0 }));
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn bytes_of_a_connection_are_corrupted_sliced_and_cut_in_order() {
    let mut relays = Relays::to(&[echo()], true, 1);
    relays.inject(1, &on_connections(Kind::Corrupt { every: 4 }));
    assert_eq!(says(&mut connect(&relays), b"aaaaaaaa").expect("an echo"), b"`aaa`aaa");
    relays.clear(1);
    relays.inject(2, &on_connections(Kind::Slicer(Slices { size: 2, every: Duration::from_millis(1) })));
    assert_eq!(says(&mut connect(&relays), b"sliced both ways").expect("an echo"), b"sliced both ways");
    relays.clear(2);
    relays.inject(3, &on_connections(Kind::Truncate { after_bytes: 5 }));
    let mut stream = connect(&relays);
    stream.write_all(b"hello, world").expect("sent");
    let mut back = Vec::new();
    stream.read_to_end(&mut back).expect("closed, not reset");
    assert_eq!(back, b"hello");
}
