//! The controller of a release: when to give a version more traffic, and when to take it back. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Nanos;
use crate::scenario::resolved::Release;
use crate::units::Percent;

/// Fewer answers than this in the window decide nothing.
pub const FEWEST_SAMPLES: usize = 20;

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Move {
    /// Give the new version this share of the traffic.
    Shift(Percent),
    /// Give it nothing any more: the share of good answers was too low.
    RollBack {
        /// Good answers in the window.
        good: usize,
        /// All answers in the window.
        of: usize,
    },
}

/// Where a release stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The next step to take, and when.
    Rising { next: usize, due: Nanos },
    /// All steps are taken.
    Complete,
    /// Taken back.
    RolledBack,
}

/// Steps a release forward and judges it by the answers of its own instances, before any retry.
#[derive(Debug)]
pub struct Rollout {
    steps: Vec<Percent>,
    every: Duration,
    below: Option<Percent>,
    over: Duration,
    stage: Stage,
    answers: VecDeque<(Nanos, bool)>,
}

impl Rollout {
    /// A release whose first step is due at `start`. Without `armed` it is never taken back.
    pub fn new(release: &Release, start: Nanos, armed: bool) -> Self {
        Self {
            steps: release.steps.clone(),
            every: release.every,
            below: release.roll_back_below.filter(|_| armed),
            over: release.over,
            stage: Stage::Rising { next: 0, due: start },
            answers: VecDeque::new(),
        }
    }

    /// The version has answered a request, well or badly.
    pub fn answered(&mut self, at: Nanos, good: bool) {
        self.answers.push_back((at, good));
    }

    /// What to do now, if anything. A failed analysis goes before a step.
    pub fn tick(&mut self, now: Nanos) -> Option<Move> {
        while self.answers.front().is_some_and(|(at, _)| now.since(*at) > self.over) {
            self.answers.pop_front();
        }
        if self.stage == Stage::RolledBack {
            return None;
        }
        if let Some(failed) = self.failed() {
            self.stage = Stage::RolledBack;
            return Some(failed);
        }
        let Stage::Rising { next, due } = self.stage else { return None };
        if now < due {
            return None;
        }
        let share = self.steps.get(next).copied()?;
        self.stage = match next + 1 {
            last if last == self.steps.len() => Stage::Complete,
            next => Stage::Rising { next, due: due.after(self.every) },
        };
        Some(Move::Shift(share))
    }

    fn failed(&self) -> Option<Move> {
        let below = self.below?;
        let of = self.answers.len();
        let good = self.answers.iter().filter(|(_, good)| *good).count();
        let share = 100.0 * good as f64 / of as f64;
        (of >= FEWEST_SAMPLES && share < below.0).then_some(Move::RollBack { good, of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> Release {
        Release {
            place: Default::default(),
            service: "web".to_owned(),
            to: "v2".to_owned(),
            steps: vec![Percent(10.0), Percent(50.0), Percent(100.0)],
            every: Duration::from_secs(2),
            roll_back_below: Some(Percent(99.0)),
            over: Duration::from_secs(2),
        }
    }

    fn at(millis: u64) -> Nanos {
        Nanos(millis * 1_000_000)
    }

    #[test]
    fn a_good_release_climbs_step_by_step_and_stays() {
        let mut rollout = Rollout::new(&release(), at(0), true);
        let mut moves = Vec::new();
        for now in (0..10_000).step_by(50) {
            rollout.answered(at(now), true);
            moves.extend(rollout.tick(at(now)).map(|step| (now, step)));
        }
        let shift = |share| Move::Shift(Percent(share));
        assert_eq!(moves, [(0, shift(10.0)), (2000, shift(50.0)), (4000, shift(100.0))]);
    }

    #[test]
    fn a_bad_release_is_taken_back_once_and_climbs_no_further() {
        let mut rollout = Rollout::new(&release(), at(0), true);
        let mut moves = Vec::new();
        for (number, now) in (0..6_000).step_by(20).enumerate() {
            rollout.answered(at(now), number % 5 != 0);
            moves.extend(rollout.tick(at(now)));
        }
        assert_eq!(moves, [Move::Shift(Percent(10.0)), Move::RollBack { good: 16, of: 20 }]);
    }

    #[test]
    fn too_few_answers_decide_nothing() {
        let mut rollout = Rollout::new(&release(), at(0), true);
        (0..FEWEST_SAMPLES as u64 - 1).for_each(|number| rollout.answered(at(number), false));
        assert_eq!(rollout.tick(at(30)), Some(Move::Shift(Percent(10.0))));
        rollout.answered(at(31), false);
        assert_eq!(rollout.tick(at(32)), Some(Move::RollBack { good: 0, of: 20 }));
    }

    #[test]
    fn answers_older_than_the_window_are_forgotten() {
        let mut rollout = Rollout::new(&release(), at(0), true);
        (0..30).for_each(|number| rollout.answered(at(number), false));
        assert_eq!(rollout.tick(at(2_100)), Some(Move::Shift(Percent(10.0))));
    }

    #[test]
    fn without_rollback_a_bad_release_climbs_to_the_top() {
        let mut rollout = Rollout::new(&release(), at(0), false);
        let mut last = None;
        for now in (0..6_000).step_by(20) {
            rollout.answered(at(now), false);
            last = rollout.tick(at(now)).or(last);
        }
        assert_eq!(last, Some(Move::Shift(Percent(100.0))));
    }
}
