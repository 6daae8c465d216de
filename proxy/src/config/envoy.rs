//! Static bootstraps of Envoy, version 3 of its API, read by its rules and with its defaults.
//!
//! `schema` says of every field of every message whether it is obeyed; `message` opens messages by it; each of the other modules
//! reads one part of a bootstrap into one part of the policy model.

mod access_log;
mod address;
mod any;
mod balance;
mod bootstrap;
mod breakers;
mod cluster;
mod cors;
mod data;
mod discovery;
mod endpoints;
mod fault;
mod filter_chain;
mod header_match;
mod header_rules;
mod health_check;
mod http_filters;
mod http_manager;
mod http_protocol;
mod labels;
mod listener;
mod message;
mod outlier;
mod rate_limit;
mod reading;
mod redirect;
mod references;
mod retry;
mod route;
mod route_action;
mod route_filters;
mod route_match;
mod route_table;
mod runtime;
mod schema;
mod share;
mod spread;
mod tcp_proxy;
mod text_match;
mod tls;
mod tracing;
mod upstream_protocol;
mod written;

use super::problems::Problems;
use crate::policy::Config;
use reading::{Reading, Said};
use squall_yaml::{Document, Value};
use written::Written;

/// True if this is a bootstrap, and not an object of a cluster.
pub(super) fn is_bootstrap(document: &Document) -> bool {
    let Value::Map(entries) = &document.root.value else { return false };
    let keys = || entries.iter().filter_map(|(key, _)| key.scalar());
    !keys().any(|key| key == "kind" || key == "apiVersion") && keys().any(|key| schema::BOOTSTRAP.field(key).is_some())
}

/// Reads a bootstrap. Tells all that is wrong with it; there is no configuration then.
pub(super) fn bootstrap(document: &Document, problems: &mut Problems<'_>) -> Option<Config> {
    let reading = Reading::new(problems);
    let config = {
        let root = Written { node: &document.root, path: String::new(), reading: &reading };
        if matches!(root.node.value, Value::Map(_)) {
            root.message(&schema::BOOTSTRAP).map(|message| bootstrap::read(&message))
        } else {
            reading
                .error(root.node, Said::from("a bootstrap is a map").expected("`static_resources`, `admin`, `node`"));
            None
        }
    };
    if reading.hand_over(problems) { config } else { None }
}

#[cfg(test)]
mod tests;
