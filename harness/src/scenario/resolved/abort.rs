//! When a run is cut short.

use crate::units::Percent;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A condition under which everything is undone at once, and nothing judged.
#[derive(Debug, Clone, PartialEq)]
pub struct AbortWhen {
    /// What it looks at.
    pub alarm: Alarm,
    /// For so long.
    pub over: Duration,
}

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Alarm {
    /// Fewer of the clients' requests were acceptable.
    Success {
        /// Share of those that ended.
        below: Percent,
    },
    /// More than one in a hundred took longer.
    P99 {
        /// From due to done.
        above: Duration,
    },
    /// An address that does not answer 200 to 399.
    Probe {
        /// Where.
        at: SocketAddr,
        /// Path.
        path: String,
    },
    /// A program that does not end well.
    Command {
        /// Program and arguments.
        command: Vec<String>,
        /// Folder to run in: the scenario's.
        folder: PathBuf,
    },
}
