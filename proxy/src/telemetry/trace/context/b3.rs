//! B3: one field, or several.

use super::{Incoming, SpanContext, hex};
use crate::telemetry::{Fields, FieldsMut};

/// `b3` goes before `x-b3-*`.
pub(super) fn extract(fields: &impl Fields) -> Incoming {
    match fields.get("b3") {
        Some(single) => std::str::from_utf8(single).ok().and_then(self::single).unwrap_or(Incoming::Broken),
        None => several(fields).unwrap_or(Incoming::Broken),
    }
}

/// `<trace>-<span>`, `<trace>-<span>-<sampled>`, with `-<parent>` behind that, or `<sampled>` alone.
fn single(text: &str) -> Option<Incoming> {
    let parts: Vec<_> = text.split('-').collect();
    let (trace, span, sampled, grandparent) = match parts.as_slice() {
        [sampled] => return flag(sampled).map(|sampled| Incoming::Only { sampled }),
        [trace, span] => (trace, span, None, None),
        [trace, span, sampled] => (trace, span, Some(flag(sampled)?), None),
        [trace, span, sampled, parent] => (trace, span, Some(flag(sampled)?), hex::span(hex::exact(parent, 16)?)),
        _ => return None,
    };
    let trace = hex::exact(trace, 32).or_else(|| hex::exact(trace, 16))?;
    parent(trace, hex::exact(span, 16)?, grandparent, sampled)
}

/// `1`, `0`, or `d` of those who want to see everything.
fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "d" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

fn several(fields: &impl Fields) -> Option<Incoming> {
    let sampled = match (fields.text("x-b3-flags"), fields.text("x-b3-sampled")) {
        (Some("1"), _) => Some(true),
        (_, Some(sampled)) => Some(matches!(sampled, "1" | "true")),
        _ => None,
    };
    let (Some(trace), Some(span)) = (fields.get("x-b3-traceid"), fields.get("x-b3-spanid")) else {
        return Some(sampled.map_or(Incoming::Nothing, |sampled| Incoming::Only { sampled }));
    };
    let number = |text, digits| hex::at_most(std::str::from_utf8(text).ok()?, digits);
    let grandparent = match fields.get("x-b3-parentspanid").filter(|id| !id.is_empty()) {
        Some(grandparent) => hex::span(number(grandparent, 16)?),
        None => None,
    };
    parent(number(trace, 32)?, number(span, 16)?, grandparent, sampled)
}

fn parent(trace: u128, span: u128, parent: Option<u64>, sampled: Option<bool>) -> Option<Incoming> {
    let span = hex::span(span)?;
    (trace != 0).then(|| Incoming::Parent(SpanContext { trace, span, parent, sampled, state: String::new() }))
}

/// Says it as it came: in one field if that is there, else in several.
pub(super) fn inject(context: &SpanContext, fields: &mut impl FieldsMut) {
    let SpanContext { trace, span, parent, .. } = context;
    if fields.get("b3").is_some() {
        let sampled = u8::from(context.sampled == Some(true));
        let parent = parent.map_or_else(String::new, |parent| format!("-{parent:016x}"));
        return fields.set("b3", format!("{}-{span:016x}-{sampled}{parent}", trace_id(*trace)).as_bytes());
    }
    fields.remove("x-b3-flags");
    fields.set("x-b3-traceid", trace_id(*trace).as_bytes());
    fields.set("x-b3-spanid", format!("{span:016x}").as_bytes());
    match parent {
        Some(parent) => fields.set("x-b3-parentspanid", format!("{parent:016x}").as_bytes()),
        None => fields.remove("x-b3-parentspanid"),
    }
    fields.set("x-b3-sampled", if context.sampled == Some(true) { b"1" } else { b"0" });
}

