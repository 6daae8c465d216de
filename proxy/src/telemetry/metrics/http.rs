//! Numbers of an HTTP manager, the faults of its filters among them.

use super::cell::Cell;
use super::histogram::{Histogram, Summary};
use super::names::{Name, Set, names};
use super::sample::{Sample, Scope};
use super::shards::{Shards, Worker};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

names! {
    /// What is counted of an HTTP manager.
    HttpCounter {
        CxTotal = "downstream_cx_total",
        CxHttp1Total = "downstream_cx_http1_total",
        CxHttp2Total = "downstream_cx_http2_total",
        CxSslTotal = "downstream_cx_ssl_total",
        CxDestroy = "downstream_cx_destroy",
        CxIdleTimeout = "downstream_cx_idle_timeout",
        CxMaxDurationReached = "downstream_cx_max_duration_reached",
        CxMaxRequestsReached = "downstream_cx_max_requests_reached",
        CxDrainClose = "downstream_cx_drain_close",
        CxOverloadDisableKeepalive = "downstream_cx_overload_disable_keepalive",
        CxProtocolError = "downstream_cx_protocol_error",
        CxRxBytesTotal = "downstream_cx_rx_bytes_total",
        CxTxBytesTotal = "downstream_cx_tx_bytes_total",
        CxUpgradesTotal = "downstream_cx_upgrades_total",
        RqTotal = "downstream_rq_total",
        RqHttp1Total = "downstream_rq_http1_total",
        RqHttp2Total = "downstream_rq_http2_total",
        RqCompleted = "downstream_rq_completed",
        RqTimeout = "downstream_rq_timeout",
        RqHeaderTimeout = "downstream_rq_header_timeout",
        RqIdleTimeout = "downstream_rq_idle_timeout",
        RqBodyIdleTimeout = "downstream_rq_body_idle_timeout",
        RqUriTooLong = "downstream_rq_uri_too_long",
        RqHeadTooLarge = "downstream_rq_headers_too_large",
        RqTooManyFields = "downstream_rq_too_many_headers",
        CxSlowReader = "downstream_cx_slow_reader",
        RqSlowReader = "downstream_rq_slow_reader",
        PrematureResets = "downstream_rq_too_many_premature_resets",
        RqOverloadClose = "downstream_rq_overload_close",
        RqMaxDurationReached = "downstream_rq_max_duration_reached",
        RqRxReset = "downstream_rq_rx_reset",
        RqTxReset = "downstream_rq_tx_reset",
        RqNonRelativePath = "downstream_rq_non_relative_path",
        RqWsOnNonWsRoute = "downstream_rq_ws_on_non_ws_route",
        NoRoute = "no_route",
        NoCluster = "no_cluster",
        RoutedTotal = "rq_total",
        DirectResponse = "rq_direct_response",
        ResetAfterResponseStarted = "rq_reset_after_downstream_response_started",
        DelaysInjected = "fault.delays_injected",
        AbortsInjected = "fault.aborts_injected",
        ResponseRateInjected = "fault.response_rl_injected",
        FaultsOverflow = "fault.faults_overflow",
        TracedAtRandom = "tracing.random_sampling",
        TracedByForce = "tracing.service_forced",
        TracedForClient = "tracing.client_enabled",
        NotTraced = "tracing.not_traceable",
    }
}

names! {
    /// What goes up and down.
    HttpLevel {
        CxActive = "downstream_cx_active",
        CxHttp1Active = "downstream_cx_http1_active",
        CxHttp2Active = "downstream_cx_http2_active",
        CxSslActive = "downstream_cx_ssl_active",
        CxUpgradesActive = "downstream_cx_upgrades_active",
        RqActive = "downstream_rq_active",
        ActiveFaults = "fault.active_faults",
    }
}

names! {
    /// Times of an HTTP manager.
    HttpTime {
        Rq = "downstream_rq_time",
        CxLength = "downstream_cx_length_ms",
    }
}

/// Everything that is counted of an HTTP manager.
#[derive(Debug)]
pub(crate) struct HttpStats {
    shards: Shards<Shard>,
}

