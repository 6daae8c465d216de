//! What passes between the harness and a load worker: a plan as one JSON line on standard input, then a JSON line with
//! the start; on standard output one JSON line when ready, then [`Frame`]s in binary.

mod frames;

pub use frames::NoFrame;

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// First line on standard input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// The flows.
    pub flows: Vec<FlowPlan>,
    /// Names of the instances, as they stand in the answer's `x-squall-instance`; samples name them by index.
    pub instances: Vec<String>,
    /// For schedules and bodies that draw.
    pub seed: u64,
}

/// One stream of requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FlowPlan {
    /// Its name.
    pub name: String,
    /// Where to connect: the proxy, or all instances (then connections are dealt out round robin).
    pub to: Vec<SocketAddr>,
    /// `Host`.
    pub authority: String,
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Further fields.
    pub headers: Vec<(String, String)>,
    /// Bytes of the request's body.
    pub body_bytes: u64,
    /// Statuses that are acceptable, as inclusive ranges.
    pub accept: Vec<(u16, u16)>,
    /// From due to the last byte; after it the connection is closed.
    pub time_out: Duration,
    /// Connections.
    pub connections: Connections,
    /// A request for which no connection is free for so long is dropped.
    pub drop_after: Duration,
    /// When requests are due.
    pub schedule: Vec<Segment>,
}

/// Connections of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connections {
    /// So many, opened before the start, opened again when lost.
    Fixed(u32),
    /// As many as are needed, at most so many.
    UpTo(u32),
    /// A new one for each request.
    Each,
}

/// A stretch of constant rate. Segments follow one another without gaps, in nanoseconds from the start.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Segment {
    /// First instant.
    pub from: u64,
    /// First instant after it.
    pub to: u64,
    /// Requests a second; 0 for a pause.
    pub rate: f64,
}

/// First line on standard output, once connections are warm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ready {
    /// Always true.
    pub ready: bool,
    /// Connections open.
    pub connections: u32,
    /// Requests planned over all flows.
    pub planned: u64,
    /// 99th percentile of the lag of a bare timer loop on this thread just now, microseconds.
    pub bare_timer_p99: u64,
}

/// Second line on standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Go {
    /// Instant 0 of the plan: `CLOCK_MONOTONIC`, nanoseconds.
    pub at: u64,
}

/// Later line on standard input: end now; open requests are cut. Closing standard input does the same.
pub const STOP: &str = "stop";

/// Everything after the first line of standard output: a byte for the kind, then so many bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Frame {
    /// A request has ended. Samples come in order of their end, at the latest 100 ms after it.
    Sample(Sample),
    /// The worker itself, once a second.
    Health(Health),
    /// All planned requests have ended; nothing follows.
    Done,
}

/// One request, from due to done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Number, from 0 in order of due time over all flows.
    pub id: u64,
    /// Index of the flow.
    pub flow: u16,
    /// How it ended.
    pub end: End,
    /// Status, 0 without one.
    pub status: u16,
    /// Index of the instance that answered, by its own word.
    pub instance: Option<u16>,
    /// Nanoseconds from the start of the plan.
    pub due: u64,
    /// When it was released to a connection; the pacer's lag is `released - due`.
    pub released: u64,
    /// When it was written; absent if it never was.
    pub sent: Option<u64>,
    /// When the first byte of the answer came.
    pub first_byte: Option<u64>,
    /// When it ended.
    pub done: u64,
}

/// How a request ended, as the worker saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum End {
    /// Complete, status accepted.
    Acceptable = 0,
    /// Complete, status not accepted.
    Status = 1,
    /// Connection reset.
    Reset = 2,
    /// Connection closed before the answer was complete.
    Closed = 3,
    /// No connection could be made.
    Refused = 4,
    /// Not HTTP, or not of the length announced.
    Malformed = 5,
    /// Time-out.
    TimeOut = 6,
    /// No connection was free in time.
    Dropped = 7,
    /// Still open when the plan's drain ended, or at [`STOP`].
    Cut = 8,
    /// Complete and accepted, but marked `x-squall-degraded`.
    Degraded = 9,
}

/// The worker about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Nanoseconds from the start of the plan.
    pub at: u64,
    /// CPU nanoseconds of the pacing thread since the start of the plan.
    pub cpu: u64,
    /// Longest gap between two wake-ups beyond what was asked for, nanoseconds, since the last report.
    pub worst_gap: u64,
}
