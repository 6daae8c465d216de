//! A record out of the lines of a run that was cut: all that was known, and nothing that was not.

use super::stream::Line;
use super::{Arm, Outcome, PhaseTotals, Reason, Record, SECOND, SLOT, Verdict};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Why lines could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] io::Error),
    /// It does not begin as a record does.
    #[error("this is no record of a run: its first line is missing or damaged")]
    NoBeginning,
    /// It is of another format or a later version.
    #[error(transparent)]
    Foreign(#[from] super::ReadError),
}

/// Makes a record of what a run that was cut has left: never complete, never PASS.
pub fn fold_file(path: &Path) -> Result<Record, FoldError> {
    let text = std::fs::read(path)?;
    fold(&String::from_utf8_lossy(&text))
}

/// Folds lines. A torn last line, and lines that are damaged, are passed over.
pub fn fold(text: &str) -> Result<Record, FoldError> {
    check_first(text)?;
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    let Some(Line::Begin { record }) = lines.next() else { return Err(FoldError::NoBeginning) };
    let mut record = *record;
    for line in lines {
        take(&mut record.arms, line);
    }
    record.arms.iter_mut().for_each(settle);
    let end = record.arms.iter().map(last_moment).max().unwrap_or(0);
    let text = format!(
        "ABORTED: the run was cut {:.1} s after its load began; what was written until then follows.",
        end as f64 / 1e6
    );
    record.complete = false;
    record.verdict = Verdict::Aborted;
    record.reasons = vec![Reason { verdict: Verdict::Aborted, code: "aborted".to_owned(), text }];
    Ok(record)
}

/// A later version may have a first line that this one cannot read, but it says what it is.
fn check_first(text: &str) -> Result<(), FoldError> {
    let first: Option<serde_json::Value> = text.lines().next().and_then(|line| serde_json::from_str(line).ok());
    match first.as_ref().and_then(|line| line.get("record")) {
        Some(record) => Ok(super::read::check_value(record)?),
        None => Err(FoldError::NoBeginning),
    }
}

fn take(arms: &mut Vec<Arm>, line: Line) {
    match line {
        Line::Begin { .. } => {}
        Line::Arm { arm, kind, try_number, without, policies, cell, phases, flows, instances } => {
            if arm == arms.len() {
                arms.push(Arm { try_number, without, policies, cell, phases, flows, instances, ..Arm::empty(kind) });
            }
        }
        Line::Event { arm, event } => with(arms, arm, |arm| arm.events.push(event)),
        Line::Fault { arm, fault } => with(arms, arm, |arm| arm.faults.push(fault)),
        Line::Second { arm, from, outcomes, offers, latencies, lost } => with(arms, arm, |arm| {
            join(&mut arm.outcomes, outcomes, |series, more| series.replace_from(from, more));
            join(&mut arm.offers, offers, |series, more| series.replace_from(from, more));
            for latency in latencies {
                let told = arm.seconds.iter_mut().find(|told| (told.flow, told.at) == (latency.flow, latency.at));
                match told {
                    Some(told) => *told = latency,
                    None => arm.seconds.push(latency),
                }
            }
            arm.singles.requests.extend(lost);
        }),
    }
}

fn with(arms: &mut [Arm], arm: usize, change: impl FnOnce(&mut Arm)) {
    if let Some(arm) = arms.get_mut(arm) {
        change(arm);
    }
}

fn join<T>(series: &mut Vec<T>, more: Vec<T>, replace: impl Fn(&mut T, T)) {
    if series.is_empty() {
        *series = more;
    } else {
        series.iter_mut().zip(more).for_each(|(series, more)| replace(series, more));
    }
}

/// What was open when the run was cut is cut; totals are what can be counted from the slots.
fn settle(arm: &mut Arm) {
    for series in &mut arm.outcomes {
        let told = |slot: usize| series.by_outcome.values().map(|counts| counts[slot]).sum::<u32>();
        let open: Vec<u32> =
            (0..series.planned.len()).map(|slot| series.planned[slot].saturating_sub(told(slot))).collect();
        if open.iter().any(|count| *count > 0) {
            let cut = series.by_outcome.entry(Outcome::Cut).or_insert_with(|| vec![0; open.len()]);
            cut.iter_mut().zip(open).for_each(|(count, more)| *count += more);
        }
    }
    arm.seconds.sort_by_key(|second| (second.flow, second.at));
    let end = last_moment(arm);
    let begun = arm.phases.iter().filter(|phase| phase.from < end);
    arm.totals = begun.map(|phase| totals(arm, &phase.name, phase.from, phase.to.min(end))).collect();
}

