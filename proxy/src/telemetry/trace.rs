//! Traces: whether a request is traced, whose trace it is part of, and the spans that are told of it.
//!
//! All of it is decided by fields of the request alone. A span goes into a bounded queue; the control thread makes batches of spans and
//! bytes of batches. Who sends them is not known here.

pub(crate) mod context;
mod decision;
mod otlp;
mod protobuf;
mod queue;
pub(crate) mod request_id;
mod span;
mod zipkin;

pub(crate) use context::{Incoming, SpanContext};
pub(crate) use decision::decide;
pub(crate) use otlp::{Resource, export, grpc_frame};
pub(crate) use queue::SpanQueue;
pub(crate) use span::{Kind, Span};
pub(crate) use zipkin::list;
