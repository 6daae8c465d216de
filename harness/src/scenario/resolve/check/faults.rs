//! Faults that undo one another, and blast radius.

use crate::fault::spec::{Direction, Fault, Kind, Pick};
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolve::plan::Plan;
use crate::topology::InstanceName;
use std::collections::BTreeSet;

/// Checks all faults against each other.
pub(in super::super) fn faults(plan: &Plan<'_>, max_affected: Option<u32>, problems: &mut Problems) {
    let all: Vec<_> = plan.faults().collect();
    for (number, (fault, window)) in all.iter().enumerate() {
        let clash = all[..number].iter().find(|(other, at)| {
            other.target == fault.target && at.overlaps(*window) && contradict(&other.fault, &fault.fault)
        });
        if let Some((other, _)) = clash {
            problems
                .error(
                    code::CONTRADICTION,
                    fault.place,
                    format!("`{}` and `{}` act at the same time", other.what, fault.what),
                )
                .help("only one of them could be seen; put them into different phases, or on different instances");
        }
    }
    let Some(most) = max_affected else { return };
    for (fault, window) in &all {
        // The number that is hit at once can only grow at the beginning of a fault.
        let hit: BTreeSet<&InstanceName> = all
            .iter()
            .filter(|(_, other)| other.from <= window.from && window.from < other.to)
            .map(|(other, _)| &other.target)
            .collect();
        if hit.len() > most as usize {
            problems.error(
                code::BLAST_RADIUS,
                fault.place,
                format!("instances hit at once: {}, but `max-affected` allows {most}", hit.len()),
            );
            return;
        }
    }
}

/// True if one hides the other completely.
fn contradict(one: &Fault, other: &Fault) -> bool {
    let dead =
        |fault: &Fault| (fault.kind.ends_process() || fault.kind == Kind::Refuse) && fault.rhythm.pulse.is_none();
    // One that is gone may well stay listed.
    if one.kind.is_listing() || other.kind.is_listing() {
        return one.kind.is_listing() && other.kind.is_listing();
    }
    if dead(one) || dead(other) {
        return true;
    }
    let final_for_all = |fault: &Fault| {
        let ends = matches!(
            fault.kind,
            Kind::Abort { .. }
                | Kind::ResetStream { .. }
                | Kind::Hang
                | Kind::Blackhole { .. }
                | Kind::Reset { .. }
                | Kind::Truncate { .. }
        );
        let all = fault.pick == Pick::All && fault.matching == crate::fault::spec::Match::default();
        ends && all && fault.rhythm.pulse.is_none()
    };
    let same_way = one.direction == other.direction || [one.direction, other.direction].contains(&Direction::Both);
    same_way && final_for_all(one) && final_for_all(other)
}
