//! Judging: pure functions of what was observed. Nothing here reads a file, a socket or a clock.
//!
//! [`healing`] measures from outside when instances were out and back; `expectation` holds each expectation against its limit; `soundness` says
//! whether any of it is evidence; [`judge`] puts the arms together.

mod expectation;
pub mod healing;
pub mod search;
mod soundness;
mod undecided;
pub mod words;

use crate::scenario::resolved::{Expectation, Metric, Scenario, Subject};
use squall_reports::record::{self, Arm, ArmKind, Reason, Verdict};

/// The verdict on a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Over all arms.
    pub verdict: Verdict,
    /// Of the control by itself.
    pub control: Option<Verdict>,
    /// Why, most important first.
    pub reasons: Vec<Reason>,
    /// The expectations on the arm as written.
    pub expectations: Vec<record::Expectation>,
    /// What a search has found.
    pub searches: Vec<record::search::Search>,
}

/// Judges one arm by itself: is it sound, and what of the expectations does it meet?
pub fn judge_arm(scenario: &Scenario, arm: &mut Arm) {
    let mine = |expectation: &&Expectation| expectation::concerns(expectation, scenario, arm);
    let expectations: Vec<_> =
        scenario.expectations.iter().filter(mine).map(|one| expectation::judge(one, scenario, arm)).collect();
    let expectations = [expectations, search::limits(scenario, arm)].concat();
    let mut reasons = soundness::reasons(scenario, arm, &expectations);
    let worst = expectations.iter().map(|one| one.verdict).max().unwrap_or(Verdict::Pass);
    arm.verdict = reasons.iter().map(|reason| reason.verdict).max().unwrap_or(worst);
    reasons.extend(words::missed(&expectations));
    arm.reasons = reasons;
    arm.expectations = expectations;
}

/// True if the arm proved nothing for the generator's or the machine's sake, so that another try may tell more.
pub fn is_machines_fault(arm: &Arm) -> bool {
    arm.verdict == Verdict::Invalid && arm.reasons.iter().any(|reason| reason.code == "generator")
}

/// Judges a scenario by its arms. `errors` are arms that did not come to an end, `stopped` is why the run was cut.
pub fn judge(
    scenario: &Scenario,
    arms: &[Arm],
    errors: &[String],
    control_wanted: bool,
    stopped: Option<&str>,
) -> Judged {
    let of_kind = |kind| arms.iter().filter(move |arm| arm.kind == kind && !arm.superseded);
    let control = of_kind(ArmKind::Control).next();
    let mut reasons = Vec::new();
    if let Some(why) = stopped {
        reasons.push(reason(Verdict::Aborted, "aborted", format!("ABORTED: {why}; everything was undone.")));
    }
    reasons.extend(errors.iter().map(|error| reason(Verdict::Error, "error", format!("ERROR: {error}"))));
    let searches = search::found(scenario, arms);
    let (mut verdict, expectations) = if scenario.sweep.as_ref().is_some_and(|sweep| sweep.search.is_some()) {
        let judged: Vec<_> =
            scenario.expectations.iter().map(|one| expectation::judge_search(one, &searches)).collect();
        reasons.extend(words::missed(&judged));
        (judged.iter().map(|one| one.verdict).max().unwrap_or(Verdict::Pass), judged)
    } else if scenario.sweep.is_some() {
        let cells: Vec<&Arm> = of_kind(ArmKind::Cell).collect();
        let expectations: Vec<_> =
            scenario.expectations.iter().map(|one| expectation::judge_cells(one, &cells)).collect();
        reasons.extend(
            cells.iter().flat_map(|cell| cell.reasons.iter().filter(|one| one.verdict == Verdict::Invalid)).cloned(),
        );
        reasons.extend(words::missed(&expectations));
        (expectations.iter().map(|one| one.verdict).max().unwrap_or(Verdict::Pass), expectations)
    } else {
        match of_kind(ArmKind::Main).next() {
            Some(main) => {
                reasons.extend(main.reasons.clone());
                (main.verdict, main.expectations.clone())
            }
            None => (Verdict::Error, Vec::new()),
        }
    };
    if let (Some(control), Verdict::Pass) = (control, verdict) {
        let unproven = unproven(scenario, control);
        verdict = unproven.first().map_or(verdict, |reason| reason.verdict);
        reasons.extend(unproven);
    }
    if verdict == Verdict::Pass
        && scenario.control.is_some()
        && control_wanted
        && control.is_none()
        && stopped.is_none()
    {
        verdict = Verdict::Error;
    }
    verdict = reasons.iter().map(|reason| reason.verdict).filter(|one| *one >= Verdict::Error).max().unwrap_or(verdict);
    if reasons.is_empty() {
        reasons.push(reason(Verdict::Pass, "held", words::passed(arms, &searches, control)));
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));
    if stopped.is_some() {
        // What was never sent was not lost: a run that was cut is not judged.
        reasons.retain(|reason| matches!(reason.code.as_str(), "aborted" | "error"));
        return Judged { verdict, control: None, reasons, expectations: Vec::new(), searches };
    }
    Judged { verdict, control: control.map(|control| control.verdict), reasons, expectations, searches }
}

fn reason(verdict: Verdict, code: &str, text: String) -> Reason {
    Reason { verdict, code: code.to_owned(), text }
}

/// What of the control does not prove that the healing matters.
fn unproven(scenario: &Scenario, control: &Arm) -> Vec<Reason> {
    let Some(wanted) = &scenario.control else { return Vec::new() };
    if control.verdict == Verdict::Invalid {
        let why = control.reasons.first().map(|reason| reason.text.clone()).unwrap_or_default();
        return vec![reason(Verdict::Invalid, "control", format!("INVALID: the control proves nothing: {why}"))];
    }
    let faulty: Vec<&str> =
        scenario.timeline.iter().filter(|phase| !phase.faults.is_empty()).map(|phase| phase.name.as_str()).collect();
    let by_default = |expectation: &&Expectation| match &expectation.subject {
        Subject::Phase { phase, metric: Metric::Success | Metric::Lost, .. } => faulty.contains(&phase.as_str()),
        _ => false,
    };
    let ids: Vec<&str> = if wanted.fails.is_empty() {
        scenario.expectations.iter().filter(by_default).map(|one| one.id.as_str()).collect()
    } else {
        wanted.fails.iter().map(String::as_str).collect()
    };
    let missed = |id: &&&str| {
        let judged = control.expectations.iter().find(|one| one.id == **id);
        let written = scenario.expectations.iter().find(|one| one.id == **id);
        judged.zip(written).is_some_and(|(judged, written)| expectation::is_missed_for_sure(written, judged))
    };
    let held: Vec<_> = ids.iter().filter(|id| !missed(id)).collect();
    held.into_iter()
        .map(|id| {
            let text = format!(
                "INVALID: {id} is met, or all but met, {} too, so it proves nothing about them.",
                control.difference()
            );
            reason(Verdict::Invalid, "control-passed", text)
        })
        .collect()
}
