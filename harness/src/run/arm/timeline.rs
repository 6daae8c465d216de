//! The timeline of an arm as a list of steps, each at its offset from the start of the load. Pure.

use crate::scenario::resolved::{Action, Phase};
use std::time::Duration;

/// Something to do at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// End a fault: its index over all phases.
    Clear(usize),
    /// A phase begins: its index.
    Begin(usize),
    /// Begin a fault: its index over all phases.
    Inject(usize),
    /// Begin a release: its index over all phases.
    Release(usize),
    /// Give proxies what the phase with this index applies.
    Apply(usize),
}

/// All steps in order of time; at one instant, faults are cleared before a phase begins and injected after. Faults are injected in the
/// order of the file and cleared in the reverse order.
pub(super) fn steps(phases: &[Phase]) -> Vec<(Duration, Step)> {
    let mut steps = Vec::new();
    let (mut start, mut fault, mut release) = (Duration::ZERO, 0, 0);
    for (index, phase) in phases.iter().enumerate() {
        steps.push((start, Step::Begin(index)));
        for planned in &phase.faults {
            let from = start + planned.at;
            steps.push((from, Step::Inject(fault)));
            steps.push(((from + planned.lasting).min(start + phase.lasting), Step::Clear(fault)));
            fault += 1;
        }
        for action in &phase.actions {
            match action {
                Action::Release(_) => {
                    steps.push((start, Step::Release(release)));
                    release += 1;
                }
                Action::Apply(_) => steps.push((start, Step::Apply(index))),
            }
        }
        start += phase.lasting;
    }
    steps.sort_by(|(a_at, a), (b_at, b)| a_at.cmp(b_at).then_with(|| order(*a).cmp(&order(*b))));
    steps
}

/// The order within one instant.
fn order(step: Step) -> (u8, usize) {
    match step {
        Step::Clear(fault) => (0, usize::MAX - fault),
        Step::Begin(phase) => (1, phase),
        Step::Inject(fault) => (2, fault),
        Step::Release(release) => (3, release),
        Step::Apply(phase) => (4, phase),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::spec::{Direction, Fault, Kind, Match, Pick, Unit};
    use crate::scenario::resolved::{Apply, PlannedFault};

    fn fault(at: u64, lasting: u64) -> PlannedFault {
        PlannedFault {
            place: Default::default(),
            what: "hang".to_owned(),
            target: "cart/1".parse().unwrap(),
            strikes: Default::default(),
            fault: Fault {
                kind: Kind::Hang,
                unit: Unit::Request,
                pick: Pick::All,
                matching: Match::default(),
                direction: Direction::Both,
                existing: true,
                rhythm: Default::default(),
            },
            at: Duration::from_secs(at),
            lasting: Duration::from_secs(lasting),
        }
    }

    fn phase(name: &str, lasting: u64, faults: Vec<PlannedFault>) -> Phase {
        let lasting = Duration::from_secs(lasting);
        Phase { name: name.to_owned(), lasting, judged: true, faults, actions: Vec::new() }
    }

    #[test]
    fn faults_begin_in_the_order_of_the_file_and_end_in_the_reverse_order_before_the_next_phase() {
        let phases = [
            phase("calm", 3, vec![]),
            phase("first", 5, vec![fault(0, 5), fault(0, 9)]),
            phase("second", 4, vec![fault(1, 2)]),
        ];
        let seconds: Vec<_> = steps(&phases).into_iter().map(|(at, step)| (at.as_secs(), step)).collect();
        assert_eq!(
            seconds,
            [
                (0, Step::Begin(0)),
                (3, Step::Begin(1)),
                (3, Step::Inject(0)),
                (3, Step::Inject(1)),
                (8, Step::Clear(1)),
                (8, Step::Clear(0)),
                (8, Step::Begin(2)),
                (9, Step::Inject(2)),
                (11, Step::Clear(2)),
            ]
        );
    }

    #[test]
    fn policies_are_applied_once_the_faults_of_their_phase_are_on() {
        let apply = Apply { place: Default::default(), what: String::new(), policies: Vec::new() };
        let pushed = Phase { actions: vec![Action::Apply(apply)], ..phase("pushed", 3, vec![fault(0, 3)]) };
        let order: Vec<_> = steps(&[pushed]).into_iter().map(|(_, step)| step).collect();
        assert_eq!(order, [Step::Begin(0), Step::Inject(0), Step::Apply(0), Step::Clear(0)]);
    }
}
