//! The highest rate that holds: what is sought, and what may be expected of it.

use crate::scenario::code;
use crate::scenario::limit::Limit as Written;
use crate::scenario::problems::Problems;
use crate::scenario::resolve::expect::{absolute, check_confidence, confidence};
use crate::scenario::resolved::{Chosen, Expectation, Metric, Search, Subject, Sweep};
use crate::scenario::written::{self, Placed, SweepMetrics};
use std::time::Duration;

/// What was found is confirmed for so many times as long as a rate is tried, where the file does not say.
const LONGER: u32 = 4;

/// Resolves what is sought; `measure`: how long each rate is tried.
pub(super) fn resolve(
    search: &Placed<written::Search>,
    sweep: &written::Sweep,
    measure: Duration,
    problems: &mut Problems,
) -> Search {
    let (from, to) = (&search.from, &search.to);
    if sweep.rate.is_some() {
        problems
            .error(code::SHAPE, search.place, "both `rate` and `search`")
            .help("leave `rate` out: the search chooses the rates");
    }
    if let Some(blocks) = sweep.blocks {
        problems
            .error(code::SHAPE, blocks.place, "`blocks` with a `search`, which tries each rate until two tries agree")
            .help("leave `blocks` out");
    }
    if from.0 <= 0.0 {
        problems.error(code::RANGE, from.place, "a rate of 0 sends nothing");
    } else if to.0 <= from.0 {
        problems.error(code::RANGE, to.place, format!("{} is not above {}", to.value, from.value));
    }
    if let Some(confirm) = search.confirm.filter(|confirm| confirm.0 < measure) {
        problems
            .error(code::RANGE, confirm.place, "what was found is confirmed for no longer than it was tried")
            .expected("at least as long as `measure`");
    }
    Search {
        to: to.value,
        limits: limits(&search.holds, problems),
        confirm: search.confirm.map_or(measure.saturating_mul(LONGER), |confirm| confirm.0),
    }
}

/// What must hold at a rate.
fn limits(holds: &Placed<written::Metrics>, problems: &mut Problems) -> Vec<Expectation> {
    if let Some(of) = &holds.of {
        problems.error(code::SHAPE, of.place, "a sweep has one flow").help("leave `of` out");
    }
    if holds.limits.is_empty() {
        problems
            .error(code::SHAPE, holds.place, "every rate holds where nothing must")
            .expected("limits, such as `{p99: \"<= 20ms\", success: \">= 99%\"}`");
    }
    check_confidence(holds, problems);
    let mut found = Vec::new();
    for (metric, limit) in &holds.limits {
        if metric.value == Metric::HighestRate {
            problems
                .error(code::SHAPE, metric.place, "`highest-rate` is what is sought")
                .help("expect it of the sweep");
            continue;
        }
        if let Written::AtMostTimes { .. } = limit.value {
            problems.error(code::SHAPE, limit.place, "a search compares with nothing").expected(metric.value.example());
            continue;
        }
        let Some(resolved) = absolute(metric, limit, problems) else { continue };
        found.push(Expectation {
            id: format!("search.{}", metric.value),
            place: limit.place,
            written: format!("{} {}", metric.value, limit.value),
            subject: Subject::Sweep { cells: Chosen::default(), metric: metric.value.clone(), over: None },
            limit: resolved,
            confidence: confidence(holds, &metric.value),
        });
    }
    found
}

/// True if a metric can be expected of the sweep: of a search the highest rate alone, of a grid anything else.
pub(super) fn is_asked(sweep: &Sweep, block: &SweepMetrics, metric: &Placed<Metric>, problems: &mut Problems) -> bool {
    match (&sweep.search, metric.value == Metric::HighestRate) {
        (None, false) => true,
        (None, true) => {
            problems
                .error(code::SHAPE, metric.place, "`highest-rate` is what a sweep with `search` finds")
                .help("write `search: {from: 100/s, to: 10000/s, while: {p99: \"<= 20ms\"}}` in the place of `rate`");
            false
        }
        (Some(_), false) => {
            problems
                .error(code::SHAPE, metric.place, "a search goes on until a limit is missed")
                .help("put this limit into `while`, and expect a `highest-rate`");
            false
        }
        (Some(_), true) => {
            if let Some(over) = &block.over {
                problems.error(code::SHAPE, over.mode.place, "highest rates are not compared with another mode's");
                return false;
            }
            true
        }
    }
}
