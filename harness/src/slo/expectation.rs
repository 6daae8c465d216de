//! One expectation against its limit.

mod measure;
mod sweep;

pub(super) use sweep::{judge_cell, judge_cells, judge_search};

use super::{undecided, words};
use crate::scenario::resolved::{Expectation, HealingKind, Limit, Metric, Scenario, Subject};
use measure::{Measured, measure};
use squall_reports::record::{self, Arm, ArmKind, Figure, Observed, PhaseTotals, Verdict};
use squall_reports::stats::clopper_pearson;

/// Confidence of every interval that is shown.
const CONFIDENCE: f64 = 0.95;

/// Room that a limit on latency relative to the baseline always has, seconds.
const LEAST_ROOM: f64 = 0.002;

/// From this factor on the point estimate decides a relative limit that its interval straddles.
const CLEAR_FACTOR: f64 = 1.5;

/// True if the arm has what the expectation looks at: a control that ends with the outage has no recovery.
pub(super) fn concerns(expectation: &Expectation, scenario: &Scenario, arm: &Arm) -> bool {
    let is_whole = arm.kind == ArmKind::Main || scenario.control.as_ref().is_some_and(|control| control.whole_timeline);
    let has = |name: &str| arm.phases.iter().any(|phase| phase.name == name);
    match &expectation.subject {
        Subject::Phase { phase, .. } => has(phase),
        Subject::Whole { .. } => true,
        Subject::Healing(HealingKind::Readmitted(_) | HealingKind::Recovered(_)) => is_whole,
        Subject::Healing(_) => true,
        Subject::Sweep { .. } => false,
    }
}

/// Judges one expectation on one arm.
pub(super) fn judge(expectation: &Expectation, scenario: &Scenario, arm: &Arm) -> record::Expectation {
    match &expectation.subject {
        Subject::Phase { phase, flow, metric } => metric_of(expectation, arm, phase, flow.as_deref(), metric),
        Subject::Whole { flow, metric } => metric_of(expectation, arm, "whole", flow.as_deref(), metric),
        Subject::Healing(kind) => healing(expectation, kind, arm),
        Subject::Sweep { .. } => missing(expectation, None, &format!("{} has no sweep", scenario.title)),
    }
}

/// True if a control misses this beyond doubt: by an interval that excludes the limit, not by a hair.
pub(super) fn is_missed_for_sure(written: &Expectation, judged: &record::Expectation) -> bool {
    if judged.verdict != Verdict::Fail {
        return false;
    }
    if let Subject::Healing(_) = written.subject {
        return true;
    }
    let Some(interval) = judged.observed.interval else { return judged.observed.value.is_some() };
    match written.limit {
        Limit::AtLeast(limit) => interval.high < limit,
        Limit::AtMost(limit) | Limit::Exactly(limit) => interval.low > limit,
        _ => true,
    }
}

fn metric_of(
    expectation: &Expectation,
    arm: &Arm,
    phase: &str,
    flow: Option<&str>,
    metric: &Metric,
) -> record::Expectation {
    let of_phase = Some(phase.to_owned()).filter(|phase| phase != "whole");
    let Some(totals) = arm.totals_of(phase, flow).or_else(|| arm.totals_of(phase, None)) else {
        return missing(expectation, of_phase, "no data of this phase");
    };
    if totals.planned == 0 {
        return missing(expectation, of_phase, "no request was planned");
    }
    let Some(mut measured) = measure(metric, arm, totals, phase) else {
        return missing(expectation, of_phase, "not measured");
    };
    if let Limit::AtMostTimes(factor) = expectation.limit {
        return relative(expectation, arm, of_phase, flow, metric, factor, measured);
    }
    let (verdict, close) = decide(expectation, metric, totals, &measured);
    measured.explain(needed(expectation, totals, &measured, verdict));
    let limit = limit_value(expectation.limit);
    build(expectation, of_phase, verdict, measured, limit, limit_text(expectation.limit, metric), close)
}

