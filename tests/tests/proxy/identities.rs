//! Who is who by TLS: which certificate a client is shown, whose names are believed, and what is told of a client.

use squall_tests::bootstrap::Bootstrap;
use squall_tests::http::{Backend, Message};
use squall_tests::proxy::{Proxy, rule, slice};
use squall_tests::tls::{self, Authority, Identity};

const DOWNSTREAM: &str = "transport_socket: {name: tls, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext, ";

/// A transport socket that shows the certificates `NAME.pem`, with further fields of it and of its common part.
fn tls(names: &[&str], fields: &str, common: &str) -> String {
    let pairs: Vec<String> = names
        .iter()
        .map(|name| format!("{{certificate_chain: {{filename: {name}.pem}}, private_key: {{filename: {name}.key}}}}"))
        .collect();
    format!("{DOWNSTREAM}{fields}common_tls_context: {{tls_certificates: [{}]{common}}}}}}}", pairs.join(", "))
}

/// A proxy on a bootstrap, with identities as files beside it.
fn on(bootstrap: &str, authority: &Authority, identities: &[(&str, &Identity)]) -> Proxy {
    let named: Vec<(String, &str)> = identities
        .iter()
        .flat_map(|(name, identity)| {
            [(format!("{name}.pem"), identity.certificate.as_str()), (format!("{name}.key"), identity.key.as_str())]
        })
        .collect();
    let mut files = vec![("envoy.yaml", bootstrap), ("ca.pem", authority.certificate.as_str())];
    files.extend(named.iter().map(|(name, text)| (name.as_str(), *text)));
    Proxy::with_files(&files, &["--envoy-bootstrap", "envoy.yaml"])
}

fn request(host: &str) -> String {
    format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n")
}

fn ask(proxy: &Proxy, authority: &Authority, identity: Option<&Identity>, name: &str) -> Option<Message> {
    let asked = tls::ask(proxy.listen, (authority, identity), (name, &["http/1.1"]), &request(name));
    asked.ok().and_then(|(_, answer)| answer)
}

#[test]
fn of_several_certificates_the_one_for_the_asked_name_is_shown_and_else_the_first() {
    let authority = Authority::default();
    let first = authority.identity(&["first.example"]);
    let wild = authority.identity(&["*.shop.example"]);
    let exact = authority.identity(&["cart.shop.example"]);
    let socket = tls(&["first", "wild", "exact"], "", "");
    let bootstrap = Bootstrap { chain: &socket, ..Bootstrap::default() };
    let backend = Backend::named("cart");
    let identities = [("first", &first), ("wild", &wild), ("exact", &exact)];
    let proxy = on(&bootstrap.text(&[backend.address]), &authority, &identities);
    let certificate = |name: &str| tls::shown(proxy.listen, &authority, name).ok();
    assert_eq!(certificate("cart.shop.example"), Some(exact.der()));
    assert_eq!(certificate("web.shop.example"), Some(wild.der()));
    assert_eq!(certificate("first.example"), Some(first.der()));
    assert_eq!(certificate("other.example"), None, "the first is for another name");
}

#[test]
fn a_chain_is_chosen_by_the_most_specific_server_name_and_else_the_default_one() {
    let authority = Authority::default();
    let names = ["a.shop.example", "*.shop.example", "*.example", "other.test"];
    // No client takes a star for the name under a whole top-level domain.
    let identities =
        names.map(|name| authority.identity(&[name.trim_start_matches("*."), "b.example", "b.shop.example"]));
    let files = ["exact", "wild", "wilder", "other"];
    let answering = |text: &str| {
        Bootstrap::default().manager().replace(
            "route: {cluster: cart}",
            &format!("direct_response: {{status: 200, body: {{inline_string: {text}}}}}"),
        )
    };
    let chain = |at: usize, matches: &str| {
        format!("{{{matches}{}, filters: [{}]}}", tls(&[files[at]], "", ""), answering(files[at]))
    };
    let server_names = |name: &str| format!("filter_chain_match: {{server_names: [\"{name}\"]}}, ");
    // The order in which they stand is not that in which they are tried.
    let chains = [2, 0, 1].map(|at| chain(at, &server_names(names[at]))).join(", ");
    let listener = format!(
        "default_filter_chain: {}, listener_filters: [{{name: tls, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector}}}}]",
        chain(3, "")
    );
    let bootstrap = Bootstrap { chains: &chains, listener: &listener, ..Bootstrap::default() };
    let known: Vec<_> = files.iter().copied().zip(&identities).collect();
    let proxy = on(&bootstrap.text(&[Backend::named("cart").address]), &authority, &known);
    for (name, chain) in
        [("a.shop.example", "exact"), ("b.shop.example", "wild"), ("b.example", "wilder"), ("other.test", "other")]
    {
        let answer = ask(&proxy, &authority, None, name).unwrap_or_else(|| panic!("no answer for {name}"));
        assert_eq!(answer.text(), chain, "{name}");
    }
}

