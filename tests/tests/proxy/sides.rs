//! Where the proxy stands: at the edge, and beside the service.

use squall_tests::http::{Backend, Connection, get};
use squall_tests::proxy::{Proxy, slice};
use squall_tests::until;

const EDGE: &str = "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example.com]
  gateways: [edge]
  http:
  - match: [{uri: {prefix: /cart/}}]
    rewrite: {uri: /}
    route: [{destination: {host: cart}}]
---
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {ports: [{name: http, port: 80}]}
";

fn edge(policies: &str, backend: &Backend) -> Proxy {
    let slices = slice("http", backend.address.port());
    Proxy::at_the_edge(&[("policies.yaml", policies), ("endpoints.yaml", &slices)], &["80=127.0.0.1:0"])
}

#[test]
fn a_gateway_serves_the_hosts_of_its_servers_by_the_virtual_services_bound_to_it() {
    let backend = Backend::named("cart");
    let proxy = edge(EDGE, &backend);
    let ask = |path, host: &str| get(proxy.listen, path, &format!("host: {host}\r\n"));
    assert_eq!(ask("/cart/7", "shop.example.com").text(), "cart");
    assert_eq!(backend.asked()[0].target(), "/7");
    assert_eq!(ask("/other", "shop.example.com").status(), 404);
    assert_eq!(ask("/cart/7", "other.example.com").status(), 404);
    assert_eq!(ask("/cart/7", "cart").status(), 404);
    assert_eq!(ask("/cart/7", "shop.example.com").field("server"), "istio-envoy");
}

#[test]
fn what_a_stranger_says_of_itself_is_not_believed_at_the_edge() {
    let backend = Backend::named("cart");
    let proxy = edge(EDGE, &backend);
    let head = "host: shop.example.com\r\nx-envoy-max-retries: 50\r\nx-forwarded-for: 10.1.2.3\r\nx-forwarded-client-cert: By=me\r\n";
    assert_eq!(get(proxy.listen, "/cart/7", head).status(), 200);
    let asked = &backend.asked()[0];
    assert_eq!((asked.field("x-envoy-max-retries"), asked.field("x-forwarded-client-cert")), ("", ""));
    assert_eq!(asked.field("x-forwarded-for"), "10.1.2.3,127.0.0.1");
    assert_eq!(asked.field("x-envoy-external-address"), "127.0.0.1");
}

#[test]
fn https_redirect_is_301_to_the_same_path() {
    let backend = Backend::named("cart");
    let proxy = edge(
        &EDGE.replace("hosts: [shop.example.com]}]", "hosts: [shop.example.com], tls: {httpsRedirect: true}}]"),
        &backend,
    );
    let answer = get(proxy.listen, "/cart/7?x=1", "host: shop.example.com\r\n");
    assert_eq!((answer.status(), answer.field("location")), (301, "https://shop.example.com/cart/7?x=1"));
}

