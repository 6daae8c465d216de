//! How requests are sent on.

use super::Rewrite;
use crate::policy::words::told;
use crate::policy::{HashPolicy, HeaderRules, Mirror, RetryPolicy};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How a request is sent on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Forward {
    /// Where to.
    pub to: Target,
    /// Status where there is no such cluster; 503, and 500 for routes of the Gateway API.
    pub not_found_status: u16,
    /// Changes of path and host.
    pub rewrite: Rewrite,
    /// From the whole request received to the answer's end. 15 s by Envoy's default, none by Istio's.
    #[serde(serialize_with = "told::time_or_none")]
    pub timeout: Option<Duration>,
    /// No byte of the stream either way; that of the listener where it is not said.
    #[serde(serialize_with = "told::time_or_listeners")]
    pub idle_timeout: Option<Option<Duration>>,
    /// Age at which a stream is ended; that of the listener where it is not said.
    #[serde(serialize_with = "told::time_or_listeners")]
    pub max_stream: Option<Option<Duration>>,
    /// Age at which a stream is ended that comes with `grpc-timeout`, where that has a say in it.
    pub grpc_deadline: Option<GrpcDeadline>,
    /// How much of `grpc-timeout` goes for `timeout`.
    pub grpc_timeout: GrpcTimeout,
    /// Taken off `grpc-timeout` where it goes for `timeout`, if something is left; nothing by default.
    #[serde(serialize_with = "told::time")]
    pub grpc_timeout_offset: Duration,
    /// When it is tried again.
    pub retry: RetryPolicy,
    /// Copies.
    pub mirrors: Vec<Mirror>,
    /// What a consistent hash is made of.
    pub hash: Vec<HashPolicy>,
    /// Which breakers count it.
    pub priority: Priority,
    /// Upgrades that this route allows or forbids, in lower case.
    pub upgrades: Vec<(String, bool)>,
    /// Most bytes kept for another try; those of the listener where it is not said.
    #[serde(serialize_with = "told::bytes_or_none")]
    pub buffer_limit: Option<u32>,
    /// Labels of the endpoints it may go to, where the cluster has subsets of its own.
    pub subset: BTreeMap<String, String>,
}

impl Forward {
    /// To one cluster, with Envoy's defaults but for the time-out, which is none.
    pub fn to(cluster: &str) -> Self {
        Self {
            to: Target::Weighted(vec![WeightedCluster {
                name: cluster.to_owned(),
                weight: 1,
                headers: HeaderRules::default(),
                host_rewrite: None,
                subset: BTreeMap::new(),
            }]),
            not_found_status: 503,
            rewrite: Rewrite::default(),
            timeout: None,
            idle_timeout: None,
            max_stream: None,
            grpc_deadline: None,
            grpc_timeout: GrpcTimeout::default(),
            grpc_timeout_offset: Duration::ZERO,
            retry: RetryPolicy::none(),
            mirrors: Vec::new(),
            hash: Vec::new(),
            priority: Priority::Default,
            upgrades: Vec::new(),
            buffer_limit: None,
            subset: BTreeMap::new(),
        }
    }
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// One of these, drawn by weight once a request; their sum is above 0.
    Weighted(Vec<WeightedCluster>),
    /// The cluster that a field of the request names.
    Header(String),
}

/// A cluster with its share.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WeightedCluster {
    /// Its name.
    pub name: String,
    /// Share of the sum.
    pub weight: u32,
    /// Changes of fields for this destination.
    pub headers: HeaderRules,
    /// Host for this destination.
    pub host_rewrite: Option<String>,
    /// Labels of the endpoints it may go to.
    pub subset: BTreeMap<String, String>,
}

/// Which breakers count a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// Most.
    #[default]
    Default,
    /// Those marked high.
    High,
}

/// How much of `grpc-timeout` is obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrpcTimeout {
    /// Nothing.
    #[default]
    Ignored,
    /// All of it.
    Obeyed,
    /// At most so much.
    AtMost(#[serde(serialize_with = "told::time")] Duration),
}

/// How `grpc-timeout` ends a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GrpcDeadline {
    /// At most so late; none is whatever it says.
    #[serde(serialize_with = "told::time_or_none")]
    pub most: Option<Duration>,
    /// Taken off, so that there is time to answer.
    #[serde(serialize_with = "told::time")]
    pub offset: Duration,
}

impl Target {
    /// The names of all clusters it may lead to, where they stand in the policy.
    pub fn clusters(&self) -> impl Iterator<Item = &WeightedCluster> {
        match self {
            Self::Weighted(clusters) => clusters.iter(),
            Self::Header(_) => [].iter(),
        }
    }
}
