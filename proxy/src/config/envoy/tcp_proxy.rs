//! Forwarding of bytes.

use super::message::Message;
use super::reading::Said;
use super::schema::{TCP_HASH_POLICY, TCP_PROXY, TCP_SOURCE_IP, TCP_WEIGHTED_CLUSTER, TCP_WEIGHTED_CLUSTERS};
use super::{access_log, labels, references};
use crate::policy::{HeaderRules, TcpProxy, WeightedCluster};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where the bytes of a connection go.
pub(super) fn read(proxy: &Message<'_>) -> TcpProxy {
    debug_assert!(proxy.is(&TCP_PROXY));
    let subset = labels::of_metadata(proxy, "metadata_match");
    let to = match proxy.one_of(&["cluster", "weighted_clusters"], true) {
        Some(("cluster", cluster)) => {
            let name = cluster.text().unwrap_or_default();
            if name.is_empty() {
                cluster.error("this must not be empty");
            }
            references::want(&cluster, name, false);
            vec![share(name.to_owned(), 1, subset)]
        }
        Some((_, weighted)) => {
            weighted.message(&TCP_WEIGHTED_CLUSTERS).map(|clusters| weights(&clusters, &subset)).unwrap_or_default()
        }
        None => Vec::new(),
    };
    let mut hash_source_ip = false;
    let policies = proxy.messages("hash_policy", &TCP_HASH_POLICY);
    for policy in &policies {
        policy.require("source_ip");
        hash_source_ip |= policy.message("source_ip", &TCP_SOURCE_IP).is_some();
    }
    if policies.len() > 1 {
        proxy.at.error("`hash_policy` has more than one entry");
    }
    let max_duration = proxy.duration("max_downstream_connection_duration");
    if max_duration.is_some_and(|duration| duration < Duration::from_millis(1)) {
        proxy.at.error(
            Said::from("`max_downstream_connection_duration` is out of range")
                .expected("a duration of at least 0.001s"),
        );
    }
    TcpProxy {
        stat_prefix: proxy.required_text("stat_prefix"),
        to,
        idle_timeout: proxy.limit("idle_timeout", Some(Duration::from_secs(3600))),
        max_connect_attempts: proxy.within("max_connect_attempts", 1, i128::from(u32::MAX)).unwrap_or(1),
        max_duration,
        hash_source_ip,
        access_logs: access_log::all(proxy, "access_log"),
    }
}

fn weights(clusters: &Message<'_>, of_all: &BTreeMap<String, String>) -> Vec<WeightedCluster> {
    let entries = clusters.messages("clusters", &TCP_WEIGHTED_CLUSTER);
    if entries.is_empty() {
        clusters.at.error("`clusters` is empty");
    }
    let read = entries.iter().map(|entry| {
        entry.require("weight");
        let weight = entry.within("weight", 1, i128::from(u32::MAX)).unwrap_or(1);
        // Labels of a destination go before those of all.
        let mut subset = of_all.clone();
        subset.extend(labels::of_metadata(entry, "metadata_match"));
        let name = entry.required_text("name");
        entry.value("name").into_iter().for_each(|value| references::want(value, &name, false));
        share(name, weight, subset)
    });
    read.collect()
}

fn share(name: String, weight: u32, subset: BTreeMap<String, String>) -> WeightedCluster {
    WeightedCluster { name, weight, headers: HeaderRules::default(), host_rewrite: None, subset }
}
