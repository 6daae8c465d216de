//! Which endpoints may be used at all: priorities, panic, localities, and those that a try avoids.

use super::*;
use Health::{Degraded, Excluded, Healthy, Unhealthy};
use proptest::prelude::*;

#[test]
fn load_spills_over_to_the_next_priority() {
    let healths = [Healthy, Healthy, Healthy, Unhealthy, Unhealthy, Healthy];
    for balance in [Balance::RoundRobin, Balance::Random, Balance::LEAST_REQUEST] {
        let mesh = Mesh::new(balance, 6).priorities(&[0, 0, 0, 0, 0, 1]).healths(&healths);
        mesh.expect(&[0.28, 0.28, 0.28, 0.0, 0.0, 0.16]);
    }
}

#[test]
fn degraded_endpoints_get_what_healthy_ones_cannot_take() {
    Mesh::new(Balance::RoundRobin, 4).healths(&[Healthy, Healthy, Degraded, Unhealthy]).expect(&[0.35, 0.35, 0.3, 0.0]);
    Mesh::new(Balance::RoundRobin, 2).healths(&[Degraded, Degraded]).expect(&[0.5, 0.5]);
}

#[test]
fn in_panic_all_are_used_and_the_pick_says_so() {
    let mesh = Mesh::new(Balance::RoundRobin, 4).healths(&[Healthy, Unhealthy, Unhealthy, Excluded]);
    mesh.expect(&[0.25; 4]);
    assert!(mesh.worker(7).pick(&Wish::default()).unwrap().panics);
    let calm = mesh.change(|cluster| cluster.panic_percent = 0.0);
    calm.expect(&[1.0, 0.0, 0.0, 0.0]);
    assert!(!calm.worker(7).pick(&Wish::default()).unwrap().panics);
}

#[test]
fn if_all_priorities_panic_they_share_by_how_many_they_are() {
    let mesh = Mesh::new(Balance::RoundRobin, 4).priorities(&[0, 1, 1, 1]).healths(&[Unhealthy; 4]);
    mesh.expect(&[0.25; 4]);
}

#[test]
fn with_nobody_there_is_no_pick() {
    assert_eq!(Mesh::new(Balance::RoundRobin, 0).worker(7).pick(&Wish::default()), None);
    let out = Mesh::new(Balance::RoundRobin, 2).healths(&[Unhealthy; 2]).change(|cluster| cluster.panic_percent = 0.0);
    assert_eq!(out.worker(7).pick(&Wish::default()), None);
}

#[test]
fn localities_share_by_weight_and_by_how_many_of_theirs_are_healthy() {
    let two = |healths: &[Health]| {
        Mesh::new(Balance::RoundRobin, 4).localities(&[Some(1), Some(3)], &[0, 1, 1, 1]).healths(healths)
    };
    two(&[Healthy; 4]).expect(&[0.25, 0.25, 0.25, 0.25]);
    // Two thirds of the second are worth 14/15 of its weight.
    two(&[Healthy, Healthy, Healthy, Unhealthy]).expect(&[1.0 / 3.8, 1.4 / 3.8, 1.4 / 3.8, 0.0]);
    // A third is worth 7/15.
    two(&[Healthy, Healthy, Unhealthy, Unhealthy]).expect(&[1.0 / 2.4, 1.4 / 2.4, 0.0, 0.0]);
    // Who does not count does not make the others fewer.
    two(&[Healthy, Healthy, Healthy, Excluded]).expect(&[0.25, 0.375, 0.375, 0.0]);
}

#[test]
fn a_locality_without_weight_gets_nothing_unless_none_has_any() {
    let of = |weights: &[Option<u32>]| Mesh::new(Balance::RoundRobin, 2).localities(weights, &[0, 1]);
    of(&[Some(5), None]).expect(&[1.0, 0.0]);
    of(&[Some(0), Some(1)]).expect(&[0.0, 1.0]);
    of(&[None, None]).expect(&[0.5, 0.5]);
    of(&[Some(1), Some(9)]).change(|cluster| cluster.locality_weighted = false).expect(&[0.5, 0.5]);
}

#[test]
fn weights_count_within_a_locality_and_panic_does_not_look_at_localities() {
    let mesh = Mesh::new(Balance::RoundRobin, 3).weights(&[1, 1, 3]).localities(&[Some(1), Some(1)], &[0, 1, 1]);
    mesh.expect(&[0.5, 0.125, 0.375]);
    mesh.healths(&[Unhealthy; 3]).expect(&[0.2, 0.2, 0.6]);
}

