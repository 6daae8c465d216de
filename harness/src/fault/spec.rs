//! What a fault is: its kind, and the units that it takes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One fault on one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fault {
    /// What it does.
    pub kind: Kind,
    /// What it counts and takes.
    pub unit: Unit,
    /// Which of the matching units it takes.
    pub pick: Pick,
    /// Which units match.
    pub matching: Match,
    /// Connections that are open when it begins are taken too.
    pub existing: bool,
}

/// What a fault does to the units that it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Holds each unit back; `base` plus a normal draw of standard deviation `jitter`, never below 0.
    Latency {
        /// Mean delay.
        base: Duration,
        /// Standard deviation.
        jitter: Duration,
    },
    /// Answers with a status in place of the instance.
    Abort {
        /// The status.
        status: u16,
        /// Whether the instance sees the request first.
        place: AbortPlace,
    },
    /// Resets the connection (RST).
    Reset {
        /// Bytes of the answer that are let through first; 0 resets at accept (connection) or at the head (request).
        after_bytes: u64,
    },
    /// New connections are refused by the kernel; open ones are reset.
    Refuse,
    /// The request is read and passed on, the answer never comes.
    Hang,
    /// Nothing passes in the named direction; nothing is closed.
    Blackhole {
        /// Which way.
        direction: Direction,
    },
    /// Bytes of each direction are let through at this rate, for each connection.
    Bandwidth {
        /// Bytes a second.
        bytes_per_second: u64,
    },
    /// SIGKILL to the process.
    Kill {
        /// The supervisor starts it again, by kubelet's rules; otherwise it comes back when the fault ends.
        restart: bool,
    },
    /// SIGSTOP to the process, SIGCONT at the end.
    Pause,
}

impl Kind {
    /// The word that names it in a scenario.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "latency",
            Self::Abort { .. } => "abort",
            Self::Reset { .. } => "reset",
            Self::Refuse => "refuse",
            Self::Hang => "hang",
            Self::Blackhole { .. } => "blackhole",
            Self::Bandwidth { .. } => "bandwidth",
            Self::Kill { .. } => "kill",
            Self::Pause => "pause",
        }
    }

    /// True if the process itself is hit, not the way to it.
    pub fn is_process(&self) -> bool {
        matches!(self, Self::Kill { .. } | Self::Pause)
    }
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Requests are lost on the way.
    ClientToServer,
    /// Answers are lost on the way.
    ServerToClient,
    /// Both.
    Both,
}

/// What a fault counts and takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// One request on a connection.
    Request,
    /// One connection.
    Connection,
}

/// Which of the matching units are taken. Victims are ordinals: the k-th matching unit offered at that relay.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// All.
    All,
    /// So many of each hundred, exactly, at places drawn from the seed. In hundredths of a percent: blocks of 10,000 where
    /// the percentage is no whole number.
    Percent(f64),
    /// The n-th, 2n-th, ...
    Every(u64),
    /// The first n.
    First(u64),
    /// Requests whose attempt number is exactly this.
    Attempt(u32),
}

/// Which units match; an absent condition matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Match {
    /// Exact method.
    pub method: Option<String>,
    /// Path: exact, or a prefix where it ends in `*`.
    pub path: Option<String>,
    /// Name (lower case) and exact value.
    pub header: Option<(String, String)>,
}
