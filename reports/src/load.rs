//! A load without a scenario, as one object: what `squall load` tells, to programs and to people alike. Its keys are documented in
//! `docs/load.md` and only ever grow.

pub mod merge;

use crate::json::ExpectationSummary;
use crate::record::{ArmKind, GeneratorHealth, LatencyKind, Outcome, Population, Record, SECOND, Verdict};
use crate::stats::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;

/// How a load ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Load {
    /// Always `squall/load`; first in the object.
    pub format: &'static str,
    /// `major.minor`.
    pub version: &'static str,
    /// What was asked, as the title of the record says it.
    pub title: String,
    /// Whether what was expected held; PASS where nothing was.
    pub verdict: Verdict,
    /// Why, most important first.
    pub reasons: Vec<String>,
    /// False if it was stopped before its end.
    pub complete: bool,
    /// Generators that sent it; more than one in what was merged.
    pub generators: usize,
    /// Seed of everything that was drawn, by the first of them.
    pub seed: u64,
    /// `open`: requests were sent when they were due. `closed`: each waited for the one before it.
    pub r#loop: &'static str,
    /// `64`, or `up to 200`.
    pub connections: String,
    /// Seconds that count.
    pub seconds: f64,
    /// Requests that were due; of a closed load those that were sent.
    pub planned: u64,
    /// Requests written to a connection.
    pub sent: u64,
    /// Requests that were lost.
    pub lost: u64,
    /// Requests a second.
    pub rate: Rates,
    /// Requests by what became of them.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// From due to done, milliseconds: what limits are judged by. A lost request counts as its time-out.
    pub response: Option<Latencies>,
    /// From written to done, of acceptable answers.
    pub service: Option<Latencies>,
    /// From due to released: how late the generator was.
    pub pacer_lag: Option<Latencies>,
    /// From released to written.
    pub connection_wait: Option<Latencies>,
    /// The generator itself.
    pub generator: Generator,
    /// Each expectation.
    pub expectations: Vec<ExpectationSummary>,
    /// How response times are spread: upper bound in milliseconds, and how many up to it and above the one before.
    pub spread: Vec<(f64, u64)>,
}

/// Requests a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rates {
    /// The highest that was asked for; 0 of a closed load.
    pub asked: f64,
    /// Written to a connection.
    pub sent: f64,
    /// Acceptably answered.
    pub answered: f64,
}

/// A distribution, milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Latencies {
    /// Samples.
    pub count: u64,
    /// `p50 p90 p95 p99 p99.9 max mean`.
    #[serde(flatten)]
    pub figures: BTreeMap<String, f64>,
}

/// The generator.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Generator {
    /// Most that its pacing thread used of a core in a second.
    pub cpu_share: f64,
    /// 99th percentile of the lag of a bare timer loop just before, milliseconds.
    pub bare_timer_p99: Option<f64>,
    /// `connections` or `target`, where something else than the plan set the pace.
    pub saturated: Option<String>,
}

/// Steps of the spread, in milliseconds, by powers of ten.
const STEPS: [f64; 3] = [1.0, 2.0, 5.0];

