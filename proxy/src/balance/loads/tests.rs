use super::*;
use Availability::{Degraded, Healthy};

/// Total, healthy, degraded, excluded.
type Priority = (u32, u32, u32, u32);

fn loads(priorities: &[Priority], panic_percent: f64) -> Loads {
    let counts: Vec<_> = priorities
        .iter()
        .map(|&(total, healthy, degraded, excluded)| Counts { total, excluded, healthy, degraded })
        .collect();
    Loads::new(&counts, &Cluster { panic_percent, ..Cluster::new("cart") })
}

/// How many of the draws 1 to 100 go to each priority, healthy and degraded.
fn dealt(loads: &Loads, left_out: Priorities) -> Vec<(u32, u32)> {
    let mut dealt = vec![(0, 0); loads.priorities.len()];
    for number in 0..100 {
        match loads.choose(number, left_out) {
            (at, Healthy) => dealt[at].0 += 1,
            (at, Degraded) => dealt[at].1 += 1,
        }
    }
    dealt
}

#[test]
fn load_spills_over_when_fewer_than_five_in_seven_are_healthy() {
    for (priorities, expected) in [
        (vec![(10, 10, 0, 0), (10, 10, 0, 0)], vec![(100, 0), (0, 0)]),
        (vec![(10, 8, 0, 0), (10, 10, 0, 0)], vec![(100, 0), (0, 0)]),
        (vec![(10, 6, 0, 0), (10, 10, 0, 0)], vec![(84, 0), (16, 0)]),
        (vec![(10, 0, 0, 0), (10, 10, 0, 0)], vec![(0, 0), (100, 0)]),
        (vec![(100, 71, 0, 0), (10, 10, 0, 0)], vec![(99, 0), (1, 0)]),
        (vec![(100, 72, 0, 0), (10, 10, 0, 0)], vec![(100, 0), (0, 0)]),
        // 35 % and 35 % together are worth 70: half of the load each.
        (vec![(4, 1, 0, 0), (4, 1, 0, 0)], vec![(50, 0), (50, 0)]),
        // 28 % and 14 %: 66 and 33, and the one that is left over is the first's.
        (vec![(10, 2, 0, 0), (10, 1, 0, 0)], vec![(67, 0), (33, 0)]),
        (vec![(0, 0, 0, 0), (10, 10, 0, 0)], vec![(0, 0), (100, 0)]),
    ] {
        assert_eq!(dealt(&loads(&priorities, 0.0), Priorities::NONE), expected, "{priorities:?}");
    }
}

#[test]
fn degraded_endpoints_get_what_healthy_ones_cannot_take() {
    for (priorities, expected) in [
        (vec![(10, 5, 5, 0)], vec![(70, 30)]),
        (vec![(10, 8, 2, 0)], vec![(100, 0)]),
        (vec![(10, 0, 10, 0)], vec![(0, 100)]),
        // Healthy ones of a later priority go before degraded ones of an earlier.
        (vec![(10, 5, 5, 0), (10, 10, 0, 0)], vec![(70, 0), (30, 0)]),
        // 14, 28, 14 healthy and 28, 14, 0 degraded: 98 in all, and the two of rounding are the first's.
        (vec![(10, 1, 2, 0), (10, 2, 1, 0), (10, 1, 0, 0)], vec![(16, 28), (28, 14), (14, 0)]),
    ] {
        assert_eq!(dealt(&loads(&priorities, 0.0), Priorities::NONE), expected, "{priorities:?}");
    }
}

#[test]
fn excluded_endpoints_count_for_nothing() {
    assert_eq!(dealt(&loads(&[(10, 5, 0, 5), (10, 10, 0, 0)], 0.0), Priorities::NONE), [(100, 0), (0, 0)]);
    assert!(!loads(&[(10, 1, 0, 9)], 50.0).panics(0));
}