#[derive(Debug, Default)]
struct Shard {
    counters: Set<HttpCounter>,
    levels: Set<HttpLevel>,
    times: Set<HttpTime, Histogram>,
    classes: [Cell; 5],
}

/// One more of what goes up and down, until it is dropped: so nothing that is given up midway stays in the count.
#[derive(Debug)]
pub(crate) struct Raised<S: Deref<Target = HttpStats>> {
    stats: S,
    worker: Worker,
    level: HttpLevel,
}

impl<S: Deref<Target = HttpStats>> Raised<S> {
    /// One more, from now on.
    pub(crate) fn new(stats: S, worker: Worker, level: HttpLevel) -> Self {
        stats.level(worker, level).add(1);
        Self { stats, worker, level }
    }
}

impl<S: Deref<Target = HttpStats>> Drop for Raised<S> {
    fn drop(&mut self) {
        self.stats.level(self.worker, self.level).subtract(1);
    }
}

impl HttpStats {
    /// For so many workers.
    pub(super) fn new(workers: u16) -> Self {
        Self { shards: Shards::new(workers) }
    }

    /// Counts one.
    pub(crate) fn count(&self, worker: Worker, counter: HttpCounter) {
        self.add(worker, counter, 1);
    }

    /// Counts many.
    pub(crate) fn add(&self, worker: Worker, counter: HttpCounter, more: u64) {
        self.shards.of(worker).counters.of(counter).add(more);
    }

    /// A connection has become a tunnel, until what is given here is dropped.
    pub(crate) fn upgraded(self: &Arc<Self>, worker: Worker) -> Raised<Arc<Self>> {
        self.count(worker, HttpCounter::CxUpgradesTotal);
        Raised::new(Arc::clone(self), worker, HttpLevel::CxUpgradesActive)
    }

    fn level(&self, worker: Worker, level: HttpLevel) -> &Cell {
        self.shards.of(worker).levels.of(level)
    }

    /// Notes how long something took.
    pub(crate) fn took(&self, worker: Worker, what: HttpTime, duration: Duration) {
        self.shards.of(worker).times.of(what).time(duration);
    }

    /// A client has asked, by HTTP/2 or by HTTP/1.
    pub(crate) fn began(&self, worker: Worker, http2: bool) {
        self.count(worker, HttpCounter::RqTotal);
        self.count(worker, if http2 { HttpCounter::RqHttp2Total } else { HttpCounter::RqHttp1Total });
    }

    /// A client was answered.
    pub(crate) fn answered(&self, worker: Worker, status: u16, duration: Duration) {
        let shard = self.shards.of(worker);
        shard.counters.of(HttpCounter::RqCompleted).add(1);
        shard.times.of(HttpTime::Rq).time(duration);
        if let Some(class) = usize::from(status / 100).checked_sub(1).and_then(|class| shard.classes.get(class)) {
            class.add(1);
        }
    }

    /// Adds everything up.
    pub(super) fn samples(&self, prefix: &str, samples: &mut Vec<Sample>) {
        let mut scope = Scope::new(samples, "http", prefix, "envoy_http_conn_manager_prefix");
        for counter in HttpCounter::ALL {
            scope.counter(counter.text(), self.shards.iter().map(|shard| shard.counters.of(*counter).get()).sum());
        }
        for class in 0..5 {
            let count = self.shards.iter().filter_map(|shard| shard.classes.get(class)).map(Cell::get).sum();
            scope.class("downstream_rq", class + 1, count);
        }
        for level in HttpLevel::ALL {
            let parts = self.shards.iter().map(|shard| shard.levels.of(*level).get());
            scope.gauge(level.text(), level_of(parts));
        }
        for time in HttpTime::ALL {
            scope.histogram(time.text(), Summary::of(self.shards.iter().map(|shard| shard.times.of(*time))));
        }
    }
}

/// The sum of what workers have added and taken away. While it is added up something may move from one to the other: never below 0.
pub(super) fn level_of(parts: impl Iterator<Item = u64>) -> u64 {
    let sum = parts.fold(0_u64, u64::wrapping_add);
    u64::try_from(sum as i64).unwrap_or(0)
}
