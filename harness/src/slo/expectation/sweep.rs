//! An expectation over the cells of a sweep.

use super::measure::measure;
use super::{build, decide, in_unit, limit_text, limit_value, missing, needed};
use crate::scenario::resolved::{Expectation, Limit, Subject};
use squall_reports::record::{self, Arm};

/// Judges an expectation over the cells of a sweep: the worst cell decides.
pub(in crate::slo) fn judge_cells(expectation: &Expectation, cells: &[&Arm]) -> record::Expectation {
    let Subject::Sweep { rate, connections, mode, metric, over } = &expectation.subject else {
        return missing(expectation, None, "not about the sweep");
    };
    let wanted = |arm: &&&Arm| {
        arm.cell.as_ref().is_some_and(|cell| {
            rate.is_none_or(|rate| (rate.0 - cell.rate).abs() < 1e-9)
                && connections.is_none_or(|connections| connections == cell.connections)
                && mode.is_none_or(|mode| mode.word() == cell.mode)
        })
    };
    let judged = cells.iter().filter(wanted).map(|arm| {
        let Some(totals) = arm.totals_of("measure", None) else {
            return missing(expectation, None, "a cell has no data");
        };
        let Some(mut measured) = measure(metric, arm, totals, "measure") else {
            return missing(expectation, None, "a cell was not measured");
        };
        let cell = arm.cell.clone();
        let name = cell.as_ref().map_or(String::new(), |cell| {
            format!("{} at {}/s over {} connections", cell.mode, cell.rate, cell.connections)
        });
        if let Some(over) = over {
            let same = |other: &&&Arm| {
                other.cell.as_ref().zip(cell.as_ref()).is_some_and(|(other, own)| {
                    other.mode == over.word()
                        && other.rate.total_cmp(&own.rate).is_eq()
                        && other.connections == own.connections
                })
            };
            let direct = cells
                .iter()
                .find(same)
                .and_then(|direct| measure(metric, direct, direct.totals_of("measure", None)?, "measure"));
            let Some(direct) = direct else { return missing(expectation, None, "the cell to compare with is missing") };
            measured.value -= direct.value;
            measured.text = format!("{} more", in_unit(measured.value.max(0.0), metric));
            measured.interval = None;
        }
        measured.basis = format!("{name}: {}", measured.basis);
        let limit = match expectation.limit {
            Limit::AtMostMore(limit) => Limit::AtMost(limit),
            other => other,
        };
        let plain = Expectation { limit, ..expectation.clone() };
        let (verdict, close) = decide(&plain, metric, totals, &measured);
        measured.explain(needed(&plain, totals, &measured, verdict));
        let text = limit_text(expectation.limit, metric);
        build(expectation, None, verdict, measured, limit_value(limit), text, close)
    });
    let worst = judged.max_by(|one, other| {
        let badness = |one: &record::Expectation| match expectation.limit {
            Limit::AtLeast(_) => -one.observed.value.unwrap_or(f64::NEG_INFINITY),
            _ => one.observed.value.unwrap_or(f64::INFINITY),
        };
        one.verdict.cmp(&other.verdict).then(badness(one).total_cmp(&badness(other)))
    });
    worst.unwrap_or_else(|| missing(expectation, None, "no cell of the sweep matches `where`"))
}
