//! How many may be out, and which detections are enforced.

use super::*;

#[test]
fn so_many_of_so_many_may_be_out() {
    let table: [(usize, [usize; 4]); 6] = [
        (1, [0, 0, 0, 1]),
        (3, [0, 0, 1, 3]),
        (5, [0, 1, 2, 5]),
        (9, [0, 2, 4, 9]),
        (10, [1, 3, 5, 10]),
        (20, [2, 6, 10, 20]),
    ];
    for (hosts, expected) in table {
        for (percent, expected) in [10, 30, 50, 100].into_iter().zip(expected) {
            let mut cluster = Cluster::new(hosts, OutlierDetection { max_ejection_percent: percent, ..parameters() });
            (0..hosts).for_each(|endpoint| cluster.fail(endpoint, 3, 0));
            assert_eq!(cluster.out().len(), expected, "{hosts} hosts, {percent} %");
        }
    }
}

#[test]
fn a_refused_ejection_zeroes_its_counter_all_the_same() {
    let mut cluster = Cluster::new(3, OutlierDetection { max_ejection_percent: 10, ..parameters() });
    cluster.fail(0, 2, 0);
    assert_eq!(cluster.observe(0, Outcome::Status(500), 0), [(Consecutive5xx, Decision::Overflow)]);
    cluster.fail(0, 2, 0);
    assert_eq!(cluster.observe(0, Outcome::Status(500), 0), [(Consecutive5xx, Decision::Overflow)]);
}

#[test]
fn an_ejected_endpoint_is_not_ejected_again_while_it_is_out() {
    let mut cluster = Cluster::new(3, parameters());
    cluster.fail(0, 3, 0);
    cluster.fail(0, 30, 1);
    assert_eq!(cluster.detector.duration(&cluster.endpoints[0].1), Duration::from_secs(30));
}

#[test]
fn a_detection_is_enforced_as_often_as_its_policy_says_and_zeroed_all_the_same() {
    for (enforcing, least, most) in [(0, 0, 0), (30, 550, 650), (100, 2000, 2000)] {
        let consecutive_5xx = Threshold { count: Some(1), enforcing };
        let mut enforced = 0;
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let detector = Detector::new(OutlierDetection { consecutive_5xx, ..parameters() }, Beyond::default());
        for _ in 0..2000 {
            let (counters, mut standing) = (Counters::default(), Standing::default());
            let now = clock::now();
            let decision = detector.detected(Consecutive5xx, 0, &mut [(&counters, &mut standing)], now, &mut rng);
            enforced += usize::from(decision == Decision::Ejected);
            assert_ne!(decision, Decision::Overflow);
        }
        assert!((least..=most).contains(&enforced), "{enforcing} %: {enforced} of 2000");
    }
}

#[test]
fn what_is_not_enforced_is_detected_again_after_as_many_failures() {
    let consecutive_5xx = Threshold { count: Some(3), enforcing: 0 };
    let mut cluster = Cluster::new(2, OutlierDetection { consecutive_5xx, ..parameters() });
    for _ in 0..3 {
        cluster.fail(0, 2, 0);
        assert_eq!(cluster.observe(0, Outcome::Status(500), 0), [(Consecutive5xx, Decision::NotEnforced)]);
    }
}

#[test]
fn the_percentage_is_asked_before_chance() {
    let consecutive_5xx = Threshold { count: Some(1), enforcing: 0 };
    let few = OutlierDetection { consecutive_5xx, max_ejection_percent: 10, ..parameters() };
    assert_eq!(Cluster::new(3, few).observe(0, Outcome::Status(500), 0), [(Consecutive5xx, Decision::Overflow)]);
}

#[test]
fn one_may_always_be_out_if_the_policy_says_so() {
    let one = OutlierDetection { always_eject_one: true, max_ejection_percent: 10, ..parameters() };
    let mut cluster = Cluster::new(3, one);
    (0..3).for_each(|endpoint| cluster.fail(endpoint, 3, 0));
    assert_eq!(cluster.out(), [0]);
}

proptest::proptest! {
    #[test]
    fn never_more_are_out_than_allowed(
        hosts in 1_usize..30,
        percent in 0_u32..=100,
        always_eject_one: bool,
        failures in proptest::collection::vec((0_usize..30, 0_u64..100), 0..200),
    ) {
        let policy = OutlierDetection {
            max_ejection_percent: percent,
            always_eject_one,
            consecutive_5xx: Threshold::at(1),
            ..parameters()
        };
        let mut cluster = Cluster::new(hosts, policy);
        let allowed = (percent as usize * hosts / 100).max(usize::from(always_eject_one));
        let mut seconds = 0;
        for (endpoint, later) in failures {
            seconds += later;
            cluster.fail(endpoint % hosts, 1, seconds);
            proptest::prop_assert!(cluster.out().len() <= allowed);
            if later % 3 == 0 {
                cluster.tick(seconds);
            }
        }
    }
}
