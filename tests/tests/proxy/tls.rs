//! TLS on either side: what is shown, what is believed, and what is told when it is not.

use squall_tests::http::Backend;
use squall_tests::proxy::{Proxy, slice};
use squall_tests::tls::{self, Authority};
use squall_tests::until;

/// The service `cart` behind TLS as `settings` say; files of an authority and of an identity stand beside.
fn towards(backend: &tls::Backend, authority: &Authority, settings: &str) -> Proxy {
    let rule = squall_tests::proxy::rule(&format!("{{tls: {settings}}}"));
    let slices = slice("", backend.address.port());
    let client = authority.identity(&["client"]);
    let files = [
        ("policies.yaml", rule.as_str()),
        ("endpoints.yaml", &slices),
        ("ca.pem", &authority.certificate),
        ("client.pem", &client.certificate),
        ("client.key", &client.key),
    ];
    Proxy::with_files(&files, &["--policies", "policies.yaml", "--endpoints", "endpoints.yaml"])
}

#[test]
fn simple_tls_asks_by_sni_and_believes_what_the_authority_signed_for_the_names() {
    let authority = Authority::default();
    let backend = tls::Backend::start(&authority.identity(&["cart.example"]), None);
    let proxy = towards(
        &backend,
        &authority,
        "{mode: SIMPLE, sni: cart.example, subjectAltNames: [cart.example], caCertificates: ca.pem}",
    );
    assert_eq!(proxy.get("/").text(), "secure");
    let (name, showed, request) = &backend.seen()[0];
    assert_eq!((name.as_deref(), *showed, request.field("host")), (Some("cart.example"), false, "cart"));
}

#[test]
fn a_certificate_for_another_name_is_503_uf_and_no_byte_of_the_request_goes_out() {
    let authority = Authority::default();
    let backend = tls::Backend::start(&authority.identity(&["other.example"]), None);
    let proxy = towards(
        &backend,
        &authority,
        "{mode: SIMPLE, sni: cart.example, subjectAltNames: [cart.example], caCertificates: ca.pem}",
    );
    let answer = proxy.get("/");
    assert_eq!(answer.status(), 503);
    let line = &proxy.access_log(1)[0];
    assert_eq!(line["response_flags"], "URX,UF");
    let reason = line["upstream_transport_failure_reason"].as_str().unwrap_or_default();
    assert!(reason.contains("invalid_peer_certificate"), "{line}");
    assert!(backend.seen().is_empty());
}

#[test]
fn a_certificate_of_a_stranger_is_not_believed() {
    let (authority, stranger) = (Authority::default(), Authority::default());
    let backend = tls::Backend::start(&stranger.identity(&["cart.example"]), None);
    let proxy = towards(&backend, &authority, "{mode: SIMPLE, sni: cart.example, caCertificates: ca.pem}");
    assert_eq!(proxy.get("/").status(), 503);
    assert!(backend.seen().is_empty());
}

#[test]
fn mutual_tls_shows_a_certificate_of_its_own() {
    let authority = Authority::default();
    let backend = tls::Backend::start(&authority.identity(&["cart.example"]), Some(&authority));
    let proxy = towards(
        &backend,
        &authority,
        "{mode: MUTUAL, sni: cart.example, caCertificates: ca.pem, clientCertificate: client.pem, privateKey: client.key}",
    );
    assert_eq!(proxy.get("/").text(), "secure");
    assert!(backend.seen()[0].1, "a certificate was shown");
}

fn gateway(tls: &str, authority: &Authority) -> (Proxy, Backend) {
    let backend = Backend::named("cart");
    let policies = format!(
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: edge}}\nspec:\n  selector: {{istio: ingressgateway}}\n  servers: [{{port: {{number: 443, name: https, protocol: HTTPS}}, hosts: [shop.example], tls: {tls}}}]\n\
         ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: shop}}\nspec: {{hosts: [shop.example], gateways: [edge], http: [{{route: [{{destination: {{host: cart}}}}]}}]}}\n\
         ---\napiVersion: v1\nkind: Service\nmetadata: {{name: cart}}\nspec: {{ports: [{{name: http, port: 80}}]}}\n"
    );
    let shown = authority.identity(&["shop.example"]);
    let slices = slice("http", backend.address.port());
    let files = [
        ("policies.yaml", policies.as_str()),
        ("endpoints.yaml", &slices),
        ("ca.pem", &authority.certificate),
        ("shop.pem", &shown.certificate),
        ("shop.key", &shown.key),
    ];
    let proxy = Proxy::at_the_edge(&files, &["443=127.0.0.1:0"]);
    (proxy, backend)
}

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n";