/// An edge whose gateway has these servers, and routes every host of `shop.example` to `cart`.
fn gateway(servers: &str, authority: &Authority, identities: &[(&str, &Identity)], backend: &Backend) -> Proxy {
    let policies = format!(
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: edge}}\nspec: {{selector: {{istio: ingressgateway}}, servers: [{servers}]}}\n\
         ---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: shop}}\nspec: {{hosts: [\"*.shop.example\"], gateways: [edge], http: [{{route: [{{destination: {{host: cart}}}}]}}]}}\n\
         ---\napiVersion: v1\nkind: Service\nmetadata: {{name: cart}}\nspec: {{ports: [{{name: http, port: 80}}]}}\n"
    );
    let slices = slice("http", backend.address.port());
    let named: Vec<(String, &str)> = identities
        .iter()
        .flat_map(|(name, identity)| {
            [(format!("{name}.pem"), identity.certificate.as_str()), (format!("{name}.key"), identity.key.as_str())]
        })
        .collect();
    let mut files =
        vec![("policies.yaml", policies.as_str()), ("endpoints.yaml", &slices), ("ca.pem", &authority.certificate)];
    files.extend(named.iter().map(|(name, text)| (name.as_str(), *text)));
    Proxy::at_the_edge(&files, &["443=127.0.0.1:0"])
}

#[test]
fn servers_of_one_port_have_hosts_certificates_and_demands_of_their_own() {
    let authority = Authority::default();
    let (open, closed) = (authority.identity(&["open.shop.example"]), authority.identity(&["closed.shop.example"]));
    let server = |name: &str, tls: &str| {
        format!(
            "{{port: {{number: 443, name: {name}, protocol: HTTPS}}, hosts: [{name}.shop.example], tls: {{serverCertificate: {name}.pem, privateKey: {name}.key, {tls}}}}}"
        )
    };
    let servers = [
        server("open", "mode: SIMPLE"),
        server(
            "closed",
            "mode: MUTUAL, caCertificates: ca.pem, subjectAltNames: [\"spiffe://cluster.local/ns/shop/sa/web\"]",
        ),
    ];
    let backend = Backend::named("cart");
    let proxy = gateway(&servers.join(", "), &authority, &[("open", &open), ("closed", &closed)], &backend);
    let web = authority.identity(&["spiffe://cluster.local/ns/shop/sa/web"]);
    let other = authority.identity(&["spiffe://cluster.local/ns/shop/sa/other"]);
    let ask = |identity, host: &str| ask(&proxy, &authority, identity, host).map(|answer| answer.text());
    assert_eq!(ask(None, "open.shop.example").as_deref(), Some("cart"));
    assert_eq!(ask(None, "closed.shop.example"), None);
    assert_eq!(ask(Some(&other), "closed.shop.example"), None, "signed, and for another name");
    assert_eq!(ask(Some(&web), "closed.shop.example").as_deref(), Some("cart"));
    assert_eq!(ask(None, "third.shop.example"), None, "there is no server for it");
}

#[test]
fn a_gateway_tells_the_upstream_whose_certificate_it_was_and_nothing_that_a_client_says() {
    let authority = Authority::default();
    let shop = authority.identity(&["cart.shop.example"]);
    let backend = Backend::named("cart");
    let server = "{port: {number: 443, name: https, protocol: HTTPS}, hosts: [\"*.shop.example\"], tls: {mode: MUTUAL, serverCertificate: shop.pem, privateKey: shop.key, caCertificates: ca.pem}}";
    let proxy = gateway(server, &authority, &[("shop", &shop)], &backend);
    let web = authority.identity(&["spiffe://web", "web.example"]);
    let request = "GET / HTTP/1.1\r\nhost: cart.shop.example\r\nx-forwarded-client-cert: By=me\r\n\r\n";
    let asked = tls::ask(proxy.listen, (&authority, Some(&web)), ("cart.shop.example", &["http/1.1"]), request);
    assert_eq!(asked.expect("a handshake").1.expect("an answer").status(), 200);
    let asked = backend.asked().remove(0);
    let told = asked.field("x-forwarded-client-cert");
    assert!(told.starts_with(&format!("Hash={};Cert=\"-----BEGIN%20CERTIFICATE-----%0A", web.hash())), "{told}");
    assert!(told.ends_with(";Subject=\"CN=test,O=Shop\\, Ltd\";URI=spiffe://web;DNS=web.example"), "{told}");
    assert_eq!(proxy.access_log(1).len(), 1);
}

/// What arrives of `x-forwarded-client-cert: By=before` where a bootstrap says so, from a client with and without a certificate.
fn told(manager: &str) -> [String; 2] {
    let authority = Authority::default();
    let ours = authority.identity(&["cart.example", "spiffe://cart"]);
    let backend = Backend::named("cart");
    let socket = tls(&["ours"], "", ", validation_context: {trusted_ca: {filename: ca.pem}}");
    let bootstrap = Bootstrap { chain: &socket, manager, ..Bootstrap::default() };
    let proxy = on(&bootstrap.text(&[backend.address]), &authority, &[("ours", &ours)]);
    let web = authority.identity(&["spiffe://web"]);
    let request = "GET / HTTP/1.1\r\nhost: cart.example\r\nx-forwarded-client-cert: By=before\r\n\r\n";
    for identity in [Some(&web), None] {
        let asked = tls::ask(proxy.listen, (&authority, identity), ("cart.example", &["http/1.1"]), request);
        assert_eq!(asked.expect("a handshake").1.expect("an answer").status(), 200);
    }
    let mut seen = backend.asked().into_iter();
    let mut next = || seen.next().expect("a request").field("x-forwarded-client-cert").replace(&web.hash(), "HASH");
    [next(), next()]
}

#[test]
fn each_mode_of_forward_client_cert_details_does_what_it_says() {
    let own = "By=spiffe://cart;Hash=HASH";
    for (mode, shown, without) in [
        ("SANITIZE", String::new(), ""),
        ("FORWARD_ONLY", "By=before".to_owned(), ""),
        ("APPEND_FORWARD", format!("By=before,{own}"), ""),
        ("SANITIZE_SET", own.to_owned(), ""),
        ("ALWAYS_FORWARD_ONLY", "By=before".to_owned(), "By=before"),
    ] {
        assert_eq!(told(&format!("forward_client_cert_details: {mode}")), [shown.as_str(), without], "{mode}");
    }
    let details = "forward_client_cert_details: SANITIZE_SET, set_current_client_cert_details: {subject: true, uri: true, dns: true}";
    assert_eq!(told(details)[0], format!("{own};Subject=\"CN=test,O=Shop\\, Ltd\";URI=spiffe://web"));
}

#[test]
fn names_of_clients_are_matched_by_kind_and_pattern() {
    let authority = Authority::default();
    let ours = authority.identity(&["cart.example"]);
    let backend = Backend::named("cart");
    let web = authority.identity(&["spiffe://cluster.local/ns/shop/sa/web", "web.shop.example", "10.0.0.7"]);
    let taken = |san: &str, matcher: &str| {
        let validation = format!(
            ", validation_context: {{trusted_ca: {{filename: ca.pem}}, match_typed_subject_alt_names: [{{san_type: {san}, matcher: {{{matcher}}}}}]}}"
        );
        let socket = tls(&["ours"], "require_client_certificate: true, ", &validation);
        let bootstrap = Bootstrap { chain: &socket, ..Bootstrap::default() };
        let proxy = on(&bootstrap.text(&[backend.address]), &authority, &[("ours", &ours)]);
        ask(&proxy, &authority, Some(&web), "cart.example").is_some()
    };
    for (san, matcher, expected) in [
        ("URI", "prefix: \"spiffe://cluster.local/ns/shop/\"", true),
        ("URI", "safe_regex: {regex: \".*/sa/(web|app)\"}", true),
        ("URI", "suffix: /sa/app", false),
        ("DNS", "exact: web.shop.example", true),
        ("DNS", "contains: spiffe", false),
        ("IP_ADDRESS", "exact: 10.0.0.7", true),
        ("IP_ADDRESS", "exact: 10.0.0.8", false),
    ] {
        assert_eq!(taken(san, matcher), expected, "{san} {matcher}");
    }
}

#[test]
fn a_server_is_believed_by_its_identity_as_by_its_host() {
    let authority = Authority::default();
    let spiffe = "spiffe://cluster.local/ns/default/sa/cart";
    let backend = tls::Backend::start(&authority.identity(&[spiffe, "*.cart.example"]), None);
    for (names, status) in [
        (format!("\"{spiffe}\""), 200),
        ("\"spiffe://cluster.local/ns/default/sa/web\"".to_owned(), 503),
        ("a.cart.example".to_owned(), 200),
    ] {
        let policy = rule(&format!("{{tls: {{mode: SIMPLE, caCertificates: ca.pem, subjectAltNames: [{names}]}}}}"));
        let slices = slice("", backend.address.port());
        let files =
            [("policies.yaml", policy.as_str()), ("endpoints.yaml", &slices), ("ca.pem", &authority.certificate)];
        let proxy = Proxy::with_files(&files, &["--policies", "policies.yaml", "--endpoints", "endpoints.yaml"]);
        assert_eq!(proxy.get("/").status(), status, "{names}");
    }
}
