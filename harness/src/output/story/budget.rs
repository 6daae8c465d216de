//! How many requests may still go wrong. It is said that an expectation cannot hold only where no later request can change it.

use crate::run::events::{Allowed, Budget, Expected, Outline, PhaseCount, Tally};
use crate::slo::words::{count, percent};

/// An expectation on counts, now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::output) struct State {
    /// Surely gone wrong.
    pub(in crate::output) bad: u64,
    /// May go wrong, at most.
    pub(in crate::output) allowed: u64,
    /// Its phases have begun.
    pub(in crate::output) begun: bool,
    /// Every request of its phases has ended.
    pub(in crate::output) complete: bool,
}

impl State {
    /// It cannot hold any more.
    pub(in crate::output) fn is_lost(&self) -> bool {
        self.bad > self.allowed
    }

    /// `25 lost, 4 allowed`.
    pub(in crate::output) fn words(&self) -> String {
        format!("{} lost, {} allowed", count(self.bad), count(self.allowed))
    }
}

/// Where an expectation stands, if counts alone decide it.
pub(in crate::output) fn state(expected: &Expected, outline: &Outline, tally: &Tally) -> Option<State> {
    let budget = expected.budget.as_ref()?;
    let counts = |phase: usize| tally.phases.get(phase).copied().unwrap_or_default();
    let bad = |phase: usize| {
        let PhaseCount { lost, degraded, moving_bad, .. } = counts(phase);
        (lost + if budget.degraded { degraded } else { 0 }).saturating_sub(moving_bad)
    };
    let planned: u64 =
        budget.phases.iter().map(|phase| outline.planned[*phase] + incoming(*phase, outline, tally)).sum();
    let first = budget.phases.first().map_or(0, |phase| outline.phases[*phase].from);
    Some(State {
        bad: budget.phases.iter().map(|phase| bad(*phase)).sum(),
        allowed: allowed(budget, planned),
        begun: tally.to > first,
        complete: budget.phases.iter().all(|phase| counts(*phase).ended >= outline.planned[*phase]),
    })
}

fn allowed(budget: &Budget, planned: u64) -> u64 {
    match budget.allowed {
        // A thousandth of a request is room enough for the arithmetic, and none for a request.
        Allowed::Share(share) => (planned as f64 * share + 1e-3).floor() as u64,
        Allowed::Count(count) => count,
    }
}

/// Requests of the phase before that a fault of this one may take over, at most: they raise what is allowed.
fn incoming(phase: usize, outline: &Outline, tally: &Tally) -> u64 {
    let Some(before) = phase.checked_sub(1).filter(|_| outline.faulty.contains(&phase)) else { return 0 };
    let counts = tally.phases.get(before).copied().unwrap_or_default();
    counts.moving + outline.planned[before].saturating_sub(counts.ended)
}

/// `0.1 % allowed`, for the line about a phase; the strictest, if several are about it.
pub(in crate::output) fn allowed_in(phase: usize, outline: &Outline) -> Option<String> {
    let of_phase = |expected: &Expected| expected.budget.clone().filter(|budget| budget.phases == [phase]);
    let strictest =
        outline.expected.iter().filter_map(of_phase).min_by_key(|budget| allowed(budget, outline.planned[phase]))?;
    Some(match strictest.allowed {
        Allowed::Share(share) => format!("{} allowed", percent(share)),
        Allowed::Count(0) => "none allowed".to_owned(),
        Allowed::Count(most) => format!("{} allowed", count(most)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::fixture;
    use crate::output::replay::steps;
    use crate::run::events::{ArmEvent, RunEvent};
    use std::path::Path;

    fn outline() -> Outline {
        let found = steps(&fixture::record(), Path::new("")).into_iter().find_map(|step| match step.event {
            RunEvent::Arm { what: ArmEvent::Begun(outline), .. } => Some(*outline),
            _ => None,
        });
        found.unwrap()
    }

    fn tally(phases: [PhaseCount; 4]) -> Tally {
        Tally { to: 5_000_000, phases: phases.to_vec(), ..Tally::default() }
    }

    #[test]
    fn it_is_lost_once_more_is_lost_than_all_planned_requests_allow() {
        let outline = outline();
        let [none, baseline] = [PhaseCount::default(), PhaseCount { ended: 900, ..PhaseCount::default() }];
        let at = |lost| {
            let hanging = PhaseCount { ended: 100, lost, ..PhaseCount::default() };
            state(&outline.expected[0], &outline, &tally([none, baseline, hanging, none])).unwrap()
        };
        assert_eq!(at(1), State { bad: 1, allowed: 1, begun: true, complete: false });
        assert!(!at(1).is_lost());
        assert!(at(2).is_lost());
        assert_eq!(at(2).words(), "2 lost, 1 allowed");
    }

    #[test]
    fn what_a_fault_may_still_take_over_is_left_out_there_and_raises_what_is_allowed_here() {
        let mut outline = outline();
        outline.expected[0].budget.as_mut().unwrap().allowed = Allowed::Share(0.01);
        let none = PhaseCount::default();
        // 100 of the baseline have not ended, and 50 ended in the fault: any of them may come to count there.
        let baseline = PhaseCount { ended: 800, lost: 50, moving: 50, moving_bad: 50, ..none };
        let hanging = PhaseCount { ended: 100, lost: 19, ..none };
        let seen = state(&outline.expected[0], &outline, &tally([none, baseline, hanging, none])).unwrap();
        assert_eq!((seen.bad, seen.allowed), (19, 19), "a hundredth of 1,800 and 150");
        outline.expected[0].budget = Some(Budget { phases: vec![1], allowed: Allowed::Count(0), degraded: false });
        let seen = state(&outline.expected[0], &outline, &tally([none, baseline, hanging, none])).unwrap();
        assert!(!seen.is_lost(), "all 50 may move on");
    }

    #[test]
    fn degraded_answers_count_where_success_is_asked_for() {
        let mut outline = outline();
        let none = PhaseCount::default();
        let baseline = PhaseCount { ended: 900, ..none };
        let hanging = PhaseCount { ended: 100, degraded: 5, ..none };
        let phases = [none, baseline, hanging, none];
        assert!(state(&outline.expected[0], &outline, &tally(phases)).unwrap().is_lost());
        outline.expected[0].budget = Some(Budget { phases: vec![2], allowed: Allowed::Count(0), degraded: false });
        assert!(!state(&outline.expected[0], &outline, &tally(phases)).unwrap().is_lost());
    }

    #[test]
    fn what_counts_do_not_decide_has_no_state() {
        let outline = outline();
        assert_eq!(outline.expected[2].id, "healing.ejected(cart/1)");
        assert_eq!(state(&outline.expected[2], &outline, &tally([PhaseCount::default(); 4])), None);
    }

    #[test]
    fn the_strictest_limit_of_a_phase_is_told() {
        let mut outline = outline();
        assert_eq!(allowed_in(2, &outline).as_deref(), Some("0.1 % allowed"));
        assert_eq!(allowed_in(3, &outline).as_deref(), Some("none allowed"));
        assert_eq!(allowed_in(1, &outline), None);
        outline.expected[1].budget = Some(Budget { phases: vec![2], allowed: Allowed::Count(0), degraded: false });
        assert_eq!(allowed_in(2, &outline).as_deref(), Some("none allowed"));
    }
}
