use super::*;
use crate::policy::{Address, Command};
use crate::telemetry::{Flag, Flags, Protocol, TlsFacts};
use proptest::prelude::*;
use serde_json::{Value, json};
use squall_http1::Headers;
use std::net::SocketAddr;
use std::time::{Duration, Instant, UNIX_EPOCH};

fn fields(pairs: &[(&str, &[u8])]) -> Headers {
    let mut headers = Headers::new();
    pairs.iter().for_each(|(name, value)| headers.add(name, value));
    headers
}

struct Told {
    request: Headers,
    response: Headers,
    trailers: Headers,
    upstream: Address,
    tls: TlsFacts,
    start: Instant,
}

impl Told {
    fn new() -> Self {
        Self {
            request: fields(&[
                ("x-request-id", b"8f3c-1"),
                ("user-agent", b"curl/8"),
                ("x-forwarded-for", b"9.9.9.9"),
                ("content-type", b"application/grpc"),
            ]),
            response: fields(&[("x-envoy-upstream-service-time", b"7")]),
            trailers: fields(&[("grpc-status", b"5"), ("x-sum", b"ok")]),
            upstream: Address::Socket("10.0.0.7:8080".parse().unwrap()),
            tls: TlsFacts {
                version: "TLSv1.3",
                local_subject: "CN=cart".to_owned(),
                local_uris: vec!["spiffe://a".to_owned()],
                peer_subject: "CN=web".to_owned(),
                peer_uris: vec!["spiffe://b".to_owned(), "spiffe://c".to_owned()],
            },
            start: crate::clock::now(),
        }
    }

    fn info(&self) -> StreamInfo<'_> {
        let at = |millis| self.start + Duration::from_millis(millis);
        let address = |text: &str| Some(text.parse::<SocketAddr>().unwrap());
        StreamInfo {
            request_received: Some(at(2)),
            upstream_began: Some(at(9)),
            protocol: Some(Protocol::Http11),
            method: "GET",
            scheme: "https",
            authority: "cart.shop",
            path: "/v2/items?x=1",
            original_path: "/items?x=1",
            request: &self.request,
            response: &self.response,
            trailers: &self.trailers,
            status: Some(503),
            flags: Flags::from(Flag::RetryLimit).with(Flag::ConnectFailure),
            details: "upstream reset {x}",
            termination_details: "why closed",
            transport_failure: "connection refused",
            received: 11,
            sent: 22,
            connection_id: 3,
            local: address("127.0.0.1:80"),
            remote: address("9.9.9.9:5"),
            direct_remote: address("[::1]:6"),
            tls: Some(&self.tls),
            server_name: "cart.example",
            cluster: "outbound|80||cart",
            upstream_host: Some(&self.upstream),
            upstream_local: address("10.0.0.1:4444"),
            route: "first",
            attempts: 3,
            on_the_wall: Some(UNIX_EPOCH + Duration::from_millis(1_709_210_096_789)),
            ..StreamInfo::new(self.start, at(1234))
        }
    }
}

fn text(format: &str, info: &StreamInfo<'_>) -> String {
    let mut out = Vec::new();
    LineTemplate::new(&standard::text(format).unwrap(), "node-1").line(info, &mut out);
    String::from_utf8(out).unwrap()
}

fn nothing() -> StreamInfo<'static> {
    let now = crate::clock::now();
    StreamInfo { on_the_wall: Some(UNIX_EPOCH), ..StreamInfo::new(now, now) }
}

