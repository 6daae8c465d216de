//! Relays in front of instances with several ports, and of the proxies beside them.

use squall::fault::spec::Kind;
use squall::shim::wire::{Door, Fate, Relay, Start};
use squall_tests::http::{Answer, Backend, Connection, status};
use squall_tests::relay::{Relays, on_requests};

const GET: &str = "GET / HTTP/1.1\r\nhost: cart\r\ntraceparent: 00-1-1-01\r\n\r\n";

fn relay(doors: Vec<Door>, sidecar: bool) -> Relays {
    Relays::with(&Start { relays: vec![Relay { name: "cart/1".to_owned(), doors, sidecar }], seed: 1 })
}

#[test]
fn a_relay_refuses_until_somebody_is_behind_it_and_each_door_leads_to_its_own_port() {
    let (shop, admin) = (Backend::named("shop"), Backend::named("admin"));
    let closed = || Door { listen: None, to: None, tcp: false };
    let mut relays = relay(vec![closed(), closed()], false);
    assert!(relays.listen.iter().all(|door| std::net::TcpStream::connect(door).is_err()), "nobody is there");
    relays.up_at(&[shop.address, admin.address]);
    let ask = |relays: &Relays, door: usize| Connection::to(relays.listen[door]).expect("a connection").ask(GET);
    assert_eq!((ask(&relays, 0).text(), ask(&relays, 1).text()), ("shop".to_owned(), "admin".to_owned()));
    assert!(relays.offers(2).iter().all(|offer| offer.relay == 0 && offer.fate == Fate::Relayed));
    // A fault is the whole relay's.
    relays.inject(1, &on_requests(Kind::abort(503)));
    assert_eq!((ask(&relays, 0).status(), ask(&relays, 1).status()), (503, 503));
    relays.clear(1);
    relays.down();
    assert!(relays.listen.iter().all(|door| std::net::TcpStream::connect(door).is_err()), "both are refused");
}

#[test]
fn an_answer_in_which_the_instance_does_not_name_itself_is_that_of_the_proxy_beside_it() {
    let backend = Backend::start(|message| match message.target() {
        "/own" => Answer::Status(200, "x-squall-instance: cart/1\r\n", Vec::new()),
        _ => status(503),
    });
    let door = || Door { listen: None, to: Some(backend.address), tcp: false };
    for (sidecar, fate) in [(true, Fate::Sidecar), (false, Fate::Relayed)] {
        let relays = relay(vec![door()], sidecar);
        let mut connection = relays.connect();
        assert_eq!(connection.ask(&GET.replace("GET /", "GET /own")).status(), 200);
        assert_eq!(connection.ask(GET).status(), 503);
        let fates: Vec<_> = relays.offers(2).into_iter().map(|offer| offer.fate).collect();
        assert_eq!(fates, [Fate::Relayed, fate]);
    }
}

#[test]
fn a_request_to_which_a_proxy_at_the_edge_gave_another_id_is_known_by_its_trace() {
    let backend = Backend::named("cart");
    let relays = Relays::start(&[&backend]);
    let trace =
        "x-request-id: 9e598782-d94e-433a-af26-59ea0e2cd949\r\ntraceparent: 00-0000000000000abd000000000000002a-1-01";
    let _ = relays.connect().ask(&GET.replace("traceparent: 00-1-1-01", trace));
    assert_eq!(relays.offers(1)[0].request, Some(42));
}
