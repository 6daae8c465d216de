//! Forwarded connections as Istio counts them.

use super::labels::Labels;
use super::sample;
use crate::telemetry::Flags;
use crate::telemetry::metrics::cell::Cell;
use crate::telemetry::metrics::istio::Security;
use crate::telemetry::metrics::sample::{Sample, Value, pair};
use crate::telemetry::metrics::shards::{Shards, Worker};
use crate::telemetry::metrics::tally::Tally;
use std::collections::BTreeMap;

/// So many sets of flags are told apart in a series; further ones fall together.
const WAYS: usize = 16;

/// Connections between two sides.
#[derive(Debug)]
pub(crate) struct IstioTcp {
    labels: String,
    shards: Shards<Tally<WAYS, Counted>>,
}

#[derive(Debug, Default)]
struct Counted {
    opened: Cell,
    closed: Cell,
    sent: Cell,
    received: Cell,
}

impl IstioTcp {
    /// For so many workers.
    pub(in crate::telemetry::metrics) fn new(labels: &Labels, security: Security, workers: u16) -> Self {
        let rest = [pair("request_protocol", "tcp"), pair("connection_security_policy", security.text())];
        Self { labels: format!("{},{}", labels.text(), rest.join(",")), shards: Shards::new(workers) }
    }

    /// A connection was taken.
    pub(crate) fn opened(&self, worker: Worker) {
        self.of(worker, Flags::NONE).opened.add(1);
    }

    /// Bytes went by since the last time; told now and then while a connection lives.
    pub(crate) fn moved(&self, worker: Worker, received: u64, sent: u64) {
        let counted = self.of(worker, Flags::NONE);
        counted.received.add(received);
        counted.sent.add(sent);
    }

    /// A connection is over.
    pub(crate) fn closed(&self, worker: Worker, flags: Flags) {
        self.of(worker, flags).closed.add(1);
    }

    fn of(&self, worker: Worker, flags: Flags) -> &Counted {
        self.shards.of(worker).of(flags.bits())
    }

    /// Adds everything up.
    pub(in crate::telemetry::metrics) fn samples(&self, samples: &mut Vec<Sample>) {
        type Metric = (&'static str, fn(&Counted) -> &Cell);
        const METRICS: [Metric; 4] = [
            ("istio_tcp_connections_opened_total", |counted| &counted.opened),
            ("istio_tcp_connections_closed_total", |counted| &counted.closed),
            ("istio_tcp_sent_bytes_total", |counted| &counted.sent),
            ("istio_tcp_received_bytes_total", |counted| &counted.received),
        ];
        for (family, cell) in METRICS {
            let mut sums = BTreeMap::<Option<u64>, u64>::new();
            for (flags, counted) in self.shards.iter().flat_map(Tally::iter) {
                *sums.entry(flags).or_default() += cell(counted).get();
            }
            for (flags, sum) in sums.into_iter().filter(|(_, sum)| *sum > 0) {
                let flags = flags.map_or("other".to_owned(), |bits| Flags::from_bits(bits).to_string());
                let labels = format!("{},{}", self.labels, pair("response_flags", &flags));
                samples.push(sample(family, &labels, Value::Counter(sum)));
            }
        }
    }
}