fn totals(arm: &Arm, name: &str, from: i64, to: i64) -> PhaseTotals {
    let slots = (from / SLOT) as usize..(to / SLOT) as usize;
    let sum = |series: &[u32]| series.get(slots.clone()).unwrap_or_default().iter().map(|n| u64::from(*n)).sum::<u64>();
    let mut outcomes: BTreeMap<Outcome, u64> = BTreeMap::new();
    for (outcome, counts) in arm.outcomes.iter().flat_map(|series| &series.by_outcome) {
        *outcomes.entry(outcome.clone()).or_default() += sum(counts);
    }
    outcomes.retain(|_, count| *count > 0);
    let arrivals = arm.offers.iter().zip(&arm.instances);
    let arrivals: BTreeMap<String, u64> =
        arrivals.map(|(offers, instance)| (instance.name.clone(), sum(&offers.offered))).collect();
    let count_if = |wanted: fn(&Outcome) -> bool| -> u64 {
        outcomes.iter().filter(|(outcome, _)| wanted(outcome)).map(|(_, count)| count).sum()
    };
    let sent: u64 = arm.outcomes.iter().map(|series| sum(&series.sent)).sum();
    PhaseTotals {
        phase: name.to_owned(),
        flow: None,
        planned: arm.outcomes.iter().map(|series| sum(&series.planned)).sum(),
        lost: count_if(Outcome::is_lost),
        rate: sent as f64 / ((to - from).max(SECOND / 10) as f64 / 1e6),
        attempts: arrivals.values().sum(),
        ended: count_if(|outcome| *outcome != Outcome::Cut),
        open_at_edges: count_if(|outcome| *outcome == Outcome::Cut),
        arrivals,
        statuses: BTreeMap::new(),
        response: BTreeMap::new(),
        outcomes,
    }
}

fn last_moment(arm: &Arm) -> i64 {
    arm.outcomes.first().map_or(0, |outcomes| outcomes.planned.len() as i64 * SLOT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ArmKind, Offers, Outcomes, Phase};

    fn second(from: usize, planned: &[u32], acceptable: &[u32]) -> Line {
        let outcomes = Outcomes {
            flow: 0,
            planned: planned.to_vec(),
            sent: planned.to_vec(),
            by_outcome: [(Outcome::Acceptable, acceptable.to_vec())].into(),
        };
        let offers = Offers { offered: planned.to_vec(), ..Offers::default() };
        Line::Second { arm: 0, from, outcomes: vec![outcomes], offers: vec![offers], latencies: vec![], lost: vec![] }
    }

    #[test]
    fn later_lines_take_the_place_of_earlier_ones_and_what_was_open_is_cut() {
        let mut arms = Vec::new();
        let phase = Phase { name: "baseline".to_owned(), from: 0, to: 3 * SLOT, judged: true, moved_in: 0 };
        take(
            &mut arms,
            Line::Arm {
                arm: 0,
                kind: ArmKind::Main,
                try_number: 1,
                without: vec![],
                policies: vec![],
                cell: None,
                phases: vec![phase],
                flows: vec![],
                instances: vec![],
            },
        );
        take(&mut arms, second(0, &[5, 5], &[5, 3]));
        take(&mut arms, second(1, &[5, 5], &[5, 1]));
        settle(&mut arms[0]);
        assert_eq!(arms[0].outcomes[0].by_outcome[&Outcome::Acceptable], [5, 5, 1]);
        assert_eq!(arms[0].outcomes[0].by_outcome[&Outcome::Cut], [0, 0, 4]);
        assert_eq!(arms[0].offers[0].offered, [5, 5, 5]);
        let totals = &arms[0].totals[0];
        assert_eq!((totals.planned, totals.lost, totals.outcomes.values().sum()), (15, 4, 15));
    }
}
