//! What the data plane tells of itself: access logs, metrics, traces.
//!
//! A request that has ended is a [`StreamInfo`]; everything here is made of one. Counting is one addition to a number of the worker's own.

pub(crate) mod access_log;
pub(crate) mod events;
pub(crate) mod exposition;
pub(crate) mod format;
pub(crate) mod grpc;
pub(crate) mod messages;
pub(crate) mod metrics;
pub(crate) mod outlet;
pub(crate) mod trace;

mod escape;
mod fields;
mod flags;
mod log_file;
mod stream_info;

pub(crate) use fields::{Fields, FieldsMut, NoFields};
pub(crate) use flags::{Flag, Flags};
pub(crate) use format::Template;
pub(crate) use grpc::{is_request as is_grpc, is_type as is_grpc_type};
pub(crate) use metrics::{ClusterCounter, ClusterTime, HttpCounter, HttpLevel, RateLimitCounter};
pub(crate) use stream_info::{Protocol, StreamInfo, TlsFacts};
