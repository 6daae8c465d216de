//! Upgrades and bytes: what is passed on without being understood.

use socket2::SockRef;
use squall_tests::http::{Backend, Connection, Message, ok};
use squall_tests::proxy::{Proxy, routes, slice};
use squall_tests::until;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

const UPGRADE: &str = "GET /chat HTTP/1.1\r\nhost: cart\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\r\n";

/// Answers one connection with `first` once the blank line of a head is there, and echoes what follows.
fn echo(first: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !first.is_empty() && !head.ends_with(b"\r\n\r\n") {
                    stream.read_exact(&mut byte)?;
                    head.push(byte[0]);
                }
                stream.write_all(first.as_bytes())?;
                let mut bytes = [0; 1024];
                loop {
                    let length = stream.read(&mut bytes)?;
                    if length == 0 {
                        return Ok::<(), std::io::Error>(());
                    }
                    stream.write_all(&bytes[..length])?;
                }
            });
        }
    });
    address
}

fn read_exactly(connection: &mut Connection, length: usize) -> String {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match connection.read(&mut bytes[filled..]).expect("bytes") {
            0 => break,
            more => filled += more,
        }
    }
    String::from_utf8_lossy(&bytes[..filled]).into_owned()
}

#[test]
fn a_websocket_is_bytes_both_ways_once_the_backend_has_switched() {
    let backend = echo("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    let proxy = Proxy::with_endpoints("", &[(backend, "v1", true)]);
    let mut connection = proxy.connect();
    connection.send(UPGRADE).expect("sent");
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push_str(&read_exactly(&mut connection, 1));
    }
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 ") && head.contains("\r\nupgrade: websocket\r\n"), "{head}");
    connection.send("\u{1}hello").expect("sent");
    assert_eq!(read_exactly(&mut connection, 6), "\u{1}hello");
    drop(connection);
    let line = &proxy.access_log(1)[0];
    assert_eq!((&line["response_code"], &line["upstream_host"]), (&101.into(), &backend.to_string().into()));
}

#[test]
fn a_backend_that_does_not_switch_answers_as_ever() {
    let backend = Backend::start(|request: &Message| ok(request.field("upgrade")));
    let proxy = Proxy::start("", &[&backend]);
    let answer = proxy.connect().ask(UPGRADE);
    assert_eq!((answer.status(), answer.text().as_str()), (200, "websocket"));
}

#[test]
fn an_upgrade_that_is_not_allowed_is_403_and_the_backend_is_not_asked() {
    let backend = Backend::named("cart");
    let proxy = Proxy::start("", &[&backend]);
    let answer = proxy.connect().ask(&UPGRADE.replace("websocket\r\n", "telnet\r\n"));
    assert_eq!(answer.status(), 403);
    assert!(backend.asked().is_empty());
}

/// A port of `name` at which bytes come and go.
fn service(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{name: tcp-cache, port: 6379}}]}}\n"
    )
}

/// In front of `backend`, for bytes.
fn of_bytes(backend: SocketAddr) -> Proxy {
    Proxy::with_files(
        &[("policies.yaml", &service("cart")), ("endpoints.yaml", &slice("tcp-cache", backend.port()))],
        &["--policies", "policies.yaml", "--endpoints", "endpoints.yaml", "--listen", "cart:6379=127.0.0.1:0"],
    )
}

#[test]
fn a_reset_on_one_side_is_a_reset_on_the_other() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let proxy = of_bytes(listener.local_addr().expect("an address"));
    for client_resets in [true, false] {
        let mut client = TcpStream::connect(proxy.listen).expect("connected");
        client.write_all(b"x").expect("sent");
        let (mut server, _) = listener.accept().expect("accepted");
        server.read_exact(&mut [0]).expect("read");
        let (resetting, mut other) = if client_resets { (client, server) } else { (server, client) };
        SockRef::from(&resetting).set_linger(Some(Duration::ZERO)).expect("set");
        drop(resetting);
        let end = other.read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(end, Err(ErrorKind::ConnectionReset), "by the client: {client_resets}");
    }
}

#[test]
fn a_port_of_bytes_goes_to_the_endpoints_and_is_logged_when_it_is_over() {
    let backend = echo("");
    let proxy = of_bytes(backend);
    let mut connection = proxy.connect();
    for word in ["PING", "QUIT"] {
        connection.send(word).expect("sent");
        assert_eq!(read_exactly(&mut connection, 4), word);
    }
    drop(connection);
    let line = &proxy.access_log(1)[0];
    assert_eq!((&line["bytes_received"], &line["bytes_sent"]), (&8.into(), &8.into()));
    assert_eq!(line["upstream_host"], backend.to_string());
}

