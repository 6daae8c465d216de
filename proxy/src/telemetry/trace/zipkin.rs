//! Spans as Zipkin's collector takes them: a list in JSON, of its second version.

use super::context::b3::trace_id;
use super::{Kind, Span};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'s> {
    trace_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    id: String,
    kind: &'static str,
    name: &'s str,
    /// Microseconds since 1970.
    timestamp: u64,
    /// Microseconds.
    duration: u64,
    local_endpoint: Endpoint<'s>,
    tags: BTreeMap<&'static str, &'s str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    shared: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint<'s> {
    #[serde(skip_serializing_if = "str::is_empty")]
    service_name: &'s str,
}

/// What a collector is sent. `shared`: a span of the service's side is that of its caller.
pub(crate) fn list(service: &str, shared: bool, spans: &[Span]) -> Vec<u8> {
    let told: Vec<_> = spans.iter().map(|span| told(service, shared, span)).collect();
    // Texts and numbers alone can always be written.
    serde_json::to_vec(&told).unwrap_or_default()
}

fn told<'s>(service: &'s str, shared: bool, span: &'s Span) -> Told<'s> {
    let tags = span.attributes.iter().filter(|(_, value)| !value.is_empty());
    Told {
        trace_id: trace_id(span.context.trace),
        parent_id: span.context.parent.map(id),
        id: id(span.context.span),
        kind: match span.kind {
            Kind::Server => "SERVER",
            Kind::Client => "CLIENT",
        },
        name: &span.name,
        timestamp: span.start / 1000,
        duration: span.end.saturating_sub(span.start) / 1000,
        local_endpoint: Endpoint { service_name: service },
        tags: tags.map(|(name, value)| (*name, value.as_str())).collect(),
        shared: shared && span.kind == Kind::Server,
    }
}

fn id(span: u64) -> String {
    format!("{span:016x}")
}

#[cfg(test)]
mod tests {
    use super::super::SpanContext;
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn spans_have_the_fields_of_zipkins_second_version() {
        let context =
            SpanContext { trace: 0xab, span: 0xcd, parent: Some(7), sampled: Some(true), state: String::new() };
        let server = Span {
            context: context.clone(),
            name: "ingress".to_owned(),
            kind: Kind::Server,
            start: 5_000_000,
            end: 7_500_000,
            attributes: vec![("http.method", "GET".to_owned()), ("zone", String::new())],
            failed: false,
        };
        let wide = SpanContext { trace: 1 << 64 | 0xab, parent: None, ..context };
        let client = Span { context: wide, kind: Kind::Client, attributes: Vec::new(), ..server.clone() };
        let told: Value = serde_json::from_slice(&list("web", true, &[server, client])).unwrap();
        let expected = json!([
            {
                "traceId": "00000000000000ab", "parentId": "0000000000000007", "id": "00000000000000cd",
                "kind": "SERVER", "name": "ingress", "timestamp": 5_000, "duration": 2_500,
                "localEndpoint": {"serviceName": "web"}, "tags": {"http.method": "GET"}, "shared": true,
            },
            {
                "traceId": "000000000000000100000000000000ab", "id": "00000000000000cd",
                "kind": "CLIENT", "name": "ingress", "timestamp": 5_000, "duration": 2_500,
                "localEndpoint": {"serviceName": "web"}, "tags": {},
            },
        ]);
        assert_eq!(told, expected);
    }
}
