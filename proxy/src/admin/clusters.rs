//! Endpoints and their health, in Envoy's shapes.

use crate::cluster::{Cluster, Member};
use crate::policy::{Address, EndpointHealth, Place, Priority};
use crate::serve::Shared;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

/// What Envoy says of a rate before it has one; those that eject here are the detector's own.
const UNKNOWN: i8 = -1;

/// `/clusters?format=json`. As in Envoy's JSON, what is 0, false or empty is left out, and numbers of 64 bits are texts.
pub(super) fn json(shared: &Shared) -> Value {
    let snapshot = shared.snapshot.load();
    let statuses: Vec<_> = snapshot
        .clusters
        .values()
        .map(|cluster| {
            let thresholds = [Priority::Default, Priority::High].map(|priority| thresholds(cluster, priority));
            let hosts: Vec<_> = cluster.members.iter().map(|member| host(cluster, member)).collect();
            without_defaults(json!({
                "name": &*cluster.name,
                "observability_name": &*cluster.name,
                "circuit_breakers": {"thresholds": thresholds},
                "host_statuses": hosts,
            }))
        })
        .collect();
    json!({"cluster_statuses": statuses})
}

fn thresholds(cluster: &Cluster, priority: Priority) -> Value {
    let limits = cluster.policy.limits(priority);
    json!({
        "priority": if priority == Priority::High { "HIGH" } else { "" },
        "max_connections": limits.connections,
        "max_pending_requests": limits.pending,
        "max_requests": limits.requests,
        "max_retries": limits.retries,
    })
}

fn host(cluster: &Cluster, member: &Member) -> Value {
    let host = &member.host;
    let discovered = match member.endpoint.health {
        EndpointHealth::Healthy => "HEALTHY",
        EndpointHealth::Unhealthy => "UNHEALTHY",
        EndpointHealth::Degraded => "DEGRADED",
        EndpointHealth::Draining => "DRAINING",
    };
    let place = place(cluster, member);
    let mut status = without_defaults(json!({
        "address": address(&member.endpoint.address),
        "stats": [
            {"name": "rq_total", "value": text_of(host.requests.load(Relaxed))},
            {"type": "GAUGE", "name": "rq_active", "value": text_of(u64::from(host.active()))},
        ],
        "health_status": {
            "failed_outlier_check": host.counters.is_ejected(),
            "failed_active_health_check": host.fails_check(),
            "failed_active_degraded_check": host.is_degraded(),
            "excluded_via_immediate_hc_fail": host.is_excluded(),
            "eds_health_status": discovered,
        },
        "weight": member.endpoint.weight,
        "hostname": member.endpoint.hostname,
        "priority": member.priority,
    }));
    // Always there, however little is known of it.
    status["locality"] =
        without_defaults(json!({"region": place.region, "zone": place.zone, "sub_zone": place.sub_zone}));
    status
}

/// An address as Envoy's JSON has it.
fn address(address: &Address) -> Value {
    match address {
        Address::Socket(at) => json!({"socket_address": {"address": at.ip().to_string(), "port_value": at.port()}}),
        Address::Name(name, port) => json!({"socket_address": {"address": name, "port_value": port}}),
        Address::Pipe(path) => json!({"pipe": {"path": path}}),
    }
}

fn text_of(number: u64) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

fn place<'c>(cluster: &'c Cluster, member: &Member) -> Cow<'c, Place> {
    let locality = cluster.policy.localities.get(member.locality);
    locality.map_or_else(Cow::default, |locality| Cow::Borrowed(&locality.place))
}

/// Without fields that say nothing.
fn without_defaults(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let says = |value: &Value| *value != json!(0) && *value != json!(false) && *value != json!("");
            let fields = fields.into_iter().map(|(name, value)| (name, without_defaults(value)));
            Value::Object(fields.filter(|(_, value)| says(value)).collect())
        }
        Value::Array(values) => values.into_iter().map(without_defaults).collect(),
        value => value,
    }
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
    if cluster.outlier().is_some() {
        for what in ["success_rate", "local_origin_success_rate"] {
            writeln!(text, "{name}::outlier::{what}_average::{UNKNOWN}")?;
            writeln!(text, "{name}::outlier::{what}_ejection_threshold::{UNKNOWN}")?;
        }
    }
    for (priority, word) in [(Priority::Default, "default_priority"), (Priority::High, "high_priority")] {
        let limits = cluster.policy.limits(priority);
        writeln!(text, "{name}::{word}::max_connections::{}", limits.connections)?;
        writeln!(text, "{name}::{word}::max_pending_requests::{}", limits.pending)?;
        writeln!(text, "{name}::{word}::max_requests::{}", limits.requests)?;
        writeln!(text, "{name}::{word}::max_retries::{}", limits.retries)?;
    }
    writeln!(text, "{name}::added_via_api::false")?;
    for member in &cluster.members {
        let (host, place) = (&member.host, place(cluster, member));
        let address = &member.endpoint.address;
        writeln!(text, "{name}::{address}::rq_active::{}", host.active())?;
        writeln!(text, "{name}::{address}::rq_total::{}", host.requests.load(Relaxed))?;
        writeln!(text, "{name}::{address}::hostname::{}", member.endpoint.hostname)?;
        writeln!(text, "{name}::{address}::health_flags::{}", flags(member))?;
        writeln!(text, "{name}::{address}::weight::{}", member.endpoint.weight)?;
        writeln!(text, "{name}::{address}::region::{}", place.region)?;
        writeln!(text, "{name}::{address}::zone::{}", place.zone)?;
        writeln!(text, "{name}::{address}::sub_zone::{}", place.sub_zone)?;
        writeln!(text, "{name}::{address}::canary::false")?;
        writeln!(text, "{name}::{address}::priority::{}", member.priority)?;
        writeln!(text, "{name}::{address}::success_rate::{UNKNOWN}")?;
        writeln!(text, "{name}::{address}::local_origin_success_rate::{UNKNOWN}")?;
    }
    Ok(())
}

fn flags(member: &Member) -> String {
    let host = &member.host;
    let discovered = |health| member.endpoint.health == health;
    let flags = [
        (host.fails_check(), "/failed_active_hc"),
        (host.counters.is_ejected(), "/failed_outlier_check"),
        (discovered(EndpointHealth::Unhealthy), "/failed_eds_health"),
        (host.is_degraded(), "/degraded_active_hc"),
        (discovered(EndpointHealth::Degraded), "/degraded_eds_health"),
        (discovered(EndpointHealth::Draining), "/eds_status_draining"),
        (host.is_excluded(), "/excluded_via_immediate_hc_fail"),
    ];
    let flags: String = flags.iter().filter(|(holds, _)| *holds).map(|(_, flag)| *flag).collect();
    if flags.is_empty() { "healthy".to_owned() } else { flags }
}
