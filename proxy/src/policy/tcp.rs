//! Forwarding of bytes.

use super::words::told;
use super::{AccessLog, WeightedCluster};
use serde::Serialize;
use std::time::Duration;

/// Where the bytes of a connection go.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TcpProxy {
    /// Prefix of its metrics.
    pub stat_prefix: String,
    /// Drawn by weight once a connection.
    pub to: Vec<WeightedCluster>,
    /// No byte either way; 1 h by default.
    #[serde(serialize_with = "told::time_or_none")]
    pub idle_timeout: Option<Duration>,
    /// Endpoints that are tried; 1 by default.
    pub max_connect_attempts: u32,
    /// Age at which a connection is closed.
    #[serde(serialize_with = "told::time_or_none")]
    pub max_duration: Option<Duration>,
    /// Endpoints are picked by the client's address where the cluster hashes.
    pub hash_source_ip: bool,
    /// A line a connection.
    pub access_logs: Vec<AccessLog>,
}

impl TcpProxy {
    /// To one cluster, with Envoy's defaults.
    pub fn to(stat_prefix: &str, cluster: &str) -> Self {
        Self {
            stat_prefix: stat_prefix.to_owned(),
            to: super::Forward::to(cluster).to.clusters().cloned().collect(),
            idle_timeout: Some(Duration::from_secs(3600)),
            max_connect_attempts: 1,
            max_duration: None,
            hash_source_ip: false,
            access_logs: Vec::new(),
        }
    }
}
