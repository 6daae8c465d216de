//! Clients and upstreams behind TLS.

use squall_tests::envoy::{Case, Side, case, hold_all};
use squall_tests::http::Connection;
use squall_tests::tls::{self, Authority, Identity};
use std::sync::Arc;

#[test]
fn as_envoy_does() {
    hold_all(&cases());
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [downstream(), upstream(), names(), certificates()].into_iter().flatten().collect()
}

/// What a client has: whom it believes, and who it is.
struct Client {
    authority: Authority,
    identity: Identity,
}

/// A listener behind TLS, and a client of its authority.
fn secure(name: &'static str, fields: &str, common: &str) -> (Case, Arc<Client>) {
    let authority = Authority::default();
    let server = authority.identity(&["cart"]);
    let client = authority.identity(&["client"]);
    let certificate = "{certificate_chain: {filename: server.pem}, private_key: {filename: server.key}}";
    let message = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
    let socket = format!(
        "transport_socket: {{name: envoy.transport_sockets.tls, typed_config: {{\"@type\": {message}, {fields}common_tls_context: {{tls_certificates: [{certificate}]{common}}}}}}}"
    );
    let made = case(name)
        .file("ca.pem", &authority.certificate)
        .file("server.pem", &server.certificate)
        .file("server.key", &server.key)
        .chain(&socket)
        .backend("one", &["200"]);
    (made, Arc::new(Client { authority, identity: client }))
}

/// What TLS came to, and what the answer was.
fn exchange(side: &Side, client: &Client, identity: Option<&Identity>, protocols: &[&str], request: &str) -> String {
    match tls::ask(side.listen, (&client.authority, identity), ("cart", protocols), request) {
        Ok((agreed, Some(answer))) => format!("{agreed:?} {} {}", answer.status(), answer.text()),
        Ok((agreed, None)) => format!("{agreed:?} closed"),
        Err(_) => "refused".to_owned(),
    }
}

/// Each of these requests, with or without the client's certificate.
fn asking(made: (Case, Arc<Client>), shows: bool, requests: &'static [&'static str]) -> Case {
    let (made, client) = made;
    requests.iter().fold(made, |made, request| {
        let client = Arc::clone(&client);
        made.then("over TLS", move |side| {
            let identity = shows.then_some(&client.identity);
            exchange(side, &client, identity, &["http/1.1"], &format!("{}\r\n\r\n", request.replace('|', "\r\n")))
        })
    })
}

const PLAIN: &[&str] = &["GET / HTTP/1.1|host: cart"];
const TOLD: &[&str] = &["GET / HTTP/1.1|host: cart|x-forwarded-client-cert: Hash=1234", "GET / HTTP/1.1|host: cart"];
const BELIEVED: &str = ", validation_context: {trusted_ca: {filename: ca.pem}}";
const H1: &str = ", alpn_protocols: [http/1.1]";

fn downstream() -> Vec<Case> {
    let agreed = |name, ours: &'static str, theirs: &'static [&'static str]| {
        let (made, client) = secure(name, "", ours);
        made.then("the protocol", move |side| exchange(side, &client, None, theirs, ""))
    };
    vec![
        asking(secure("tls_is_taken_off", "", H1), false, PLAIN).stats("http.in.downstream_cx_ssl_total"),
        asking(secure("tls_makes_the_scheme", "", H1), false, &["GET / HTTP/1.1|host: cart|x-forwarded-proto: http"]),
        agreed("a_protocol_is_agreed_on", ", alpn_protocols: [h2, http/1.1]", &["http/1.1", "h2"]),
        agreed("a_protocol_is_not_agreed_on", ", alpn_protocols: [h2]", &["http/1.1"]).differs("no-common-protocol"),
        agreed("a_protocol_is_not_spoken_of", "", &["http/1.1"]),
        asking(secure("a_certificate_is_needed", "require_client_certificate: true, ", BELIEVED), false, PLAIN),
        asking(secure("a_certificate_is_shown", "require_client_certificate: true, ", BELIEVED), true, PLAIN),
        asking(secure("a_certificate_is_not_needed", "", BELIEVED), false, PLAIN),
        asking(
            secure(
                "a_certificate_of_the_name",
                "require_client_certificate: true, ",
                ", validation_context: {trusted_ca: {filename: ca.pem}, match_typed_subject_alt_names: [{san_type: DNS, matcher: {prefix: cli}}]}",
            ),
            true,
            PLAIN,
        ),
        secure("bytes_that_are_no_tls", "", "").0.answers_only().then("an answer of HTTP", |side| {
            let mut connection = Connection::to(side.listen).expect("a connection");
            let _ = connection.send("GET / HTTP/1.1\r\nhost: cart\r\n\r\n");
            // One closes, the other says why in words of TLS first.
            connection
                .answer()
                .is_ok_and(|answer| answer.is_some_and(|answer| answer.line.starts_with("HTTP/")))
                .to_string()
        }),
    ]
}

