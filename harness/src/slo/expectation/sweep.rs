//! An expectation over the cells of a sweep.

use super::measure::{Measured, measure};
use super::{build, decide, in_unit, limit_text, limit_value, missing, needed};
use crate::scenario::resolved::{Expectation, Limit, MeshMode, Metric, Subject};
use crate::slo::soundness::lag_decides;
use crate::slo::words;
use squall_reports::record::search::Search;
use squall_reports::record::{self, Arm, Cell, Interval, Verdict};

/// Judges an expectation over the cells of a sweep: the worst cell decides.
///
/// Of a cell that was run in several blocks the middle one speaks; but what was lost in any of them was lost.
pub(in crate::slo) fn judge_cells(expectation: &Expectation, cells: &[&Arm]) -> record::Expectation {
    let Subject::Sweep { cells: chosen, metric, over } = &expectation.subject else {
        return missing(expectation, None, "not about the sweep");
    };
    let wanted = |cell: &Cell| {
        chosen.rate.is_none_or(|rate| (rate.0 - cell.rate).abs() < 1e-9)
            && chosen.connections.is_none_or(|connections| connections == cell.connections)
            && chosen.mode.is_none_or(|mode| mode.word() == cell.mode)
            && chosen.protocol.is_none_or(|protocol| Some(protocol) == cell.protocol.as_deref())
            && chosen.payload.is_none_or(|payload| Some(payload) == cell.payload)
    };
    let mut blocks: Vec<(Cell, Vec<record::Expectation>)> = Vec::new();
    for (arm, cell) in cells.iter().filter_map(|arm| Some((arm, arm.cell.as_ref()?))).filter(|(_, cell)| wanted(cell)) {
        let beside = |other: &&&Arm| {
            let over = over.map(MeshMode::word);
            let is_it = |other: &Cell| Some(&*other.mode) == over && other.is_beside(cell) && other.block == cell.block;
            other.cell.as_ref().is_some_and(is_it)
        };
        let direct = cells.iter().find(beside).copied();
        let judged = if over.is_some() && direct.is_none() {
            missing(expectation, None, "the cell to compare with is missing")
        } else {
            judge_cell(expectation, metric, (arm, cell), direct)
        };
        match blocks.iter_mut().find(|(known, _)| known.is_again(cell)) {
            Some((_, all)) => all.push(judged),
            None => blocks.push((cell.clone(), vec![judged])),
        }
    }
    let badness = |one: &record::Expectation| match expectation.limit {
        Limit::AtLeast(_) => -one.observed.value.unwrap_or(f64::NEG_INFINITY),
        _ => one.observed.value.unwrap_or(f64::INFINITY),
    };
    let worse = |one: &record::Expectation, other: &record::Expectation| {
        one.verdict.cmp(&other.verdict).then(badness(one).total_cmp(&badness(other)))
    };
    let spoken_for = blocks.into_iter().filter_map(|(_, mut all)| {
        all.sort_by(worse);
        if matches!(metric, Metric::Success | Metric::Lost) { all.pop() } else { Some(all.swap_remove(all.len() / 2)) }
    });
    spoken_for.max_by(worse).unwrap_or_else(|| missing(expectation, None, "no cell of the sweep matches `where`"))
}

