//! Expectations that could never be decided with the requests planned.

use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolve::plan::Plan;
use crate::scenario::resolve::samples::{by_count, by_interval, of_quantile};
use crate::scenario::resolved::{Expectation, Limit, Metric, Subject, Sweep};

/// Requests that a baseline needs before anything is compared with it.
const BASELINE: u64 = 1_000;

/// Checks each expectation on a metric.
pub(in super::super) fn samples(
    expectations: &[Expectation],
    plan: &Plan<'_>,
    sweep: Option<&Sweep>,
    problems: &mut Problems,
) {
    for expectation in expectations {
        let (planned, flow, metric) = match &expectation.subject {
            Subject::Phase { phase, flow, metric } => {
                (plan.planned(Some(phase), flow.as_deref()), flow.as_deref(), metric)
            }
            Subject::Whole { flow, metric } => (plan.planned(None, flow.as_deref()), flow.as_deref(), metric),
            Subject::Sweep { cells, metric, .. } => (least_of_cells(cells.rate, sweep), None, metric),
            Subject::Healing(_) => continue,
        };
        if !plan.is_planned(flow) {
            closed(expectation, metric, problems);
            continue;
        }
        if let Some((needed, why)) = needed(expectation, metric).filter(|(needed, _)| *needed > planned) {
            problems
                .error(
                    code::UNDECIDABLE,
                    expectation.place,
                    format!(
                        "`{}` can never be decided: {planned} requests are planned, {why} {needed}",
                        expectation.written
                    ),
                )
                .help("send more requests, make the phase longer, or ask for less");
        }
        let compared = matches!(expectation.limit, Limit::AtMostTimes(_)) && sweep.is_none();
        if let Some((baseline, _)) = plan.baseline().filter(|_| compared) {
            let planned = plan.planned(Some(&baseline.name), flow);
            if planned < BASELINE {
                problems
                    .error(
                        code::UNDECIDABLE,
                        expectation.place,
                        format!(
                            "`{}` has {planned} requests, but to be compared with it needs {BASELINE}",
                            baseline.name
                        ),
                    )
                    .help("make the first phase longer, or the rate higher");
            }
        }
    }
}

/// A load that waits for its answers is never late, however slow they are.
fn closed(expectation: &Expectation, metric: &Metric, problems: &mut Problems) {
    if matches!(metric, Metric::Response { .. }) {
        problems
            .error(
                code::SHAPE,
                expectation.place,
                format!(
                    "`{}` on a closed load: it asks later where answers come later, and hides how late",
                    expectation.written
                ),
            )
            .help("give the flow a `rate`; a closed load shows how much is served: `rate: \">= 500/s\"`");
    }
}

/// Requests needed, and why.
fn needed(expectation: &Expectation, metric: &Metric) -> Option<(u64, &'static str)> {
    let may_be_bad = match (metric, expectation.limit) {
        (Metric::Success, Limit::AtLeast(least)) => 1.0 - least,
        (Metric::Degraded, Limit::AtMost(most)) => most,
        (Metric::Response { quantile, .. }, _) if *quantile < 1.0 => {
            return Some((of_quantile(*quantile), "a 95% interval of this percentile needs"));
        }
        _ => return None,
    };
    if may_be_bad <= 0.0 || may_be_bad >= 1.0 {
        return None;
    }
    Some(match expectation.confidence {
        Some(confidence) => {
            (by_interval(may_be_bad, confidence.share()), "even without a bad one this confidence needs")
        }
        None => (by_count(may_be_bad), "one bad event may be allowed only from"),
    })
}

/// Requests of the smallest cell that is meant.
fn least_of_cells(rate: Option<crate::units::Rate>, sweep: Option<&Sweep>) -> u64 {
    let Some(sweep) = sweep else { return 0 };
    let least = sweep.rates.iter().map(|rate| rate.0).fold(f64::INFINITY, f64::min);
    let rate = rate.map_or(least, |rate| rate.0);
    if rate.is_finite() { (rate * sweep.measure.as_secs_f64()).round() as u64 } else { 0 }
}
