//! Numbers of a listener.

use super::cell::Cell;
use super::histogram::{Histogram, Summary};
use super::http::level_of;
use super::names::{Name, Set, names};
use super::sample::{Sample, Scope};
use super::shards::{Shards, Worker};
use std::time::Duration;

names! {
    /// What is counted of a listener.
    ListenerCounter {
        CxTotal = "downstream_cx_total",
        CxDestroy = "downstream_cx_destroy",
        CxOverflow = "downstream_cx_overflow",
        CxOverloadReject = "downstream_cx_overload_reject",
        GlobalCxOverflow = "downstream_global_cx_overflow",
        AcceptFailed = "downstream_cx_accept_failed",
        HandshakeTimeout = "downstream_cx_transport_socket_connect_timeout",
        PreCxTimeout = "downstream_pre_cx_timeout",
        ListenerFilterError = "downstream_listener_filter_error",
        NoFilterChainMatch = "no_filter_chain_match",
        Handshake = "ssl.handshake",
        HandshakeError = "ssl.connection_error",
        VerifyNoCert = "ssl.fail_verify_no_cert",
        VerifyError = "ssl.fail_verify_error",
        VerifySan = "ssl.fail_verify_san",
    }
}

/// Everything that is counted of a listener.
#[derive(Debug)]
pub(crate) struct ListenerStats {
    shards: Shards<Shard>,
}

#[derive(Debug, Default)]
struct Shard {
    counters: Set<ListenerCounter>,
    active: Cell,
    length: Histogram,
}

impl ListenerStats {
    /// For so many workers.
    pub(super) fn new(workers: u16) -> Self {
        Self { shards: Shards::new(workers) }
    }

    /// Counts one.
    pub(crate) fn count(&self, worker: Worker, counter: ListenerCounter) {
        self.shards.of(worker).counters.of(counter).add(1);
    }

    /// A connection was taken.
    pub(crate) fn opened(&self, worker: Worker) {
        self.count(worker, ListenerCounter::CxTotal);
        self.shards.of(worker).active.add(1);
    }

    /// A connection that was taken is over.
    pub(crate) fn closed(&self, worker: Worker, length: Duration) {
        self.count(worker, ListenerCounter::CxDestroy);
        self.shards.of(worker).active.subtract(1);
        self.shards.of(worker).length.time(length);
    }

    /// Adds everything up.
    pub(super) fn samples(&self, address: &str, samples: &mut Vec<Sample>) {
        let mut scope = Scope::new(samples, "listener", address, "envoy_listener_address");
        for counter in ListenerCounter::ALL {
            scope.counter(counter.text(), self.shards.iter().map(|shard| shard.counters.of(*counter).get()).sum());
        }
        scope.gauge("downstream_cx_active", level_of(self.shards.iter().map(|shard| shard.active.get())));
        scope.histogram("downstream_cx_length_ms", Summary::of(self.shards.iter().map(|shard| &shard.length)));
    }
}