#[test]
fn panic_begins_strictly_below_its_threshold_and_never_above_71_percent() {
    for (healthy, degraded, total, threshold, expected) in [
        (0, 0, 3, 0.0, false),
        (0, 0, 3, 50.0, true),
        (1, 0, 2, 50.0, false),
        (1, 0, 3, 50.0, true),
        (1, 1, 4, 50.0, false),
        (8, 0, 10, 90.0, false),
        (7, 0, 10, 90.0, true),
        (3, 0, 4, 100.0, false),
        (0, 0, 3, 0.9, false),
    ] {
        let loads = loads(&[(total, healthy, degraded, 0)], threshold);
        assert_eq!(loads.panics(0), expected, "{healthy} and {degraded} of {total} at {threshold} %");
    }
}

#[test]
fn a_priority_does_not_panic_while_all_together_can_take_the_load() {
    let enough = loads(&[(10, 1, 0, 0), (10, 9, 0, 0)], 50.0);
    assert_eq!((enough.panics(0), enough.panics(1)), (false, false));
    let too_few = loads(&[(10, 1, 0, 0), (10, 6, 0, 0)], 50.0);
    assert_eq!((too_few.panics(0), too_few.panics(1)), (true, false));
}

#[test]
fn if_all_priorities_panic_load_goes_by_how_many_endpoints_there_are() {
    for (priorities, expected) in [
        (vec![(1, 0, 0, 0), (3, 0, 0, 0)], vec![(25, 0), (75, 0)]),
        (vec![(10, 1, 0, 0), (20, 2, 0, 0)], vec![(34, 0), (66, 0)]),
        (vec![(200, 0, 0, 0), (200, 1, 0, 0)], vec![(50, 0), (50, 0)]),
        // Those that do not count otherwise are counted here.
        (vec![(5, 0, 0, 5), (5, 0, 0, 0)], vec![(50, 0), (50, 0)]),
        (vec![(0, 0, 0, 0), (5, 0, 0, 0)], vec![(0, 0), (100, 0)]),
    ] {
        let loads = loads(&priorities, 50.0);
        assert!(loads.all_panic, "{priorities:?}");
        assert_eq!(dealt(&loads, Priorities::NONE), expected, "{priorities:?}");
    }
}

#[test]
fn with_nobody_healthy_and_no_panic_the_first_priority_is_asked_in_vain() {
    assert_eq!(dealt(&loads(&[(3, 0, 0, 0), (3, 0, 0, 0)], 0.0), Priorities::NONE), [(100, 0), (0, 0)]);
}

#[test]
fn priorities_that_are_left_out_leave_their_load_to_the_others() {
    let three = loads(&[(10, 10, 0, 0), (10, 5, 0, 0), (10, 10, 0, 0)], 50.0);
    let first = Priorities::NONE.with(0);
    assert_eq!(dealt(&three, first), [(0, 0), (70, 0), (30, 0)]);
    assert_eq!(dealt(&three, first.with(2)), [(0, 0), (100, 0), (0, 0)]);
    assert_eq!(dealt(&three, first.with(1).with(2)), [(100, 0), (0, 0), (0, 0)], "all left out is none left out");
    assert_eq!(dealt(&three, Priorities::NONE.with(200)), [(100, 0), (0, 0), (0, 0)]);
}

proptest::proptest! {
    #[test]
    fn every_draw_leads_to_a_priority_that_has_somebody(
        priorities in proptest::collection::vec((0_u32..20, 0_u32..20, 0_u32..20), 1..5), threshold in 0.0..100.0,
    ) {
        let priorities: Vec<Priority> =
            priorities.into_iter().map(|(healthy, degraded, out)| (healthy + degraded + out, healthy, degraded, 0)).collect();
        let loads = loads(&priorities, threshold);
        for number in 0..100 {
            let (at, availability) = loads.choose(number, Priorities::NONE);
            let (total, healthy, degraded, _) = priorities[at];
            let has = if loads.panics(at) { total } else if availability == Healthy { healthy } else { degraded };
            let nobody = !loads.all_panic && priorities.iter().all(|(_, healthy, degraded, _)| healthy + degraded == 0);
            let nowhere = priorities.iter().all(|(total, ..)| *total == 0);
            proptest::prop_assert!(has > 0 || nobody || nowhere, "{priorities:?} at {number}: {at} {availability:?}");
        }
    }
}