/// The number of a trace: 16 digits if they are enough, else 32.
pub(in super::super) fn trace_id(trace: u128) -> String {
    if u64::try_from(trace).is_ok() { format!("{trace:016x}") } else { format!("{trace:032x}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_http1::Headers;

    const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
    const SHORT: &str = "64fe8b2a57d3eff7";
    const SPAN: &str = "e457b5a2e4d86bd1";

    fn fields(pairs: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        pairs.iter().for_each(|(name, value)| headers.add(name, value.as_bytes()));
        headers
    }

    fn parent_of(trace: &str, sampled: Option<bool>) -> Incoming {
        let trace = u128::from_str_radix(trace, 16).unwrap();
        let span = u64::from_str_radix(SPAN, 16).unwrap();
        Incoming::Parent(SpanContext { trace, span, parent: None, sampled, state: String::new() })
    }

    fn under(grandparent: u64, incoming: Incoming) -> Incoming {
        let Incoming::Parent(parent) = incoming else { panic!("no parent") };
        Incoming::Parent(SpanContext { parent: Some(grandparent), ..parent })
    }

    #[test]
    fn a_single_field_says_everything_or_only_whether() {
        for (b3, expected) in [
            (format!("{TRACE}-{SPAN}"), parent_of(TRACE, None)),
            (format!("{SHORT}-{SPAN}-1"), parent_of(SHORT, Some(true))),
            (format!("{TRACE}-{SPAN}-0"), parent_of(TRACE, Some(false))),
            (format!("{TRACE}-{SPAN}-d-000000000000000c"), under(0x0c, parent_of(TRACE, Some(true)))),
            ("0".to_owned(), Incoming::Only { sampled: false }),
            ("d".to_owned(), Incoming::Only { sampled: true }),
            (format!("{TRACE}-{SPAN}-2"), Incoming::Broken),
            (format!("{TRACE}-{SPAN}-1-{SPAN}-1"), Incoming::Broken),
            (format!("{SPAN}-1"), Incoming::Broken),
            (String::new(), Incoming::Broken),
        ] {
            let several = ("x-b3-sampled", "1");
            assert_eq!(extract(&fields(&[("b3", &b3), several])), expected, "{b3}");
        }
    }

    #[test]
    fn several_fields_say_the_same() {
        let ids = [("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN)];
        for (more, expected) in [
            (&[][..], parent_of(TRACE, None)),
            (&[("x-b3-sampled", "1")], parent_of(TRACE, Some(true))),
            (&[("x-b3-sampled", "true"), ("x-b3-parentspanid", "")], parent_of(TRACE, Some(true))),
            (&[("x-b3-sampled", "0")], parent_of(TRACE, Some(false))),
            (&[("x-b3-sampled", "0"), ("x-b3-flags", "1")], parent_of(TRACE, Some(true))),
            (&[("x-b3-parentspanid", "c")], under(0x0c, parent_of(TRACE, None))),
            (&[("x-b3-parentspanid", "x")], Incoming::Broken),
        ] {
            assert_eq!(extract(&fields(&[&ids, more].concat())), expected, "{more:?}");
        }
        assert_eq!(extract(&fields(&[])), Incoming::Nothing);
        assert_eq!(extract(&fields(&[("x-b3-sampled", "0")])), Incoming::Only { sampled: false });
        assert_eq!(extract(&fields(&[("x-b3-traceid", "zz"), ("x-b3-spanid", SPAN)])), Incoming::Broken);
    }

    #[test]
    fn a_child_is_told_by_several_fields_or_by_a_single_one_as_it_came() {
        let mut single = fields(&[("b3", "0")]);
        let mut fields = fields(&[("x-b3-flags", "1")]);
        let context =
            SpanContext { trace: 0x0a, span: 0x0b, parent: Some(0x0c), sampled: Some(true), state: String::new() };
        inject(&context, &mut fields);
        for (name, expected) in [
            ("b3", None),
            ("x-b3-flags", None),
            ("x-b3-traceid", Some("000000000000000a")),
            ("x-b3-spanid", Some("000000000000000b")),
            ("x-b3-parentspanid", Some("000000000000000c")),
            ("x-b3-sampled", Some("1")),
        ] {
            assert_eq!(fields.get_str(name), expected, "{name}");
        }
        inject(&context, &mut single);
        assert_eq!(single.get_str("b3"), Some("000000000000000a-000000000000000b-1-000000000000000c"));
        assert_eq!(single.get_str("x-b3-traceid"), None);
        inject(&SpanContext { parent: None, sampled: None, ..context }, &mut single);
        assert_eq!(single.get_str("b3"), Some("000000000000000a-000000000000000b-0"));
    }
}
