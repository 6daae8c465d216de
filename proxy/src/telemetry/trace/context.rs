//! The context of a trace, as fields carry it from hop to hop.

pub(super) mod b3;
mod hex;
mod w3c;

use crate::policy::TraceContext;
use crate::telemetry::{Fields, FieldsMut};
use rand::{Rng, RngExt};

/// Which trace, and which span of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpanContext {
    /// 128 bits; the upper half is 0 where a trace has but 64.
    pub trace: u128,
    /// The span.
    pub span: u64,
    /// The span that it is part of, if that is known.
    pub parent: Option<u64>,
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
        TraceContext::B3 { .. } => b3::extract(fields),
    }
}

/// Tells the next hop whose child it is.
pub(crate) fn inject(kind: TraceContext, context: &SpanContext, fields: &mut impl FieldsMut) {
    match kind {
        TraceContext::W3c => w3c::inject(context, fields),
        TraceContext::B3 { .. } => b3::inject(context, fields),
    }
}

impl SpanContext {
    /// A span under what a request came with, or the first of a trace of its own.
    pub(crate) fn begin(kind: TraceContext, incoming: &Incoming, sampled: bool, rng: &mut impl Rng) -> Self {
        // 0 is no id.
        let mut draw = || rng.random_range(1..=u64::MAX);
        let span = draw();
        if let Incoming::Parent(parent) = incoming {
            return parent.under(span, sampled);
        }
        let trace = match kind {
            TraceContext::W3c => u128::from(draw()) << 64 | u128::from(draw()),
            // Zipkin's first span has the number of its trace.
            TraceContext::B3 { wide: true, .. } => u128::from(draw()) << 64 | u128::from(span),
            TraceContext::B3 { wide: false, .. } => u128::from(span),
        };
        Self { trace, span, parent: None, sampled: Some(sampled), state: String::new() }
    }

    /// A span under this one: a try of its own.
    pub(crate) fn child(&self, rng: &mut impl Rng) -> Self {
        let span = rng.random_range(1..=u64::MAX);
        self.under(span, self.sampled == Some(true))
    }

    fn under(&self, span: u64, sampled: bool) -> Self {
        Self { span, parent: Some(self.span), sampled: Some(sampled), ..self.clone() }
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
        let parent = SpanContext { trace: 7, span: 8, parent: None, sampled: None, state: "a=b".to_owned() };
        let span = SpanContext::begin(TraceContext::W3c, &Incoming::Parent(parent.clone()), true, &mut rng);
        assert_eq!((span.trace, span.sampled, span.state.as_str()), (7, Some(true), "a=b"));
        assert_ne!(span.span, parent.span);
        assert_eq!(span.parent, Some(8));
        let child = span.child(&mut rng);
        assert_eq!((child.trace, child.parent, child.sampled), (7, Some(span.span), Some(true)));
        assert_ne!(child.span, span.span);
        let first = SpanContext::begin(TraceContext::W3c, &Incoming::Nothing, false, &mut rng);
        assert!(first.trace > u128::from(u64::MAX) && first.sampled == Some(false) && first.parent.is_none());
    }

    #[test]
    fn the_first_span_of_zipkins_traces_has_their_number() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for wide in [false, true] {
            let kind = TraceContext::B3 { wide, shared: false };
            let first = SpanContext::begin(kind, &Incoming::Nothing, true, &mut rng);
            assert_eq!(first.trace as u64, first.span);
            assert_eq!(first.trace > u128::from(u64::MAX), wide);
        }
    }

    #[test]
    fn what_one_hop_tells_the_next_one_reads() {
        let context =
            SpanContext { trace: 1 << 100 | 5, span: 9, parent: None, sampled: Some(true), state: String::new() };
        for (kind, parent) in [(TraceContext::W3c, None), (TraceContext::B3 { wide: false, shared: true }, Some(3))] {
            for sampled in [true, false] {
                let context = SpanContext { sampled: Some(sampled), parent, ..context.clone() };
                let mut fields = fields(&[("b3", "0")]);
                inject(kind, &context, &mut fields);
                assert_eq!(extract(kind, &fields), Incoming::Parent(context), "{kind:?}");
            }
        }
    }
}
