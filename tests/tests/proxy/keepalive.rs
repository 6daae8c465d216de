//! What keeps connections alive, and shows that they are dead: pings of HTTP/2 on either side, probes of TCP.

use nix::sys::signal::Signal;
use squall_tests::bootstrap::Bootstrap;
use squall_tests::frames::{ACK, END_HEADERS, END_STREAM, Frame, Frames, PREFACE, STATUS_200, kind, request};
use squall_tests::http::{Answer, Backend};
use squall_tests::proxy::{Proxy, routes, rule};
use squall_tests::until;
use std::io::Read;
use std::net::{SocketAddr, TcpListener};

/// A proxy that pings its clients this often, and waits so long for an answer.
fn pinging(backend: &Backend, interval: &str, timeout: &str) -> Proxy {
    let pings = format!("connection_keepalive: {{interval: {interval}, timeout: {timeout}}}");
    let manager = format!("http2_protocol_options: {{{pings}}}");
    Proxy::on_bootstrap(&Bootstrap { manager: &manager, ..Bootstrap::default() }.text(&[backend.address]))
}

/// The next ping that wants an answer; none at the end.
fn ping(frames: &mut Frames) -> Option<Frame> {
    std::iter::from_fn(|| frames.read()).find(|frame| frame.kind == kind::PING && frame.flags & ACK == 0)
}

/// Answers it.
fn pong(frames: &mut Frames, ping: &Frame) {
    frames.send(kind::PING, ACK, 0, &ping.payload).expect("sent");
}

#[test]
fn streams_between_a_ping_and_its_answer_do_not_end_the_connection() {
    let backend = Backend::named("cart");
    let proxy = pinging(&backend, "0.05s", "30s");
    let mut frames = Frames::to(proxy.listen);
    for stream in [1, 3, 5, 7] {
        let asked = ping(&mut frames).expect("a ping");
        frames.ask(stream, END_STREAM, &request("GET", "/", &[])).expect("sent");
        while frames.read().expect("the connection lives").flags & END_STREAM == 0 {}
        pong(&mut frames, &asked);
    }
}

#[test]
fn a_busy_connection_is_pinged_too() {
    let backend = Backend::named("cart");
    let proxy = pinging(&backend, "0.2s", "30s");
    let mut frames = Frames::to(proxy.listen);
    let mut streams = (1..).step_by(2);
    let mut pinged = false;
    while !pinged {
        let stream = streams.next().expect("no end");
        frames.ask(stream, END_STREAM, &request("GET", "/", &[])).expect("sent");
        loop {
            let frame = frames.read().expect("the connection lives");
            pinged |= frame.kind == kind::PING;
            if frame.stream == stream && frame.flags & END_STREAM != 0 {
                break;
            }
        }
        assert!(stream < 20_001, "it is never pinged");
    }
}

#[test]
fn a_client_that_answers_no_ping_is_cut_off_amid_a_request_and_amid_a_drain() {
    for drains in [false, true] {
        let backend = Backend::start(|_| Answer::Silence);
        let proxy = pinging(&backend, "0.05s", "1s");
        let mut frames = Frames::to(proxy.listen);
        frames.ask(1, END_STREAM, &request("GET", "/", &[])).expect("sent");
        while backend.asked().is_empty() {
            let asked = ping(&mut frames).expect("a ping");
            pong(&mut frames, &asked);
        }
        if drains {
            proxy.signal(Signal::SIGTERM);
        }
        assert!(std::iter::from_fn(|| frames.read()).all(|frame| frame.stream == 0));
        if !drains {
            until("nothing of it is left", || proxy.stat("http.in.downstream_rq_active") == 0);
            assert_eq!(proxy.stat("http.in.downstream_rq_rx_reset"), 1);
        }
        let line = &proxy.access_log(1)[0];
        assert_eq!(line["response_flags"], "DC");
        assert_eq!(line["response_code_details"], "downstream_local_disconnect(http2_ping_timeout)");
    }
}

/// An endpoint that speaks HTTP/2 on one connection, answers so many pings, and the request with the last of them.
fn answering(pings: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a connection");
        let mut frames = Frames::bare(stream);
        frames.socket().read_exact(&mut [0; PREFACE.len()]).expect("a preface");
        frames.send(kind::SETTINGS, 0, 0, &[]).expect("sent");
        for _ in 0..pings {
            let asked = ping(&mut frames).expect("a ping");
            pong(&mut frames, &asked);
        }
        if pings > 0 {
            frames.send(kind::HEADERS, END_HEADERS | END_STREAM, 1, &[STATUS_200]).expect("sent");
        }
        while frames.read().is_some() {}
    });
    address
}

#[test]
fn an_endpoint_that_answers_pings_is_waited_for_and_one_that_does_not_is_given_up() {
    for (pings, time, expected) in [(3, "30s", 200), (0, "0.1s", 503)] {
        let pool = format!("h2UpgradePolicy: UPGRADE, http2KeepAlive: {{interval: 0.05s, timeout: {time}}}");
        let policies = format!(
            "{}{}",
            routes("    - retries: {attempts: 0}\n      route: [{destination: {host: cart}}]"),
            rule(&format!("{{connectionPool: {{http: {{{pool}}}}}}}"))
        );
        let proxy = Proxy::with_endpoints(&policies, &[(answering(pings), "v1", true)]);
        assert_eq!(proxy.get("/").status(), expected, "{pings} pings");
        if expected == 503 {
            assert_eq!(proxy.access_log(1)[0]["response_flags"], "UC");
        }
    }
}

/// True if probes of TCP wait to be sent on the connection to an endpoint.
fn is_probed(endpoint: SocketAddr) -> bool {
    let (remote, established, probes) = (format!(":{:04X}", endpoint.port()), "01", "02:");
    let sockets = std::fs::read_to_string("/proc/self/net/tcp").expect("a list of sockets");
    let fields = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut connections = fields.filter(|fields| fields[2].ends_with(&remote) && fields[3] == established);
    connections.next().expect("a connection").get(5).is_some_and(|timer| timer.starts_with(probes))
}

#[test]
fn connections_to_endpoints_are_probed_where_tcp_keepalive_says_so() {
    for (options, expected) in
        [("tcpKeepalive: {time: 600s, interval: 60s, probes: 3}", true), ("maxConnections: 9", false)]
    {
        let backend = Backend::named("cart");
        let proxy = Proxy::start(&rule(&format!("{{connectionPool: {{tcp: {{{options}}}}}}}")), &[&backend]);
        assert_eq!(proxy.get("/").status(), 200);
        assert_eq!(is_probed(backend.address), expected, "{options}");
    }
}
