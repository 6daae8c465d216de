use super::*;
use crate::policy::{HealthProbe, HttpProbe};
use Checked::{NoAnswer, Retriable};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const PASSED: Checked = Checked::Passed { degraded: false };
const DEGRADED: Checked = Checked::Passed { degraded: true };
const FAILED: Checked = Checked::Failed { exclude: false };
const EXCLUDED: Checked = Checked::Failed { exclude: true };

/// Two passes and three time-outs in a row change anything.
fn check() -> HealthCheck {
    HealthCheck {
        probe: HealthProbe::Http(HttpProbe::get("/")),
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(1),
        healthy_threshold: 2,
        unhealthy_threshold: 3,
        no_traffic_interval: None,
        no_traffic_healthy_interval: None,
        unhealthy_interval: None,
        unhealthy_edge_interval: None,
        healthy_edge_interval: None,
        initial_jitter: Duration::ZERO,
        interval_jitter: Duration::ZERO,
        interval_jitter_percent: 0,
        reuse_connection: true,
        origin: Default::default(),
    }
}

fn after(results: &[Checked]) -> State {
    let mut state = State::default();
    for result in results {
        state.checked(*result, &check());
    }
    state
}

fn health(results: &[Checked]) -> Vec<Health> {
    (1..=results.len()).map(|so_far| after(&results[..so_far]).health(false)).collect()
}

fn healthy(results: &[Checked]) -> Vec<bool> {
    health(results).into_iter().map(|health| health == Health::Healthy).collect()
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(7)
}

#[test]
fn one_success_is_enough_at_first_and_the_threshold_later() {
    assert_eq!(healthy(&[PASSED, FAILED, PASSED, PASSED]), [true, false, false, true]);
    assert_eq!(healthy(&[FAILED, PASSED, PASSED]), [false, false, true], "only the very first result counts alone");
}

#[test]
fn silence_counts_against_the_threshold_and_a_wrong_status_at_once() {
    assert_eq!(healthy(&[PASSED, NoAnswer, NoAnswer, PASSED, NoAnswer]), [true; 5]);
    assert_eq!(healthy(&[PASSED, NoAnswer, NoAnswer, NoAnswer]), [true, true, true, false]);
    assert_eq!(healthy(&[PASSED, Retriable, NoAnswer, Retriable]), [true, true, true, false]);
    assert_eq!(healthy(&[PASSED, FAILED]), [true, false]);
    assert_eq!(healthy(&[PASSED, NoAnswer, FAILED]), [true, true, false]);
}

#[test]
fn passes_in_a_row_are_counted_anew_after_a_failure() {
    assert_eq!(healthy(&[PASSED, FAILED, PASSED, NoAnswer, PASSED, PASSED]), [true, false, false, false, false, true]);
}

#[test]
fn an_endpoint_that_never_passed_is_not_used() {
    assert_eq!(healthy(&[NoAnswer, NoAnswer]), [false, false]);
}

#[test]
fn one_that_waits_for_its_first_check_may_be_left_out_of_all_counts() {
    assert_eq!(State::default().health(true), Health::Excluded);
    assert_eq!(State::default().health(false), Health::Unhealthy);
    assert_eq!(after(&[NoAnswer]).health(true), Health::Unhealthy);
}

#[test]
fn a_passing_check_degrades_at_once_and_mends_at_once() {
    use Health::{Degraded, Healthy, Unhealthy};
    assert_eq!(health(&[PASSED, DEGRADED, PASSED]), [Healthy, Degraded, Healthy]);
    assert_eq!(health(&[DEGRADED, FAILED, DEGRADED, DEGRADED]), [Degraded, Unhealthy, Unhealthy, Degraded]);
}

#[test]
fn who_asks_to_be_left_alone_does_not_count_until_its_checks_pass() {
    use Health::{Excluded, Healthy};
    assert_eq!(health(&[PASSED, EXCLUDED, FAILED, PASSED, PASSED]), [Healthy, Excluded, Excluded, Excluded, Healthy]);
    let mut state = after(&[PASSED]);
    assert_eq!(state.asked_out(), Change::Failed);
    assert_eq!(state.health(false), Excluded);
    assert_eq!([PASSED, PASSED].map(|result| state.checked(result, &check())), [Change::None, Change::Recovered]);
    assert_eq!(state.health(false), Healthy);
}

