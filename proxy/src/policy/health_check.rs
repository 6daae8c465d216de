//! Active checks: endpoints are asked how they are.

use super::words::told;
use super::{Origin, TextMatch};
use serde::Serialize;
use std::time::Duration;

/// An active check of every endpoint of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HealthCheck {
    /// What is asked.
    pub probe: HealthProbe,
    /// From the end of one check to the next.
    #[serde(serialize_with = "told::time")]
    pub interval: Duration,
    /// How long an answer may take.
    #[serde(serialize_with = "told::time")]
    pub timeout: Duration,
    /// Passes in a row until an endpoint that failed is used again; the very first check counts alone.
    pub healthy_threshold: u32,
    /// Time-outs and lost connections in a row until an endpoint is taken out.
    pub unhealthy_threshold: u32,
    /// Until the cluster has had its first connection for traffic; 60 s in Envoy. None is the interval.
    #[serde(serialize_with = "told::time_or_none")]
    pub no_traffic_interval: Option<Duration>,
    /// The same for endpoints that pass; none is that for all.
    #[serde(serialize_with = "told::time_or_none")]
    pub no_traffic_healthy_interval: Option<Duration>,
    /// While an endpoint fails; none is the interval.
    #[serde(serialize_with = "told::time_or_none")]
    pub unhealthy_interval: Option<Duration>,
    /// While an endpoint is about to fail; none is that of failing ones.
    #[serde(serialize_with = "told::time_or_none")]
    pub unhealthy_edge_interval: Option<Duration>,
    /// While an endpoint is about to pass; none is the interval.
    #[serde(serialize_with = "told::time_or_none")]
    pub healthy_edge_interval: Option<Duration>,
    /// Added evenly to the first check.
    #[serde(serialize_with = "told::time")]
    pub initial_jitter: Duration,
    /// Added evenly to each interval.
    #[serde(serialize_with = "told::time")]
    pub interval_jitter: Duration,
    /// Added evenly to each interval, as a share of it in percent.
    #[serde(serialize_with = "told::percent")]
    pub interval_jitter_percent: u32,
    /// Keep the connection for the next check.
    pub reuse_connection: bool,
    /// Where it stands.
    #[serde(skip)]
    pub origin: Origin,
}

/// What a check asks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum HealthProbe {
    /// By HTTP.
    Http(HttpProbe),
    /// By a connection: bytes sent, and bytes that must come back, in order, among others.
    Tcp {
        /// Sent; empty: to connect is enough.
        #[serde(serialize_with = "told::text")]
        send: Vec<u8>,
        /// Awaited.
        #[serde(serialize_with = "told::texts")]
        receive: Vec<Vec<u8>>,
    },
    /// By gRPC's own protocol.
    Grpc {
        /// The service that is asked for.
        service: String,
        /// Host; the cluster's name where empty.
        authority: String,
    },
}

/// A check by HTTP.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HttpProbe {
    /// GET by default.
    pub method: String,
    /// The path.
    pub path: String,
    /// Host; the cluster's name where empty.
    pub host: String,
    /// Fields that are added.
    #[serde(serialize_with = "told::map")]
    pub headers: Vec<(String, String)>,
    /// Statuses that pass, as half-open ranges; 200 by default.
    #[serde(serialize_with = "told::statuses")]
    pub expected: Vec<(u16, u16)>,
    /// Statuses that count against the threshold instead of at once.
    #[serde(serialize_with = "told::statuses")]
    pub retriable: Vec<(u16, u16)>,
    /// Spoken by HTTP/2.
    pub http2: bool,
    /// What the field `x-envoy-upstream-healthchecked-cluster` must say.
    pub service_name: Option<TextMatch>,
}

impl HttpProbe {
    /// GET of a path that must answer 200.
    pub fn get(path: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            path: path.to_owned(),
            host: String::new(),
            headers: Vec::new(),
            expected: vec![(200, 201)],
            retriable: Vec::new(),
            http2: false,
            service_name: None,
        }
    }
}
