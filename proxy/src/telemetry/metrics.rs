//! Numbers: of clusters, listeners, HTTP managers, forwarders, rate limits, and of requests as Istio counts them.
//!
//! Each worker has a shard of its own, which it alone writes: to count is to load a number, add, and store it, without a lock, a bus-locked
//! instruction, an allocation or a text. Shards are made with their cluster and never grow. Whoever asks adds them up.

mod answers;
mod cell;
mod cluster;
mod histogram;
mod http;
mod istio;
mod listener;
mod names;
mod rate_limit;
mod registry;
mod sample;
mod shards;
mod tally;
mod tcp;
#[cfg(test)]
mod tests;

pub(crate) use cluster::{BreakerNow, ClusterCounter, ClusterNow, ClusterStats, ClusterTime, RemainingNow};
pub(crate) use http::{HttpCounter, HttpLevel, HttpStats, HttpTime, Raised};
pub(crate) use istio::{Istio, IstioTcp, Labels, Messages, Security};
pub(crate) use listener::{ListenerCounter, ListenerStats};
pub(crate) use rate_limit::{RateLimitCounter, RateLimitStats};
pub(crate) use registry::Registry;
pub(crate) use sample::{Sample, Value};
pub(crate) use shards::Worker;
pub(crate) use tcp::{TcpCounter, TcpStats};
