//! Endpoints and their health, in Envoy's shapes.

use crate::cluster::{Cluster, Member};
use crate::policy::{EndpointHealth, Priority};
use crate::serve::Shared;
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// `/clusters?format=json`.
pub(super) fn json(shared: &Shared) -> Value {
    let snapshot = shared.snapshot.load();
    let statuses: Vec<_> = snapshot
        .clusters
        .values()
        .map(|cluster| {
            let hosts: Vec<_> = cluster.members.iter().map(Arc::as_ref).map(host).collect();
            json!({"name": &*cluster.name, "host_statuses": hosts})
        })
        .collect();
    json!({"cluster_statuses": statuses})
}

fn host(member: &Member) -> Value {
    let host = &member.host;
    let discovered = match member.endpoint.health {
        EndpointHealth::Healthy => "HEALTHY",
        EndpointHealth::Unhealthy => "UNHEALTHY",
        EndpointHealth::Degraded => "DEGRADED",
        EndpointHealth::Draining => "DRAINING",
    };
    json!({
        "address": member.endpoint.address.to_string(),
        "hostname": member.endpoint.hostname,
        "priority": member.priority,
        "weight": member.endpoint.weight,
        "health_status": {
            "failed_outlier_check": host.counters.is_ejected(),
            "failed_active_health_check": host.fails_check(),
            "failed_active_degraded_check": host.is_degraded(),
            "excluded_via_immediate_hc_fail": host.is_excluded(),
            "eds_health_status": discovered,
        },
        "stats": {"rq_active": host.active(), "rq_total": host.requests.load(Relaxed)},
    })
}

/// Envoy's lines: `name::address::key::value`.
pub(super) fn text(shared: &Shared) -> String {
    let snapshot = shared.snapshot.load();
    let mut text = String::new();
    for cluster in snapshot.clusters.values() {
        // Writing to a text cannot fail.
        let _ = lines(&mut text, cluster);
    }
    text
}

fn lines(text: &mut String, cluster: &Cluster) -> std::fmt::Result {
    let name = &cluster.name;
    writeln!(text, "{name}::observability_name::{name}")?;
    for (priority, word) in [(Priority::Default, "default_priority"), (Priority::High, "high_priority")] {
        let limits = cluster.policy.limits(priority);
        writeln!(text, "{name}::{word}::max_connections::{}", limits.connections)?;
        writeln!(text, "{name}::{word}::max_pending_requests::{}", limits.pending)?;
        writeln!(text, "{name}::{word}::max_requests::{}", limits.requests)?;
        writeln!(text, "{name}::{word}::max_retries::{}", limits.retries)?;
    }
    for member in &cluster.members {
        let host = &member.host;
        let mut flags = Vec::new();
        flags.extend(host.fails_check().then_some("/failed_active_hc"));
        flags.extend(host.counters.is_ejected().then_some("/failed_outlier_check"));
        flags.extend((member.endpoint.health == EndpointHealth::Unhealthy).then_some("/failed_eds_health"));
        flags.extend(host.is_degraded().then_some("/degraded_active_hc"));
        flags.extend((member.endpoint.health == EndpointHealth::Degraded).then_some("/degraded_eds_health"));
        flags.extend((member.endpoint.health == EndpointHealth::Draining).then_some("/eds_status_draining"));
        flags.extend(host.is_excluded().then_some("/excluded_via_immediate_hc_fail"));
        let flags = if flags.is_empty() { "healthy".to_owned() } else { flags.concat() };
        let address = &member.endpoint.address;
        writeln!(text, "{name}::{address}::rq_active::{}", host.active())?;
        writeln!(text, "{name}::{address}::rq_total::{}", host.requests.load(Relaxed))?;
        writeln!(text, "{name}::{address}::hostname::{}", member.endpoint.hostname)?;
        writeln!(text, "{name}::{address}::health_flags::{flags}")?;
        writeln!(text, "{name}::{address}::weight::{}", member.endpoint.weight)?;
        writeln!(text, "{name}::{address}::priority::{}", member.priority)?;
    }
    Ok(())
}
