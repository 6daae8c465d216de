//! Numbers, as Envoy tells them.

use super::reply::{Query, Reply};
use crate::clock::monotonic_nanos;
use crate::cluster::Cluster;
use crate::health::Health;
use crate::policy::{EndpointHealth, PoolLimits, Priority, UNLIMITED};
use crate::serve::Shared;
use crate::telemetry::exposition::{self, Wanted};
use crate::telemetry::metrics::{BreakerNow, ClusterNow, RemainingNow, Sample, Value};
use regex::RegexBuilder;
use std::sync::atomic::Ordering::Relaxed;

/// Most bytes that a filter may take when it is made ready.
const FILTER_LIMIT: usize = 1 << 20;

/// Lines, or what else was asked for.
pub(super) fn stats(shared: &Shared, query: &Query<'_>) -> Reply {
    match query.get("format") {
        Some("prometheus") => prometheus(shared, query),
        Some("json") => with(shared, query, |samples, wanted| Reply::json(&exposition::json(samples, wanted))),
        None | Some("text") => {
            with(shared, query, |samples, wanted| Reply::text(200, exposition::plain(samples, wanted)))
        }
        Some(_) => Reply::text(400, "format: text, json or prometheus\n"),
    }
}

/// For Prometheus.
pub(super) fn prometheus(shared: &Shared, query: &Query<'_>) -> Reply {
    with(shared, query, |samples, wanted| Reply {
        status: 200,
        kind: "text/plain; version=0.0.4; charset=utf-8",
        body: exposition::prometheus(samples, wanted),
    })
}

fn with(shared: &Shared, query: &Query<'_>, tell: impl FnOnce(&[Sample], &Wanted) -> Reply) -> Reply {
    let filter = query.get("filter").filter(|filter| !filter.is_empty());
    let filter = match filter.map(|filter| RegexBuilder::new(filter).size_limit(FILTER_LIMIT).build()).transpose() {
        Ok(filter) => filter,
        Err(error) => return Reply::text(400, format!("filter: {error}\n")),
    };
    let wanted = Wanted { filter, used_only: query.get("usedonly").is_some() };
    let snapshot = shared.snapshot.load();
    let now = |name: &str| snapshot.cluster(name).map(|cluster| as_it_is(cluster));
    let mut samples = shared.telemetry.metrics.samples(&now);
    let logs = &shared.telemetry.logs;
    samples.push(Sample::of_process("access_log.lines_lost", Value::Counter(logs.lost())));
    samples.push(Sample::of_process("access_log.writes_failed", Value::Counter(logs.failed())));
    samples.push(Sample::of_process("server.messages_lost", Value::Counter(shared.telemetry.messages.lost())));
    samples.push(Sample::of_process("server.snapshots", Value::Gauge(snapshot.alive())));
    let lost = snapshot.spans().map(|spans| spans.queue.lost()).sum();
    samples.push(Sample::of_process("tracing.spans_lost", Value::Counter(lost)));
    samples.push(Sample::of_process("server.reloads_refused", Value::Counter(shared.reloads_refused.load(Relaxed))));
    samples.push(Sample::of_process("server.reloads", Value::Counter(shared.reloads.load(Relaxed))));
    samples.push(Sample::of_process("server.live", Value::Gauge(u64::from(!shared.fails_health_check.load(Relaxed)))));
    let pressure = Value::Gauge(shared.pressure.percent());
    samples.push(Sample::of_process("overload.envoy.resource_monitors.fixed_heap.pressure", pressure));
    for (number, pulse) in shared.pulses.iter().enumerate() {
        let (misses, long) = pulse.misses(monotonic_nanos());
        samples.push(Sample::of_process(&format!("server.worker_{number}.watchdog_miss"), Value::Counter(misses)));
        samples.push(Sample::of_process(&format!("server.worker_{number}.watchdog_mega_miss"), Value::Counter(long)));
    }
    tell(&samples, &wanted)
}

/// What a cluster is at this moment.
fn as_it_is(cluster: &Cluster) -> ClusterNow {
    let count = |of: fn(&crate::cluster::Member) -> bool| cluster.members.iter().filter(|one| of(one)).count() as u64;
    let load = |priority| cluster.load(priority);
    let both = |of: fn(&crate::cluster::Load) -> u32| {
        u64::from(of(load(Priority::Default))) + u64::from(of(load(Priority::High)))
    };
    ClusterNow {
        members: cluster.members.len() as u64,
        healthy: count(|member| member.health() == Health::Healthy),
        degraded: count(|member| member.health() == Health::Degraded),
        excluded: count(|member| member.health() == Health::Excluded),
        ejected: count(|member| member.host.counters.is_ejected()),
        checked_healthy: count(|member| {
            !member.host.fails_check() && member.endpoint.health == EndpointHealth::Healthy
        }),
        checked_degraded: count(|member| member.host.is_degraded()),
        connections: both(|load| load.connections.load(Relaxed)),
        requests: both(|load| load.requests.load(Relaxed)),
        pending: both(|load| load.pending.load(Relaxed)),
        breakers: breakers(cluster, Priority::Default),
        high_breakers: breakers(cluster, Priority::High),
    }
}

fn breakers(cluster: &Cluster, priority: Priority) -> BreakerNow {
    let limits: &PoolLimits = cluster.policy.limits(priority);
    let load = cluster.load(priority);
    let full = |count: u32, limit: u32| limit != UNLIMITED && count >= limit;
    let left = |count: u32, limit: u32| u64::from(limit.saturating_sub(count));
    let remaining = limits.track_remaining.then(|| RemainingNow {
        connections: left(load.connections.load(Relaxed), limits.connections),
        requests: left(load.requests.load(Relaxed), limits.requests),
        pending: left(load.pending.load(Relaxed), limits.pending),
        // A budget grows and shrinks with the requests under way: what is left of it is no number of its own.
        retries: limits.retry_budget.map_or_else(|| left(load.retries.load(Relaxed), limits.retries), |_| 0),
    });
    BreakerNow {
        connections: full(load.connections.load(Relaxed), limits.connections),
        requests: full(load.requests.load(Relaxed), limits.requests),
        pending: full(load.pending.load(Relaxed), limits.pending),
        retries: full(load.retries.load(Relaxed), limits.retries),
        pools: false,
        remaining,
    }
}
