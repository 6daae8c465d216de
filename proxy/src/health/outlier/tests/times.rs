//! For how long an endpoint is out.

use super::*;

#[test]
fn return_is_at_the_first_look_after_the_time_and_repeat_offenders_wait_longer() {
    let mut cluster = Cluster::new(3, parameters());
    cluster.fail(0, 3, 5);
    assert!(cluster.tick(10).is_empty());
    assert!(cluster.tick(30).is_empty());
    assert_eq!(cluster.tick(40), [0], "30 s are over at 35, the look is at 40");
    assert!(cluster.out().is_empty());
    cluster.fail(0, 3, 41);
    assert!(cluster.tick(100).is_empty(), "twice the base: until 101");
    assert_eq!(cluster.tick(110), [0]);
}

#[test]
fn good_behaviour_is_rewarded_by_one_for_each_interval_but_not_in_the_first() {
    let mut cluster = Cluster::new(3, parameters());
    cluster.fail(0, 3, 0);
    cluster.tick(30);
    cluster.fail(0, 3, 30);
    let length = |cluster: &Cluster| cluster.detector.duration(&cluster.endpoints[0].1).as_secs();
    assert_eq!(length(&cluster), 60);
    assert_eq!(cluster.tick(90), [0]);
    assert_eq!(length(&cluster), 60);
    cluster.tick(100);
    assert_eq!(length(&cluster), 30);
    cluster.tick(110);
    cluster.tick(120);
    assert_eq!(length(&cluster), 0);
}

#[test]
fn no_ejection_lasts_longer_than_the_longest() {
    let mut cluster = Cluster::new(3, parameters());
    let mut now = 0;
    for _ in 0..30 {
        cluster.fail(0, 3, now);
        now += 300;
        assert_eq!(cluster.tick(now), [0]);
    }
    assert_eq!(cluster.detector.duration(&cluster.endpoints[0].1), Duration::from_secs(300));
    // The record behind it ends at eleven times the base: two intervals of good behaviour, and it is below the longest again.
    cluster.tick(now + 10);
    assert_eq!(cluster.detector.duration(&cluster.endpoints[0].1), Duration::from_secs(300));
    cluster.tick(now + 20);
    assert_eq!(cluster.detector.duration(&cluster.endpoints[0].1), Duration::from_secs(270));
}

#[test]
fn counters_begin_anew_after_the_return() {
    let mut cluster = Cluster::new(3, parameters());
    cluster.fail(0, 3, 0);
    cluster.fail(0, 2, 1);
    cluster.tick(40);
    cluster.fail(0, 2, 41);
    assert!(cluster.out().is_empty());
}

#[test]
fn jitter_is_drawn_once_for_each_ejection() {
    let jittered = OutlierDetection { max_ejection_time_jitter: Duration::from_secs(10), ..parameters() };
    let mut cluster = Cluster::new(200, jittered);
    (0..200).for_each(|endpoint| cluster.fail(endpoint, 3, 0));
    let lengths: Vec<_> =
        cluster.endpoints.iter().map(|(_, standing)| cluster.detector.duration(standing).as_millis()).collect();
    assert!(lengths.iter().all(|length| (30_000..=40_000).contains(length)));
    let mean = lengths.iter().sum::<u128>() / 200;
    assert!((34_000..36_000).contains(&mean), "{mean}");
    let still = cluster.endpoints.iter().map(|(_, standing)| cluster.detector.duration(standing).as_millis());
    assert!(still.eq(lengths));
}

#[test]
fn a_passing_check_ends_an_ejection_unless_the_policy_keeps_to_its_time() {
    for check_ends_ejection in [true, false] {
        let mut cluster = Cluster::new(3, OutlierDetection { check_ends_ejection, ..parameters() });
        cluster.fail(0, 3, 0);
        let now = cluster.at(1);
        let (counters, standing) = &mut cluster.endpoints[0];
        assert_eq!(cluster.detector.check_passed(counters, standing, now), check_ends_ejection);
        assert_eq!(cluster.out().is_empty(), check_ends_ejection);
    }
}
