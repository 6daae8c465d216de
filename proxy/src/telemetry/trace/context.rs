//! The context of a trace, as fields carry it from hop to hop.

mod b3;
mod hex;
mod w3c;

use crate::policy::TraceContext;
use crate::telemetry::{Fields, FieldsMut};
use rand::Rng;

/// Which trace, and which span of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpanContext {
    /// 128 bits; the upper half is 0 where a trace has but 64.
    pub trace: u128,
    /// The span.
    pub span: u64,
    /// Whether spans are told; none if nobody has said.
    pub sampled: Option<bool>,
    /// What vendors pass on with it: `tracestate`.
    pub state: String,
}

/// What a request came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// No trace.
    Nothing,
    /// Part of this one.
    Parent(SpanContext),
    /// Nothing but whether it is to be traced.
    Only {
        /// Whether spans are told.
        sampled: bool,
    },
    /// Something that cannot be read: no span is made of it.
    Broken,
}

/// Reads what a request came with.
pub(crate) fn extract(kind: TraceContext, fields: &impl Fields) -> Incoming {
    match kind {
        TraceContext::W3c => w3c::extract(fields),
        TraceContext::B3 => b3::extract(fields),
    }
}

/// Tells the next hop whose child it is.
pub(crate) fn inject(kind: TraceContext, context: &SpanContext, parent: Option<u64>, fields: &mut impl FieldsMut) {
    match kind {
        TraceContext::W3c => w3c::inject(context, fields),
        TraceContext::B3 => b3::inject(context, parent, fields),
    }
}

impl SpanContext {
    /// A span under what a request came with, or the first of a trace of its own.
    pub(crate) fn begin(incoming: &Incoming, sampled: bool, rng: &mut impl Rng) -> Self {
        let mut draw = || loop {
            let number = rng.next_u64();
            // 0 is no id.
            if number != 0 {
                return number;
            }
        };
        let span = draw();
        let (trace, state) = if let Incoming::Parent(parent) = incoming {
            (parent.trace, parent.state.clone())
        } else {
            (u128::from(draw()) << 64 | u128::from(draw()), String::new())
        };
        Self { trace, span, sampled: Some(sampled), state }
    }

    /// A span under this one: a try of its own.
    pub(crate) fn child(&self, rng: &mut impl Rng) -> Self {
        Self::begin(&Incoming::Parent(self.clone()), self.sampled == Some(true), rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    use squall_http1::Headers;

    fn fields(pairs: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        pairs.iter().for_each(|(name, value)| headers.add(name, value.as_bytes()));
        headers
    }

    #[test]
    fn a_span_stays_in_the_trace_it_came_with_and_is_another_one() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let parent = SpanContext { trace: 7, span: 8, sampled: None, state: "a=b".to_owned() };
        let span = SpanContext::begin(&Incoming::Parent(parent.clone()), true, &mut rng);
        assert_eq!((span.trace, span.sampled, span.state.as_str()), (7, Some(true), "a=b"));
        assert_ne!(span.span, parent.span);
        let child = span.child(&mut rng);
        assert_eq!((child.trace, child.sampled), (7, Some(true)));
        assert_ne!(child.span, span.span);
        let first = SpanContext::begin(&Incoming::Nothing, false, &mut rng);
        assert!(first.trace > u128::from(u64::MAX) && first.sampled == Some(false));
    }

    #[test]
    fn what_one_hop_tells_the_next_one_reads() {
        let context = SpanContext { trace: 1 << 100 | 5, span: 9, sampled: Some(true), state: String::new() };
        for kind in [TraceContext::W3c, TraceContext::B3] {
            for sampled in [true, false] {
                let context = SpanContext { sampled: Some(sampled), ..context.clone() };
                let mut fields = fields(&[("b3", "0")]);
                inject(kind, &context, Some(3), &mut fields);
                assert_eq!(extract(kind, &fields), Incoming::Parent(context), "{kind:?}");
            }
        }
    }
}
