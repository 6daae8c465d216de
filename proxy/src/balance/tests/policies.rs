//! Which of several endpoints that may be used.

use super::*;
use crate::policy::SlowStart;

const LEAST_REQUEST: Balance = Balance::LEAST_REQUEST;

fn of_choices(choices: u32) -> Balance {
    Balance::LeastRequest { choices, active_bias: 1.0 }
}

#[test]
fn round_robin_goes_round_from_anywhere() {
    let mesh = Mesh::new(Balance::RoundRobin, 3);
    let mut worker = mesh.worker(7);
    assert_eq!([0; 5].map(|_| worker.next()), [1, 2, 0, 1, 2]);
    let mut other = mesh.worker(8);
    assert_eq!([0; 3].map(|_| other.next()), [2, 0, 1]);
}

#[test]
fn round_robin_keeps_its_place_when_endpoints_change() {
    let (three, two) = (Mesh::new(Balance::RoundRobin, 3), Mesh::new(Balance::RoundRobin, 2));
    let mut worker = three.worker(0);
    assert_eq!([0; 4].map(|_| worker.next()), [0, 1, 2, 0]);
    worker.rotation = three.rotation(2);
    assert_eq!([0; 2].map(|_| worker.next()), [1, 2]);
    worker.rotation = two.rotation(3);
    assert_eq!([0; 3].map(|_| worker.next()), [0, 1, 0]);
}

#[test]
fn weighted_turns_go_by_the_weights_of_the_present_endpoints() {
    let (before, after) = (Mesh::new(Balance::RoundRobin, 3).weights(&[1, 2, 3]), Mesh::new(Balance::RoundRobin, 2));
    let mut worker = before.worker(0);
    about(&worker.shares(&Wish::default()), &[1.0 / 6.0, 2.0 / 6.0, 3.0 / 6.0]);
    worker.rotation = after.weights(&[3, 1]).rotation(2);
    about(&worker.shares(&Wish::default()), &[0.75, 0.25, 0.0]);
}

#[test]
fn unequal_weights_count_in_turn_and_not_at_random() {
    for (balance, expected) in
        [(Balance::RoundRobin, [0.1, 0.2, 0.7]), (LEAST_REQUEST, [0.1, 0.2, 0.7]), (Balance::Random, [1.0 / 3.0; 3])]
    {
        Mesh::new(balance, 3).weights(&[1, 2, 7]).expect(&expected);
    }
}

#[test]
fn round_robin_and_random_do_not_look_at_load() {
    for balance in [Balance::RoundRobin, Balance::Random] {
        Mesh::new(balance, 3).active(&[9, 0, 0]).expect(&[1.0 / 3.0; 3]);
    }
}

#[test]
fn least_request_gives_a_busy_endpoint_one_pick_in_the_power_of_its_choices() {
    for (choices, expected) in [
        (1, [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]),
        (2, [1.0 / 9.0, 4.0 / 9.0, 4.0 / 9.0]),
        (3, [1.0 / 27.0, 13.0 / 27.0, 13.0 / 27.0]),
    ] {
        Mesh::new(of_choices(choices), 3).active(&[9, 0, 0]).expect(&expected);
    }
    Mesh::new(LEAST_REQUEST, 2).active(&[1, 1]).expect(&[0.5, 0.5]);
}

#[test]
fn where_weights_differ_load_divides_them_by_its_bias() {
    for (active_bias, expected) in [
        (1.0, [0.5, 0.5]),
        (0.0, [0.25, 0.75]),
        (0.5, [1.0 / (1.0 + 3.0_f64.sqrt()), 3.0_f64.sqrt() / (1.0 + 3.0_f64.sqrt())]),
    ] {
        let balance = Balance::LeastRequest { choices: 2, active_bias };
        Mesh::new(balance, 2).weights(&[1, 3]).active(&[0, 2]).expect(&expected);
    }
}

fn warmed(balance: Balance, healthy_for: &[Option<u64>]) -> Mesh {
    let slow_start = SlowStart { window: Duration::from_secs(60), aggression: 1.0, min_percent: 10.0 };
    Mesh::new(balance, healthy_for.len())
        .each(healthy_for, |endpoint, seconds| endpoint.healthy_for = seconds)
        .change(|cluster| cluster.slow_start = Some(slow_start))
}

#[test]
fn a_new_endpoint_takes_less_at_first() {
    for balance in [Balance::RoundRobin, LEAST_REQUEST] {
        warmed(balance.clone(), &[Some(600), Some(600), Some(30)]).expect(&[0.4, 0.4, 0.2]);
        warmed(balance.clone(), &[Some(600), None, Some(0)]).expect(&[1.0 / 2.1, 1.0 / 2.1, 0.1 / 2.1]);
        warmed(balance, &[Some(600), Some(61), Some(60)]).expect(&[1.0 / 3.0; 3]);
    }
}

#[test]
fn the_share_of_a_new_endpoint_grows_while_time_passes() {
    let mesh = warmed(Balance::RoundRobin, &[Some(600), Some(0)]);
    let mut worker = mesh.worker(7);
    for (seconds, factor) in [(0, 0.1), (30, 0.5), (60, 1.0), (600, 1.0)] {
        worker.now = mesh.begin + Duration::from_secs(seconds);
        about(&worker.shares(&Wish::default()), &[1.0 / (1.0 + factor), factor / (1.0 + factor)]);
    }
}

#[test]
fn if_all_are_equally_new_nobody_takes_less() {
    warmed(Balance::RoundRobin, &[Some(5); 4]).expect(&[0.25; 4]);
}

#[test]
fn random_does_not_look_at_who_is_new() {
    warmed(Balance::Random, &[Some(600), Some(0)]).expect(&[0.5, 0.5]);
}

#[test]
fn while_somebody_is_new_load_divides_equal_weights_too() {
    let one_new = warmed(LEAST_REQUEST, &[Some(600), Some(600), Some(60)]).active(&[0, 3, 0]);
    one_new.expect(&[1.0 / 2.25, 0.25 / 2.25, 1.0 / 2.25]);
    let none_new = warmed(LEAST_REQUEST, &[Some(600), Some(600), Some(61)]).active(&[0, 3, 0]);
    none_new.expect(&[4.0 / 9.0, 1.0 / 9.0, 4.0 / 9.0]);
}