#[test]
fn every_command_says_what_it_stands_for_and_a_dash_where_that_is_not_known() {
    let told = Told::new();
    let cases = [
        ("BYTES_RECEIVED", "11", "0"),
        ("BYTES_SENT", "22", "0"),
        ("CONNECTION_ID", "3", "0"),
        ("CONNECTION_TERMINATION_DETAILS", "why closed", "-"),
        ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS", "[::1]:6", "-"),
        ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", "::1", "-"),
        ("DOWNSTREAM_LOCAL_ADDRESS", "127.0.0.1:80", "-"),
        ("DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "127.0.0.1", "-"),
        ("DOWNSTREAM_LOCAL_PORT", "80", "-"),
        ("DOWNSTREAM_LOCAL_SUBJECT", "CN=cart", "-"),
        ("DOWNSTREAM_LOCAL_URI_SAN", "spiffe://a", "-"),
        ("DOWNSTREAM_PEER_SUBJECT", "CN=web", "-"),
        ("DOWNSTREAM_PEER_URI_SAN", "spiffe://b,spiffe://c", "-"),
        ("DOWNSTREAM_REMOTE_ADDRESS", "9.9.9.9:5", "-"),
        ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "9.9.9.9", "-"),
        ("DOWNSTREAM_REMOTE_PORT", "5", "-"),
        ("DOWNSTREAM_TLS_VERSION", "TLSv1.3", "-"),
        ("DURATION", "1234", "0"),
        ("GRPC_STATUS", "NotFound", "-"),
        ("GRPC_STATUS(SNAKE_STRING)", "NOT_FOUND", "-"),
        ("GRPC_STATUS(NUMBER)", "5", "-"),
        ("GRPC_STATUS_NUMBER", "5", "-"),
        ("HOSTNAME", "node-1", "node-1"),
        ("METHOD", "GET", "-"),
        ("PATH", "/items?x=1", "-"),
        ("PATH(NQ)", "/items", "-"),
        ("PATH(NQ:PATH)", "/v2/items", "-"),
        ("PATH(WQ:ORIG)", "/items?x=1", "-"),
        ("PROTOCOL", "HTTP/1.1", "-"),
        ("REQ(User-Agent)", "curl/8", "-"),
        ("REQ(X-ENVOY-ORIGINAL-PATH?:PATH)", "/items?x=1", "-"),
        ("REQ(X-NONE?:AUTHORITY)", "cart.shop", "-"),
        ("REQ(:SCHEME)", "https", "-"),
        ("REQUESTED_SERVER_NAME", "cart.example", "-"),
        ("REQUEST_DURATION", "2", "-"),
        ("RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)", "7", "-"),
        ("RESP(:STATUS)", "503", "-"),
        ("RESPONSE_CODE", "503", "0"),
        ("RESPONSE_CODE_DETAILS", "upstream_reset_{x}", "-"),
        ("RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)", "upstream reset {x}", "-"),
        ("RESPONSE_DURATION", "9", "-"),
        ("RESPONSE_FLAGS", "URX,UF", "-"),
        ("ROUTE_NAME", "first", "-"),
        ("START_TIME", "2024-02-29T12:34:56.789Z", "1970-01-01T00:00:00.000Z"),
        ("START_TIME(%s)", "1709210096", "0"),
        ("TRAILER(X-SUM)", "ok", "-"),
        ("UPSTREAM_CLUSTER", "outbound|80||cart", "-"),
        ("UPSTREAM_HOST", "10.0.0.7:8080", "-"),
        ("UPSTREAM_LOCAL_ADDRESS", "10.0.0.1:4444", "-"),
        ("UPSTREAM_REQUEST_ATTEMPT_COUNT", "3", "0"),
        ("UPSTREAM_TRANSPORT_FAILURE_REASON", "connection_refused", "-"),
        ("VIRTUAL_CLUSTER_NAME", "-", "-"),
    ];
    for (command, known, missing) in cases {
        let format = format!("%{command}%");
        assert_eq!(text(&format, &told.info()), known, "{command}");
        assert_eq!(text(&format, &nothing()), missing, "{command}");
    }
    for known in Command::KNOWN {
        assert!(cases.iter().any(|(command, ..)| command.split('(').next() == Some(known)), "{known} is not tested");
    }
}

