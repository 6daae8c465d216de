//! The rules by which objects become one proxy's configuration, one test a rule.

mod clusters;
mod delegation;
mod destination_rules;
mod endpoints;
mod gateway;
mod inbound;
mod limits;
mod locality;
mod outbound;
mod properties;
mod routes;
mod streams;
pub(in crate::config) mod support;
mod virtual_hosts;