#[test]
fn a_gateway_ends_tls_and_offers_http2_before_http1() {
    let authority = Authority::default();
    let (proxy, backend) = gateway("{mode: SIMPLE, serverCertificate: shop.pem, privateKey: shop.key}", &authority);
    let ask = |protocols: &[&str], request| {
        tls::ask(proxy.listen, (&authority, None), ("shop.example", protocols), request).expect("a handshake")
    };
    assert_eq!(ask(&["http/1.1", "h2"], "").0.as_deref(), Some("h2"));
    let (agreed, answer) = ask(&["http/1.1"], REQUEST);
    assert_eq!((agreed.as_deref(), answer.expect("an answer").text().as_str()), (Some("http/1.1"), "cart"));
    assert_eq!(backend.asked()[0].field("x-forwarded-proto"), "https");
}

#[test]
fn a_gateway_of_mutual_tls_turns_away_who_shows_nothing_or_something_of_a_stranger() {
    let (authority, stranger) = (Authority::default(), Authority::default());
    let (proxy, backend) = gateway(
        "{mode: MUTUAL, serverCertificate: shop.pem, privateKey: shop.key, caCertificates: ca.pem}",
        &authority,
    );
    let known = authority.identity(&["client"]);
    let unknown = stranger.identity(&["client"]);
    let ask = |identity| tls::ask(proxy.listen, (&authority, identity), ("shop.example", &["http/1.1"]), REQUEST);
    assert!(!matches!(ask(None), Ok((_, Some(_)))), "nothing was shown");
    assert!(!matches!(ask(Some(&unknown)), Ok((_, Some(_)))), "a stranger's was shown");
    assert!(backend.asked().is_empty());
    let (_, answer) = ask(Some(&known)).expect("a handshake");
    assert_eq!(answer.expect("an answer").text(), "cart");
}

#[test]
fn a_connection_stays_with_the_chain_that_it_has_shaken_hands_with_whatever_a_reload_puts_in_its_place() {
    let authority = Authority::default();
    let backend = Backend::named("cart");
    let server = |name: &str, tls: &str| {
        format!(
            "{{port: {{number: 443, name: {name}, protocol: HTTPS}}, hosts: [{name}.example], tls: {{{tls}, serverCertificate: shop.pem, privateKey: shop.key}}}}"
        )
    };
    let policies = |servers: &[String]| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: edge}}\nspec: {{selector: {{istio: ingressgateway}}, servers: [{}]}}\n\
             ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: shop}}\nspec: {{hosts: ['*'], gateways: [edge], http: [{{route: [{{destination: {{host: cart}}}}]}}]}}\n\
             ---\napiVersion: v1\nkind: Service\nmetadata: {{name: cart}}\nspec: {{ports: [{{name: http, port: 80}}]}}\n",
            servers.join(", ")
        )
    };
    let open = server("open", "mode: SIMPLE");
    let open_no_more = server("open", "mode: MUTUAL, caCertificates: ca.pem");
    let closed = server("closed", "mode: MUTUAL, caCertificates: ca.pem");
    let shown = authority.identity(&["open.example", "closed.example"]);
    let both = policies(&[open.clone(), closed.clone()]);
    let slices = slice("http", backend.address.port());
    let files = [
        ("policies.yaml", both.as_str()),
        ("endpoints.yaml", &slices),
        ("ca.pem", &authority.certificate),
        ("shop.pem", &shown.certificate),
        ("shop.key", &shown.key),
    ];
    let proxy = Proxy::at_the_edge(&files, &["443=127.0.0.1:0"]);
    let request = |host: &str| format!("GET / HTTP/1.1\r\nhost: {host}.example\r\n\r\n");
    let connect = || tls::Client::to(proxy.listen, (&authority, None), ("open.example", &["http/1.1"]));
    let connect = || connect().expect("a handshake");
    let ask = |client: &mut tls::Client, host| client.ask(&request(host)).expect("an answer").expect("an answer");
    let reload = |servers: &[String]| {
        let reloads = proxy.stat("server.reloads");
        proxy.write_policies(&policies(servers));
        until("it is taken up", || proxy.stat("server.reloads") > reloads);
    };

    // Another chain that stands ahead changes nothing.
    let (mut before, mut stranger) = (connect(), connect());
    reload(&[closed.clone(), open]);
    let answer = ask(&mut before, "open");
    assert_eq!((answer.text().as_str(), answer.field("connection")), ("cart", ""));
    assert_eq!(ask(&mut stranger, "closed").status(), 404);

    // A chain that asks for a certificate now is another one: whoever is connected without is told to go.
    reload(&[closed.clone(), open_no_more]);
    let answer = ask(&mut before, "open");
    assert_eq!((answer.text().as_str(), answer.field("connection")), ("cart", "close"));

    // In the place of the chain that has gone there is one that this client has shown nothing.
    reload(&[closed]);
    let answer = ask(&mut stranger, "closed");
    assert_eq!((answer.status(), answer.field("connection")), (404, "close"));
    assert_eq!(backend.asked().len(), 2);
}
