//! The top of a bootstrap: who the proxy is, where it answers questions, and what it serves.

use super::any::Extensions;
use super::message::Message;
use super::reading::Said;
use super::schema::{ACCESS_LOG, ADMIN, FILE_LOG, LOCALITY, NODE, STATIC_RESOURCES};
use super::{address, cluster, labels, listener, references, runtime};
use crate::policy::{Beyond, Config, Node, Place};
use std::net::SocketAddr;
use std::time::Duration;

/// Reads all of it.
pub(super) fn read(bootstrap: &Message<'_>) -> Config {
    runtime::read(bootstrap);
    let node = bootstrap.message("node", &NODE).map(|node| node_of(&node)).unwrap_or_default();
    let admin = bootstrap.message("admin", &ADMIN).and_then(|admin| admin_of(&admin));
    let resources = bootstrap.message("static_resources", &STATIC_RESOURCES);
    let (mut listeners, mut clusters) = (Vec::new(), Vec::new());
    if let Some(resources) = &resources {
        clusters = cluster::all(resources);
        listeners = listener::all(resources);
        references::check(bootstrap, &clusters);
    }
    stats_flush(bootstrap);
    let config = Config { node, listeners, clusters, admin, disarmed: Vec::new(), beyond_envoy: Beyond::default() };
    runtime::leftovers(bootstrap);
    config
}

/// Says how often numbers go to sinks. There are none, and whoever asks for numbers gets them as they are: nothing shows it.
fn stats_flush(bootstrap: &Message<'_>) {
    let Some(value) = bootstrap.value("stats_flush_interval") else { return };
    let Some(interval) = value.duration() else { return };
    if !(Duration::from_millis(1)..Duration::from_secs(300)).contains(&interval) {
        value.error(Said::from("this is out of range").expected("a duration from 0.001s to less than 300s"));
    }
}

fn node_of(node: &Message<'_>) -> Node {
    let mut who = Node {
        id: node.text("id").unwrap_or_default(),
        cluster: node.text("cluster").unwrap_or_default(),
        place: node.message("locality", &LOCALITY).map(|locality| place(&locality)).unwrap_or_default(),
        ..Node::default()
    };
    // What a mesh says of a workload in the metadata of its proxy; anything else there is for others.
    for (key, value) in node.entries("metadata") {
        match key {
            "NAMESPACE" => who.namespace = value.text().map(str::to_owned).unwrap_or_default(),
            "WORKLOAD_NAME" => who.workload = value.text().map(str::to_owned).unwrap_or_default(),
            "LABELS" => who.labels = labels::of_struct(&value),
            _ => {}
        }
    }
    who
}

/// A locality.
pub(super) fn place(locality: &Message<'_>) -> Place {
    let text = |name| locality.text(name).unwrap_or_default();
    Place { region: text("region"), zone: text("zone"), sub_zone: text("sub_zone") }
}

/// The one log of questions to the proxy itself that can be obeyed: none.
const FILES: Extensions = Extensions {
    known: &[&FILE_LOG],
    package: "envoy.extensions.access_loggers.",
    others: "dynamic_modules fluentd grpc open_telemetry stats stream wasm",
};

fn admin_of(admin: &Message<'_>) -> Option<SocketAddr> {
    const NOWHERE: &str = "/dev/null";
    if let Some(path) = admin.value("access_log_path")
        && path.text().is_some_and(|text| text != NOWHERE)
    {
        path.refuse("a log of questions to the proxy itself, other than to `/dev/null`,");
    }
    for log in admin.messages("access_log", &ACCESS_LOG) {
        if let Some(file) = log.extension(&FILES)
            && file.text("path").is_none_or(|path| path != NOWHERE)
        {
            file.at.refuse("a log of questions to the proxy itself, other than to `/dev/null`,");
        }
    }
    admin.value("address").and_then(address::socket)
}
