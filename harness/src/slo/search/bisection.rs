//! The highest rate that holds: which rate is tried next, and what was found. Pure.
//!
//! From the lowest rate on each is doubled until one breaks; then the space between the last that held and the first that broke is halved
//! on a log scale until it is narrow. Each rate is tried until two of its tries agree. What was found is confirmed a little below, for
//! longer: a queue that grows slowly holds for a moment.

use squall_reports::record::search::{Outcome, Step};

/// A space is narrow when its upper end is at most so many times its lower one.
const NARROW: f64 = 1.05;
/// A rate is confirmed at this share of it.
const BELOW: f64 = 0.9;
/// Tries that must agree, and how many there are at most.
const AGREE: usize = 2;
const MOST_TRIES: usize = 3;
/// Confirmations, each lower than the one before, until it is given up.
const CONFIRMATIONS: u32 = 4;

/// What is tried next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Next {
    /// Requests a second.
    pub rate: f64,
    /// Which run at this rate, from 1.
    pub run: u32,
    /// It confirms what was found, for longer.
    pub confirms: bool,
}

/// A search under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Bisection {
    from: f64,
    to: f64,
    held: Option<f64>,
    broken: Option<f64>,
    /// Of the rate that is tried.
    tries: Vec<Outcome>,
    stage: Stage,
    /// The generator could not do more.
    limited: bool,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Seeking,
    /// At a rate, after so many that did not hold.
    Confirming(f64, u32),
    /// With the rate that was confirmed.
    Over(Option<f64>),
}

impl Bisection {
    /// Between two rates, both above 0.
    pub fn new(from: f64, to: f64) -> Self {
        Self {
            from,
            to: to.max(from),
            held: None,
            broken: None,
            tries: Vec::new(),
            stage: Stage::Seeking,
            limited: false,
            steps: Vec::new(),
        }
    }

    /// What is to be tried; nothing once the search is over.
    pub fn next(&self) -> Option<Next> {
        let (rate, confirms) = match self.stage {
            Stage::Over(_) => return None,
            Stage::Confirming(rate, _) => (rate, true),
            Stage::Seeking => (self.sought(), false),
        };
        let before = self.steps.iter().filter(|step| step.rate.total_cmp(&rate).is_eq()).count();
        Some(Next { rate, run: u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1), confirms })
    }

    /// The rate between what held and what broke.
    fn sought(&self) -> f64 {
        match (self.held, self.broken) {
            (None, _) => self.from,
            (Some(held), None) => (held * 2.0).min(self.to),
            (Some(held), Some(broken)) => rounded((held * broken).sqrt()),
        }
    }

    /// Takes in how it went.
    pub fn note(&mut self, outcome: Outcome, why: Option<String>) {
        let Some(next) = self.next() else { return };
        self.steps.push(Step { rate: next.rate, run: next.run, confirms: next.confirms, outcome, why });
        if let Stage::Confirming(rate, failed) = self.stage {
            self.stage = match outcome {
                Outcome::Held => Stage::Over(Some(rate)),
                Outcome::Broken if failed + 1 < CONFIRMATIONS => Stage::Confirming(rounded(rate * BELOW), failed + 1),
                Outcome::Broken => Stage::Over(None),
                Outcome::Limited => {
                    self.limited = true;
                    Stage::Over(None)
                }
            };
            return;
        }
        self.tries.push(outcome);
        let Some(agreed) = self.agreed() else { return };
        self.tries.clear();
        match agreed {
            Outcome::Held => self.held = Some(next.rate),
            Outcome::Broken => self.broken = Some(next.rate),
            Outcome::Limited => self.limited = true,
        }
        if self.limited || self.is_narrow() {
            self.stage = match self.held {
                Some(held) => Stage::Confirming(rounded(held * BELOW), 0),
                None => Stage::Over(None),
            };
        }
    }

    /// What the tries of a rate say; nothing yet if another is needed. Where no two agree it has not held.
    fn agreed(&self) -> Option<Outcome> {
        let often = |wanted| self.tries.iter().filter(|tried| **tried == wanted).count() >= AGREE;
        let all = [Outcome::Held, Outcome::Broken, Outcome::Limited];
        let agreed = all.into_iter().find(|outcome| often(*outcome));
        agreed.or_else(|| (self.tries.len() >= MOST_TRIES).then_some(Outcome::Broken))
    }

    fn is_narrow(&self) -> bool {
        match (self.held, self.broken) {
            (None, None) => false,
            (None, Some(_)) => true,
            (Some(held), None) => held >= self.to,
            (Some(held), Some(broken)) => {
                let between = rounded((held * broken).sqrt());
                broken <= held * NARROW || between <= held || between >= broken
            }
        }
    }

    /// The highest rate that held: what the tries have found, or what was confirmed if the first confirmation did not hold.
    pub fn highest(&self) -> Option<f64> {
        match self.stage {
            Stage::Over(Some(confirmed)) if self.steps.iter().filter(|step| step.confirms).count() > 1 => {
                Some(confirmed)
            }
            _ => self.held,
        }
    }

    /// The lowest rate that did not hold.
    pub fn broken(&self) -> Option<f64> {
        let failed = self.steps.iter().filter(|step| step.confirms && step.outcome == Outcome::Broken);
        failed.map(|step| step.rate).chain(self.broken).reduce(f64::min)
    }

    /// The rate that held for longer.
    pub fn confirmed(&self) -> Option<f64> {
        if let Stage::Over(confirmed) = self.stage { confirmed } else { None }
    }

    /// True if the generator was the limit.
    pub fn is_limited(&self) -> bool {
        self.limited
    }

    /// Everything that was tried.
    pub fn into_steps(self) -> Vec<Step> {
        self.steps
    }
}