/// Judges an expectation over the highest rates that were found: the lowest of them decides.
pub(in crate::slo) fn judge_search(expectation: &Expectation, searches: &[Search]) -> record::Expectation {
    let Subject::Sweep { cells: chosen, .. } = &expectation.subject else {
        return missing(expectation, None, "not about the sweep");
    };
    let wanted = |search: &&Search| {
        let mut spoken = search.spoken.split(", ");
        let payload = chosen.payload.map(|bytes| format!("bodies of {bytes} B"));
        chosen.connections.is_none_or(|connections| connections == search.connections)
            && chosen.mode.is_none_or(|mode| mode.word() == search.mode)
            && chosen.protocol.into_iter().chain(payload.as_deref()).all(|word| spoken.any(|own| own == word))
    };
    let judged = searches.iter().filter(wanted).map(|search| {
        let value = search.highest.unwrap_or(0.0);
        let (verdict, why) = verdict_on(search, value, expectation.limit);
        let rate = |rate: f64| format!("{}/s", words::number(rate));
        let broken = search.broken.map_or_else(String::new, |broken| format!("; at {} it did not hold", rate(broken)));
        let confirmed = search.confirmed.map_or_else(
            || "; not confirmed".to_owned(),
            |confirmed| format!("; confirmed at {} for longer", rate(confirmed)),
        );
        let why = why.map_or_else(String::new, |why| format!("; {why}"));
        let measured = Measured {
            value,
            text: search.highest.map_or_else(|| "none".to_owned(), rate),
            interval: search.highest.zip(search.broken).map(|(low, high)| Interval { low, high }),
            samples: search.steps.len() as u64,
            basis: format!("{search}{broken}{confirmed}{why}"),
        };
        let text = limit_text(expectation.limit, &Metric::HighestRate);
        build(
            expectation,
            None,
            verdict,
            measured,
            limit_value(expectation.limit),
            text,
            verdict == Verdict::Inconclusive,
        )
    });
    let worst = judged.max_by(|one, other| {
        let badness = |one: &record::Expectation| -one.observed.value.unwrap_or(f64::NEG_INFINITY);
        one.verdict.cmp(&other.verdict).then(badness(one).total_cmp(&badness(other)))
    });
    worst.unwrap_or_else(|| missing(expectation, None, "no search was for this"))
}

/// What was found against its limit: between what held and what broke nothing is known.
fn verdict_on(search: &Search, value: f64, limit: Limit) -> (Verdict, Option<&'static str>) {
    let holds = match limit {
        Limit::AtLeast(limit) => value >= limit - 1e-9,
        Limit::AtMost(limit) => value <= limit + 1e-9,
        _ => return (Verdict::Error, None),
    };
    let between = |limit: f64| value < limit && search.broken.is_some_and(|broken| limit < broken);
    match limit {
        _ if search.limited && !holds => (Verdict::Invalid, Some("the generator was the limit")),
        Limit::AtLeast(limit) if between(limit) => (Verdict::Inconclusive, Some("nothing was tried between")),
        _ if search.highest.is_some() && search.confirmed.is_none() => {
            (Verdict::Inconclusive, Some("it did not hold for longer"))
        }
        _ if holds => (Verdict::Pass, None),
        _ => (Verdict::Fail, None),
    }
}

/// Judges it on one cell, beside the same cell in another mode where it says so.
pub(in crate::slo) fn judge_cell(
    expectation: &Expectation,
    metric: &Metric,
    (arm, cell): (&Arm, &Cell),
    direct: Option<&Arm>,
) -> record::Expectation {
    let Some(totals) = arm.totals_of("measure", None) else {
        return missing(expectation, None, "a cell has no data");
    };
    let Some(mut measured) = measure(metric, arm, totals, "measure") else {
        return missing(expectation, None, "a cell was not measured");
    };
    if let Some(direct) = direct {
        let direct = direct.totals_of("measure", None).and_then(|totals| measure(metric, direct, totals, "measure"));
        let Some(direct) = direct else { return missing(expectation, None, "the cell to compare with is missing") };
        measured.value -= direct.value;
        measured.text = format!("{} more", in_unit(measured.value.max(0.0), metric));
        measured.interval = None;
    }
    measured.basis = format!("{cell}: {}", measured.basis);
    let limit = match expectation.limit {
        Limit::AtMostMore(limit) => Limit::AtMost(limit),
        other => other,
    };
    let plain = Expectation { limit, ..expectation.clone() };
    let (mut verdict, close) = decide(&plain, metric, totals, &measured);
    measured.explain(needed(&plain, totals, &measured, verdict));
    let asked = limit_value(limit).filter(|_| matches!(metric, Metric::Response { .. }));
    if asked.is_some_and(|asked| lag_decides(verdict, measured.value, asked, arm, direct)) {
        verdict = Verdict::Invalid;
        measured.explain(Some("this could be the generator's own lag".to_owned()));
    }
    let text = limit_text(expectation.limit, metric);
    build(expectation, None, verdict, measured, limit_value(limit), text, close)
}
