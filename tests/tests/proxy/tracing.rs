//! Spans of requests, at collectors that speak OpenTelemetry's protocol or Zipkin's, and the context that goes on with a request.

use nix::sys::signal::Signal;
use serde_json::Value;
use squall_tests::bootstrap::{Bootstrap, endpoint};
use squall_tests::http::{Backend, Message, get, ok, status};
use squall_tests::proxy::Proxy;
use squall_tests::{http2, until};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
const OVER_HTTP: &str = "\"@type\": type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig, service_name: shop, \
    http_service: {http_uri: {uri: \"http://collector/v1/traces\", cluster: collector, timeout: 1s}}";
const OVER_GRPC: &str = "\"@type\": type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig, service_name: shop, \
    grpc_service: {envoy_grpc: {cluster_name: collector}}";
const ZIPKIN: &str = "\"@type\": type.googleapis.com/envoy.config.trace.v3.ZipkinConfig, collector_cluster: collector, \
    collector_endpoint: /api/v2/spans, collector_endpoint_version: HTTP_JSON, collector_hostname: zipkin.example";

/// A proxy in front of `cart` that tries again after a 5xx, and tells a collector of spans.
fn traced(provider: &str, more: &str, cart: &Backend, collector: SocketAddr) -> Proxy {
    let manager = format!(
        "internal_address_config: {{cidr_ranges: [{{address_prefix: 10.0.0.0, prefix_len: 8}}]}}, tracing: {{provider: {{name: tracer, typed_config: {{{provider}}}}}{more}}}"
    );
    let bootstrap = Bootstrap {
        top: "node: {id: shop-1, cluster: shop}",
        manager: &manager,
        action: "retry_policy: {retry_on: 5xx}",
        ..Bootstrap::default()
    };
    let endpoints = format!("{{cluster_name: collector, endpoints: [{{lb_endpoints: [{}]}}]}}", endpoint(collector));
    Proxy::on_bootstrap(&format!(
        "{}  - {{name: collector, connect_timeout: 5s, load_assignment: {endpoints}}}\n",
        bootstrap.text(&[cart.address])
    ))
}

/// Fails once, then answers.
fn failing_once() -> Backend {
    let failed = AtomicBool::new(false);
    Backend::start(move |_| if failed.swap(true, Ordering::SeqCst) { ok("cart") } else { status(503) })
}

fn asked(proxy: &Proxy, fields: &str) -> Message {
    get(proxy.listen, "/items", &format!("host: cart\r\n{fields}"))
}

