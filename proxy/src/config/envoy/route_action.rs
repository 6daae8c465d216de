//! How requests are sent on.

use super::message::Message;
use super::reading::Said;
use super::route_table::Above;
use super::schema::{MAX_STREAM_DURATION, ROUTE_UPGRADE, WEIGHTED_CLUSTER, WEIGHTED_CLUSTERS};
use super::written::Written;
use super::{header_rules, labels, references, retry, spread, text_match};
use crate::policy::{
    Forward, GrpcDeadline, GrpcTimeout, HostRewrite, Mirror, PathRewrite, Priority, RetryPolicy, Rewrite, Target,
    WeightedCluster,
};
use std::time::Duration;

/// The action; what a host or a table says holds where the route says nothing.
pub(super) fn read(action: &Message<'_>, above: &Above) -> Forward {
    let statuses =
        [("SERVICE_UNAVAILABLE", 0, Some(503)), ("NOT_FOUND", 1, Some(404)), ("INTERNAL_SERVER_ERROR", 2, Some(500))];
    let priorities = [("DEFAULT", 0, Some(Priority::Default)), ("HIGH", 1, Some(Priority::High))];
    let hedge = retry::hedge(action).or(above.hedge).unwrap_or(false);
    let retry = retry::read(action).or_else(|| above.retry.clone()).unwrap_or_else(RetryPolicy::none);
    let durations = action.message("max_stream_duration", &MAX_STREAM_DURATION);
    let max_stream = durations.as_ref().filter(|durations| durations.has("max_stream_duration"));
    if let (Some(written), true) = (action.value("timeout"), durations.is_some()) {
        written.warn("this has no effect beside `max_stream_duration`, which alone says how long a stream may take");
    }
    Forward {
        to: target(action, above),
        not_found_status: action.choice("cluster_not_found_response_code", &statuses).unwrap_or(503),
        rewrite: rewrite(action),
        timeout: action.limit("timeout", Some(Duration::from_secs(15))).filter(|_| durations.is_none()),
        idle_timeout: action.has("idle_timeout").then(|| action.limit("idle_timeout", None)),
        max_stream: max_stream.map(|durations| durations.limit("max_stream_duration", None)),
        grpc_deadline: durations.as_ref().and_then(grpc_deadline),
        grpc_timeout: grpc_timeout(action).filter(|_| durations.is_none()).unwrap_or_default(),
        grpc_timeout_offset: action.duration("grpc_timeout_offset").unwrap_or_default(),
        retry: RetryPolicy { hedge, ..retry },
        mirrors: mirrors(action, above),
        hash: spread::hashes(action),
        priority: action.choice("priority", &priorities).unwrap_or_default(),
        upgrades: upgrades(action),
        buffer_limit: above.buffer_limit,
        subset: labels::of_metadata(action, "metadata_match"),
    }
}

fn mirrors(action: &Message<'_>, above: &Above) -> Vec<Mirror> {
    spread::mirrors(action, above.validate_clusters).or_else(|| above.mirrors.clone()).unwrap_or_default()
}

fn target(action: &Message<'_>, above: &Above) -> Target {
    let nowhere = Target::Weighted(Vec::new());
    let Some((kind, value)) = action.one_of(&["cluster", "cluster_header", "weighted_clusters"], true) else {
        return nowhere;
    };
    match kind {
        "cluster" => {
            let Some(name) = text_match::full(&value) else { return nowhere };
            references::want(&value, &name, above.validate_clusters);
            Forward::to(&name).to
        }
        "cluster_header" => header_rules::name(&value).map_or(nowhere, Target::Header),
        _ => weighted(&value, above).map_or(nowhere, Target::Weighted),
    }
}

