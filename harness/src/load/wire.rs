//! What passes between the harness and a load worker: a plan as one JSON line on standard input, then a JSON line with
//! the start; on standard output one JSON line when ready, then [`Frame`]s in binary.

mod frames;
mod journey;
mod table;

pub use frames::NoFrame;
pub use journey::{Capture, Journey, Source, Step, Think};
pub use table::{Table, names};

use super::schedule::Schedule;
use serde::{Deserialize, Serialize};
use squall_reports::record::{LatencyKind, Population};
use std::net::SocketAddr;
use std::path::PathBuf;
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
    /// What is told of requests.
    pub tells: Tells,
}

/// What is told of requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tells {
    /// Each by itself.
    Samples,
    /// Sums, once a second. Stretches that are added up end at whole seconds, and at these instants besides, nanoseconds from the
    /// start, ascending.
    Sums(Vec<u64>),
}

/// One stream of requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FlowPlan {
    /// Its name.
    pub name: String,
    /// Where to connect: the proxy, or all instances (then connections are dealt out round robin).
    pub to: Vec<SocketAddr>,
    /// What is spoken.
    pub protocol: Protocol,
    /// Whether under TLS.
    pub tls: Option<Tls>,
    /// `Host`.
    pub authority: String,
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Further fields.
    pub headers: Vec<(String, String)>,
    /// Bytes of a request that are sent a second, from the first of its head on: a slow client. Only over HTTP/1.1.
    #[serde(default)]
    pub speed: Option<u64>,
    /// Each request carries its number and a trace, by which relays tell requests apart.
    pub numbered: bool,
    /// The request's body.
    pub body: Body,
    /// What requests differ by: `${name}` in path, fields and body stands for a column's value.
    #[serde(default)]
    pub data: Option<Table>,
    /// Each arrival is a user who takes these steps in other flows, and this flow asks nothing itself. Rows of `data` are then the
    /// users'.
    #[serde(default)]
    pub journey: Option<Journey>,
    /// Which answers are acceptable.
    pub accept: Accept,
    /// From due to the last byte; after it the connection is closed.
    pub time_out: Duration,
    /// Connections.
    pub connections: Connections,
    /// A request for which no connection is free for so long is dropped.
    pub drop_after: Duration,
    /// When requests are sent.
    pub pace: Pace,
}

impl FlowPlan {
    /// A flow that asks for `/` over HTTP/1.1, and is told everything else by its fields.
    pub fn new(name: &str, to: Vec<SocketAddr>, authority: &str) -> Self {
        Self {
            name: name.to_owned(),
            to,
            protocol: Protocol::Http1,
            tls: None,
            authority: authority.to_owned(),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            headers: Vec::new(),
            speed: None,
            numbered: true,
            body: Body::Fixed(0),
            data: None,
            journey: None,
            accept: Accept::default(),
            time_out: Duration::from_secs(5),
            connections: Connections::UpTo(64),
            drop_after: Duration::from_millis(100),
            pace: Pace::Open(Schedule::default()),
        }
    }
}

/// What is spoken. Streams are requests under way at once on one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, by prior knowledge or by ALPN.
    Http2 {
        /// Streams a connection.
        streams: u32,
    },
    /// A unary call over HTTP/2: the body is one message.
    Grpc {
        /// Streams a connection.
        streams: u32,
    },
}

impl Protocol {
    /// As people write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 { .. } => "http2",
            Self::Grpc { .. } => "grpc",
        }
    }

    /// Requests that one connection carries at once.
    pub fn streams(self) -> u32 {
        match self {
            Self::Http1 => 1,
            Self::Http2 { streams } | Self::Grpc { streams } => streams.max(1),
        }
    }
}

/// TLS of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tls {
    /// Whom the certificate must name.
    pub server_name: String,
    /// Whose certificates are trusted.
    pub trust: Trust,
    /// Certificate chain and key of the client, as PEM files.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Whose certificates are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Those of the system's authorities.
    System,
    /// Those of the authorities in a PEM file.
    File(PathBuf),
    /// Anybody's.
    Anybody,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// So many bytes.
    Fixed(u64),
    /// Bytes: lognormal through a median and a 99th percentile.
    Lognormal {
        /// Median.
        p50: u64,
        /// 99th percentile.
        p99: u64,
    },
    /// Bytes: even between two.
    Uniform {
        /// Least.
        min: u64,
        /// Most.
        max: u64,
    },
    /// These.
    Text(String),
}

/// Which answers are acceptable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Accept {
    /// Statuses, as inclusive ranges.
    pub status: Vec<(u16, u16)>,
    /// Statuses of gRPC.
    pub grpc: Vec<u16>,
    /// What the body must hold.
    pub body_contains: Option<String>,
    /// Values that it must have as JSON, by their places (pointers of RFC 6901).
    #[serde(default)]
    pub json: Vec<(String, serde_json::Value)>,
}

impl Default for Accept {
    fn default() -> Self {
        Self { status: vec![(200, 399)], grpc: vec![0], body_contains: None, json: Vec::new() }
    }
}

/// When requests are sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// At planned instants, whether or not earlier ones have been answered.
    Open(Schedule),
    /// Whenever a user comes to it.
    Steps,
    /// By each connection as soon as its last one has been answered, for so many nanoseconds. What it measures is how fast, never
    /// how late.
    Closed {
        /// Nanoseconds from the start.
        lasting: u64,
    },
}

impl Pace {
    /// The instants of an open pace.
    pub fn schedule(&self) -> Option<&Schedule> {
        match self {
            Self::Open(schedule) => Some(schedule),
            Self::Steps | Self::Closed { .. } => None,
        }
    }

    /// How long a closed one lasts, nanoseconds.
    pub fn closed(&self) -> Option<u64> {
        match self {
            Self::Open(_) | Self::Steps => None,
            Self::Closed { lasting } => Some(*lasting),
        }
    }
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
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// A request has ended. Samples come in order of their end, at the latest 100 ms after it.
    Sample(Sample),
    /// Requests have ended.
    Sums(Box<Sums>),
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
    /// Status, 0 without one; that of gRPC where it decided.
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

/// Requests of a flow that were due in one stretch and have ended since the last such sums.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sums {
    /// Index of the flow.
    pub flow: u16,
    /// First instant of the stretch, nanoseconds from the start of the plan.
    pub from: u64,
    /// How many by slot of 100 ms from the start in which they were due, end and status.
    pub ended: Vec<(u64, End, u16, u32)>,
    /// How many were written, by slot in which they were.
    pub sent: Vec<(u64, u32)>,
    /// Their latencies.
    pub latencies: Vec<Latencies>,
}

impl Sums {
    /// Requests that have ended.
    pub fn count(&self) -> u64 {
        self.ended.iter().map(|(_, _, _, count)| u64::from(*count)).sum()
    }
}

/// A distribution of latencies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Latencies {
    /// Which interval.
    pub kind: LatencyKind,
    /// Of which requests.
    pub population: Population,
    /// `HdrHistogram` V2, base64; microseconds.
    pub histogram: String,
}

/// How a request ended, as the worker saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// Complete and of an accepted status, but the body is not what was asked for.
    Unexpected = 10,
    /// Complete, but with a status of gRPC that is not accepted.
    Grpc = 11,
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
