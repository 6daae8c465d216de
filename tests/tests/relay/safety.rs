//! No fault outlives whoever asked for it.

use squall::fault::spec::Kind;
use squall::shim::wire::{LEASE, Report};
use squall_tests::http::Backend;
use squall_tests::relay::{Relays, on_requests};

const GET: &str = "GET / HTTP/1.1\r\nhost: cart\r\n\r\n";
const ABORT: Kind = Kind::abort(503);

#[test]
fn without_a_heartbeat_the_lease_ends_and_every_fault_with_it() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_requests(ABORT));
    let mut connection = relays.connect();
    assert_eq!(connection.ask(GET).status(), 503);
    relays.wait_for("the lease is lost", |report| matches!(report, Report::LeaseLost { .. }).then_some(()));
    assert_eq!(connection.ask(GET).status(), 200);
}

#[test]
fn with_heartbeats_a_fault_outlasts_the_lease() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_requests(ABORT));
    relays.keep_alive();
    let mut connection = relays.connect();
    #[allow(clippy::disallowed_methods, reason = "the lease is a matter of time")]
    let begin = std::time::Instant::now();
    while begin.elapsed() < LEASE + LEASE / 4 {
        assert_eq!(connection.ask(GET).status(), 503);
    }
}

#[test]
fn when_its_input_closes_it_lifts_every_fault_and_ends() {
    let backend = Backend::named("cart");
    let mut relays = Relays::start(&[&backend]);
    relays.inject(1, &on_requests(ABORT));
    assert_eq!(relays.connect().ask(GET).status(), 503);
    relays.close_input();
    assert!(relays.ended().success());
    let harmed = |report: &Report| matches!(report, Report::Harmed { fault: 1, units: 1, .. }).then_some(());
    relays.wait_for("the harm is told", harmed);
}