#[test]
fn changes_are_told_when_they_come() {
    use Change::{Failed, None, Other, Recovered};
    let mut state = State::default();
    let results = [FAILED, PASSED, PASSED, DEGRADED, NoAnswer, DEGRADED, FAILED, NoAnswer];
    let changes = results.map(|result| state.checked(result, &check()));
    assert_eq!(changes, [Other, None, Recovered, Other, None, None, Failed, None]);
}

#[test]
fn the_next_check_comes_by_what_the_last_one_found() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let plain = check();
    let failing = HealthCheck { unhealthy_interval: seconds(3), ..check() };
    let edges =
        HealthCheck { unhealthy_edge_interval: seconds(1), healthy_edge_interval: seconds(2), ..failing.clone() };
    for (results, in_plain, in_failing, in_edges) in [
        (&[PASSED][..], 10, 10, 10),
        (&[PASSED, PASSED], 10, 10, 10),
        (&[NoAnswer], 10, 3, 3),
        (&[PASSED, NoAnswer], 10, 3, 1),
        (&[PASSED, NoAnswer, NoAnswer, NoAnswer], 10, 3, 3),
        (&[PASSED, FAILED], 10, 3, 3),
        (&[FAILED, PASSED], 10, 10, 2),
        (&[FAILED, PASSED, PASSED], 10, 10, 10),
        (&[PASSED, DEGRADED], 10, 10, 10),
    ] {
        for (check, expected) in [(&plain, in_plain), (&failing, in_failing), (&edges, in_edges)] {
            let next = after(results).next_in(check, true, &mut rng());
            assert_eq!(next, Duration::from_secs(expected), "{results:?}");
        }
    }
}

#[test]
fn before_any_traffic_another_interval_goes_before_all() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let quiet = HealthCheck {
        no_traffic_interval: seconds(60),
        unhealthy_interval: seconds(3),
        unhealthy_edge_interval: seconds(1),
        healthy_edge_interval: seconds(2),
        ..check()
    };
    let healthy_too = HealthCheck { no_traffic_healthy_interval: seconds(20), ..quiet.clone() };
    for (results, in_quiet, in_healthy_too) in
        [(&[PASSED][..], 60, 20), (&[NoAnswer], 60, 60), (&[PASSED, NoAnswer], 60, 60), (&[FAILED, PASSED], 60, 60)]
    {
        for (check, expected) in [(&quiet, in_quiet), (&healthy_too, in_healthy_too)] {
            let next = after(results).next_in(check, false, &mut rng());
            assert_eq!(next, Duration::from_secs(expected), "{results:?}");
        }
    }
    assert_eq!(after(&[NoAnswer]).next_in(&quiet, true, &mut rng()), Duration::from_secs(3));
}

#[test]
fn both_jitters_are_added_evenly() {
    let jittered = HealthCheck { interval_jitter: Duration::from_secs(2), interval_jitter_percent: 50, ..check() };
    let mut rng = rng();
    let next: Vec<_> = (0..20_000).map(|_| after(&[PASSED]).next_in(&jittered, true, &mut rng).as_secs_f64()).collect();
    assert!(next.iter().all(|next| (10.0..17.0).contains(next)));
    let mean = next.iter().sum::<f64>() / next.len() as f64;
    assert!((mean - 13.5).abs() < 0.05, "{mean}");
}

#[test]
fn the_first_check_is_at_once_or_within_its_jitter() {
    assert_eq!(first_in(&check(), &mut rng()), Duration::ZERO);
    let jittered = HealthCheck { initial_jitter: Duration::from_secs(4), ..check() };
    let mut rng = rng();
    for _ in 0..1000 {
        assert!((0.001..4.0).contains(&first_in(&jittered, &mut rng).as_secs_f64()));
    }
}
