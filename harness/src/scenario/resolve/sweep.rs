//! Sweeps and their expectations.

use super::expect::{Names, absolute, check_confidence, comparable, confidence};
use super::mesh;
use crate::load::wire::Connections;
use crate::scenario::code;
use crate::scenario::limit::Limit as Written;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Expectation, Flow, Limit, MeshMode, Profile, Subject, Sweep};
use crate::scenario::written::{self, Placed, SweepMetrics};
use crate::units::Rate;
use std::fmt::Write;
use std::time::Duration;

/// At most so many cells: each costs seconds.
const MOST_CELLS: usize = 500;
/// Before each cell is measured, where the file does not say.
const WARM_UP: Duration = Duration::from_secs(1);
/// Measured in each cell, where the file does not say.
const MEASURE: Duration = Duration::from_secs(4);

/// Resolves the lists; a list that is not there has the one value of the flow or of the mesh.
pub(super) fn resolve(
    written: &Placed<written::Sweep>,
    flows: &[Flow],
    mode: MeshMode,
    problems: &mut Problems,
) -> Sweep {
    let rates: Vec<Rate> = if let Some(rates) = &written.rate {
        for rate in rates.iter().filter(|rate| rate.0 == 0.0) {
            problems.error(code::RANGE, rate.place, "a rate of 0 sends nothing");
        }
        rates.iter().map(|rate| rate.value).collect()
    } else {
        let own = flows.first().and_then(|flow| flow.pace.profile()).map(Profile::highest);
        own.filter(|rate| rate.0 > 0.0).into_iter().collect()
    };
    let connections: Vec<u32> = match (&written.connections, flows.first().map(|flow| flow.connections)) {
        (Some(numbers), _) => {
            for number in numbers.iter().filter(|number| number.value == 0) {
                problems.error(code::RANGE, number.place, "no request can be sent without a connection");
            }
            numbers.iter().map(|number| number.value).collect()
        }
        (None, Some(Connections::Fixed(number) | Connections::UpTo(number))) => vec![number],
        (None, _) => Vec::new(),
    };
    let modes: Vec<MeshMode> = match &written.mode {
        Some(modes) => modes.iter().map(mesh::mode).collect(),
        None => vec![mode],
    };
    let each = written.each.clone().unwrap_or_default();
    if let Some(measure) = each.measure.filter(|measure| measure.0.is_zero()) {
        problems.error(code::RANGE, measure.place, "a cell of no length measures nothing");
    }
    if flows.len() != 1 {
        problems.error(code::SHAPE, written.place, "a sweep needs exactly one flow");
    }
    if let Some(flow) =
        flows.iter().find(|flow| flow.pace.profile().is_none_or(|profile| !profile.stretches.is_empty()))
    {
        problems
            .error(code::SHAPE, flow.place, "each cell of a sweep has one rate")
            .expected("a `rate`, or `{poisson: 500/s}`");
    }
    let cells = rates.len().saturating_mul(connections.len()).saturating_mul(modes.len());
    if cells == 0 && !problems.has_errors() {
        problems
            .error(code::SHAPE, written.place, "the sweep has no cell")
            .expected("`rate`, `connections` and `mode`, each with at least one entry");
    }
    if cells > MOST_CELLS {
        problems.error(
            code::RANGE,
            written.place,
            format!(
                "{} rates x {} connections x {} modes = {cells} cells, more than {MOST_CELLS}",
                rates.len(),
                connections.len(),
                modes.len()
            ),
        );
    }
    Sweep {
        rates,
        connections,
        modes,
        warm_up: each.warm_up.map_or(WARM_UP, |span| span.0),
        measure: each.measure.map_or(MEASURE, |span| span.0),
    }
}

/// The limits of one block on cells.
pub(super) fn expectations(
    block: &SweepMetrics,
    names: &Names<'_>,
    problems: &mut Problems,
    found: &mut Vec<Expectation>,
) {
    let Some(sweep) = names.sweep else {
        if let Some((metric, _)) = block.metrics.limits.first() {
            problems.error(code::SHAPE, metric.place, "an expectation on a sweep, but there is no `sweep`");
        }
        return;
    };
    let cells = block.cells.clone().unwrap_or_default();
    let rate = cells.rate.map(|rate| member(rate, &sweep.rates, Rate::to_string, problems));
    let connections = cells.connections.map(|number| member(number, &sweep.connections, u32::to_string, problems));
    let mode = cells.mode.map(|mode| of_sweep(&mode, sweep, problems));
    let over = block.over.as_ref().map(|over| of_sweep(&over.mode, sweep, problems));
    if let Some(written) = block.over.as_ref().filter(|_| over.is_some() && over == mode) {
        problems.error(code::SHAPE, written.mode.place, "cells are compared with themselves");
    }
    check_confidence(&block.metrics, problems);
    for (metric, limit) in &block.metrics.limits {
        let resolved = match (&limit.value, over) {
            (Written::AtMostTimes { factor, phase: None }, Some(_)) if comparable(metric) => {
                Limit::AtMostTimes(*factor)
            }
            (Written::AtMostTimes { phase: None, .. }, None) => {
                problems
                    .error(code::SHAPE, limit.place, "so many times what?")
                    .help("name the cell to compare with: `over: {mode: none}`");
                continue;
            }
            (Written::AtMostTimes { .. }, _) => {
                problems
                    .error(code::SHAPE, limit.place, "a sweep has no phases to compare with")
                    .expected("`<= 1.5x`, with `over: {mode: none}` beside it");
                continue;
            }
            (_, over) => match (absolute(metric, limit, problems), over) {
                (Some(Limit::AtMost(most)), Some(_)) => Limit::AtMostMore(most),
                (Some(_), Some(_)) => {
                    problems
                        .error(code::SHAPE, limit.place, "with `over`, a limit says how much more")
                        .expected("`<=`");
                    continue;
                }
                (Some(limit), None) => limit,
                (None, _) => continue,
            },
        };
        let mut id = format!("sweep.{}", metric.value);
        let chosen: Vec<String> = [
            rate.map(|rate| rate.to_string()),
            connections.map(|number| format!("{number} connections")),
            mode.map(|mode| mode.word().to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !chosen.is_empty() {
            // Writing to a string never fails.
            let _ = write!(id, "({})", chosen.join(", "));
        }
        let beside = over.map(|over| format!(" over {}", over.word())).unwrap_or_default();
        found.push(Expectation {
            id,
            place: limit.place,
            written: format!("{} {}{beside}", metric.value, limit.value),
            subject: Subject::Sweep { rate, connections, mode, metric: metric.value.clone(), over },
            limit: resolved,
            confidence: confidence(&block.metrics, metric),
        });
    }
}

/// The value, and an error if the sweep's list does not hold it.
fn member<T: PartialEq + Copy>(written: Placed<T>, list: &[T], print: fn(&T) -> String, problems: &mut Problems) -> T {
    if !list.contains(&written.value) {
        problems
            .error(code::UNKNOWN_NAME, written.place, format!("no cell has {}", print(&written.value)))
            .expected(format!("one of {}", list.iter().map(print).collect::<Vec<_>>().join(", ")));
    }
    written.value
}

fn of_sweep(written: &Placed<written::Mode>, sweep: &Sweep, problems: &mut Problems) -> MeshMode {
    let mode = mesh::mode(written);
    if !sweep.modes.contains(&mode) {
        problems
            .error(code::UNKNOWN_NAME, written.place, format!("no cell is in mode `{}`", mode.word()))
            .names(mode.word(), sweep.modes.iter().map(|mode| mode.word()));
    }
    mode
}
