//! Requests added up instead of told one by one, so that any number of them takes the same room.

use super::wire::{End, Latencies, Sample, Sums};
use squall_reports::record::{LatencyKind, Population, SLOT};
use squall_reports::stats::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;
const SLOT_NANOS: u64 = SLOT as u64 * 1_000;

/// The intervals that are told, and of whom.
const TOLD: [(LatencyKind, Population); 7] = [
    (LatencyKind::Response, Population::All),
    (LatencyKind::Response, Population::Acceptable),
    (LatencyKind::Response, Population::Lost),
    (LatencyKind::Service, Population::Acceptable),
    (LatencyKind::Service, Population::Lost),
    (LatencyKind::PacerLag, Population::All),
    (LatencyKind::ConnectionWait, Population::All),
];

/// What has ended since it was last told, by the stretch in which it was due.
#[derive(Debug, Default)]
pub(super) struct Adding {
    stretches: BTreeMap<(u16, u64), Stretch>,
}

#[derive(Debug, Default)]
struct Stretch {
    ended: BTreeMap<(u64, End, u16), u32>,
    sent: BTreeMap<u64, u32>,
    latencies: [Option<Box<Histogram>>; TOLD.len()],
}

impl Adding {
    /// Adds a request of a flow that gives up after `time_out`; `edges` part stretches besides whole seconds.
    pub(super) fn add(&mut self, sample: &Sample, time_out: Duration, edges: &[u64]) {
        let edge = edges.iter().rev().find(|edge| **edge <= sample.due).copied().unwrap_or(0);
        let from = edge.max(sample.due - sample.due % SECOND);
        let stretch = self.stretches.entry((sample.flow, from)).or_default();
        *stretch.ended.entry((sample.due / SLOT_NANOS, sample.end, sample.status)).or_default() += 1;
        let mut record = |told: usize, nanos: u64| {
            stretch.latencies[told].get_or_insert_default().record(nanos / 1_000);
        };
        let is_lost = !matches!(sample.end, End::Acceptable | End::Degraded);
        let (response, own) = (sample.done.saturating_sub(sample.due), usize::from(is_lost));
        record(0, if is_lost { time_out.as_nanos() as u64 } else { response });
        record(1 + own, response);
        record(5, sample.released.saturating_sub(sample.due));
        if let Some(sent) = sample.sent {
            record(3 + own, sample.done.saturating_sub(sent));
            record(6, sent.saturating_sub(sample.released));
            *stretch.sent.entry(sent / SLOT_NANOS).or_default() += 1;
        }
    }

    /// All of it, as it is told.
    pub(super) fn told(self) -> impl Iterator<Item = Sums> {
        self.stretches.into_iter().map(|((flow, from), stretch)| Sums {
            flow,
            from,
            ended: stretch.ended.into_iter().map(|((slot, end, status), count)| (slot, end, status, count)).collect(),
            sent: stretch.sent.into_iter().collect(),
            latencies: TOLD
                .into_iter()
                .zip(stretch.latencies)
                .filter_map(|((kind, population), histogram)| {
                    Some(Latencies { kind, population, histogram: histogram?.encode() })
                })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(due_ms: u64, done_ms: u64, end: End) -> Sample {
        let nanos = |ms: u64| ms * 1_000_000;
        Sample {
            id: due_ms,
            flow: 0,
            end,
            status: if end == End::TimeOut { 0 } else { 200 },
            instance: None,
            due: nanos(due_ms),
            released: nanos(due_ms) + 50_000,
            sent: Some(nanos(due_ms) + 150_000),
            first_byte: None,
            done: nanos(done_ms),
        }
    }

    #[test]
    fn stretches_end_with_seconds_and_at_edges_and_lose_nothing() {
        let mut adding = Adding::default();
        let edges = [0, 1_500_000_000];
        for due in 0..3_000 {
            adding.add(&sample(due, due + 10, End::Acceptable), Duration::from_secs(5), &edges);
        }
        adding.add(&sample(1_600, 4_000, End::TimeOut), Duration::from_secs(5), &edges);
        let told: Vec<_> = adding.told().collect();
        let counts: Vec<_> = told.iter().map(|sums| (sums.from / 1_000_000, sums.count())).collect();
        assert_eq!(counts, [(0, 1_000), (1_000, 500), (1_500, 501), (2_000, 1_000)]);
        let of = |kind, population| {
            let all = told[2].latencies.iter().find(|one| (one.kind, one.population) == (kind, population)).unwrap();
            Histogram::decode(&all.histogram).unwrap()
        };
        // A lost request counts as its time-out.
        let response = of(LatencyKind::Response, Population::All);
        assert_eq!((response.count(), response.quantile(0.5), response.max()), (501, 10_007, 5_001_215));
        assert_eq!(of(LatencyKind::Response, Population::Lost).count(), 1);
        assert_eq!(of(LatencyKind::PacerLag, Population::All).max(), 50);
        assert_eq!(of(LatencyKind::ConnectionWait, Population::All).max(), 100);
    }
}
