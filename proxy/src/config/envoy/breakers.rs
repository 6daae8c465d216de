//! Circuit breakers.

use super::message::Message;
use super::schema::{CIRCUIT_BREAKERS, RETRY_BUDGET, THRESHOLDS};
use super::share;
use crate::policy::{PoolLimits, Priority, RetryBudget};

/// Limits of ordinary requests, and of those of high priority.
pub(super) fn read(cluster: &Message<'_>, name: &str) -> (PoolLimits, PoolLimits) {
    let mut limits = (PoolLimits::envoy_default(), PoolLimits::envoy_default());
    if let Some(breakers) = cluster.message("circuit_breakers", &CIRCUIT_BREAKERS) {
        let thresholds = by_priority(&breakers, "thresholds");
        for (priority, threshold) in &thresholds {
            *of(&mut limits, *priority) = threshold_limits(threshold);
        }
        for (priority, threshold) in &by_priority(&breakers, "per_host_thresholds") {
            let most = threshold.count("max_connections");
            let others = [
                "max_pending_requests",
                "max_requests",
                "max_retries",
                "retry_budget",
                "track_remaining",
                "max_connection_pools",
            ];
            for other in others.into_iter().filter_map(|other| threshold.value(other)) {
                other.error("only `max_connections` may be limited for each host");
            }
            of(&mut limits, *priority).connections_per_host = most.unwrap_or(1024);
        }
    }
    by_runtime(cluster, name, &mut limits);
    limits
}

fn of(limits: &mut (PoolLimits, PoolLimits), priority: Priority) -> &mut PoolLimits {
    match priority {
        Priority::Default => &mut limits.0,
        Priority::High => &mut limits.1,
    }
}

/// The thresholds of a list; of several for one priority the first counts.
fn by_priority<'a>(breakers: &Message<'a>, field: &str) -> Vec<(Priority, Message<'a>)> {
    let priorities = [("DEFAULT", 0, Some(Priority::Default)), ("HIGH", 1, Some(Priority::High))];
    let mut found: Vec<(Priority, Message<'a>)> = Vec::new();
    for threshold in breakers.messages(field, &THRESHOLDS) {
        let priority = threshold.choice("priority", &priorities).unwrap_or_default();
        if found.iter().any(|(other, _)| *other == priority) {
            threshold.at.warn("this has no effect: an entry before it is for the same priority");
        } else {
            found.push((priority, threshold));
        }
    }
    found
}

fn threshold_limits(threshold: &Message<'_>) -> PoolLimits {
    let default = PoolLimits::envoy_default();
    let or = |name: &str, default: u32| threshold.count(name).unwrap_or(default);
    let retry_budget = threshold.message("retry_budget", &RETRY_BUDGET).map(|budget| RetryBudget {
        percent: share::percent(&budget, "budget_percent").unwrap_or(20.0),
        min_concurrency: budget.count("min_retry_concurrency").unwrap_or(3),
    });
    PoolLimits {
        connections: or("max_connections", default.connections),
        pending: or("max_pending_requests", default.pending),
        requests: or("max_requests", default.requests),
        retries: or("max_retries", default.retries),
        retry_budget,
        pools: or("max_connection_pools", default.pools),
        track_remaining: threshold.flag("track_remaining"),
        ..default
    }
}

/// `circuit_breakers.<cluster>.<priority>.max_connections` and the like.
fn by_runtime(cluster: &Message<'_>, name: &str, limits: &mut (PoolLimits, PoolLimits)) {
    let mut runtime = cluster.at.reading.runtime.borrow_mut();
    for (priority, limits) in [("default", &mut limits.0), ("high", &mut limits.1)] {
        let fields = [
            ("max_connections", &mut limits.connections),
            ("max_pending_requests", &mut limits.pending),
            ("max_requests", &mut limits.requests),
            ("max_retries", &mut limits.retries),
            ("max_connection_pools", &mut limits.pools),
        ];
        for (field, limit) in fields {
            if let Some(value) = runtime.count(&format!("circuit_breakers.{name}.{priority}.{field}")) {
                *limit = value;
            }
        }
    }
}
