//! Where the proxy stands: at the edge, and beside the service.

use squall_tests::http::{Backend, Connection, get};
use squall_tests::proxy::Proxy;
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

fn slices(backend: &Backend) -> String {
    format!(
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: cart-1, labels: {{kubernetes.io/service-name: cart}}}}\naddressType: IPv4\nports: [{{name: http, port: {}}}]\nendpoints: [{{addresses: [127.0.0.1]}}]\n",
        backend.address.port()
    )
}

fn edge(policies: &str, backend: &Backend) -> Proxy {
    Proxy::with_files(
        &[("policies.yaml", policies), ("endpoints.yaml", &slices(backend))],
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
        ],
    )
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
}

#[test]
fn listeners_come_and_go_with_the_policies_and_no_request_is_lost() {
    let backend = Backend::named("cart");
    let second = EDGE.replace(
        "servers: [{",
        "servers: [{port: {number: 8080, name: http-alt, protocol: HTTP}, hosts: [shop.example.com]}, {",
    );
    let arguments = [
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
    ];
    let proxy = Proxy::with_files(&[("policies.yaml", EDGE), ("endpoints.yaml", &slices(&backend))], &arguments);
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
    proxy.write_policies(EDGE);
    until("the second is gone", || std::net::TcpStream::connect(alt).is_err());
    assert_eq!(kept.ask(request).status(), 200);
}
