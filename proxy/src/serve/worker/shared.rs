//! What all workers share with each other and with the control task, and what they say to each other.

use super::{Leaving, Pressure, Pulse};
use crate::health::outlier::Detection;
use crate::serve::snapshot::{ListenerId, Snapshot, Telemetry};
use crate::telemetry::access_log::AccessLog;
use crate::telemetry::metrics::ListenerStats;
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};

/// What a request has shown that the control task decides on.
#[derive(Debug)]
pub(crate) enum Seen {
    /// A threshold was reached at an endpoint.
    Detected {
        /// The cluster.
        cluster: Arc<str>,
        /// The endpoint, by its number.
        host: u64,
        /// What.
        detection: Detection,
    },
    /// An endpoint asked to be left out until it passes its checks.
    AskedOut {
        /// The cluster.
        cluster: Arc<str>,
        /// The endpoint, by its number.
        host: u64,
    },
}

/// A socket on which a worker takes connections.
#[derive(Debug)]
pub(crate) struct Socket {
    /// Of which listener.
    pub listener: ListenerId,
    /// Its numbers.
    pub stats: Arc<ListenerStats>,
    /// Connections of the listener, over all workers.
    pub open: Arc<AtomicU32>,
    /// Most of them at once.
    pub most: Option<u32>,
    /// The socket itself.
    pub socket: std::net::TcpListener,
}

/// What a worker is told while it runs.
#[derive(Debug)]
pub(crate) enum Told {
    /// Take connections here, too.
    Listen(Socket),
    /// Take no more of them for this listener; those that are there go on.
    Leave(ListenerId),
    /// A reload has taken chains away, or their time is over: whoever has come by them is to look.
    ChainsLeave,
    /// Close connections to this endpoint.
    Close(u64),
}

/// How far the process is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not at all.
    Serving,
    /// No more connections are taken, and every answer is the last of its connection; the process goes on.
    Draining,
    /// The same, and the process ends with the last connection, or when its patience is over.
    Ending,
}

/// What all workers share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The configuration; a request takes it once and lives with it.
    pub snapshot: ArcSwap<Snapshot>,
    /// Chains that it has no more and that are still answered; written ahead of it.
    pub leaving: ArcSwap<Leaving>,
    /// Where what requests have shown goes.
    pub seen: mpsc::UnboundedSender<Seen>,
    /// Where all requests are logged besides, if they are.
    pub access_log: Option<AccessLog>,
    /// All numbers and logs.
    pub telemetry: Arc<Telemetry>,
    /// True from [`Phase::Draining`] on; whoever sets it tells [`Self::phase`] too.
    pub draining: AtomicBool,
    /// Tells each worker how far the process has come.
    pub phase: watch::Receiver<Phase>,
    /// It was told to fail the health checks of the load balancer in front of this proxy.
    pub fails_health_check: AtomicBool,
    /// Longest wait for requests under way when draining, and how long chains that are gone are answered.
    pub patience: Duration,
    /// Connections so far, over all workers.
    pub connections: AtomicU64,
    /// Connections of clients now, over all listeners.
    pub open: AtomicU32,
    /// Limit on client connections; further ones are closed at once.
    pub most_open: u32,
    /// How near the process is to its limit of memory.
    pub pressure: Pressure,
    /// Whether workers come round, by their numbers.
    pub pulses: Box<[Pulse]>,
    /// Somebody has asked the process to end.
    pub quit: Notify,
    /// Somebody has asked that no more connections be taken.
    pub drain: Notify,
    /// The same for those listeners alone that are on the service's side.
    pub drain_inbound: Notify,
    /// Why the newest configuration was refused; nothing if it was not.
    pub refused: ArcSwap<Option<String>>,
    /// Configurations that were put to use after the first.
    pub reloads: AtomicU64,
    /// Those that were refused.
    pub reloads_refused: AtomicU64,
    /// Where listeners came to be, by name.
    pub bound: ArcSwap<BTreeMap<String, SocketAddr>>,
}
