//! What several generators have sent to one target, as one load: counts add up, and percentiles are those of merged histograms.

use crate::record::{
    Arm, ArmKind, Flow, GeneratorHealth, GroundTruth, Latency, LatencyKind, Micros, PhaseTotals, Population, Record,
};
use crate::stats::Histogram;
use std::collections::BTreeMap;

/// Why records are no parts of one load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Mismatch {
    /// Which of them differs.
    pub at: usize,
    /// In what, beside the first one.
    pub why: String,
}

/// The one arm that they are together. It is still to be judged, and has neither series nor single requests.
pub fn merged(records: &[Record]) -> Result<Arm, Mismatch> {
    let parts = records.iter().enumerate().map(|(at, record)| part(at, record)).collect::<Result<Vec<_>, _>>()?;
    let (Some(first), Some(of_first)) = (parts.first(), records.first()) else {
        return Err(Mismatch { at: 0, why: "there is no record to merge".to_owned() });
    };
    for (at, (arm, record)) in parts.iter().zip(records).enumerate() {
        if let Some(why) = difference((of_first, first), (record, arm)) {
            return Err(Mismatch { at, why });
        }
    }
    let latencies = latencies(&parts).map_err(|(at, why)| Mismatch { at, why })?;
    let mut totals = first.totals.clone();
    for more in &parts[1..] {
        totals.iter_mut().zip(&more.totals).for_each(|(sum, more)| add(sum, more));
    }
    totals.iter_mut().for_each(|sum| sum.response = response(sum, first, &latencies));
    Ok(Arm {
        started: parts.iter().filter_map(|arm| arm.started.clone()).min(),
        mode: first.mode.clone(),
        phases: first.phases.clone(),
        flows: (0..first.flows.len()).filter_map(|at| flow(&parts, at)).collect(),
        instances: first.instances.clone(),
        latencies,
        generator: parts.iter().map(|arm| &arm.generator).fold(GeneratorHealth::default(), worst),
        truth: parts.iter().map(|arm| &arm.truth).fold(GroundTruth::default(), sum),
        totals,
        ..Arm::empty(ArmKind::Main)
    })
}

fn part(at: usize, record: &Record) -> Result<&Arm, Mismatch> {
    let mismatch = |why: &str| Mismatch { at, why: why.to_owned() };
    let mut arms = record.arms.iter().filter(|arm| !arm.superseded);
    match (arms.next(), arms.next()) {
        _ if !record.complete => Err(mismatch("it was stopped before its end")),
        (Some(arm), None) if arm.kind == ArmKind::Main && arm.faults.is_empty() => Ok(arm),
        _ => Err(mismatch("it is not the record of a load: write one with `squall load URL --record FILE`")),
    }
}

/// How a part differs from the first in what must be the same; rates and numbers of connections need not be.
fn difference(first: (&Record, &Arm), other: (&Record, &Arm)) -> Option<String> {
    let lengths = |arm: &Arm| -> Vec<(String, Micros)> {
        arm.phases.iter().map(|phase| (phase.name.clone(), phase.to - phase.from)).collect()
    };
    let limits =
        |record: &Record| -> Vec<String> { record.expectations.iter().map(|one| one.written.clone()).collect() };
    let flows = |arm: &Arm| -> Vec<(String, bool, Micros)> {
        arm.flows.iter().map(|flow| (flow.name.clone(), flow.rate > 0.0, flow.time_out)).collect()
    };
    let named = |totals: &PhaseTotals| (totals.phase.clone(), totals.flow.clone());
    let named = |arm: &Arm| -> Vec<_> { arm.totals.iter().map(named).collect() };
    let ((one, arm), (other, other_arm)) = (first, other);
    if one.scenario.title != other.scenario.title {
        return Some(format!("it is `{}`, and the first is `{}`", other.scenario.title, one.scenario.title));
    }
    if limits(one) != limits(other) {
        let told = |limits: Vec<String>| if limits.is_empty() { "nothing".to_owned() } else { limits.join(", ") };
        return Some(format!("it expects {}, and the first {}", told(limits(other)), told(limits(one))));
    }
    if lengths(arm) != lengths(other_arm) || named(arm) != named(other_arm) {
        return Some("its phases are not those of the first, or not as long".to_owned());
    }
    (flows(arm) != flows(other_arm))
        .then(|| "it is closed and the first is open, or its time-out is another".to_owned())
}

/// A flow with the rates of all and the connections of each.
fn flow(parts: &[&Arm], at: usize) -> Option<Flow> {
    let flows: Vec<&Flow> = parts.iter().filter_map(|arm| arm.flows.get(at)).collect();
    let connections: Vec<&str> = flows.iter().map(|flow| flow.connections.as_str()).collect();
    Some(Flow {
        rate: flows.iter().map(|flow| flow.rate).sum(),
        connections: connections.join(" + "),
        ..(*flows.first()?).clone()
    })
}

fn latencies(parts: &[&Arm]) -> Result<Vec<Latency>, (usize, String)> {
    type Key = ((Option<usize>, Option<usize>), (LatencyKind, Population));
    let mut merged: Vec<(Key, Histogram)> = Vec::new();
    for (at, arm) in parts.iter().enumerate() {
        for latency in &arm.latencies {
            let key = ((latency.flow, latency.phase), (latency.kind, latency.population));
            let sum = if let Some(known) = merged.iter().position(|(known, _)| *known == key) {
                &mut merged[known].1
            } else {
                merged.push((key, Histogram::default()));
                let last = merged.len() - 1;
                &mut merged[last].1
            };
            sum.add_encoded(&latency.histogram).map_err(|error| (at, error.to_string()))?;
        }
    }
    Ok(merged.iter().map(|((place, what), values)| Latency::of(*place, *what, values)).collect())
}

