//! The kinds of faults: what each does to the units that it takes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a fault does to the units that it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Holds each unit back.
    Latency(Delay),
    /// Answers in place of the instance.
    Abort {
        /// With this.
        reply: Reply,
        /// Whether the instance sees the request first.
        place: AbortPlace,
    },
    /// HTTP/2: resets the stream; a connection that has none is reset itself.
    ResetStream {
        /// The code that it is given.
        code: u32,
        /// Whether the instance sees the request first.
        place: AbortPlace,
    },
    /// The connection takes no more requests behind this one, which is answered: HTTP/2 says so (GOAWAY), HTTP/1 closes.
    GoAway,
    /// Resets the connection (RST).
    Reset {
        /// Bytes of the answer that are let through first; 0 resets at accept (connection) or at the head (request).
        after_bytes: u64,
        /// Or so long after the connection was taken; only of connections.
        after: Option<Duration>,
    },
    /// Closes the connection amid the answer.
    Truncate {
        /// Bytes of the body that are let through first.
        after_bytes: u64,
    },
    /// New connections are refused by the kernel; open ones are reset.
    Refuse,
    /// New connections are taken by the kernel, and nobody reads them.
    AcceptStall,
    /// Connections beyond a number are reset as soon as they are made.
    ConnectionLimit {
        /// So many may be open.
        most: usize,
    },
    /// The request is read and passed on, the answer never comes.
    Hang,
    /// Nothing passes; nothing is closed.
    Blackhole {
        /// But so long after the connection was taken it is.
        close_after: Option<Duration>,
    },
    /// Bytes of each direction are let through at this rate, for each connection.
    Bandwidth {
        /// Bytes a second.
        bytes_per_second: u64,
    },
    /// Bytes of each direction pass in small pieces.
    Slicer(Slices),
    /// The body of an answer comes in small pieces.
    Drip(Slices),
    /// What one side closes is closed towards the other later.
    SlowClose {
        /// By so much.
        by: Duration,
    },
    /// Flips one bit of the first byte of the answer's body (TCP: of what the instance sends), and of every so many bytes behind it.
    Corrupt {
        /// Bytes from one flipped bit to the next.
        every: u64,
    },
    /// Changes fields of a head.
    Rewrite(Rewrite),
    /// The trailers of an answer are taken away.
    LoseTrailers,
    /// The more requests are open, the longer each is held.
    Overload {
        /// So many are served without.
        free: usize,
        /// Delay for each that is open beyond that.
        each: Duration,
    },
    /// SIGKILL to the process.
    Kill {
        /// The supervisor starts it again, by kubelet's rules; otherwise it comes back when the fault ends.
        restart: bool,
    },
    /// SIGTERM to the process, and SIGKILL if it has not ended by then.
    Terminate {
        /// So long it may take.
        grace: Duration,
        /// As of a kill.
        restart: bool,
    },
    /// SIGKILL to the process, and to each that takes its place.
    CrashLoop {
        /// So long each lives once it is ready.
        up: Duration,
    },
    /// SIGSTOP to the process, SIGCONT at the end.
    Pause,
    /// The process has no more of something than so.
    Limit(Limit),
    /// The proxies are told that the instance is not there.
    Unlist,
    /// What the proxies are told of the instance stays as it is, whatever becomes of it.
    Stale,
    /// The proxies are told that it is where nobody listens.
    Misdirect,
}

impl Kind {
    /// Answered with a status and nothing else, before the instance sees the request.
    pub const fn abort(status: u16) -> Self {
        Self::Abort { reply: Reply::of(status), place: AbortPlace::Before }
    }

    /// Each unit is held for exactly so long.
    pub const fn latency(base: Duration) -> Self {
        Self::Latency(Delay::of(base))
    }