/// By count, unless a confidence is asked for: the phase is the whole population. True: close, the interval straddles the limit.
fn decide(expectation: &Expectation, metric: &Metric, totals: &PhaseTotals, measured: &Measured) -> (Verdict, bool) {
    let straddles =
        |limit: f64| measured.interval.is_some_and(|interval| interval.low < limit && limit < interval.high);
    let verdict = |holds: bool| if holds { Verdict::Pass } else { Verdict::Fail };
    match (expectation.limit, metric) {
        (Limit::AtLeast(limit), Metric::Success | Metric::Degraded) => {
            if expectation.confidence.is_some() {
                let interval = clopper_pearson(good(measured, totals), totals.planned, confidence(expectation));
                let verdict = if interval.low >= limit {
                    Verdict::Pass
                } else if interval.high < limit {
                    Verdict::Fail
                } else {
                    Verdict::Inconclusive
                };
                return (verdict, verdict == Verdict::Inconclusive);
            }
            let bad = totals.planned as f64 * (1.0 - measured.value);
            // A thousandth of a request is room enough for the arithmetic, and none for a request.
            let budget = (totals.planned as f64 * (1.0 - limit) + 1e-3).floor();
            if budget == 0.0 && bad < 0.5 && limit < 1.0 {
                return (Verdict::Inconclusive, true);
            }
            (verdict(bad <= budget + 1e-3), straddles(limit))
        }
        (Limit::AtMost(limit), _) => (verdict(measured.value <= limit + 1e-12), straddles(limit)),
        (Limit::AtLeast(limit), _) => (verdict(measured.value >= limit - 1e-12), straddles(limit)),
        (Limit::Exactly(limit), _) => (verdict((measured.value - limit).abs() < 1e-9), false),
        _ => (Verdict::Error, false),
    }
}

/// Why the samples of a share do not decide, and how many would; None for any other verdict.
fn needed(expectation: &Expectation, totals: &PhaseTotals, measured: &Measured, verdict: Verdict) -> Option<String> {
    let (Verdict::Inconclusive, Limit::AtLeast(limit)) = (verdict, expectation.limit) else { return None };
    Some(match expectation.confidence {
        None => undecided::without_budget(limit, totals.planned),
        Some(_) => undecided::at_confidence(limit, confidence(expectation), good(measured, totals), totals.planned),
    })
}

fn confidence(expectation: &Expectation) -> f64 {
    expectation.confidence.map_or(CONFIDENCE, |confidence| confidence.0 / 100.0)
}

/// Requests behind a measured share.
fn good(measured: &Measured, totals: &PhaseTotals) -> u64 {
    (measured.value * totals.planned as f64).round() as u64
}

/// Against the same metric of the first judged phase.
fn relative(
    expectation: &Expectation,
    arm: &Arm,
    phase: Option<String>,
    flow: Option<&str>,
    metric: &Metric,
    factor: f64,
    mut measured: Measured,
) -> record::Expectation {
    let first = arm.phases.iter().find(|phase| phase.judged).map(|phase| phase.name.clone()).unwrap_or_default();
    let baseline = arm.totals_of(&first, flow).or_else(|| arm.totals_of(&first, None));
    let Some(baseline) = baseline.and_then(|totals| measure(metric, arm, totals, &first)) else {
        return missing(expectation, phase, "the baseline was not measured");
    };
    let room = if matches!(metric, Metric::Response { .. }) { LEAST_ROOM } else { 0.0 };
    let limit = (baseline.value * factor).max(baseline.value + room);
    let inside = measured.value <= limit;
    let straddles = measured.interval.is_some_and(|interval| interval.low <= limit && limit < interval.high);
    let verdict = match (straddles, inside) {
        (true, _) if factor < CLEAR_FACTOR => Verdict::Inconclusive,
        (_, true) => Verdict::Pass,
        (_, false) => Verdict::Fail,
    };
    measured.explain((verdict == Verdict::Inconclusive).then(undecided::beside_baseline));
    let text = format!("<= {factor}x {first} ({})", in_unit(limit, metric));
    build(expectation, phase, verdict, measured, Some(limit), text, straddles)
}

fn healing(expectation: &Expectation, kind: &HealingKind, arm: &Arm) -> record::Expectation {
    let (name, subject) = match kind {
        HealingKind::Ejected(instance) | HealingKind::NotEjected(instance) => ("ejected", instance.to_string()),
        HealingKind::Readmitted(instance) => ("readmitted", instance.to_string()),
        HealingKind::Recovered(service) => ("recovered", service.clone()),
        HealingKind::Restarted(instance) => ("restarted", instance.to_string()),
        HealingKind::RolledBack { service, version } => ("rolled-back", format!("{service}@{version}")),
        HealingKind::Refused(phase) => ("refused", phase.clone()),
    };
    let figure = arm.figures.healing.iter().find(|figure| figure.kind == name && figure.subject == subject);
    let Some(figure) = figure else {
        // Nothing of the kind was under way, which for a healing is as good as not seen.
        let never =
            Figure { kind: name.to_owned(), subject, from: None, at: None, seconds: None, resolution: 0.0, note: None };
        return held_against(expectation, kind, &never);
    };
    held_against(expectation, kind, figure)
}