/// To three digits and more: rates that people can say.
fn rounded(rate: f64) -> f64 {
    if rate >= 100.0 { rate.round() } else { (rate * 100.0).round() / 100.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Searches where what is tried goes as `tried` says.
    fn search(from: f64, to: f64, mut tried: impl FnMut(Next) -> Outcome) -> Bisection {
        let mut search = Bisection::new(from, to);
        while let Some(next) = search.next() {
            assert!((from * 0.5..=to).contains(&next.rate), "{next:?}");
            search.note(tried(next), None);
        }
        search
    }

    fn holds_up_to(capacity: f64) -> impl Fn(Next) -> Outcome {
        move |next| if next.rate <= capacity { Outcome::Held } else { Outcome::Broken }
    }

    #[test]
    fn the_capacity_is_found_within_five_percent_and_confirmed_below() {
        let found = search(100.0, 100_000.0, holds_up_to(3_333.0));
        let (highest, broken) = (found.highest().unwrap(), found.broken().unwrap());
        assert!(highest <= 3_333.0 && 3_333.0 < broken && broken <= highest * 1.05, "{highest} to {broken}");
        assert_eq!(found.confirmed(), Some((highest * 0.9).round()));
    }

    #[test]
    fn where_everything_holds_the_highest_is_the_upper_end_and_where_nothing_does_there_is_none() {
        let all = search(100.0, 1_000.0, |_| Outcome::Held);
        assert_eq!((all.highest(), all.broken(), all.confirmed()), (Some(1_000.0), None, Some(900.0)));
        let none = search(100.0, 1_000.0, |_| Outcome::Broken);
        assert_eq!((none.highest(), none.broken(), none.confirmed()), (None, Some(100.0), None));
    }

    #[test]
    fn a_generator_that_can_do_no_more_ends_the_search_with_what_had_held() {
        let tried = |next: Next| if next.rate <= 800.0 { Outcome::Held } else { Outcome::Limited };
        let found = search(100.0, 100_000.0, tried);
        assert!(found.is_limited());
        assert_eq!((found.highest(), found.broken(), found.confirmed()), (Some(800.0), None, Some(720.0)));
    }

    #[test]
    fn two_of_three_tries_decide() {
        let once = |wrong: u32| {
            move |next: Next| {
                let holds = next.rate <= 1_000.0;
                let told = if next.run == wrong && !next.confirms { !holds } else { holds };
                if told { Outcome::Held } else { Outcome::Broken }
            }
        };
        for wrong in 1..=3 {
            let found = search(100.0, 10_000.0, once(wrong));
            let highest = found.highest().unwrap();
            assert!((950.0..=1_000.0).contains(&highest), "{highest} with the try {wrong} gone wrong");
        }
    }

    #[test]
    fn what_holds_for_a_moment_only_is_confirmed_lower_down() {
        let tried = |next: Next| {
            let capacity = if next.confirms { 750.0 } else { 1_000.0 };
            if next.rate <= capacity { Outcome::Held } else { Outcome::Broken }
        };
        let found = search(100.0, 10_000.0, tried);
        let confirmed = found.confirmed().unwrap();
        assert_eq!(found.highest(), Some(confirmed));
        assert!(confirmed <= 750.0 && found.broken().unwrap() > 750.0, "{confirmed}");
    }

    proptest! {
        #[test]
        fn every_search_ends_soon_whatever_happens(
            from in 1.0..1_000.0_f64,
            factor in 1.0..10_000.0_f64,
            outcomes in proptest::collection::vec(0..3_u8, 200),
        ) {
            let mut outcomes = outcomes.into_iter().map(|outcome| match outcome {
                0 => Outcome::Held,
                1 => Outcome::Broken,
                _ => Outcome::Limited,
            });
            let mut search = Bisection::new(from, from * factor);
            while search.next().is_some() {
                search.note(outcomes.next().expect("fewer than 200 steps"), None);
            }
            prop_assert!(search.highest().is_none_or(|highest| highest <= from * factor));
        }

        #[test]
        fn the_capacity_lies_between_what_held_and_what_broke(capacity in 2.0..50_000.0_f64) {
            let found = search(1.0, 100_000.0, holds_up_to(capacity));
            let (highest, broken) = (found.highest().unwrap(), found.broken().unwrap());
            prop_assert!(highest <= capacity && capacity < broken && broken <= highest * 1.05 + 0.011);
        }
    }
}