    /// The word that names it in a scenario.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Latency(_) => "latency",
            Self::Abort { .. } => "abort",
            Self::ResetStream { .. } => "reset-stream",
            Self::GoAway => "goaway",
            Self::Reset { .. } => "reset",
            Self::Truncate { .. } => "truncate",
            Self::Refuse => "refuse",
            Self::AcceptStall => "accept-stall",
            Self::ConnectionLimit { .. } => "connection-limit",
            Self::Hang => "hang",
            Self::Blackhole { .. } => "blackhole",
            Self::Bandwidth { .. } => "bandwidth",
            Self::Slicer(_) => "slicer",
            Self::Drip(_) => "drip",
            Self::SlowClose { .. } => "slow-close",
            Self::Corrupt { .. } => "corrupt",
            Self::Rewrite(_) => "rewrite",
            Self::LoseTrailers => "lose-trailers",
            Self::Overload { .. } => "overload",
            Self::Kill { .. } => "kill",
            Self::Terminate { .. } => "terminate",
            Self::CrashLoop { .. } => "crash-loop",
            Self::Pause => "pause",
            Self::Limit(_) => "limit",
            Self::Unlist => "unlist",
            Self::Stale => "stale",
            Self::Misdirect => "misdirect",
        }
    }

    /// Resets the connection where it is taken, or each request at its head.
    pub const fn reset(after_bytes: u64) -> Self {
        Self::Reset { after_bytes, after: None }
    }

    /// Nothing passes for as long as it acts.
    pub const fn blackhole() -> Self {
        Self::Blackhole { close_after: None }
    }

    /// True if the process itself is hit, not the way to it.
    pub fn is_process(&self) -> bool {
        self.ends_process() || matches!(self, Self::Pause | Self::Limit(_))
    }

    /// True if neither the process nor the way to it is hit, but what the proxies are told of it.
    pub fn is_listing(&self) -> bool {
        matches!(self, Self::Unlist | Self::Stale | Self::Misdirect)
    }

    /// True if the process is gone while it acts, at least now and then.
    pub fn ends_process(&self) -> bool {
        matches!(self, Self::Kill { .. } | Self::Terminate { .. } | Self::CrashLoop { .. })
    }

    /// True if the supervisor starts the process again by the kubelet's rules.
    pub fn is_restarted(&self) -> bool {
        matches!(self, Self::Kill { restart: true } | Self::Terminate { restart: true, .. })
    }
}

/// What a process may have at most. What it has already it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Limit {
    /// Descriptors of files and sockets, numbered below this.
    pub descriptors: Option<u64>,
    /// Bytes of address space.
    pub memory: Option<u64>,
}

/// How long a unit is held, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Delay {
    /// The middle of it; for `pareto` the least.
    pub base: Duration,
    /// How far it strays.
    pub jitter: Duration,
    /// How it strays.
    pub spread: Spread,
    /// How much of a unit's straying the next one has too, -1 to 1.
    pub correlation: f64,
    /// What of the unit is held.
    pub part: Part,
}

impl Delay {
    /// Exactly so long, before the instance sees the request.
    pub const fn of(base: Duration) -> Self {
        Self { base, jitter: Duration::ZERO, spread: Spread::Normal, correlation: 0.0, part: Part::Request }
    }
}

/// How delays stray.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// Around `base`, with `jitter` as standard deviation, never below 0.
    #[default]
    Normal,
    /// Evenly from `base - jitter` to `base + jitter`.
    Uniform,
    /// Never below `base`, with a long tail: one in ten is later by 1.15 times `jitter`, one in a thousand by 9 times.
    Pareto,
}

/// What of a request is held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The request, before its instance sees it.
    #[default]
    Request,
    /// The body of the answer, behind its head.
    Body,
    /// Each piece of the answer's body.
    Pieces,
}

/// What is answered in place of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Further fields.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Reply {
    /// A status and nothing else.
    pub const fn of(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }
}

/// Pieces, and what lies between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Slices {
    /// Bytes of a piece.
    pub size: usize,
    /// From one piece to the next.
    pub every: Duration,
    /// Each piece is longer or shorter by up to so many bytes.
    #[serde(default)]
    pub stray: usize,
}

/// Fields of a head that are changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rewrite {
    /// Which head.
    pub of: Side,
    /// Fields that get this value, in the place of what they had.
    pub set: Vec<(String, String)>,
    /// Fields that are taken away, by their names in lower case.
    pub remove: Vec<String>,
}

/// One half of an exchange.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// What the client asks.
    Request,
    /// What the instance answers.
    #[default]
    Answer,
}

/// When an abort answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AbortPlace {
    /// Before the instance sees the request.
    Before,
    /// After the instance has answered; its answer is thrown away.
    After,
}

/// A direction of traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Requests are lost on the way.
    ClientToServer,
    /// Answers are lost on the way.
    ServerToClient,
    /// Both.
    #[default]
    Both,
}