impl Load {
    /// Of a record. Only what was judged counts.
    pub fn of(record: &Record) -> Self {
        let arm = record.arms.iter().find(|arm| arm.kind == ArmKind::Main && !arm.superseded);
        let totals = arm.and_then(|arm| arm.totals_of("whole", None));
        let judged = arm.into_iter().flat_map(|arm| &arm.phases).filter(|phase| phase.judged);
        let seconds = judged.map(|phase| phase.to - phase.from).sum::<i64>() as f64 / SECOND as f64;
        let histogram = |kind, population| {
            let of = arm?
                .latencies
                .iter()
                .find(|one| (one.kind, one.population, one.phase, one.flow) == (kind, population, None, None))?;
            Histogram::decode(&of.histogram).ok().filter(|histogram| histogram.count() > 0)
        };
        let told = |kind, population| histogram(kind, population).as_ref().map(Latencies::of);
        let planned = totals.map_or(0, |totals| totals.planned);
        let outcomes = totals.map(|totals| totals.outcomes.clone()).unwrap_or_default();
        let acceptable = outcomes.get(&Outcome::Acceptable).copied().unwrap_or(0);
        // Whatever was written had waited to be.
        let connection_wait = told(LatencyKind::ConnectionWait, Population::All);
        let sent = connection_wait.as_ref().map_or(0, |wait| wait.count);
        let asked = arm.map_or(0.0, |arm| arm.flows.iter().map(|flow| flow.rate).sum());
        let a_second = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        Self {
            format: "squall/load",
            version: "1.0",
            title: record.scenario.title.clone(),
            verdict: record.verdict,
            reasons: record.reasons.iter().map(|reason| reason.text.clone()).collect(),
            complete: record.complete,
            generators: 1,
            seed: record.run.seed,
            r#loop: if asked > 0.0 { "open" } else { "closed" },
            connections: arm.and_then(|arm| arm.flows.first()).map(|flow| flow.connections.clone()).unwrap_or_default(),
            seconds,
            planned,
            sent,
            lost: totals.map_or(0, |totals| totals.lost),
            rate: Rates { asked, sent: a_second(sent), answered: a_second(acceptable) },
            outcomes,
            statuses: totals.map(|totals| totals.statuses.clone()).unwrap_or_default(),
            response: told(LatencyKind::Response, Population::All),
            service: told(LatencyKind::Service, Population::Acceptable),
            pacer_lag: told(LatencyKind::PacerLag, Population::All),
            connection_wait,
            generator: Generator::of(&arm.map(|arm| arm.generator.clone()).unwrap_or_default()),
            expectations: record.expectations.iter().map(ExpectationSummary::of).collect(),
            spread: histogram(LatencyKind::Response, Population::All).as_ref().map(spread).unwrap_or_default(),
        }
    }
}

impl Latencies {
    fn of(histogram: &Histogram) -> Self {
        let millis = |micros: f64| micros / 1e3;
        let told = histogram.told().into_iter().map(|(name, micros)| (name, millis(micros as f64)));
        let mean = ("mean".to_owned(), millis(histogram.mean()));
        Self { count: histogram.count(), figures: told.chain([mean]).collect() }
    }

    /// A figure by its name, milliseconds.
    pub fn figure(&self, name: &str) -> f64 {
        self.figures.get(name).copied().unwrap_or(0.0)
    }
}

impl Generator {
    fn of(health: &GeneratorHealth) -> Self {
        Self {
            cpu_share: health.cpu_share,
            bare_timer_p99: health.bare_timer_p99.map(|micros| micros as f64 / 1e3),
            saturated: health.saturated.clone(),
        }
    }
}

/// Counts by steps of 1, 2 and 5, those that hold anything.
fn spread(histogram: &Histogram) -> Vec<(f64, u64)> {
    let bounds: Vec<f64> = (-3..7).flat_map(|power| STEPS.map(|step| step * 10_f64.powi(power))).collect();
    let mut counts = vec![0; bounds.len()];
    for (micros, count) in histogram.buckets() {
        let step = bounds.partition_point(|bound| *bound < micros as f64 / 1e3);
        counts[step.min(bounds.len() - 1)] += count;
    }
    bounds.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_counts_everything_once() {
        let mut histogram = Histogram::default();
        [900, 1_000, 1_500, 4_000, 4_100, 70_000].into_iter().for_each(|micros| histogram.record(micros));
        let spread = spread(&histogram);
        assert_eq!(spread, [(1.0, 2), (2.0, 1), (5.0, 2), (100.0, 1)]);
        assert_eq!(spread.iter().map(|(_, count)| count).sum::<u64>(), histogram.count());
    }

    #[test]
    fn the_keys_are_those_of_the_book() {
        let mut record = crate::plot::fixture::record();
        let whole = crate::record::Latency { phase: None, ..record.arms[0].latencies[0].clone() };
        record.arms[0].latencies.push(whole);
        let json = serde_json::to_value(Load::of(&record)).unwrap();
        let response = json["response"].as_object().unwrap();
        for key in ["count", "p50", "p90", "p95", "p99", "p99.9", "max", "mean"] {
            assert!(response[key].is_number(), "{key}");
        }
        assert_eq!((json["format"].as_str(), json["loop"].as_str()), (Some("squall/load"), Some("open")));
        assert!(json["pacer-lag"].is_object() || json["pacer-lag"].is_null());
    }
}
