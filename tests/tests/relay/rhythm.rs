//! Faults that come and go, and faults that grow.

use squall::fault::spec::{Fault, Kind, Pulse, Rhythm};
use squall_tests::http::Backend;
use squall_tests::relay::{Relays, on_connections, on_requests};
use squall_tests::until;
use std::net::TcpStream;
use std::time::Duration;

const GET: &str = "GET / HTTP/1.1\r\nhost: cart\r\n\r\n";

fn pulse(active: u64, idle: u64) -> Rhythm {
    let pulse = Pulse { active: Duration::from_millis(active), idle: Duration::from_millis(idle) };
    Rhythm { pulse: Some(pulse), ramp: None }
}

#[test]
fn a_pulse_harms_and_spares_in_turn_on_the_same_connection() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    relays.keep_alive();
    relays.inject(1, &Fault { rhythm: pulse(60, 60), ..on_requests(Kind::abort(503)) });
    let mut connection = relays.connect();
    for (round, wanted) in [503, 200, 503, 200].into_iter().enumerate() {
        until(&format!("{wanted} in turn {round}"), || connection.ask(GET).status() == wanted);
    }
    relays.clear(1);
    assert!((0..50).all(|_| connection.ask(GET).status() == 200), "a pulse that was cleared stays away");
}

#[test]
fn an_instance_that_flaps_refuses_and_serves_in_turn_and_resets_what_is_open_each_time() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    relays.keep_alive();
    let mut open = relays.connect();
    assert_eq!(open.ask(GET).status(), 200);
    relays.inject(1, &Fault { rhythm: pulse(60, 120), ..on_connections(Kind::Refuse) });
    assert!(open.answer().is_err());
    for turn in 0..2 {
        let mut next = None;
        until(&format!("it serves in turn {turn}"), || {
            next = TcpStream::connect(relays.listen[0]).ok();
            next.is_some()
        });
        until(&format!("it refuses in turn {turn}"), || TcpStream::connect(relays.listen[0]).is_err());
        let mut byte = [0];
        let ended = std::io::Read::read(&mut next.expect("just connected"), &mut byte);
        assert!(ended.is_err(), "what was open is reset: {ended:?}");
    }
    relays.clear(1);
    assert_eq!(relays.connect().ask(GET).status(), 200);
}

#[test]
fn what_a_fault_holds_goes_on_when_it_rests() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    relays.keep_alive();
    let mut open = relays.connect();
    assert_eq!(open.ask(GET).status(), 200);
    let hole = Kind::blackhole();
    relays.inject(1, &Fault { rhythm: pulse(50, 3_600_000), ..on_connections(hole) });
    assert_eq!(open.ask(GET).status(), 200);
}
