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
