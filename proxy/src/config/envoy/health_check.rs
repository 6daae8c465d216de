//! Active checks.

use super::message::Message;
use super::reading::Said;
use super::schema::{GRPC_CHECK, HEALTH_CHECK, HTTP_CHECK, PAYLOAD, TCP_CHECK};
use super::{data, header_match, header_rules, text_match};
use crate::policy::{HealthCheck, HealthProbe, HttpProbe};
use std::time::Duration;

/// All checks of a cluster.
pub(super) fn all(cluster: &Message<'_>) -> Vec<HealthCheck> {
    cluster.messages("health_checks", &HEALTH_CHECK).iter().filter_map(one).collect()
}

fn one(check: &Message<'_>) -> Option<HealthCheck> {
    for name in ["timeout", "interval", "unhealthy_threshold", "healthy_threshold"] {
        check.require(name);
    }
    let interval = check.positive("interval");
    let timeout = check.positive("timeout");
    let jitter = |name| check.duration(name).unwrap_or(Duration::ZERO);
    let unhealthy_interval = check.positive("unhealthy_interval");
    let policy = HealthCheck {
        // Replaced below, when everything has been looked at.
        probe: HealthProbe::Tcp { send: Vec::new(), receive: Vec::new() },
        interval: interval.unwrap_or_default(),
        timeout: timeout.unwrap_or_default(),
        healthy_threshold: check.count("healthy_threshold").unwrap_or(1),
        unhealthy_threshold: check.count("unhealthy_threshold").unwrap_or(1),
        no_traffic_interval: Some(check.positive("no_traffic_interval").unwrap_or(Duration::from_secs(60))),
        no_traffic_healthy_interval: check.positive("no_traffic_healthy_interval"),
        unhealthy_interval,
        unhealthy_edge_interval: check.positive("unhealthy_edge_interval"),
        healthy_edge_interval: check.positive("healthy_edge_interval"),
        initial_jitter: jitter("initial_jitter"),
        interval_jitter: jitter("interval_jitter"),
        interval_jitter_percent: check.count("interval_jitter_percent").unwrap_or(0),
        reuse_connection: check.boolean("reuse_connection").unwrap_or(true),
        origin: check.origin(),
    };
    let kinds = ["http_health_check", "tcp_health_check", "grpc_health_check"];
    let probe = match check.one_of(&kinds, true)? {
        ("http_health_check", http) => http.message(&HTTP_CHECK).map(|http| HealthProbe::Http(self::http(&http))),
        ("tcp_health_check", tcp) => tcp.message(&TCP_CHECK).map(|tcp| self::tcp(&tcp)),
        (_, grpc) => grpc.message(&GRPC_CHECK).map(|grpc| HealthProbe::Grpc {
            service: grpc.text("service_name").unwrap_or_default(),
            authority: grpc.text("authority").unwrap_or_default(),
        }),
    };
    Some(HealthCheck { probe: probe?, ..policy })
}

fn http(http: &Message<'_>) -> HttpProbe {
    const METHODS: [(&str, i64, Option<&str>); 10] = [
        ("METHOD_UNSPECIFIED", 0, Some("GET")),
        ("GET", 1, Some("GET")),
        ("HEAD", 2, Some("HEAD")),
        ("POST", 3, Some("POST")),
        ("PUT", 4, Some("PUT")),
        ("DELETE", 5, Some("DELETE")),
        ("CONNECT", 6, None),
        ("OPTIONS", 7, Some("OPTIONS")),
        ("TRACE", 8, Some("TRACE")),
        ("PATCH", 9, Some("PATCH")),
    ];
    let codecs = [("HTTP1", 0, Some(false)), ("HTTP2", 1, Some(true)), ("HTTP3", 2, None)];
    let path = http.required_text("path");
    let expected = statuses(http, "expected_statuses");
    let headers = header_rules::additions(http, "request_headers_to_add").into_iter().filter_map(|addition| {
        let value = addition.value.as_literal().map(str::to_owned);
        if value.is_none() {
            http.at.refuse("a command in `request_headers_to_add` of a check");
        }
        Some((addition.name, value?))
    });
    let headers = headers.collect();
    HttpProbe {
        method: http.choice("method", &METHODS).unwrap_or("GET").to_owned(),
        host: http.text("host").unwrap_or_default(),
        headers,
        expected: if expected.is_empty() { vec![(200, 201)] } else { expected },
        retriable: statuses(http, "retriable_statuses"),
        http2: http.choice("codec_client_type", &codecs).unwrap_or(false),
        service_name: http.value("service_name_matcher").and_then(text_match::text_match),
        ..HttpProbe::get(&path)
    }
}

/// Half-open ranges between 100 and 600.
fn statuses(http: &Message<'_>, field: &str) -> Vec<(u16, u16)> {
    let read = http.values(field).into_iter().filter_map(|range| {
        let (start, end) = header_match::range(&range)?;
        let bounds = (u16::try_from(start).ok()?, u16::try_from(end).ok()?);
        let inside = start >= 100 && end <= 600;
        if !inside {
            let said = Said::from(format!("statuses from {start} up to, not including, {end}"));
            range.error(said.expected("a range within 100 and 600, such as `{start: 200, end: 300}`"));
        }
        inside.then_some(bounds)
    });
    read.collect()
}

fn tcp(tcp: &Message<'_>) -> HealthProbe {
    let send = tcp.message("send", &PAYLOAD).and_then(|payload| bytes(&payload)).unwrap_or_default();
    let receive = tcp.messages("receive", &PAYLOAD).iter().filter_map(bytes).collect();
    HealthProbe::Tcp { send, receive }
}

/// Bytes in hexadecimal, or in base64.
fn bytes(payload: &Message<'_>) -> Option<Vec<u8>> {
    let (kind, value) = payload.one_of(&["text", "binary"], true)?;
    if kind == "binary" {
        return data::base64(&value);
    }
    let text = value.text()?;
    let pairs = text.as_bytes().chunks(2);
    let read: Option<Vec<u8>> = pairs
        .map(|pair| {
            let digits = std::str::from_utf8(pair).ok().filter(|digits| digits.len() == 2)?;
            let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            u8::from_str_radix(digits, 16).ok().filter(|_| plain)
        })
        .collect();
    if read.is_none() || text.is_empty() {
        let said = Said::from(format!("`{text}` is no text of bytes"));
        value.error(said.expected("pairs of hexadecimal digits, such as `50494e47` for PING"));
    }
    read
}
