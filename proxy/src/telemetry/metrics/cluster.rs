//! Numbers of a cluster: requests, connections, members, ejections, checks, breakers.

use super::answers::Answers;
use super::histogram::{Histogram, Summary};
use super::names::{Name, Set, names};
use super::sample::{Sample, Scope};
use super::shards::{Shards, Worker};
use std::time::Duration;

names! {
    /// What is counted of a cluster.
    ClusterCounter {
        RqTotal = "upstream_rq_total",
        RqPendingTotal = "upstream_rq_pending_total",
        RqPendingOverflow = "upstream_rq_pending_overflow",
        RqPendingFailureEject = "upstream_rq_pending_failure_eject",
        RqCancelled = "upstream_rq_cancelled",
        RqTimeout = "upstream_rq_timeout",
        RqPerTryTimeout = "upstream_rq_per_try_timeout",
        RqPerTryIdleTimeout = "upstream_rq_per_try_idle_timeout",
        RqMaxDurationReached = "upstream_rq_max_duration_reached",
        CxConnectAttemptsExceeded = "upstream_cx_connect_attempts_exceeded",
        RqRxReset = "upstream_rq_rx_reset",
        RqTxReset = "upstream_rq_tx_reset",
        RqRetry = "upstream_rq_retry",
        RqRetrySuccess = "upstream_rq_retry_success",
        RqRetryOverflow = "upstream_rq_retry_overflow",
        RqRetryLimitExceeded = "upstream_rq_retry_limit_exceeded",
        RqRetryBackoffExponential = "upstream_rq_retry_backoff_exponential",
        RqRetryBackoffRateLimited = "upstream_rq_retry_backoff_ratelimited",
        RqMaintenanceMode = "upstream_rq_maintenance_mode",
        CxTotal = "upstream_cx_total",
        CxHttp1Total = "upstream_cx_http1_total",
        CxHttp2Total = "upstream_cx_http2_total",
        CxConnectFail = "upstream_cx_connect_fail",
        CxConnectTimeout = "upstream_cx_connect_timeout",
        CxOverflow = "upstream_cx_overflow",
        CxPoolOverflow = "upstream_cx_pool_overflow",
        CxDestroy = "upstream_cx_destroy",
        CxDestroyWithActiveRq = "upstream_cx_destroy_with_active_rq",
        CxIdleTimeout = "upstream_cx_idle_timeout",
        CxMaxRequests = "upstream_cx_max_requests",
        CxMaxDurationReached = "upstream_cx_max_duration_reached",
        CxNoneHealthy = "upstream_cx_none_healthy",
        CxCloseNotify = "upstream_cx_close_notify",
        CxProtocolError = "upstream_cx_protocol_error",
        CxRxBytesTotal = "upstream_cx_rx_bytes_total",
        CxTxBytesTotal = "upstream_cx_tx_bytes_total",
        MembershipChange = "membership_change",
        LbHealthyPanic = "lb_healthy_panic",
        RetryOrShadowAbandoned = "retry_or_shadow_abandoned",
        EjectionsEnforcedTotal = "outlier_detection.ejections_enforced_total",
        EjectionsOverflow = "outlier_detection.ejections_overflow",
        DetectedConsecutive5xx = "outlier_detection.ejections_detected_consecutive_5xx",
        EnforcedConsecutive5xx = "outlier_detection.ejections_enforced_consecutive_5xx",
        DetectedConsecutiveGateway = "outlier_detection.ejections_detected_consecutive_gateway_failure",
        EnforcedConsecutiveGateway = "outlier_detection.ejections_enforced_consecutive_gateway_failure",
        DetectedConsecutiveLocalOrigin = "outlier_detection.ejections_detected_consecutive_local_origin_failure",
        EnforcedConsecutiveLocalOrigin = "outlier_detection.ejections_enforced_consecutive_local_origin_failure",
        DetectedSuccessRate = "outlier_detection.ejections_detected_success_rate",
        EnforcedSuccessRate = "outlier_detection.ejections_enforced_success_rate",
        DetectedLocalOriginSuccessRate = "outlier_detection.ejections_detected_local_origin_success_rate",
        EnforcedLocalOriginSuccessRate = "outlier_detection.ejections_enforced_local_origin_success_rate",
        DetectedFailurePercentage = "outlier_detection.ejections_detected_failure_percentage",
        EnforcedFailurePercentage = "outlier_detection.ejections_enforced_failure_percentage",
        DetectedLocalOriginFailurePercentage = "outlier_detection.ejections_detected_local_origin_failure_percentage",
        EnforcedLocalOriginFailurePercentage = "outlier_detection.ejections_enforced_local_origin_failure_percentage",
        CheckAttempt = "health_check.attempt",
        CheckSuccess = "health_check.success",
        CheckFailure = "health_check.failure",
        CheckPassiveFailure = "health_check.passive_failure",
        CheckNetworkFailure = "health_check.network_failure",
        CheckVerifyCluster = "health_check.verify_cluster",
    }
}

names! {
    /// Times of a cluster.
    ClusterTime {
        Rq = "upstream_rq_time",
        CxConnect = "upstream_cx_connect_ms",
        CxLength = "upstream_cx_length_ms",
    }
}

