//! Kubernetes' Gateway API: what its gateways and routes are obeyed to mean.

use squall_tests::http::streams::{self, Request};
use squall_tests::http::{Answer, Backend, Message, get};
use squall_tests::proxy::{Proxy, slice};

/// A gateway for a host and all below it, and the service behind it.
const EDGE: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: squall
  listeners: [{name: web, port: 80, protocol: HTTP, hostname: '*.example.com'}]
---
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {ports: [{name: PROTOCOL, port: 80}]}
";

/// A route of a parent, with these rules.
fn route(kind: &str, parent: &str, rules: &str) -> String {
    format!(
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: {kind}\nmetadata: {{name: shop}}\nspec:\n  parentRefs: [{parent}]\n  rules:\n{rules}\n"
    )
}

/// The gateway with a route, in front of a backend whose port has this name.
fn edge(protocol: &str, route: &str, backend: &Backend) -> Proxy {
    let policies = format!("{}{route}", EDGE.replace("PROTOCOL", protocol));
    let slices = slice(protocol, backend.address.port());
    let files = [("policies.yaml", policies.as_str()), ("endpoints.yaml", &slices)];
    let labels = "gateway.networking.k8s.io/gateway-name=edge";
    let inputs = ["--policies", "policies.yaml", "--endpoints", "endpoints.yaml"];
    let edge = ["--mode", "gateway", "--labels", labels, "--listen", "80=127.0.0.1:0"];
    Proxy::with_files(&files, &[&inputs[..], &edge].concat())
}

fn ask(proxy: &Proxy, host: &str, path: &str) -> Message {
    get(proxy.listen, path, &format!("host: {host}\r\n"))
}

#[test]
fn a_gateway_serves_the_routes_bound_to_it_under_the_hosts_of_its_listener() {
    let backend = Backend::named("cart");
    let rules = "  - matches: [{path: {value: /cart}}]
    filters:
    - {type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}
    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-by, value: route}]}}
    backendRefs: [{name: cart, port: 80}]
  - matches: [{path: {type: Exact, value: /old}}]
    filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /cart}}}]";
    let proxy = edge("http", &route("HTTPRoute", "{name: edge}", rules), &backend);
    assert_eq!(ask(&proxy, "shop.example.com", "/cart/7").text(), "cart");
    assert_eq!((backend.asked()[0].target(), backend.asked()[0].field("x-by")), ("/7", "route"));
    assert_eq!(ask(&proxy, "shop.example.com", "/cartography").status(), 404, "prefixes are of whole segments");
    let moved = ask(&proxy, "shop.example.com", "/old");
    assert_eq!(moved.status(), 302);
    assert!(moved.field("location").ends_with("/cart"), "{}", moved.field("location"));
    assert_eq!(ask(&proxy, "shop.example.org", "/cart/7").status(), 404, "the listener has other hosts");
}

#[test]
fn without_a_backend_it_is_500() {
    let backend = Backend::named("cart");
    let rules = "  - matches: [{path: {value: /none}}]
  - {matches: [{path: {value: /nothing}}], backendRefs: [{name: cart, port: 80, weight: 0}]}
  - {matches: [{path: {value: /absent}}], backendRefs: [{name: absent, port: 80}]}
  - {matches: [{path: {value: /port}}], backendRefs: [{name: cart, port: 81}]}
  - {matches: [{path: {value: /cart}}], backendRefs: [{name: cart, port: 80}]}";
    let proxy = edge("http", &route("HTTPRoute", "{name: edge}", rules), &backend);
    for path in ["/none", "/nothing", "/absent", "/port"] {
        assert_eq!(ask(&proxy, "shop.example.com", path).status(), 500, "{path}");
    }
    assert_eq!(ask(&proxy, "shop.example.com", "/cart").status(), 200);
    assert_eq!(backend.asked().len(), 1);
}

#[test]
fn a_route_of_a_service_is_for_its_callers_in_the_mesh() {
    let backend = Backend::named("cart");
    let rules = "  - {matches: [{path: {value: /cart}}], backendRefs: [{name: cart, port: 80}]}
  - filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: x-by, value: route}]}}]
    backendRefs: [{name: cart, port: 80}]";
    let proxy = Proxy::start(&route("HTTPRoute", "{kind: Service, group: '', name: cart}", rules), &[&backend]);
    assert_eq!((proxy.get("/cart").text().as_str(), proxy.get("/cart").field("x-by")), ("cart", ""));
    assert_eq!((proxy.get("/").text().as_str(), proxy.get("/").field("x-by")), ("cart", "route"));
}

#[test]
fn a_route_of_grpc_knows_services_and_methods() {
    let backend = Backend::http2(|asked| {
        Answer::Trailers(200, "content-type: application/grpc\r\n", asked.target().into(), "grpc-status: 0\r\n")
    });
    let rules = "  - matches: [{method: {service: shop.Cart, method: Add}}]
    filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-by, value: route}]}}]
    backendRefs: [{name: cart, port: 80}]
  - {matches: [{method: {service: shop.Pay}}]}";
    let proxy = edge("grpc", &route("GRPCRoute", "{name: edge}", rules), &backend);
    let call = |path: &str| {
        let fields = [("content-type", "application/grpc"), ("te", "trailers")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let authority = "shop.example.com".to_owned();
        let request =
            Request { method: "POST".to_owned(), authority, path: path.to_owned(), fields, ..Request::default() };
        streams::ask(proxy.listen, &request)
    };
    let answer = call("/shop.Cart/Add");
    assert_eq!((answer.text().as_str(), answer.trailers["grpc-status"].as_str()), ("/shop.Cart/Add", "0"));
    assert_eq!(backend.asked()[0].field("x-by"), "route");
    // 404 is UNIMPLEMENTED in gRPC, and 500 UNKNOWN.
    for (path, code) in [("/shop.Cart/Remove", "12"), ("/shop.Pay/Pay", "2")] {
        let answer = call(path);
        assert_eq!((answer.status(), answer.field("grpc-status")), (200, code), "{path}");
    }
    assert_eq!(backend.asked().len(), 1);
}
