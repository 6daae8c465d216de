//! The books of a rehearsed arm: what is counted of each request, so that every sum in the record is the same sum.

use squall_reports::record::{Latency, LatencyKind, Outcome, PhaseTotals, Population};
use squall_reports::stats::Histogram;
use std::collections::BTreeMap;

/// One request as it went.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) due: i64,
    pub(super) released: i64,
    pub(super) sent: i64,
    pub(super) done: i64,
    pub(super) time_out: i64,
    pub(super) outcome: Outcome,
    pub(super) status: Option<u16>,
}

/// Counts and distributions of one flow in one phase, or of several together.
#[derive(Debug, Default, Clone)]
pub(super) struct Tally {
    planned: u64,
    outcomes: BTreeMap<Outcome, u64>,
    statuses: BTreeMap<u16, u64>,
    /// Attempts by instance.
    arrivals: BTreeMap<usize, u64>,
    histograms: BTreeMap<(LatencyKind, Population), Histogram>,
}

impl Tally {
    pub(super) fn add(&mut self, gone: &Gone) {
        self.planned += 1;
        *self.outcomes.entry(gone.outcome.clone()).or_default() += 1;
        if let Some(status) = gone.status {
            *self.statuses.entry(status).or_default() += 1;
        }
        let (response, service) = (gone.done - gone.due, gone.done - gone.sent);
        let lost = gone.outcome.is_lost();
        let some = if lost { Population::Lost } else { Population::Acceptable };
        self.note(LatencyKind::Response, Population::All, if lost { gone.time_out } else { response });
        self.note(LatencyKind::Response, some, response);
        self.note(LatencyKind::Service, some, service);
        self.note(LatencyKind::PacerLag, Population::All, gone.released - gone.due);
        self.note(LatencyKind::ConnectionWait, Population::All, gone.sent - gone.released);
    }

    fn note(&mut self, kind: LatencyKind, population: Population, micros: i64) {
        self.histograms.entry((kind, population)).or_default().record(micros.unsigned_abs());
    }

    pub(super) fn offer(&mut self, instance: usize) {
        *self.arrivals.entry(instance).or_default() += 1;
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.planned += other.planned;
        other.outcomes.iter().for_each(|(key, count)| *self.outcomes.entry(key.clone()).or_default() += count);
        other.statuses.iter().for_each(|(key, count)| *self.statuses.entry(*key).or_default() += count);
        other.arrivals.iter().for_each(|(key, count)| *self.arrivals.entry(*key).or_default() += count);
        other.histograms.iter().for_each(|(key, more)| self.histograms.entry(*key).or_default().add(more));
    }

    /// As the record has it, for a phase of this length and instances of these names.
    pub(super) fn totals(&self, phase: &str, flow: Option<&str>, seconds: f64, names: &[String]) -> PhaseTotals {
        let response = self.histograms.get(&(LatencyKind::Response, Population::All));
        let attempts = self.arrivals.values().sum();
        PhaseTotals {
            phase: phase.to_owned(),
            flow: flow.map(str::to_owned),
            planned: self.planned,
            outcomes: self.outcomes.clone(),
            lost: self.outcomes.iter().filter(|(outcome, _)| outcome.is_lost()).map(|(_, count)| count).sum(),
            rate: self.planned as f64 / seconds,
            attempts,
            ended: self.planned,
            open_at_edges: 0,
            arrivals: self.arrivals.iter().map(|(instance, count)| (names[*instance].clone(), *count)).collect(),
            statuses: self.statuses.clone(),
            response: response.map(milliseconds).unwrap_or_default(),
        }
    }

    /// As the record has them.
    pub(super) fn latencies(&self, flow: Option<usize>, phase: Option<usize>) -> Vec<Latency> {
        self.histograms.iter().map(|(what, values)| Latency::of((flow, phase), *what, values)).collect()
    }
}

fn milliseconds(histogram: &Histogram) -> BTreeMap<String, f64> {
    let mut told: BTreeMap<String, f64> =
        histogram.told().into_iter().map(|(name, micros)| (name, micros as f64 / 1e3)).collect();
    told.insert("mean".to_owned(), histogram.mean() / 1e3);
    told
}
