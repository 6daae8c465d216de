use super::*;
use crate::stats::draws::Draws;

/// Nights of a figure that wobbles by `noise` from night to night, and is slower by `slower` in the last `slow` of them.
fn series(seed: u64, nights: usize, slow: usize, noise: f64, slower: f64) -> Series {
    let mut draws = Draws::new(seed);
    let night = |night: usize| {
        let times = if night + slow >= nights { slower } else { 1.0 };
        20.0 * times * (noise * draws.normal()).exp()
    };
    Series::made("one", "load.p99", Unit::Milliseconds, &(0..nights).map(night).collect::<Vec<_>>())
}

/// Runs that a nightly job looks back on.
const RECENT: usize = 5;

#[test]
fn a_slowdown_of_a_tenth_is_found_within_four_nights_in_nine_tries_of_ten() {
    let found = (0..200).filter(|seed| series(*seed, 30, 4, 0.03, 1.1).regression(RECENT).is_some_and(|one| one.worse));
    let share = found.count() as f64 / 200.0;
    assert!(share >= 0.9, "{share}");
}

#[test]
fn equal_nights_of_fifty_figures_alarm_at_most_once_in_ten() {
    for (nights, noise) in [(10, 0.03), (30, 0.03), (30, 0.2), (60, 0.1)] {
        let alarms = (0..100_u64).filter(|night| {
            (0..50).any(|figure| series(night * 50 + figure, nights, 0, noise, 1.0).regression(RECENT).is_some())
        });
        let alarms = alarms.count();
        assert!(alarms <= 10, "{nights} nights, noise {noise}: {alarms} of 100");
    }
}

#[test]
fn what_became_better_or_is_long_known_is_no_alarm() {
    let better = series(1, 30, 5, 0.01, 0.5);
    assert_eq!(better.changes().len(), 1);
    assert!(!better.changes()[0].worse && better.regression(RECENT).is_none());
    let old = series(1, 30, 15, 0.01, 2.0);
    assert!(old.changes()[0].worse && old.changes()[0].at == 15 && old.regression(RECENT).is_none());
    let mut success = series(1, 30, 4, 0.001, 0.8);
    success.unit = Unit::Share;
    assert!(success.regression(RECENT).is_some(), "fewer successes are worse");
}
