//! How often a flow asks.

use crate::load::schedule::{Gaps, Piece, Schedule, Shape};
use crate::load::wire;
use crate::units::Rate;
use std::time::Duration;

/// How often a flow asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Pace {
    /// At planned instants, whether or not earlier requests have been answered.
    Open(Profile),
    /// Whenever a user comes to it; at most one step for each user of the journey's own pace.
    Steps(Profile),
    /// On each connection as soon as it has been answered.
    Closed,
}

impl Pace {
    /// The profile of an open one, or of those who come.
    pub fn profile(&self) -> Option<&Profile> {
        match self {
            Self::Open(profile) | Self::Steps(profile) => Some(profile),
            Self::Closed => None,
        }
    }

    /// What a load worker is told, for a timeline that ends at `end` and is judged from `zero` on, both from the start.
    pub fn plan(&self, zero: Duration, end: Duration) -> wire::Pace {
        match self {
            Self::Open(profile) => wire::Pace::Open(profile.schedule(zero, end)),
            Self::Steps(_) => wire::Pace::Steps,
            Self::Closed => wire::Pace::Closed { lasting: nanos(end) },
        }
    }
}

/// Rates over a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The rate wherever no stretch says otherwise.
    pub base: Rate,
    /// Ascending, none over another.
    pub stretches: Vec<Stretch>,
    /// How requests stand to each other.
    pub gaps: Gaps,
}

/// A stretch with a rate of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Offset from the first phase after the warm-up.
    pub at: Duration,
    /// How long; [`Duration::MAX`] for all that follows.
    pub lasting: Duration,
    /// The rate in it.
    pub rate: Shape,
}

impl Profile {
    /// One rate all the time.
    pub fn constant(rate: Rate) -> Self {
        Self { base: rate, stretches: Vec::new(), gaps: Gaps::Even }
    }

    /// The highest rate.
    pub fn highest(&self) -> Rate {
        Rate(self.stretches.iter().map(|stretch| stretch.rate.highest()).fold(self.base.0, f64::max))
    }

    /// As a schedule of a timeline that ends at `end` and is judged from `zero` on, both from the start.
    pub fn schedule(&self, zero: Duration, end: Duration) -> Schedule {
        let base = Shape::Constant(self.base.0);
        let (mut pieces, mut from) = (Vec::new(), 0);
        let mut add = |to: Duration, rate| {
            let to = nanos(to.min(end));
            if to > from {
                pieces.push(Piece { from, to, rate });
                from = to;
            }
        };
        for stretch in &self.stretches {
            let at = zero.saturating_add(stretch.at);
            add(at, base);
            let ends = at.saturating_add(stretch.lasting);
            add(
                ends,
                stretch.rate.until(end.min(ends).saturating_sub(at).as_secs_f64(), stretch.lasting.as_secs_f64()),
            );
        }
        add(end, base);
        Schedule { pieces, gaps: self.gaps }
    }
}

fn nanos(at: Duration) -> u64 {
    u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn stretches_are_counted_from_the_end_of_the_warm_up() {
        let step = Stretch { at: seconds(2), lasting: seconds(3), rate: Shape::Constant(50.0) };
        let profile = Profile { stretches: vec![step], ..Profile::constant(Rate(10.0)) };
        let schedule = profile.schedule(seconds(1), seconds(10));
        let pieces: Vec<_> = schedule.pieces.iter().map(|piece| (piece.from / SECOND, piece.to / SECOND)).collect();
        assert_eq!(pieces, [(0, 3), (3, 6), (6, 10)]);
        assert_eq!(schedule.planned(), 30 + 150 + 40);
        assert_eq!(profile.highest(), Rate(50.0));
    }

    #[test]
    fn a_ramp_that_the_timeline_cuts_keeps_its_slope() {
        let ramp = Stretch { at: seconds(0), lasting: seconds(10), rate: Shape::Ramp { from: 0.0, to: 100.0 } };
        let profile = Profile { stretches: vec![ramp], ..Profile::constant(Rate(0.0)) };
        assert_eq!(profile.schedule(seconds(0), seconds(5)).planned(), 125);
        assert_eq!(profile.schedule(seconds(0), seconds(20)).planned(), 500);
    }
}
