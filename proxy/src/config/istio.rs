//! Istio's networking API.

mod destination_rule;
mod headers;
mod retries;
mod route_match;
mod traffic_policy;
mod virtual_service;

pub(super) use destination_rule::destination_rule;
pub(super) use virtual_service::virtual_service;
