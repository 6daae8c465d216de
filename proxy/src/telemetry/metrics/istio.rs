//! Requests and connections as Istio counts them, under labels that stand in the configuration.
//!
//! What a label takes from a request is one of few: protocol, status, gRPC status, flags, and how safe the connection is. Together they are a
//! number, under which a worker counts.

mod key;
mod labels;
mod tcp;
#[cfg(test)]
mod tests;

use super::cell::Cell;
use super::histogram::{Histogram, Summary};
use super::sample::{Sample, Value};
use super::shards::{Shards, Worker};
use super::tally::Tally;
use crate::telemetry::StreamInfo;
use key::Key;
pub(crate) use key::Security;
pub(crate) use labels::Labels;
use std::collections::BTreeMap;
pub(crate) use tcp::IstioTcp;

/// So many ways in which requests end are told apart in a series; further ones fall together.
const WAYS: usize = 32;

/// Requests between two sides.
#[derive(Debug)]
pub(crate) struct Istio {
    labels: String,
    shards: Shards<Tally<WAYS, Ended>>,
}

/// Requests that ended the same way.
#[derive(Debug, Default)]
struct Ended {
    count: Cell,
    duration: Histogram,
    request_bytes: Histogram,
    response_bytes: Histogram,
    request_messages: Cell,
    response_messages: Cell,
}

/// The same, added up.
#[derive(Default)]
struct Sum {
    count: u64,
    duration: Summary,
    request_bytes: Summary,
    response_bytes: Summary,
    request_messages: u64,
    response_messages: u64,
}

/// gRPC messages that went by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Messages {
    /// To the service.
    pub requests: u64,
    /// From it.
    pub responses: u64,
}

impl Istio {
    /// For so many workers.
    pub(super) fn new(labels: &Labels, workers: u16) -> Self {
        Self { labels: labels.text(), shards: Shards::new(workers) }
    }

    /// Counts a request that has ended.
    pub(crate) fn ended(&self, worker: Worker, info: &StreamInfo<'_>, security: Security, messages: Messages) {
        let ended = self.shards.of(worker).of(Key::of(info, security).number());
        ended.count.add(1);
        ended.duration.time(info.duration());
        ended.request_bytes.bytes(info.wire_received);
        ended.response_bytes.bytes(info.wire_sent);
        ended.request_messages.add(messages.requests);
        ended.response_messages.add(messages.responses);
    }

    /// Adds everything up.
    pub(super) fn samples(&self, samples: &mut Vec<Sample>) {
        let mut sums = BTreeMap::<Option<u64>, Sum>::new();
        for (key, ended) in self.shards.iter().flat_map(Tally::iter).filter(|(_, ended)| ended.count.get() > 0) {
            let sum = sums.entry(key).or_default();
            sum.count += ended.count.get();
            sum.duration.add(&ended.duration);
            sum.request_bytes.add(&ended.request_bytes);
            sum.response_bytes.add(&ended.response_bytes);
            sum.request_messages += ended.request_messages.get();
            sum.response_messages += ended.response_messages.get();
        }
        for (key, sum) in sums {
            let labels = format!("{},{}", self.labels, Key::labels(key));
            let mut push = |family, value| samples.push(sample(family, &labels, value));
            push("istio_requests_total", Value::Counter(sum.count));
            push("istio_request_duration_milliseconds", Value::Histogram(Box::new(sum.duration)));
            push("istio_request_bytes", Value::Histogram(Box::new(sum.request_bytes)));
            push("istio_response_bytes", Value::Histogram(Box::new(sum.response_bytes)));
            if sum.request_messages + sum.response_messages > 0 {
                push("istio_request_messages_total", Value::Counter(sum.request_messages));
                push("istio_response_messages_total", Value::Counter(sum.response_messages));
            }
        }
    }
}

fn sample(family: &str, labels: &str, value: Value) -> Sample {
    let name = format!("istiocustom.{family}{{{labels}}}");
    Sample { name, family: family.to_owned(), labels: labels.to_owned(), value }
}
