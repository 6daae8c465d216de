//! What is configured and stands at the edge of HTTP: origins, limits of rate, names, protocols found out, PROXY headers, CONNECT.

use squall_tests::frames::{END_STREAM, Frames, request};
use squall_tests::http::{Backend, Connection, Message, get, ok};
use squall_tests::proxy::{Proxy, routes};
use squall_tests::tls::Authority;
use squall_tests::until;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

const SERVICE: &str =
    "apiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec: {ports: [{name: http, port: 80}]}\n";

fn slices(name: &str, port: u16) -> String {
    format!(
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: cart-1, labels: {{kubernetes.io/service-name: cart}}}}\naddressType: IPv4\nports: [{{name: {name}, port: {port}}}]\nendpoints: [{{addresses: [127.0.0.1]}}]\n"
    )
}

/// A gateway that ends TLS, with nobody behind it.
pub(super) fn gateway(authority: &Authority, arguments: &[&str]) -> Proxy {
    let policies = format!(
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: edge}}\nspec:\n  selector: {{istio: ingressgateway}}\n  servers: [{{port: {{number: 443, name: https, protocol: HTTPS}}, hosts: [\"*\"], tls: {{mode: SIMPLE, serverCertificate: shop.pem, privateKey: shop.key}}}}]\n---\n{SERVICE}"
    );
    let shown = authority.identity(&["shop.example"]);
    let files = [("policies.yaml", policies.as_str()), ("shop.pem", &shown.certificate), ("shop.key", &shown.key)];
    let own = [
        "--policies",
        "policies.yaml",
        "--mode",
        "gateway",
        "--labels",
        "istio=ingressgateway",
        "--listen",
        "443=127.0.0.1:0",
    ];
    Proxy::with_files(&files, &[&own, arguments].concat())
}

#[test]
fn origins_that_are_allowed_are_told_so_and_preflights_are_answered_here() {
    let backend = Backend::named("cart");
    let cors = "    - corsPolicy: {allowOrigins: [{exact: \"https://shop.example\"}], allowMethods: [GET, PUT], allowHeaders: [x-a], exposeHeaders: [x-b], maxAge: 1h, allowCredentials: true}\n      route: [{destination: {host: cart}}]";
    let proxy = Proxy::start(&routes(cors), &[&backend]);
    let preflight = |origin: &str| {
        let head = format!(
            "OPTIONS / HTTP/1.1\r\nhost: cart\r\norigin: {origin}\r\naccess-control-request-method: PUT\r\n\r\n"
        );
        proxy.connect().ask(&head)
    };
    let answer = preflight("https://shop.example");
    assert_eq!((answer.status(), answer.field("access-control-allow-origin")), (200, "https://shop.example"));
    assert_eq!(
        (answer.field("access-control-allow-methods"), answer.field("access-control-max-age")),
        ("GET,PUT", "3600")
    );
    assert!(backend.asked().is_empty(), "it was answered here");
    let answer = proxy.get_with("/", "origin: https://shop.example\r\n");
    assert_eq!((answer.text().as_str(), answer.field("access-control-allow-origin")), ("cart", "https://shop.example"));
    assert_eq!(
        (answer.field("access-control-expose-headers"), answer.field("access-control-allow-credentials")),
        ("x-b", "true")
    );
    let stranger = proxy.get_with("/", "origin: https://evil.example\r\n");
    assert_eq!((stranger.status(), stranger.field("access-control-allow-origin")), (200, ""));
}

const MANAGER: &str = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "{name: envoy.filters.http.router, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}";
const TO_CART: &str = "{match: {prefix: /}, route: {cluster: cart}}";

/// A bootstrap with a listener of HTTP: lines of the listener and of the manager, filters, routes, and the cluster's.
fn bootstrap(listener: &str, manager: &str, filters: &str, routes: &str, cluster: &str) -> String {
    format!(
        "static_resources:
  listeners:
  - name: in
    address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
    {listener}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": type.googleapis.com/{MANAGER}
          stat_prefix: in
          {manager}
          route_config: {{virtual_hosts: [{{name: all, domains: [\"*\"], routes: [{routes}]}}]}}
          http_filters: [{filters}{ROUTER}]
  clusters:
  - {{name: cart, connect_timeout: 1s, {cluster}}}
"
    )
}

fn endpoints(host: &str, port: u16) -> String {
    format!(
        "load_assignment: {{cluster_name: cart, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: {host}, port_value: {port}}}}}}}}}]}}]}}"
    )
}

#[test]
fn a_local_rate_limit_lets_its_tokens_through_and_refuses_the_rest_with_429() {
    let backend = Backend::named("cart");
    let limit = "{name: envoy.filters.http.local_ratelimit, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: limit, token_bucket: {max_tokens: 3, tokens_per_fill: 3, fill_interval: 3600s}, filter_enabled: {default_value: {numerator: 100}}, filter_enforced: {default_value: {numerator: 100}}}}, ";
    let cluster = format!("type: STATIC, {}", endpoints("127.0.0.1", backend.address.port()));
    let proxy = Proxy::on_bootstrap(&bootstrap("", "", limit, TO_CART, &cluster));
    let statuses: Vec<u16> = (0..5).map(|_| proxy.get("/").status()).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(backend.asked().len(), 3);
    assert_eq!(proxy.stat("limit.http_local_rate_limit.rate_limited"), 2);
    assert_eq!(proxy.access_log(5)[4]["response_flags"], "RL");
}

#[test]
fn endpoints_by_name_are_looked_up_and_a_name_that_nobody_has_is_503_uh() {
    let backend = Backend::named("cart");
    for kind in ["STRICT_DNS", "LOGICAL_DNS"] {
        let known = endpoints("localhost", backend.address.port());
        let known = format!("type: {kind}, dns_lookup_family: V4_ONLY, {known}");
        let proxy = Proxy::on_bootstrap(&bootstrap("", "", "", TO_CART, &known));
        assert_eq!(proxy.get("/").text(), "cart", "{kind}");
        assert_eq!(proxy.access_log(1)[0]["upstream_host"], backend.address.to_string(), "{kind}");
        let unknown = format!("type: {kind}, {}", endpoints("nobody.invalid", 80));
        let proxy = Proxy::on_bootstrap(&bootstrap("", "", "", TO_CART, &unknown));
        assert_eq!(proxy.get("/").status(), 503, "{kind}");
        assert_eq!(proxy.access_log(1)[0]["response_flags"], "UH", "{kind}");
    }
}

#[test]
fn a_service_entry_with_endpoints_by_name_is_reached() {
    let backend = Backend::named("pay");
    let entry = format!(
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: pay}}\nspec: {{hosts: [pay.example], location: MESH_EXTERNAL, resolution: DNS, ports: [{{number: 80, name: http, protocol: HTTP}}], endpoints: [{{address: localhost, ports: {{http: {}}}}}]}}\n",
        backend.address.port()
    );
    let proxy = Proxy::start(&entry, &[]);
    assert_eq!(get(proxy.listen, "/", "host: pay.example\r\n").text(), "pay");
}

/// Sends back what comes; what comes first is `greeting`, if anything.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut bytes) {
                    if stream.write_all(&bytes[..read]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn sniffing(port: u16) -> Proxy {
    let service = SERVICE.replace("name: http, port: 80", "name: main, port: 9000");
    Proxy::with_files(
        &[("policies.yaml", &service), ("endpoints.yaml", &slices("main", port))],
        &["--policies", "policies.yaml", "--endpoints", "endpoints.yaml", "--listen", "cart:9000=127.0.0.1:0"],
    )
}

#[test]
fn a_port_of_no_known_protocol_serves_http_as_http_and_all_else_as_bytes() {
    let backend = Backend::named("cart");
    let proxy = sniffing(backend.address.port());
    assert_eq!(get(proxy.listen, "/", "host: cart:9000\r\n").text(), "cart");
    assert!(!backend.asked()[0].field("x-request-id").is_empty(), "it was read as HTTP");
    let proxy = sniffing(echo().port());
    for bytes in
        [&b"*1\r\n$4\r\nPING\r\n"[..], b"\0\x01\x02", b"HELO there\r\n", b"GETTING THINGS DONE\r\n", b"\x16\x02\x01"]
    {
        let mut connection = proxy.connect();
        connection.send(bytes).expect("sent");
        let mut back = vec![0; bytes.len()];
        let mut filled = 0;
        while filled < back.len() {
            match connection.read(&mut back[filled..]).expect("bytes") {
                0 => break,
                more => filled += more,
            }
        }
        assert_eq!(back, bytes);
    }
}

#[test]
fn a_first_line_is_known_for_http_however_it_is_cut() {
    let backend = Backend::named("cart");
    let proxy = sniffing(backend.address.port());
    let head = "GET /some/path HTTP/1.1\r\nhost: cart:9000\r\n\r\n";
    for cut in 1..30 {
        let mut connection = proxy.connect();
        connection.send(&head[..cut]).expect("sent");
        std::thread::yield_now();
        assert_eq!(connection.ask(&head[cut..]).text(), "cart", "cut at {cut}");
    }
    let asked = backend.asked();
    assert!(asked.iter().all(|asked| !asked.field("x-request-id").is_empty()), "some were passed on as bytes");
    let mut frames = Frames::to(proxy.listen);
    frames.ask(1, END_STREAM, &request("GET", "/", &[])).expect("sent");
    assert!(frames.next_of(1).is_some(), "HTTP/2 is known too");
}

fn behind_a_balancer(port: u16) -> Proxy {
    let listener = "listener_filters: [{name: envoy.filters.listener.proxy_protocol, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol}}]";
    let cluster = format!("type: STATIC, {}", endpoints("127.0.0.1", port));
    Proxy::on_bootstrap(&bootstrap(listener, "use_remote_address: true", "", TO_CART, &cluster))
}

/// What a client sees that sends these bytes, cut there.
fn cut(proxy: &Proxy, bytes: &[u8], at: usize) -> Option<Message> {
    let mut connection = Connection::to(proxy.listen).expect("a connection");
    connection.send(&bytes[..at]).expect("sent");
    std::thread::yield_now();
    // Whoever refuses may close amid it.
    let _ = connection.send(&bytes[at..]);
    connection.answer().ok().flatten()
}

#[test]
fn a_proxy_header_of_either_version_names_the_client_however_it_is_cut() {
    let backend = Backend::start(|asked| ok(asked.field("x-forwarded-for")));
    let proxy = behind_a_balancer(backend.address.port());
    let ask = b"GET / HTTP/1.1\r\nhost: cart\r\n\r\n";
    let line = b"PROXY TCP4 203.0.113.7 127.0.0.1 40000 80\r\n".to_vec();
    let mut binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    binary.extend([203, 0, 113, 7, 127, 0, 0, 1, 0x9c, 0x40, 0, 80]);
    for header in [line, binary] {
        let all = [&header, &ask[..]].concat();
        for at in 0..=header.len() {
            let answer = cut(&proxy, &all, at).expect("an answer");
            assert_eq!((answer.status(), answer.text().as_str()), (200, "203.0.113.7"), "cut at {at}");
        }
    }
}

#[test]
fn a_client_without_a_proxy_header_is_not_served_where_one_is_due() {
    let backend = Backend::named("cart");
    let proxy = behind_a_balancer(backend.address.port());
    let ask = "GET / HTTP/1.1\r\nhost: cart\r\n\r\n";
    for header in [
        "",
        "PROXY \r\n",
        "PROXY TCP4 nonsense\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 99999 80\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
        "PROXY TCP6 1.2.3.4\r\n",
        "proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY UNIX a b 1 2\r\n",
        "\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c",
    ] {
        assert!(cut(&proxy, format!("{header}{ask}").as_bytes(), 0).is_none(), "{}", header.escape_debug());
    }
    let endless = format!("PROXY {}", "x".repeat(100_000));
    assert!(cut(&proxy, endless.as_bytes(), 0).is_none());
    assert!(backend.asked().is_empty());
    // Health checks of a balancer say that they are nobody.
    assert_eq!(cut(&proxy, format!("PROXY UNKNOWN\r\n{ask}").as_bytes(), 0).map(|answer| answer.status()), Some(200));
}

#[test]
fn connect_is_a_tunnel_where_it_is_configured_and_403_where_it_is_not() {
    let route = "{match: {connect_matcher: {}}, route: {cluster: cart, upgrade_configs: [{upgrade_type: CONNECT}]}}";
    let accepting = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let (mut head, mut byte) = (Vec::new(), [0]);
                    while !head.ends_with(b"\r\n\r\n") {
                        stream.read_exact(&mut byte)?;
                        head.push(byte[0]);
                    }
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
                    let mut bytes = [0; 1024];
                    while let Ok(read @ 1..) = stream.read(&mut bytes) {
                        stream.write_all(&bytes[..read])?;
                    }
                    Ok::<(), std::io::Error>(())
                });
            }
        });
        address
    };
    let cluster = format!("type: STATIC, {}", endpoints("127.0.0.1", accepting.port()));
    let proxy = Proxy::on_bootstrap(&bootstrap("", "", "", route, &cluster));
    let mut connection = proxy.connect();
    connection.send("CONNECT db.example:5432 HTTP/1.1\r\nhost: db.example:5432\r\n\r\n").expect("sent");
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        let mut byte = [0];
        assert_eq!(connection.read(&mut byte).expect("a byte"), 1, "{text}");
        text.push(char::from(byte[0]));
    }
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    connection.send("\0tunnelled").expect("sent");
    let mut back = [0; 10];
    let mut filled = 0;
    while filled < back.len() {
        filled += connection.read(&mut back[filled..]).expect("bytes");
    }
    assert_eq!(&back, b"\0tunnelled");
    let without = Proxy::on_bootstrap(&bootstrap("", "", "", TO_CART, &cluster));
    let answer = without.connect().ask("CONNECT db.example:5432 HTTP/1.1\r\nhost: db.example:5432\r\n\r\n");
    assert!(matches!(answer.status(), 403 | 404), "{}", answer.status());
    until("both are over", || without.metric("envoy_cluster_upstream_rq_active{", "cart") < 1.0);
}