#[test]
fn beside_the_service_every_request_goes_to_the_application_whatever_its_host() {
    let app = Backend::named("app");
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec: {selector: {app: cart}, ports: [{name: http, port: 80}]}\n";
    let at = app.address.to_string();
    let proxy = Proxy::with_files(
        &[("policies.yaml", service)],
        &[
            "--policies",
            "policies.yaml",
            "--mode",
            "inbound",
            "--app",
            &at,
            "--labels",
            "app=cart",
            "--listen",
            "80=127.0.0.1:0",
        ],
    );
    for host in ["cart", "whoever"] {
        assert_eq!(get(proxy.listen, "/", &format!("host: {host}\r\n")).text(), "app", "{host}");
    }
    assert_eq!(get(proxy.listen, "/", "host: cart\r\n").field("server"), "istio-envoy");
    until("it is counted as the destination", || {
        proxy.metric("istio_requests_total{reporter=\"destination\"", "response_code=\"200\"") >= 3.0
    });
    let mut open = Connection::to(proxy.listen).expect("a connection");
    assert_eq!(open.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").status(), 200);
    assert_eq!(proxy.post("/drain_listeners?inboundonly").status(), 200);
    until("no connection is taken", || Connection::to(proxy.listen).is_err());
    assert_eq!(open.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").status(), 200);
}

#[test]
fn a_sidecar_of_registry_only_refuses_hosts_that_nobody_knows() {
    let backend = Backend::named("cart");
    let sidecar = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: default}\nspec: {egress: [{hosts: ['*/*']}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}}\n";
    let proxy = Proxy::start(sidecar, &[&backend]);
    assert_eq!(proxy.get("/").text(), "cart");
    let unknown = get(proxy.listen, "/", "host: nobody.example\r\n");
    assert_eq!((unknown.status(), unknown.text().as_str()), (502, ""));
    assert_eq!(proxy.access_log(2)[1]["route_name"], "block_all");
}

#[test]
fn listeners_come_and_go_with_the_policies_and_no_request_is_lost() {
    let backend = Backend::named("cart");
    let second = EDGE.replace(
        "servers: [{",
        "servers: [{port: {number: 8080, name: http-alt, protocol: HTTP}, hosts: [shop.example.com]}, {",
    );
    let slices = slice("http", backend.address.port());
    let files = [("policies.yaml", EDGE), ("endpoints.yaml", &slices)];
    let proxy = Proxy::at_the_edge(&files, &["80=127.0.0.1:0", "8080=127.0.0.1:0"]);
    let mut kept = Connection::to(proxy.listen).expect("a connection");
    let request = "GET /cart/7 HTTP/1.1\r\nhost: shop.example.com\r\n\r\n";
    assert_eq!(kept.ask(request).status(), 200);
    let known = || proxy.admin("/listeners").text();
    let number = known().lines().count();
    proxy.write_policies(&second);
    until("the second is there", || known().lines().count() > number);
    assert_eq!(kept.ask(request).status(), 200);
    let alt = known().lines().find(|line| line.contains("8080")).and_then(|line| line.split("::").nth(1)?.parse().ok());
    let alt: std::net::SocketAddr = alt.unwrap_or_else(|| panic!("no address in {}", known()));
    assert_eq!(get(alt, "/cart/7", "host: shop.example.com\r\n").status(), 200);
    let mut idle = Connection::to(alt).expect("a connection");
    assert_eq!(idle.ask(request).status(), 200);
    proxy.write_policies(EDGE);
    until("the second is gone", || std::net::TcpStream::connect(alt).is_err());
    assert_eq!(kept.ask(request).status(), 200);
    // Whoever was connected there is answered once more, and told to go.
    let answer = idle.ask(request);
    assert_eq!((answer.status(), answer.field("connection")), (200, "close"));
    assert_eq!(proxy.access_log(6).len(), 6);
}

#[test]
fn idle_connections_of_a_listener_that_has_gone_are_closed_when_the_drain_time_is_over() {
    let backend = Backend::named("cart");
    let second = EDGE.replace(
        "servers: [{",
        "servers: [{port: {number: 8080, name: http-alt, protocol: HTTP}, hosts: [shop.example.com]}, {",
    );
    let slices = slice("http", backend.address.port());
    let files = [("policies.yaml", second.as_str()), ("endpoints.yaml", &slices)];
    let proxy = Proxy::with_files(
        &files,
        &[
            "--policies",
            "policies.yaml",
            "--endpoints",
            "endpoints.yaml",
            "--mode",
            "gateway",
            "--labels",
            "istio=ingressgateway",
            "--listen",
            "80=127.0.0.1:0",
            "--listen",
            "8080=127.0.0.1:0",
            "--drain-time",
            "1",
        ],
    );
    let alt = proxy.listener("8080");
    let mut idle = Connection::to(alt).expect("a connection");
    assert_eq!(idle.ask("GET /cart/7 HTTP/1.1\r\nhost: shop.example.com\r\n\r\n").status(), 200);
    proxy.write_policies(EDGE);
    assert_eq!(idle.answer().expect("an orderly end").map(|answer| answer.status()), None);
    assert_eq!(proxy.stat("server.reloads"), 1);
}
