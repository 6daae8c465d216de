//! Istio's networking API.

mod connection_pool;
mod destination_rule;
mod export_to;
mod gateway;
mod headers;
mod labels;
mod load_balancer;
mod locality;
mod outlier_detection;
mod place;
mod retries;
mod route_match;
mod service_entry;
mod sidecar;
mod string_match;
mod tls;
mod traffic_policy;
mod virtual_service;
mod whole_host;
mod workload;

pub(super) use destination_rule::destination_rule;
pub(super) use gateway::gateway;
pub(super) use headers::{Block, operations, rules};
pub(super) use place::place_of_labels;
pub(super) use retries::conditions;
pub(super) use service_entry::service_entry;
pub(super) use sidecar::sidecar;
pub(super) use virtual_service::virtual_service;
pub(super) use workload::workload_entry;
