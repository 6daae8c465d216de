//! Spans of requests: decided on when a request comes in, passed on with it, told when it has ended.

use super::snapshot::HttpService;
use super::worker::Worker;
use crate::policy::{Direction, TraceContext, TraceProvider};
use crate::telemetry::trace::request_id::Reason;
use crate::telemetry::trace::{Incoming, Span, SpanContext, SpanQueue, context, decide};
use crate::telemetry::{HttpCounter, StreamInfo};
use rand::Rng;
use squall_http1::Request;

/// The span of a request that is traced.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    own: SpanContext,
    kind: TraceContext,
    queue: SpanQueue,
    /// Each try has a span of its own.
    pub(super) of_tries: bool,
}

/// Where the spans of a chain go.
#[derive(Debug, Clone)]
pub(crate) struct Spans {
    /// Those that wait.
    pub queue: SpanQueue,
    /// Who collects them.
    pub provider: TraceProvider,
}

/// Decides whether a request is traced, and tells the next hop. None: no span is made of it.
pub(super) fn begin(worker: &Worker, service: &HttpService, request: &mut Request) -> Option<Trace> {
    let tracing = service.manager.tracing.as_ref()?;
    let rng = &mut *worker.rng.borrow_mut();
    let decision = decide(&mut request.headers, tracing, rng);
    service.stats.count(
        worker.shard,
        match decision.reason {
            Reason::Sampled => HttpCounter::TracedAtRandom,
            Reason::Forced => HttpCounter::TracedByForce,
            Reason::Client => HttpCounter::TracedForClient,
            Reason::NotTraced => HttpCounter::NotTraced,
        },
    );
    let spans = service.spans.as_ref()?;
    if matches!(decision.incoming, Incoming::Broken) {
        return None;
    }
    let kind = spans.provider.context;
    let own = match (decision.incoming, kind) {
        (Incoming::Parent(callers), TraceContext::B3 { shared: true, .. })
            if service.direction != Direction::Outbound =>
        {
            SpanContext { sampled: Some(decision.sampled), ..callers }
        }
        (incoming, _) => SpanContext::begin(kind, &incoming, decision.sampled, rng),
    };
    context::inject(kind, &own, &mut request.headers);
    let of_tries = service.manager.router.start_child_span;
    decision.sampled.then(|| Trace { own, kind, queue: spans.queue.clone(), of_tries })
}

impl Trace {
    /// A span for one try, told to the endpoint.
    pub(super) fn begin_try(&self, request: &mut Request, rng: &mut impl Rng) -> SpanContext {
        let child = self.own.child(rng);
        context::inject(self.kind, &child, &mut request.headers);
        child
    }

    /// A try has ended.
    pub(super) fn end_try(&self, child: SpanContext, info: &StreamInfo<'_>) {
        self.queue.push(Span::of_try(child, info));
    }

    /// The request has ended.
    pub(super) fn end(&self, service: &HttpService, info: &StreamInfo<'_>) {
        self.queue.push(Span::of_request(self.own.clone(), service.direction, &service.node, info));
    }
}