fn weighted(written: &Written<'_>, above: &Above) -> Option<Vec<WeightedCluster>> {
    let message = written.message(&WEIGHTED_CLUSTERS)?;
    let entries = message.messages("clusters", &WEIGHTED_CLUSTER);
    let clusters: Vec<_> = entries.iter().map(|entry| share(entry, above)).collect();
    let sum: u64 = clusters.iter().map(|cluster| u64::from(cluster.weight)).sum();
    if sum == 0 || sum > u64::from(u32::MAX) {
        let said = Said::from(format!("the weights of `clusters` have a sum of {sum}"));
        message.at.error(said.expected("a sum from 1 to 4294967295"));
    }
    if let Some(value) = message.value("total_weight")
        && value.count().is_some_and(|total| u64::from(total) != sum)
    {
        value.warn(Said::from(format!("this has no effect: the weights have a sum of {sum}")).help("leave it out"));
    }
    Some(clusters)
}

fn share(entry: &Message<'_>, above: &Above) -> WeightedCluster {
    let name = entry.required_text("name");
    if let Some(value) = entry.value("name").filter(|_| !name.is_empty()) {
        references::want(value, &name, above.validate_clusters);
    }
    entry.require("weight");
    WeightedCluster {
        name,
        weight: entry.count("weight").unwrap_or(0),
        headers: header_rules::read(entry),
        host_rewrite: entry.text("host_rewrite_literal").filter(|host| !host.is_empty()),
        subset: labels::of_metadata(entry, "metadata_match"),
    }
}

fn rewrite(action: &Message<'_>) -> Rewrite {
    let path = match action.one_of(&["prefix_rewrite", "regex_rewrite"], false) {
        Some(("prefix_rewrite", value)) => {
            value.text().filter(|prefix| !prefix.is_empty()).map(|prefix| PathRewrite::Prefix(prefix.to_owned()))
        }
        Some((_, value)) => {
            text_match::rewrite(&value).map(|(pattern, substitution)| PathRewrite::Regex { pattern, substitution })
        }
        None => None,
    };
    let kinds = ["host_rewrite_literal", "auto_host_rewrite", "host_rewrite_header", "host_rewrite_path_regex"];
    let host = match action.one_of(&kinds, false) {
        Some(("host_rewrite_literal", value)) => {
            value.text().filter(|host| !host.is_empty()).map(|host| HostRewrite::Literal(host.to_owned()))
        }
        Some(("auto_host_rewrite", value)) => (value.boolean() == Some(true)).then_some(HostRewrite::Auto),
        Some(("host_rewrite_header", value)) => header_rules::name(&value).map(HostRewrite::Header),
        Some((_, value)) => {
            text_match::rewrite(&value).map(|(pattern, substitution)| HostRewrite::PathRegex { pattern, substitution })
        }
        None => None,
    };
    Rewrite { path, host, append_forwarded_host: action.flag("append_x_forwarded_host") }
}

/// How much of `grpc-timeout` goes for the time-out, by the former fields; zero is all of it.
fn grpc_timeout(action: &Message<'_>) -> Option<GrpcTimeout> {
    let most = action.duration("max_grpc_timeout")?;
    Some(if most.is_zero() { GrpcTimeout::Obeyed } else { GrpcTimeout::AtMost(most) })
}

/// How `grpc-timeout` ends a stream: not at all unless the most is said; zero is without one.
fn grpc_deadline(durations: &Message<'_>) -> Option<GrpcDeadline> {
    let offset = durations.duration("grpc_timeout_header_offset").unwrap_or_default();
    let most = durations.duration("grpc_timeout_header_max");
    if let (None, Some(written)) = (most, durations.value("grpc_timeout_header_offset")) {
        written.warn("this has no effect without `grpc_timeout_header_max`");
    }
    most.map(|most| GrpcDeadline { most: Some(most).filter(|most| !most.is_zero()), offset })
}

fn upgrades(action: &Message<'_>) -> Vec<(String, bool)> {
    let mut upgrades: Vec<(String, bool)> = Vec::new();
    for upgrade in action.messages("upgrade_configs", &ROUTE_UPGRADE) {
        let kind = upgrade.required_text("upgrade_type").to_ascii_lowercase();
        if upgrades.iter().any(|(other, _)| *other == kind) {
            upgrade.at.error(format!("`{kind}` stands here twice"));
        }
        upgrades.push((kind, upgrade.boolean("enabled").unwrap_or(true)));
    }
    upgrades
}