#[test]
fn degraded_endpoints_have_localities_of_their_own() {
    let healths = [Healthy, Degraded, Degraded, Degraded];
    let mesh = Mesh::new(Balance::RoundRobin, 4).localities(&[Some(1), Some(1)], &[0, 0, 0, 1]).healths(&healths);
    // 35 % are healthy; of the rest, the first locality is worth 1.4 times two thirds.
    let first = 1.4 * 2.0 / 3.0 / (1.4 * 2.0 / 3.0 + 1.0) * 0.65;
    mesh.expect(&[0.35, first / 2.0, first / 2.0, 0.65 - first]);
}

#[test]
fn a_try_looks_again_for_somebody_it_has_not_been_at() {
    let mesh = Mesh::new(Balance::Random, 4);
    let avoid: &dyn Fn(usize) -> bool = &|index| index == 0;
    for (reselections, expected) in [(0, 0.25), (1, 0.0625), (5, 0.25_f64.powi(6))] {
        let shares = mesh.worker(7).shares(&Wish { avoid, reselections, ..Wish::default() });
        let others = (1.0 - expected) / 3.0;
        about(&shares, &[expected, others, others, others]);
    }
}

#[test]
fn if_nobody_else_is_found_the_one_it_has_been_at_will_do() {
    let alone = Mesh::new(Balance::LEAST_REQUEST, 1);
    let wish = Wish { reselections: 5, avoid: &|_| true, ..Wish::default() };
    assert_eq!(alone.worker(7).pick(&wish).map(|pick| pick.index), Some(0));
}

#[test]
fn a_retry_leaves_the_priorities_that_it_has_been_at() {
    let mesh = Mesh::new(Balance::RoundRobin, 3).priorities(&[0, 1, 2]);
    let mut worker = mesh.worker(7);
    let mut previous = Previous::new(1);
    let mut seen = Vec::new();
    for _ in 0..5 {
        let left_out = previous.left_out(|left_out| worker.rotation.is_left(left_out, &BTreeMap::new()));
        let pick = worker.pick(&Wish { left_out, ..Wish::default() }).unwrap();
        previous.tried(pick.priority);
        seen.push(pick.index);
    }
    assert_eq!(seen, [0, 1, 2, 0, 1]);
}

#[test]
fn far_too_many_priorities_are_one_at_the_end() {
    let mesh = Mesh::new(Balance::RoundRobin, 2).priorities(&[0, u32::MAX]).healths(&[Unhealthy, Healthy]);
    let pick = mesh.change(|cluster| cluster.panic_percent = 0.0).worker(7).pick(&Wish::default()).unwrap();
    assert_eq!((pick.index, pick.priority), (1, 127));
}

fn any_health() -> impl Strategy<Value = Health> {
    prop_oneof![Just(Healthy), Just(Degraded), Just(Unhealthy), Just(Excluded)]
}

fn any_balance() -> impl Strategy<Value = Balance> {
    prop_oneof![
        Just(Balance::RoundRobin),
        Just(Balance::Random),
        Just(Balance::LEAST_REQUEST),
        Just(Balance::RingHash { min_size: 64, max_size: 1024 }),
        Just(Balance::Maglev { table_size: 251 }),
    ]
}

proptest! {
    #[test]
    fn outside_of_panic_only_endpoints_that_may_be_used_are_picked(
        balance in any_balance(),
        endpoints in prop::collection::vec((any_health(), 0_u32..3, 0_usize..3, 1_u32..5), 0..12),
        weights in prop::array::uniform3(prop::option::of(0_u32..3)),
        locality_weighted: bool,
        panic_percent in 0.0..100.0,
        seed: u32,
    ) {
        let given = |set: fn(&mut Given, (Health, u32, usize, u32))| move |given: &mut Given, value| set(given, value);
        let mesh = Mesh::new(balance, endpoints.len())
            .localities(&weights, &vec![0; endpoints.len()])
            .each(&endpoints, given(|given, (health, priority, locality, weight)| {
                (given.health, given.priority, given.locality, given.weight) = (health, priority, locality, weight);
            }))
            .change(|cluster| {
                cluster.locality_weighted = locality_weighted;
                cluster.panic_percent = panic_percent;
            });
        let mut worker = mesh.worker(seed);
        for _ in 0..50 {
            let pick = worker.pick(&Wish::default());
            if let Some(pick) = pick {
                let of = &mesh.endpoints[pick.index];
                prop_assert_eq!(of.priority, pick.priority);
                prop_assert!(pick.panics || matches!(of.health, Healthy | Degraded), "{:?}", of);
            }
            let hashes = mesh.cluster.balance.hashes();
            let usable = mesh.endpoints.iter().any(|of| matches!(of.health, Healthy | Degraded));
            prop_assert!(pick.is_some() || hashes || !usable, "somebody may be used, and nobody was picked");
        }
    }
}
