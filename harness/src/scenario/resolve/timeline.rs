//! Phases, their faults and actions.

use super::apply::{self, Pushes};
use super::{fault, release};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Action, MeshMode, Phase, Place, Service};
use crate::scenario::written::{self, Placed};
use std::time::Duration;

/// Name of the phase in front that is not judged.
pub(super) const WARM_UP: &str = "warm-up";
/// How long it is where the file has none.
const WARM_UP_TIME: Duration = Duration::from_secs(1);
/// Longest phase: beyond it a number was mistyped.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Names that `expect` uses for something else.
const TAKEN: [&str; 3] = ["healing", "whole", "sweep"];

/// Resolves all phases, the warm-up first.
pub(super) fn phases(
    written: &[written::Phase],
    services: &[Service],
    mode: MeshMode,
    pushes: &Pushes<'_>,
    problems: &mut Problems,
) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    if written.first().is_none_or(|phase| phase.phase.value != WARM_UP) {
        phases.push(Phase {
            name: WARM_UP.to_owned(),
            lasting: WARM_UP_TIME,
            judged: false,
            faults: Vec::new(),
            actions: Vec::new(),
        });
    }
    for (number, phase) in written.iter().enumerate() {
        let name = &phase.phase;
        if phases.iter().any(|other| other.name == name.value) {
            problems.error(code::SHAPE, name.place, format!("two phases are called `{}`", name.value));
        }
        if TAKEN.contains(&name.value.as_str()) || name.value.trim().is_empty() {
            problems
                .error(code::SHAPE, name.place, format!("a phase cannot be called `{}`", name.value))
                .help("`expect` uses `healing`, `whole` and `sweep` for something else");
        }
        if phase.r#for.0 > LONGEST {
            problems
                .error(code::RANGE, phase.r#for.place, format!("a phase of {}", phase.r#for.value))
                .expected("at most 24h");
        }
        let judged = !(number == 0 && name.value == WARM_UP);
        // A warm-up of no length is none.
        if judged && phase.r#for.0.is_zero() {
            problems.error(code::RANGE, phase.r#for.place, "a phase of no length");
        }
        if let Some(fault) = phase.faults.first().filter(|_| !judged) {
            problems.error(code::SHAPE, fault.place, "a fault in the warm-up, which is not judged");
        }
        let applied = |action: &&Placed<written::Action>| matches!(action.value, written::Action::Apply(_));
        if let Some(second) = phase.r#do.iter().filter(applied).nth(1) {
            problems
                .error(code::SHAPE, second.place, "a phase that applies policies twice")
                .help("name all of them in one `apply`, or make it two phases");
        }
        let lasting = phase.r#for.0.min(LONGEST);
        phases.push(Phase {
            name: name.value.clone(),
            lasting,
            judged,
            faults: phase
                .faults
                .iter()
                .flat_map(|written| fault::planned(written, lasting, services, mode, problems))
                .collect(),
            actions: phase
                .r#do
                .iter()
                .filter_map(|action| act(action, lasting, (name, services, pushes), problems))
                .collect(),
        });
    }
    if !phases.iter().any(|phase| phase.judged) {
        problems.error(code::SHAPE, Place::default(), "the timeline has no phase that is judged");
    }
    phases
}

fn act(
    written: &Placed<written::Action>,
    lasting: Duration,
    (phase, services, pushes): (&str, &[Service], &Pushes<'_>),
    problems: &mut Problems,
) -> Option<Action> {
    match &written.value {
        written::Action::Release(release) => {
            release::resolve(release, written.place, lasting, services, problems).map(Action::Release)
        }
        written::Action::Apply(applied) => {
            Some(Action::Apply(apply::resolve(applied, written.place, phase, pushes, problems)))
        }
        // Refused by name when the file was read.
        _ => None,
    }
}