/// Everything that is counted of a cluster.
#[derive(Debug)]
pub(crate) struct ClusterStats {
    shards: Shards<Shard>,
}

#[derive(Debug, Default)]
struct Shard {
    counters: Set<ClusterCounter>,
    times: Set<ClusterTime, Histogram>,
    answers: Answers<32>,
    retried: Answers<16>,
}

/// What a cluster is now, told by who keeps it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ClusterNow {
    /// Endpoints.
    pub members: u64,
    /// Those that may be used.
    pub healthy: u64,
    /// Those that get what healthy ones cannot take.
    pub degraded: u64,
    /// Those that do not count.
    pub excluded: u64,
    /// Those that are out.
    pub ejected: u64,
    /// Those that pass their checks.
    pub checked_healthy: u64,
    /// Those that pass them, degraded.
    pub checked_degraded: u64,
    /// Open connections.
    pub connections: u64,
    /// Requests on a connection.
    pub requests: u64,
    /// Requests that wait for one.
    pub pending: u64,
    /// Breakers of ordinary requests.
    pub breakers: BreakerNow,
    /// Breakers of requests of high priority.
    pub high_breakers: BreakerNow,
}

/// Which limits are reached.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BreakerNow {
    /// Connections.
    pub connections: bool,
    /// Requests.
    pub requests: bool,
    /// Waiting requests.
    pub pending: bool,
    /// Retries.
    pub retries: bool,
    /// Pools.
    pub pools: bool,
    /// What is left of them; told where it is asked for alone.
    pub remaining: Option<RemainingNow>,
}

/// What is left until limits are reached.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RemainingNow {
    /// Connections.
    pub connections: u64,
    /// Requests.
    pub requests: u64,
    /// Waiting requests.
    pub pending: u64,
    /// Retries.
    pub retries: u64,
}

impl ClusterStats {
    /// For so many workers.
    pub(super) fn new(workers: u16) -> Self {
        Self { shards: Shards::new(workers) }
    }

    /// Counts one.
    pub(crate) fn count(&self, worker: Worker, counter: ClusterCounter) {
        self.add(worker, counter, 1);
    }

    /// Counts many.
    pub(crate) fn add(&self, worker: Worker, counter: ClusterCounter, more: u64) {
        self.shards.of(worker).counters.of(counter).add(more);
    }

    /// Notes how long something took.
    pub(crate) fn took(&self, worker: Worker, what: ClusterTime, duration: Duration) {
        self.shards.of(worker).times.of(what).time(duration);
    }

    /// The client was given this status: the upstream's, or what stands for its failure.
    pub(crate) fn answered(&self, worker: Worker, status: u16) {
        self.shards.of(worker).answers.count(status);
    }

    /// This status was not passed on, since the request was tried again.
    pub(crate) fn retried(&self, worker: Worker, status: u16) {
        self.shards.of(worker).retried.count(status);
    }

    /// Adds everything up.
    pub(super) fn samples(&self, name: &str, now: Option<ClusterNow>, samples: &mut Vec<Sample>) {
        let mut scope = Scope::new(samples, "cluster", name, "envoy_cluster_name");
        for counter in ClusterCounter::ALL {
            scope.counter(counter.text(), self.shards.iter().map(|shard| shard.counters.of(*counter).get()).sum());
        }
        for time in ClusterTime::ALL {
            scope.histogram(time.text(), Summary::of(self.shards.iter().map(|shard| shard.times.of(*time))));
        }
        Answers::samples(self.shards.iter().map(|shard| &shard.answers), "", &mut scope);
        Answers::samples(self.shards.iter().map(|shard| &shard.retried), "retry.", &mut scope);
        if let Some(now) = now {
            now.samples(&mut scope);
        }
    }
}

impl ClusterNow {
    fn samples(&self, scope: &mut Scope<'_>) {
        for (name, value) in [
            ("membership_total", self.members),
            ("membership_healthy", self.healthy),
            ("membership_degraded", self.degraded),
            ("membership_excluded", self.excluded),
            ("outlier_detection.ejections_active", self.ejected),
            ("health_check.healthy", self.checked_healthy),
            ("health_check.degraded", self.checked_degraded),
            ("upstream_cx_active", self.connections),
            ("upstream_rq_active", self.requests),
            ("upstream_rq_pending_active", self.pending),
        ] {
            scope.gauge(name, value);
        }
        for (priority, breaker) in [("default", &self.breakers), ("high", &self.high_breakers)] {
            for (name, open) in [
                ("cx_open", breaker.connections),
                ("rq_open", breaker.requests),
                ("rq_pending_open", breaker.pending),
                ("rq_retry_open", breaker.retries),
                ("cx_pool_open", breaker.pools),
            ] {
                scope.gauge(&format!("circuit_breakers.{priority}.{name}"), u64::from(open));
            }
            let Some(remaining) = breaker.remaining else { continue };
            for (name, left) in [
                ("remaining_cx", remaining.connections),
                ("remaining_rq", remaining.requests),
                ("remaining_pending", remaining.pending),
                ("remaining_retries", remaining.retries),
            ] {
                scope.gauge(&format!("circuit_breakers.{priority}.{name}"), left);
            }
        }
    }
}
