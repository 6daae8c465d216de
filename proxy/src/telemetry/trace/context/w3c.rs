//! `traceparent` and `tracestate`.

use super::{Incoming, SpanContext, hex};
use crate::telemetry::{Fields, FieldsMut};

const SAMPLED: u128 = 1;

/// `00-<32 digits>-<16 digits>-<2 digits>`.
pub(super) fn extract(fields: &impl Fields) -> Incoming {
    let Some(parent) = fields.get("traceparent") else { return Incoming::Nothing };
    let state = fields.text("tracestate").unwrap_or_default();
    let context = std::str::from_utf8(parent).ok().and_then(|parent| context(parent, state));
    context.map_or(Incoming::Broken, Incoming::Parent)
}

fn context(parent: &str, state: &str) -> Option<SpanContext> {
    let mut parts = parent.split('-');
    let mut part = |digits| hex::exact(parts.next()?, digits);
    let (_version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
    let whole = parts.next().is_none() && trace != 0;
    let sampled = Some(flags & SAMPLED != 0);
    let context = |span| SpanContext { trace, span, parent: None, sampled, state: state.to_owned() };
    hex::span(span).filter(|_| whole).map(context)
}

/// Sets both; without a state there is none.
pub(super) fn inject(context: &SpanContext, fields: &mut impl FieldsMut) {
    let SpanContext { trace, span, state, .. } = context;
    let flags = u8::from(context.sampled == Some(true));
    fields.set("traceparent", format!("00-{trace:032x}-{span:016x}-{flags:02x}").as_bytes());
    if state.is_empty() {
        fields.remove("tracestate");
    } else {
        fields.set("tracestate", state.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_http1::Headers;

    #[test]
    fn a_parent_that_is_not_of_the_form_is_broken() {
        const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
        for (parent, good) in [
            (format!("00-{TRACE}-b7ad6b7169203331-01"), true),
            (format!("cc-{TRACE}-b7ad6b7169203331-ff"), true),
            (format!("00-{TRACE}-b7ad6b7169203331-01-more"), false),
            (format!("00-{TRACE}-b7ad6b716920333-001"), false),
            (format!("00-{TRACE}-0000000000000000-01"), false),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01".to_owned(), false),
            (format!("0x-{TRACE}-b7ad6b7169203331-01"), false),
            (format!("00-{TRACE}-+7ad6b7169203331-01"), false),
            (String::new(), false),
        ] {
            let mut fields = Headers::new();
            fields.add("traceparent", parent.as_bytes());
            fields.add("tracestate", b"a=b");
            match extract(&fields) {
                Incoming::Parent(context) => assert!(good && context.state == "a=b", "{parent}"),
                other => assert!(!good && other == Incoming::Broken, "{parent}"),
            }
        }
        let mut alone = Headers::new();
        alone.add("tracestate", b"a=b");
        assert_eq!(extract(&alone), Incoming::Nothing);
    }

    #[test]
    fn a_child_is_told_in_the_form_of_version_0() {
        let mut fields = Headers::new();
        fields.add("tracestate", b"old");
        let context = SpanContext { trace: 10, span: 11, parent: None, sampled: Some(true), state: String::new() };
        inject(&context, &mut fields);
        assert_eq!(fields.get_str("traceparent"), Some("00-0000000000000000000000000000000a-000000000000000b-01"));
        assert_eq!(fields.get_str("tracestate"), None);
        inject(&SpanContext { state: "a=b".to_owned(), sampled: None, ..context }, &mut fields);
        assert_eq!(fields.get_str("tracestate"), Some("a=b"));
        assert!(fields.get_str("traceparent").unwrap().ends_with("-00"));
    }
}