fn upstream() -> Vec<Case> {
    let message = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    let socket = format!(
        "transport_socket: {{name: envoy.transport_sockets.tls, typed_config: {{\"@type\": {message}, sni: cart, common_tls_context: {{}}}}}}"
    );
    vec![
        // In what words the handshake failed stands in the log, and is the library's own.
        case("an_upstream_that_speaks_no_tls_is_503")
            .cart(&socket)
            .backend("one", &["200"])
            .answers_only()
            .asks(&["GET /", "h2 POST / content-type: application/grpc"]),
        case("an_upstream_that_speaks_no_tls_is_tried_again")
            .cart(&socket)
            .backend("one", &["200"])
            .answers_only()
            .action(
                "retry_policy: {retry_on: connect-failure, num_retries: 2, retry_back_off: {base_interval: 0.001s}}",
            )
            .ask("GET /")
            .stats(".upstream_rq_retry .upstream_rq_retry_limit_exceeded"),
        agreed_on("an_upstream_that_agrees_on_http2_is_asked_in_it", &["h2", "http/1.1"]),
        agreed_on("an_upstream_that_agrees_on_http1_is_asked_in_it", &["http/1.1"]),
        agreed_on("an_upstream_that_agrees_on_nothing_is_asked_in_http1", &[]),
    ]
}

/// An upstream that agrees on one of these protocols, asked in the one that was agreed on.
fn agreed_on(name: &'static str, protocols: &[&str]) -> Case {
    let authority = Authority::default();
    let backend = tls::Backend::speaking(protocols, &authority.identity(&["cart"]), None);
    let (address, port) = (backend.address.ip(), backend.address.port());
    let endpoints = format!(
        "[{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: {address}, port_value: {port}}}}}}}}}]}}]"
    );
    let context = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    let message = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let fields = format!(
        "transport_socket: {{name: envoy.transport_sockets.tls, typed_config: {{\"@type\": {context}, common_tls_context: {{}}}}}}, \
         typed_extension_protocol_options: {{envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{\"@type\": {message}, auto_config: {{http_protocol_options: {{}}, http2_protocol_options: {{}}}}}}}}"
    );
    case(name)
        .backend("unused", &["200"])
        .cluster("cart", &endpoints, &fields)
        .answers_only()
        .asks(&["GET /", "h2 GET /"])
        .stats(".upstream_cx_http1_total .upstream_cx_http2_total")
}

/// Each of these hosts, with the server name that the upstream was asked for.
fn by_host(name: &'static str, trust: &str, options: &str, hosts: &[&str]) -> Case {
    let authority = Authority::default();
    let backend = Arc::new(tls::Backend::start(&authority.identity(&["cart.example", "127.0.0.1"]), None));
    let (address, port) = (backend.address.ip(), backend.address.port());
    let endpoints = format!(
        "[{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: {address}, port_value: {port}}}}}}}}}]}}]"
    );
    let context = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    let socket = format!(
        "transport_socket: {{name: envoy.transport_sockets.tls, typed_config: {{\"@type\": {context}, common_tls_context: {{{trust}}}}}}}"
    );
    let message = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let options = format!(
        "typed_extension_protocol_options: {{envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{\"@type\": {message}, upstream_http_protocol_options: {{{options}}}, explicit_http_config: {{http_protocol_options: {{}}}}}}}}"
    );
    let made = case(name)
        .file("ca.pem", &authority.certificate)
        .backend("unused", &["200"])
        .cluster("cart", &endpoints, &format!("{socket}, {options}"))
        .answers_only();
    hosts.iter().fold(made, |made, host| {
        let backend = Arc::clone(&backend);
        made.ask(&format!("GET / host: {host}"))
            .then("asked for", move |_| format!("{:?}", backend.seen().last().map(|(name, ..)| name.clone())))
    })
}

fn names() -> Vec<Case> {
    let trusted = "validation_context: {trusted_ca: {filename: ca.pem}}";
    vec![
        by_host(
            "a_server_is_asked_for_by_the_name_of_the_host",
            "",
            "auto_sni: true",
            &["cart.example", "cart.example:8443", "other.example", "127.0.0.1", "[::1]:443"],
        ),
        by_host(
            "a_certificate_is_for_the_name_of_the_host",
            trusted,
            "auto_sni: true, auto_san_validation: true",
            &["cart.example", "127.0.0.1", "cart.example:8443", "other.example", "127.0.0.2", "[::1]:443"],
        ),
    ]
}

fn certificates() -> Vec<Case> {
    let told = |name, how: &str| {
        let (made, client) = secure(name, "require_client_certificate: true, ", BELIEVED);
        asking((made.manager(&format!("forward_client_cert_details: {how}")), client), true, TOLD)
    };
    vec![
        told("with_tls_a_certificate_is_dropped", "SANITIZE"),
        told("with_tls_a_certificate_is_forwarded", "FORWARD_ONLY"),
        told("with_tls_a_certificate_is_forwarded_as_it_is", "ALWAYS_FORWARD_ONLY"),
    ]
}