fn held_against(expectation: &Expectation, kind: &HealingKind, figure: &Figure) -> record::Expectation {
    let must_not = matches!(kind, HealingKind::NotEjected(_));
    let verdict = match (figure.seconds, expectation.limit) {
        (seen, _) if must_not => seen.is_none(),
        (Some(seconds), Limit::Within(limit)) => seconds <= limit,
        (Some(_), _) => true,
        (None, _) => false,
    };
    let note = figure.note.as_deref();
    let text = match (figure.seconds, note) {
        (Some(seconds), Some(note)) => format!("{} ({note})", words::seconds(seconds)),
        (Some(seconds), None) => words::seconds(seconds),
        (None, Some(note)) => note.to_owned(),
        (None, None) => "not seen".to_owned(),
    };
    let (limit, limit_text) = match expectation.limit {
        Limit::Within(limit) => (Some(limit), format!("within {}", words::seconds(limit))),
        _ => (None, if must_not { "never".to_owned() } else { "seen".to_owned() }),
    };
    record::Expectation {
        id: expectation.id.clone(),
        phase: None,
        written: expectation.written.clone(),
        line: expectation.place.line,
        column: expectation.place.column,
        verdict: if verdict { Verdict::Pass } else { Verdict::Fail },
        detail: format!("asked {limit_text}, observed {text}; measured from what each instance was offered"),
        observed: Observed { value: figure.seconds, text, interval: None, resolution: Some(figure.resolution) },
        limit,
        limit_text,
        samples: 1,
        close: false,
    }
}

fn limit_value(limit: Limit) -> Option<f64> {
    match limit {
        Limit::AtMost(value)
        | Limit::AtLeast(value)
        | Limit::Exactly(value)
        | Limit::AtMostTimes(value)
        | Limit::AtMostMore(value)
        | Limit::Within(value) => Some(value),
        Limit::Seen => None,
    }
}

fn limit_text(limit: Limit, metric: &Metric) -> String {
    match limit {
        Limit::AtMost(value) => format!("<= {}", in_unit(value, metric)),
        Limit::AtLeast(value) => format!(">= {}", in_unit(value, metric)),
        Limit::Exactly(value) => format!("== {}", in_unit(value, metric)),
        Limit::AtMostTimes(factor) => format!("<= {factor}x"),
        Limit::AtMostMore(value) => format!("<= {} more", in_unit(value, metric)),
        Limit::Within(value) => format!("within {}", words::seconds(value)),
        Limit::Seen => "seen".to_owned(),
    }
}

fn in_unit(value: f64, metric: &Metric) -> String {
    match metric {
        Metric::Success | Metric::Degraded => words::percent(value),
        Metric::Response { .. } => words::seconds(value),
        Metric::Rate => format!("{}/s", words::number(value)),
        Metric::AttemptsPerRequest => words::number(value),
        Metric::CpuOfProxy => format!("{} us a request", words::number(value * 1e6)),
        Metric::MemoryOfProxy => format!("{:.1} MiB", value / 1_048_576.0),
        Metric::HighestRate => format!("{}/s", words::number(value)),
        _ => words::count(value as u64),
    }
}

fn build(
    expectation: &Expectation,
    phase: Option<String>,
    verdict: Verdict,
    measured: Measured,
    limit: Option<f64>,
    limit_text: String,
    close: bool,
) -> record::Expectation {
    record::Expectation {
        id: expectation.id.clone(),
        phase,
        written: expectation.written.clone(),
        line: expectation.place.line,
        column: expectation.place.column,
        verdict,
        detail: format!("asked {limit_text}, observed {}: {}", measured.text, measured.basis),
        observed: Observed {
            value: Some(measured.value),
            text: measured.text,
            interval: measured.interval,
            resolution: None,
        },
        limit,
        limit_text,
        samples: measured.samples,
        close,
    }
}

/// Without data nothing is a pass.
fn missing(expectation: &Expectation, phase: Option<String>, why: &str) -> record::Expectation {
    record::Expectation {
        id: expectation.id.clone(),
        phase,
        written: expectation.written.clone(),
        line: expectation.place.line,
        column: expectation.place.column,
        verdict: Verdict::Invalid,
        observed: Observed { value: None, text: "no data".to_owned(), interval: None, resolution: None },
        limit: limit_value(expectation.limit),
        limit_text: "-".to_owned(),
        samples: 0,
        close: false,
        detail: format!("no data: {why}"),
    }
}

#[cfg(test)]
mod tests;
