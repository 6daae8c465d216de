//! Spans as collectors of OpenTelemetry take them: an `ExportTraceServiceRequest`, by gRPC or as `application/x-protobuf`.

use super::protobuf::Message;
use super::{Kind, Span};

/// Who tells of spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    /// `service.name`.
    pub service: String,
    /// `service.instance.id`, if it is known.
    pub instance: String,
}

/// The request that tells a collector of spans.
pub(crate) fn export(resource: &Resource, spans: &[Span]) -> Vec<u8> {
    let known = [("service.name", &resource.service), ("service.instance.id", &resource.instance)];
    let known = known.into_iter().filter(|(_, value)| !value.is_empty());
    let resource = known.fold(Message::default(), |message, (key, value)| message.message(1, &attribute(key, value)));
    let scope = Message::default().bytes(1, b"squall");
    let scope_spans = spans.iter().fold(Message::default().message(1, &scope), |all, one| all.message(2, &span(one)));
    let resource_spans = Message::default().message(1, &resource).message(2, &scope_spans);
    Message::default().message(1, &resource_spans).into_bytes()
}

/// A message as gRPC frames it: not compressed, its length, itself.
pub(crate) fn grpc_frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0], &length.to_be_bytes()[..], message].concat()
}

fn span(span: &Span) -> Message {
    let kind = match span.kind {
        Kind::Server => 2,
        Kind::Client => 3,
    };
    let parent = span.context.parent.map(u64::to_be_bytes);
    let mut message = Message::default()
        .bytes(1, &span.context.trace.to_be_bytes())
        .bytes(2, &span.context.span.to_be_bytes())
        .bytes(3, span.context.state.as_bytes())
        .bytes(4, parent.as_ref().map_or(&[], |parent| &parent[..]))
        .bytes(5, span.name.as_bytes())
        .number(6, kind)
        .fixed(7, span.start)
        .fixed(8, span.end);
    for (key, value) in &span.attributes {
        message = message.message(9, &attribute(key, value));
    }
    let status = if span.failed { 2 } else { 0 };
    message.message(15, &Message::default().number(3, status))
}

fn attribute(key: &str, value: &str) -> Message {
    let value = Message::default().bytes(1, value.as_bytes());
    Message::default().bytes(1, key.as_bytes()).message(2, &value)
}

#[cfg(test)]
mod tests {
    use super::super::SpanContext;
    use super::*;

    /// Field, and what stands in it, of a message without groups.
    fn read(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
        fn varint(bytes: &mut &[u8]) -> u64 {
            let (mut number, mut shift) = (0, 0);
            loop {
                let byte = bytes[0];
                *bytes = &bytes[1..];
                number |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    return number;
                }
            }
        }
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let tag = varint(&mut bytes);
            let length = match tag & 7 {
                0 => {
                    fields.push((tag >> 3, varint(&mut bytes).to_be_bytes().to_vec()));
                    continue;
                }
                1 => 8,
                _ => varint(&mut bytes) as usize,
            };
            fields.push((tag >> 3, bytes[..length].to_vec()));
            bytes = &bytes[length..];
        }
        fields
    }

    fn one(bytes: &[u8], field: u64) -> Vec<u8> {
        read(bytes).into_iter().find(|(number, _)| *number == field).expect("the field").1
    }

    #[test]
    fn a_batch_has_its_resource_and_every_span_with_its_fields() {
        let context = SpanContext {
            trace: 0xab << 64,
            span: 0xcd,
            parent: Some(7),
            sampled: Some(true),
            state: "a=b".to_owned(),
        };
        let span = Span {
            context: context.clone(),
            name: "ingress".to_owned(),
            kind: Kind::Server,
            start: 1,
            end: 2,
            attributes: vec![("http.method", "GET".to_owned()), ("component", "proxy".to_owned())],
            failed: true,
        };
        let resource = Resource { service: "web.shop".to_owned(), instance: String::new() };
        let batch = export(
            &resource,
            &[span.clone(), Span { context: SpanContext { parent: None, ..context }, failed: false, ..span }],
        );
        let resource_spans = one(&batch, 1);
        let name = one(&one(&resource_spans, 1), 1);
        assert_eq!((one(&name, 1), one(&one(&name, 2), 1)), (b"service.name".to_vec(), b"web.shop".to_vec()));
        let scope_spans = one(&resource_spans, 2);
        let spans: Vec<_> = read(&scope_spans).into_iter().filter(|(field, _)| *field == 2).collect();
        assert_eq!(spans.len(), 2);
        let first = &spans[0].1;
        for (field, expected) in [
            (1, &(0xab_u128 << 64).to_be_bytes()[..]),
            (2, &0xcd_u64.to_be_bytes()),
            (3, b"a=b"),
            (4, &7_u64.to_be_bytes()),
            (5, b"ingress"),
            (6, &2_u64.to_be_bytes()),
            (7, &1_u64.to_le_bytes()),
            (8, &2_u64.to_le_bytes()),
        ] {
            assert_eq!(one(first, field), expected, "field {field}");
        }
        let attributes: Vec<_> = read(first).into_iter().filter(|(field, _)| *field == 9).collect();
        assert_eq!(attributes.len(), 2);
        assert_eq!(one(&one(first, 15), 3), 2_u64.to_be_bytes());
        assert!(read(&spans[1].1).iter().all(|(field, _)| *field != 4));
    }

    #[test]
    fn grpc_has_five_bytes_ahead_of_a_message() {
        assert_eq!(grpc_frame(b"abc"), [0, 0, 0, 0, 3, b'a', b'b', b'c']);
    }
}
