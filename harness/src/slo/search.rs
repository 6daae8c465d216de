//! The highest rate that holds, of every combination of a sweep: its steps judged, and what they have found.

mod bisection;

pub use bisection::{Bisection, Next};

use super::expectation;
use crate::load::wire::Protocol;
use crate::scenario::resolved::{Combination, Scenario, Subject};
use squall_reports::record::search::{Outcome, Search};
use squall_reports::record::{self, Arm, ArmKind, Cell, Verdict};

/// What must hold at the rate of an arm that is a step of a search, judged.
pub(super) fn limits(scenario: &Scenario, arm: &Arm) -> Vec<record::Expectation> {
    let search = scenario.sweep.as_ref().and_then(|sweep| sweep.search.as_ref());
    let (Some(search), Some(cell)) = (search, &arm.cell) else { return Vec::new() };
    let judged = search.limits.iter().filter_map(|limit| {
        let Subject::Sweep { metric, .. } = &limit.subject else { return None };
        Some(expectation::judge_cell(limit, metric, (arm, cell), None))
    });
    judged.collect()
}

/// How a step went: what it was judged to be, and why it did not hold.
pub fn outcome(arm: &Arm) -> (Outcome, Option<String>) {
    let why = arm.reasons.first().map(|reason| reason.text.clone());
    match arm.verdict {
        Verdict::Fail => (Outcome::Broken, why),
        // Nothing was lost where so few were sent that one loss would have been too much.
        Verdict::Pass | Verdict::Inconclusive => (Outcome::Held, None),
        _ => (Outcome::Limited, why),
    }
}

/// What every search of a sweep has found, by the steps that were run.
pub(super) fn found(scenario: &Scenario, arms: &[Arm]) -> Vec<Search> {
    let Some((sweep, wanted)) = scenario.sweep.as_ref().and_then(|sweep| Some((sweep, sweep.search.as_ref()?))) else {
        return Vec::new();
    };
    let of = |combination: Combination| {
        let mut search = Bisection::new(combination.rate.0, wanted.to.0);
        while let Some(arm) = search.next().and_then(|next| arms.iter().find(|arm| is_step(arm, combination, next))) {
            let (outcome, why) = outcome(arm);
            search.note(outcome, why);
        }
        let spoken = Cell {
            protocol: combination.protocol.map(|protocol| protocol.word().to_owned()),
            payload: combination.payload,
            ..Cell::new("", 1.0, 1)
        };
        Search {
            mode: combination.mode.word().to_owned(),
            connections: combination.connections,
            spoken: spoken.spoken(),
            from: combination.rate.0,
            to: wanted.to.0,
            holds: wanted.limits.iter().map(|limit| limit.written.clone()).collect(),
            highest: search.highest(),
            broken: search.broken(),
            confirmed: search.confirmed(),
            limited: search.is_limited(),
            steps: search.into_steps(),
        }
    };
    sweep.combinations().into_iter().map(of).collect()
}

fn is_step(arm: &Arm, combination: Combination, next: Next) -> bool {
    arm.kind == ArmKind::Cell
        && arm.cell.as_ref().is_some_and(|cell| {
            cell.block == next.run
                && cell.rate.total_cmp(&next.rate).is_eq()
                && cell.mode == combination.mode.word()
                && cell.connections == combination.connections
                && cell.protocol.as_deref() == combination.protocol.map(Protocol::word)
                && cell.payload == combination.payload
        })
}
