//! What passes between the harness and the relays: JSON lines, commands on standard input, reports on standard output.
//!
//! The relay obeys for as long as its lease lasts: without a command for [`LEASE`], or when standard input closes, every
//! fault is lifted by the relay itself. A clock of the machine (`CLOCK_MONOTONIC`, nanoseconds) is shared by both sides.

use crate::fault::spec::Fault;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// Without any command for so long, the relay lifts every fault.
pub const LEASE: Duration = Duration::from_secs(2);

/// How often the harness renews the lease.
pub const HEARTBEAT: Duration = Duration::from_millis(250);

/// First line on standard input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Start {
    /// One relay each, in this order; reports name them by index.
    pub relays: Vec<Relay>,
    /// Splits into a stream for each fault.
    pub seed: u64,
}

/// One relay, in front of one instance or of the proxy beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Relay {
    /// For logs.
    pub name: String,
    /// One for each port of the instance, at least one. Faults are the whole relay's.
    pub doors: Vec<Door>,
    /// Behind it answers may come from others than the instance, which does not name itself in those: the proxy beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sidecar: bool,
}

/// A port of a relay, and where it leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Door {
    /// Where it listens; a port of loopback that the kernel chooses where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Where the instance listens; none: it is not there yet, and connections are refused until [`Command::Up`].
    pub to: Option<SocketAddr>,
    /// Plain TCP: an offer is counted at accept, and no request is seen.
    pub tcp: bool,
}

/// Commands, after [`Start`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Command {
    /// Begin a fault.
    Inject {
        /// Number of this command, acknowledged.
        seq: u64,
        /// Chosen by the harness; names the fault in reports.
        fault: u32,
        /// Index of the relay.
        relay: usize,
        /// What to do.
        spec: Box<Fault>,
    },
    /// End a fault. Units held by it are let go: a hung request is reset, delayed bytes are passed on.
    Clear {
        /// Acknowledged.
        seq: u64,
        /// The fault.
        fault: u32,
    },
    /// The instance is gone: stop listening (new connections are refused) and reset live connections; open attempts are `cut`.
    Down {
        /// Acknowledged.
        seq: u64,
        /// Index of the relay.
        relay: usize,
    },
    /// The instance is there again, perhaps on another port: listen again, on the same port as before.
    Up {
        /// Acknowledged.
        seq: u64,
        /// Index of the relay.
        relay: usize,
        /// Where each door leads now.
        to: Vec<SocketAddr>,
    },
    /// One more relay; [`Report::Added`] says where it listens.
    Add {
        /// Acknowledged.
        seq: u64,
        /// Which.
        relay: Relay,
    },
    /// A relay goes, with its faults and its connections; its number is not given again.
    Remove {
        /// Acknowledged.
        seq: u64,
        /// Index of the relay.
        relay: usize,
    },
    /// Renews the lease.
    Heartbeat,
    /// End every fault and every open connection, and tell what is left; relays go on until their input ends.
    Settle,
}

/// Reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Report {
    /// All relays listen.
    Ready {
        /// In the order of [`Start::relays`], each in the order of its doors.
        listen: Vec<Vec<SocketAddr>>,
    },
    /// A relay that was added listens.
    Added {
        /// Of the command, which is acknowledged next.
        seq: u64,
        /// Its index.
        relay: usize,
        /// In the order of its doors.
        listen: Vec<SocketAddr>,
    },
    /// A command has taken effect, existing connections included.
    Ack {
        /// Of the command.
        seq: u64,
        /// When, nanoseconds.
        at: u64,
        /// Why it could not be done.
        error: Option<String>,
    },
    /// A fault harmed its first unit.
    Effect {
        /// The fault.
        fault: u32,
        /// When, nanoseconds.
        at: u64,
    },
    /// What a fault has harmed, after it was cleared.
    Harmed {
        /// The fault.
        fault: u32,
        /// Units.
        units: u64,
        /// Ordinals of the first 1,000.
        victims: Vec<u64>,
    },
    /// Attempts offered since the last report, in order; at least each 100 ms while there are any.
    Offers {
        /// One each.
        offers: Vec<Offer>,
        /// Answers that went back through a relay since the last report, a fault's own included.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        answers: Vec<Answer>,
    },
    /// The lease ran out: every fault was lifted.
    LeaseLost {
        /// When, nanoseconds.
        at: u64,
    },
    /// Everything until [`Command::Settle`] has been told.
    Done,
}

/// One attempt offered to an instance: the relay had its whole head (TCP: accepted it).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// When, nanoseconds.
    #[serde(rename = "t")]
    pub at: u64,
    /// Index of the relay.
    #[serde(rename = "r")]
    pub relay: usize,
    /// Number of the client's request, from [`REQUEST_NUMBER`] in its `x-request-id`; absent for health checks and probes.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
    /// `x-envoy-attempt-count`, or 1.
    #[serde(rename = "a", default = "one", skip_serializing_if = "is_one")]
    pub attempt: u32,
    /// What became of it.
    #[serde(rename = "f", default, skip_serializing_if = "Fate::is_relayed")]
    pub fate: Fate,
    /// A health check or probe: no `traceparent`.
    #[serde(rename = "p", default, skip_serializing_if = "std::ops::Not::not")]
    pub probe: bool,
}

/// The head of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// When, nanoseconds.
    #[serde(rename = "t")]
    pub at: u64,
    /// Index of the relay.
    #[serde(rename = "r")]
    pub relay: usize,
    /// Its status.
    #[serde(rename = "s")]
    pub status: u16,
}

/// What became of an offered attempt. It is reported once this is settled, which for `Cut` is later than the offer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Written to the instance whole.
    #[default]
    Relayed,
    /// Kept from the instance by this fault.
    Withheld(u32),
    /// The instance went away before it had the whole attempt, or before it answered: it may or may not have counted it.
    Cut,
    /// The instance could not be reached although no fault was asked for.
    Unreachable,
    /// The proxy beside the instance answered in its place: the instance may or may not have seen it.
    Sidecar,
}

impl Fate {
    fn is_relayed(&self) -> bool {
        *self == Self::Relayed
    }
}

/// The load writes `x-request-id: 53715541-4c4c-4000-8000-<12 hex digits of the request's number>`.
pub const REQUEST_NUMBER: &str = "53715541-4c4c-4000-8000-";

/// The same number stands in `traceparent`, in the hex digits of the trace's id from this one on.
pub const TRACE_NUMBER: usize = 16;

fn one() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(attempt: &u32) -> bool {
    *attempt == 1
}