#[test]
fn connections_of_bytes_are_counted_as_istio_does() {
    let service =
        "apiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec: {ports: [{name: tcp-cache, port: 6379}]}\n";
    let greeting = "HTTP/1.1 200 OK\r\n\r\n";
    let backend = echo(greeting);
    let slices = slice("tcp-cache", backend.port());
    let proxy = Proxy::with_files(
        &[("policies.yaml", service), ("endpoints.yaml", &slices)],
        &["--policies", "policies.yaml", "--endpoints", "endpoints.yaml", "--listen", "cart:6379=127.0.0.1:0"],
    );
    let mut connection = proxy.connect();
    connection.send("\r\n\r\nPING").expect("sent");
    assert_eq!(read_exactly(&mut connection, greeting.len() + 4), format!("{greeting}PING"));
    let labels = "{reporter=\"source\"";
    let of_cart = "destination_service=\"cart.default.svc.cluster.local\"";
    let counted = |name: &str| proxy.count(&format!("istio_tcp_{name}_total{labels}"), of_cart);
    assert_eq!((counted("connections_opened"), counted("connections_closed")), (1, 0));
    drop(connection);
    until("its end is counted", || counted("connections_closed") == 1);
    assert_eq!((counted("received_bytes"), counted("sent_bytes")), (8, greeting.len() as u64 + 4));
    let text = proxy.admin("/stats/prometheus").text();
    let line = text.lines().find(|line| line.starts_with("istio_tcp_sent_bytes_total{")).expect("a line");
    for label in ["request_protocol=\"tcp\"", "response_flags=\"-\"", "destination_service_name=\"cart\""] {
        assert!(line.contains(label), "{line}");
    }
}

/// What `cart` gets, `shadow` gets a copy of.
fn mirroring(cart: SocketAddr, shadow: SocketAddr) -> Proxy {
    let http = "    - mirror: {host: cart, subset: v2}\n      route: [{destination: {host: cart, subset: v1}}]";
    let subsets = "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: cart}\nspec: {host: cart, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}\n";
    let endpoints = [(cart, "v1", true), (shadow, "v2", true)];
    Proxy::with_endpoints(&format!("{}{subsets}", routes(http)), &endpoints)
}

#[test]
fn a_connection_of_bytes_goes_on_over_a_reload_and_holds_nothing_of_what_was_configured_before() {
    let backend = echo("");
    let proxy = of_bytes(backend);
    let mut connection = proxy.connect();
    connection.send("PING").expect("sent");
    assert_eq!(read_exactly(&mut connection, 4), "PING");
    proxy.write_policies(&format!("{}---\n{}", service("cart"), service("other")));
    until("it is taken up", || proxy.stat("server.reloads") >= 1);
    until("the old one is gone", || proxy.stat("server.snapshots") == 1);
    connection.send("QUIT").expect("sent");
    assert_eq!(read_exactly(&mut connection, 4), "QUIT");
}

#[test]
fn a_mirror_gets_a_copy_and_its_answer_is_thrown_away() {
    let (backend, shadow) = (Backend::named("cart"), Backend::named("shadow"));
    let proxy = mirroring(backend.address, shadow.address);
    let answer = proxy.connect().ask("POST /buy HTTP/1.1\r\nhost: cart\r\ncontent-length: 4\r\n\r\nmilk");
    assert_eq!(answer.text(), "cart");
    until("the mirror was asked", || shadow.asked().len() == 1);
    let copy = &shadow.asked()[0];
    assert_eq!((copy.field("host"), copy.text().as_str()), ("cart", "milk"));
}

#[test]
fn a_mirror_that_is_too_slow_never_gets_a_body_that_looks_whole() {
    const CHUNK: usize = 64 * 1024;
    let backend = Backend::named("cart");
    let shadow = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = mirroring(backend.address, shadow.local_addr().expect("an address"));
    let mut connection = proxy.connect();
    connection.send("POST /buy HTTP/1.1\r\nhost: cart\r\ntransfer-encoding: chunked\r\n\r\n").expect("sent");
    let (mut copy, _) = shadow.accept().expect("the copy");
    // Far more than sockets hold, of which the mirror takes nothing until the request is over.
    let chunk = format!("{CHUNK:x}\r\n{}\r\n", "x".repeat(CHUNK));
    (0..512).for_each(|_| connection.send(&chunk).expect("sent"));
    connection.send("0\r\n\r\n").expect("sent");
    assert_eq!(connection.answer().expect("an answer").expect("an answer").text(), "cart");
    let mut bytes = Vec::new();
    let mut piece = vec![0; CHUNK];
    while !bytes.ends_with(b"\r\n0\r\n\r\n") {
        match copy.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
        }
    }
    assert!(!bytes.ends_with(b"\r\n0\r\n\r\n"), "a copy of {} bytes looks whole", bytes.len());
}