#[test]
fn a_request_and_each_of_its_tries_are_told_to_a_collector_over_http_and_over_grpc() {
    for grpc in [false, true] {
        let collector = Backend::start(|_| status(200));
        let grpc_collector = http2::Backend::start(|_| http2::grpc(b"\0\0\0\0\0", "0"));
        let cart = failing_once();
        let (provider, address) =
            if grpc { (OVER_GRPC, grpc_collector.address) } else { (OVER_HTTP, collector.address) };
        let proxy = traced(provider, ", spawn_upstream_span: true", &cart, address);
        let context = format!("traceparent: 00-{TRACE}-{CALLER}-01\r\ntracestate: a=b\r\nx-request-id: mine\r\n");
        assert_eq!(asked(&proxy, &context).status(), 200);

        let tries = cart.asked();
        let parents: Vec<_> = tries.iter().map(|asked| asked.field("traceparent").to_owned()).collect();
        assert_eq!(parents.len(), 2);
        assert!(parents.iter().all(|parent| parent.starts_with(&format!("00-{TRACE}-")) && parent.ends_with("-01")));
        assert_ne!(parents[0], parents[1], "each try is a span of its own");
        assert!(tries.iter().all(|asked| asked.field("tracestate") == "a=b" && asked.field("x-request-id") == "mine"));

        let told = || -> Vec<Vec<u8>> {
            if grpc {
                // Not compressed, and the length.
                grpc_collector.asked().iter().map(|asked| asked.body[5..].to_vec()).collect()
            } else {
                collector.asked().iter().map(|asked| asked.body.clone()).collect()
            }
        };
        until("three spans are told", || told().iter().flat_map(|message| spans(message)).count() == 3);
        let spans: Vec<_> = told().iter().flat_map(|message| spans(message)).collect();
        assert!(spans.iter().all(|span| span.trace == TRACE));
        let request = spans.iter().find(|span| span.name == "ingress").expect("a span of the request");
        assert_eq!(request.parent, CALLER);
        let of_tries: Vec<_> = spans.iter().filter(|span| span.name == "router cart egress").collect();
        assert!(of_tries.iter().all(|span| span.parent == request.span), "{spans:?}");
        let named: Vec<_> = of_tries.iter().map(|span| format!("00-{TRACE}-{}-01", span.span)).collect();
        assert_eq!(named, parents);
        if grpc {
            let asked = &grpc_collector.asked()[0];
            assert_eq!(asked.head.uri().path(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
            assert_eq!(asked.field("content-type"), "application/grpc");
        } else {
            let asked = &collector.asked()[0];
            assert_eq!((asked.target(), asked.field("content-type")), ("/v1/traces", "application/x-protobuf"));
        }
    }
}

#[test]
fn what_is_not_sampled_goes_on_unsampled_and_is_not_told() {
    let (collector, cart) = (Backend::start(|_| status(200)), Backend::named("cart"));
    let proxy = traced(OVER_HTTP, ", random_sampling: {value: 0}", &cart, collector.address);
    let _ = asked(&proxy, "");
    let _ = asked(&proxy, &format!("traceparent: 00-{TRACE}-{CALLER}-00\r\n"));
    let _ = asked(&proxy, "x-forwarded-for: 10.0.0.1\r\nx-envoy-force-trace: true\r\n");
    let seen = cart.asked();
    let ends: Vec<_> = seen.iter().map(|asked| &asked.field("traceparent")[52..]).collect();
    assert_eq!(ends, ["-00", "-00", "-01"]);
    // The fifteenth letter of the number: 4 where it is not traced, `a` where that was forced.
    let letters: Vec<_> = seen.iter().map(|asked| &asked.field("x-request-id")[14..15]).collect();
    assert_eq!(letters, ["4", "4", "a"]);
    until("the one that was asked for is told", || !collector.asked().is_empty());
    let told: Vec<_> = collector.asked().iter().flat_map(|asked| spans(&asked.body)).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(seen[2].field("traceparent").contains(&told[0].span));
}

#[test]
fn under_zipkin_the_context_is_b3_and_spans_are_json() {
    for shared in [false, true] {
        let (collector, cart) = (Backend::start(|_| status(202)), failing_once());
        let provider = format!("{ZIPKIN}, shared_span_context: {shared}");
        let proxy = traced(&provider, "", &cart, collector.address);
        let context = format!("x-b3-traceid: {TRACE}\r\nx-b3-spanid: {CALLER}\r\nx-b3-sampled: 1\r\n");
        assert_eq!(asked(&proxy, &context).status(), 200);
        let seen = &cart.asked()[1];
        assert_eq!((seen.field("x-b3-traceid"), seen.field("x-b3-sampled")), (TRACE, "1"));
        assert_eq!((seen.field("b3"), seen.field("traceparent")), ("", ""));
        assert_eq!(seen.field("x-b3-spanid") == CALLER, shared);
        assert_eq!(seen.field("x-b3-parentspanid"), if shared { "" } else { CALLER });

        until("the span is told", || !collector.asked().is_empty());
        let asked = &collector.asked()[0];
        assert_eq!((asked.target(), asked.field("host")), ("/api/v2/spans", "zipkin.example"));
        assert_eq!(asked.field("content-type"), "application/json");
        let told: Value = serde_json::from_slice(&asked.body).expect("JSON");
        let [span] = told.as_array().expect("a list").as_slice() else { panic!("one span: {told}") };
        assert_eq!((&span["traceId"], &span["id"]), (&TRACE.into(), &seen.field("x-b3-spanid").into()));
        assert_eq!((&span["kind"], &span["localEndpoint"]["serviceName"]), (&"SERVER".into(), &"shop".into()));
        assert_eq!(span["shared"] == true, shared);
        assert_eq!(span["tags"]["http.status_code"], "200");
    }
}

#[test]
fn on_term_the_spans_that_wait_are_told_however_many() {
    let (collector, cart) = (Backend::start(|_| status(200)), Backend::named("cart"));
    let mut proxy = traced(OVER_HTTP, "", &cart, collector.address);
    let mut connection = proxy.connect();
    for _ in 0..600 {
        assert_eq!(connection.ask("GET / HTTP/1.1\r\nhost: cart\r\n\r\n").status(), 200);
    }
    drop(connection);
    proxy.signal(Signal::SIGTERM);
    assert!(proxy.ended().success());
    let told = collector.asked().iter().map(|asked| spans(&asked.body).len()).sum::<usize>();
    assert_eq!(told, 600);
}

/// What a span says of itself; numbers in hexadecimal digits.
#[derive(Debug)]
struct Span {
    trace: String,
    span: String,
    parent: String,
    name: String,
}

/// The spans of an `ExportTraceServiceRequest`.
fn spans(message: &[u8]) -> Vec<Span> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let below = |message: &[u8], number| -> Vec<Vec<u8>> {
        fields(message).into_iter().filter(|(field, _)| *field == number).map(|(_, bytes)| bytes).collect()
    };
    let first = |message: &[u8], number| below(message, number).into_iter().next().unwrap_or_default();
    let resources = below(message, 1);
    let scopes = resources.iter().flat_map(|resource| below(resource, 2));
    let all = scopes.flat_map(|scope| below(&scope, 2));
    all.map(|span| Span {
        trace: hex(&first(&span, 1)),
        span: hex(&first(&span, 2)),
        parent: hex(&first(&span, 4)),
        name: String::from_utf8(first(&span, 5)).expect("a name is a text"),
    })
    .collect()
}

/// The fields of a message of protobuf that hold bytes.
fn fields(mut message: &[u8]) -> Vec<(u64, Vec<u8>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let length = bytes.iter().position(|byte| *byte < 0x80).expect("an end") + 1;
        let (number, rest) = bytes.split_at(length);
        *bytes = rest;
        number.iter().rev().fold(0, |all, byte| all << 7 | u64::from(byte & 0x7f))
    }
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let length = match tag & 7 {
            0 => {
                varint(&mut message);
                continue;
            }
            1 => 8,
            _ => varint(&mut message) as usize,
        };
        let (bytes, rest) = message.split_at(length);
        found.push((tag >> 3, bytes.to_vec()));
        message = rest;
    }
    found
}
