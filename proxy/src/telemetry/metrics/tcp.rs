//! Numbers of a forwarder of bytes.

use super::cell::Cell;
use super::http::level_of;
use super::names::{Name, Set, names};
use super::sample::{Sample, Scope};
use super::shards::{Shards, Worker};

names! {
    /// What is counted of a forwarder of bytes.
    TcpCounter {
        CxTotal = "downstream_cx_total",
        CxNoRoute = "downstream_cx_no_route",
        CxRxBytesTotal = "downstream_cx_rx_bytes_total",
        CxTxBytesTotal = "downstream_cx_tx_bytes_total",
        IdleTimeout = "idle_timeout",
        MaxDuration = "max_downstream_connection_duration",
    }
}

/// Everything that is counted of a forwarder of bytes.
#[derive(Debug)]
pub(crate) struct TcpStats {
    shards: Shards<Shard>,
}

#[derive(Debug, Default)]
struct Shard {
    counters: Set<TcpCounter>,
    active: Cell,
}

impl TcpStats {
    /// For so many workers.
    pub(super) fn new(workers: u16) -> Self {
        Self { shards: Shards::new(workers) }
    }

    /// Counts one.
    pub(crate) fn count(&self, worker: Worker, counter: TcpCounter) {
        self.add(worker, counter, 1);
    }

    /// Counts many.
    pub(crate) fn add(&self, worker: Worker, counter: TcpCounter, more: u64) {
        self.shards.of(worker).counters.of(counter).add(more);
    }

    /// A connection was taken.
    pub(crate) fn opened(&self, worker: Worker) {
        self.count(worker, TcpCounter::CxTotal);
        self.shards.of(worker).active.add(1);
    }

    /// A connection that was taken is over.
    pub(crate) fn closed(&self, worker: Worker) {
        self.shards.of(worker).active.subtract(1);
    }

    /// Adds everything up.
    pub(super) fn samples(&self, prefix: &str, samples: &mut Vec<Sample>) {
        let mut scope = Scope::new(samples, "tcp", prefix, "envoy_tcp_prefix");
        for counter in TcpCounter::ALL {
            scope.counter(counter.text(), self.shards.iter().map(|shard| shard.counters.of(*counter).get()).sum());
        }
        scope.gauge("downstream_cx_active", level_of(self.shards.iter().map(|shard| shard.active.get())));
    }
}