/// Response times of a phase, milliseconds.
fn response(totals: &PhaseTotals, arm: &Arm, latencies: &[Latency]) -> BTreeMap<String, f64> {
    let phase = arm.phases.iter().position(|phase| phase.name == totals.phase);
    let flow = totals.flow.as_ref().and_then(|name| arm.flows.iter().position(|flow| flow.name == *name));
    let key = (flow, phase, LatencyKind::Response, Population::All);
    let of = latencies.iter().find(|one| (one.flow, one.phase, one.kind, one.population) == key);
    let quantiles =
        of.into_iter().flat_map(|one| &one.quantiles).map(|(name, micros)| (name.clone(), *micros as f64 / 1e3));
    quantiles.chain(of.map(|one| ("mean".to_owned(), one.mean / 1e3))).collect()
}

fn add(sum: &mut PhaseTotals, more: &PhaseTotals) {
    fn counts<K: Ord + Clone>(sum: &mut BTreeMap<K, u64>, more: &BTreeMap<K, u64>) {
        more.iter().for_each(|(key, count)| *sum.entry(key.clone()).or_default() += count);
    }
    sum.planned += more.planned;
    counts(&mut sum.outcomes, &more.outcomes);
    sum.lost += more.lost;
    sum.rate += more.rate;
    sum.attempts += more.attempts;
    sum.ended += more.ended;
    sum.open_at_edges += more.open_at_edges;
    counts(&mut sum.arrivals, &more.arrivals);
    counts(&mut sum.statuses, &more.statuses);
}

/// Sums of what was planned, and the worst of every generator's health: one that was late makes all of it doubtful.
fn worst(all: GeneratorHealth, one: &GeneratorHealth) -> GeneratorHealth {
    GeneratorHealth {
        planned: all.planned + one.planned,
        offered: all.offered + one.offered,
        lag_p99: all.lag_p99.max(one.lag_p99),
        lag_max: all.lag_max.max(one.lag_max),
        bare_timer_p99: all.bare_timer_p99.max(one.bare_timer_p99),
        cpu_share: all.cpu_share.max(one.cpu_share),
        steal_share: all.steal_share.into_iter().chain(one.steal_share).reduce(f64::max),
        saturated: all.saturated.or_else(|| one.saturated.clone()),
        seconds: Vec::new(),
    }
}

fn sum(all: GroundTruth, one: &GroundTruth) -> GroundTruth {
    GroundTruth {
        offered: all.offered + one.offered,
        withheld: all.withheld + one.withheld,
        cut: all.cut + one.cut,
        received: all.received + one.received,
        inferred: all.inferred + one.inferred,
        probes: all.probes + one.probes,
        unexplained: all.unexplained + one.unexplained,
        disagreements: all.disagreements.into_iter().chain(one.disagreements.iter().cloned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::fixture::record;
    use proptest::prelude::*;

    /// A load whose response times are these, microseconds.
    fn load(micros: &[u64]) -> Record {
        let mut record = record();
        record.arms.truncate(1);
        let arm = &mut record.arms[0];
        arm.faults.clear();
        let mut histogram = Histogram::default();
        micros.iter().for_each(|micros| histogram.record(*micros));
        let template = arm.latencies[0].clone();
        arm.latencies = vec![Latency { phase: None, flow: None, histogram: histogram.encode(), ..template }];
        record
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_merged_distribution_is_that_of_all_values(
            parts in proptest::collection::vec(proptest::collection::vec(1_u64..10_000_000, 1..50), 1..5),
        ) {
            let records: Vec<Record> = parts.iter().map(|part| load(part)).collect();
            let merged = merged(&records).unwrap();
            let whole = load(&parts.concat());
            prop_assert_eq!(&merged.latencies[0].histogram, &whole.arms[0].latencies[0].histogram);
            let planned = |arm: &Arm| arm.totals.iter().map(|totals| totals.planned).collect::<Vec<_>>();
            let times: Vec<u64> = planned(&records[0].arms[0]).iter().map(|one| one * records.len() as u64).collect();
            prop_assert_eq!(planned(&merged), times);
        }
    }

    #[test]
    fn what_is_no_part_of_the_same_load_is_refused_with_the_reason() {
        let part = load(&[1_000]);
        let mut elsewhere = part.clone();
        elsewhere.scenario.title = "load on http://127.0.0.1:2/".to_owned();
        let mut longer = part.clone();
        longer.arms[0].phases[0].to += 1;
        let mut cut = part.clone();
        cut.complete = false;
        let mut controlled = part.clone();
        controlled.arms.push(Arm::empty(ArmKind::Control));
        let mut limited = part.clone();
        limited.expectations.clear();
        for (other, why) in [
            (elsewhere, "it is `load on"),
            (longer, "phases"),
            (cut, "stopped"),
            (controlled, "no"),
            (limited, "expects"),
        ] {
            let refused = merged(&[part.clone(), other]).unwrap_err();
            assert!(refused.at == 1 && refused.why.contains(why), "{refused:?}");
        }
        assert!(merged(&[]).is_err());
    }
}