#[test]
fn a_length_cuts_and_without_one_a_log_cuts_at_a_kibibyte_but_a_field_does_not() {
    let told = Told::new();
    let long = "x".repeat(3000);
    let info = StreamInfo { path: &long, original_path: "", ..told.info() };
    assert_eq!(text("%REQ(USER-AGENT):4%", &info), "curl");
    assert_eq!(text("%REQ(:PATH)%", &info).len(), 1024);
    assert_eq!(text("%REQ(:PATH):2000%", &info).len(), 2000);
    let mut value = Vec::new();
    Template::new(&Format::parse("%REQ(:PATH)%").unwrap(), "").field(&info, &mut value);
    assert_eq!(value.len(), 3000);
}

#[test]
fn a_field_has_nothing_where_a_log_has_a_dash() {
    let mut value = Vec::new();
    Template::new(&Format::parse("a%REQ(x-none)%b").unwrap(), "").field(&nothing(), &mut value);
    assert_eq!(value, b"ab");
}

#[test]
fn envoys_and_istios_lines_have_their_parts_in_order() {
    let told = Told::new();
    let info = StreamInfo { details: "via_upstream", transport_failure: "", termination_details: "", ..told.info() };
    let head = "[2024-02-29T12:34:56.789Z] \"GET /items?x=1 HTTP/1.1\" 503 URX,UF ";
    let tail = "11 22 1234 7 \"9.9.9.9\" \"curl/8\" \"8f3c-1\" \"cart.shop\" \"10.0.0.7:8080\"";
    assert_eq!(text(LogFormat::ENVOY, &info), format!("{head}{tail}\n"));
    let rest = "outbound|80||cart 10.0.0.1:4444 127.0.0.1:80 9.9.9.9:5 cart.example first\n";
    assert_eq!(text(standard::ISTIO, &info), format!("{head}via_upstream - \"-\" {tail} {rest}"));
}

fn read_json(info: &StreamInfo<'_>, pairs: &[(&str, &str)]) -> Value {
    let mut out = Vec::new();
    LineTemplate::new(&standard::json(pairs).unwrap(), "node-1").line(info, &mut out);
    assert_eq!(out.iter().position(|byte| *byte == b'\n'), Some(out.len() - 1));
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn in_json_a_single_command_keeps_its_type_and_what_is_missing_is_null() {
    let told = Told::new();
    let pairs = [
        ("code", "%RESPONSE_CODE%"),
        ("both", "%RESPONSE_CODE% %REQ(x-none)%"),
        ("agent", "%REQ(user-agent)%"),
        ("none", "%REQ(x-none)%"),
        ("port", "%DOWNSTREAM_LOCAL_PORT%"),
        ("time", "%DURATION%"),
        ("status", "%GRPC_STATUS_NUMBER%"),
        ("flags", "%RESPONSE_FLAGS%"),
        ("fixed \"x\"", "say \"hi\""),
    ];
    let expected = json!({
        "code": 503, "both": "503 -", "agent": "curl/8", "none": null, "port": 80, "time": 1234, "status": 5,
        "flags": "URX,UF", "fixed \"x\"": "say \"hi\"",
    });
    assert_eq!(read_json(&told.info(), &pairs), expected);
    assert_eq!(read_json(&nothing(), &pairs)["flags"], "-");
    let keys = read_json(&told.info(), &standard::ISTIO_JSON);
    let keys: Vec<_> = keys.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, standard::ISTIO_JSON.map(|(key, _)| key));
}

proptest! {
    #[test]
    fn any_bytes_in_fields_give_one_line(agent: Vec<u8>, path: String, details: String) {
        let mut request = Headers::new();
        request.add("user-agent", &agent);
        request.add("x-request-id", &agent);
        let info = StreamInfo { request: &request, path: &path, details: &details, authority: &path, ..nothing() };
        for format in [LogFormat::ENVOY, standard::ISTIO] {
            let line = text(format, &info);
            prop_assert!(line.ends_with('\n'));
            prop_assert!(!line.trim_end_matches('\n').chars().any(char::is_control));
            prop_assert_eq!(line.lines().count(), 1);
        }
        let read = read_json(&info, &standard::ISTIO_JSON);
        prop_assert_eq!(read.as_object().unwrap().len(), 24);
    }
}
