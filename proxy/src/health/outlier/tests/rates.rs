//! Rates of whole intervals.

use super::*;

#[test]
fn an_endpoint_far_below_the_others_is_ejected_at_the_tick_for_the_interval_that_has_ended() {
    let success_rate = SuccessRate { enforcing: 100, ..OutlierDetection::envoy_default().success_rate };
    let mut cluster =
        Cluster::new(5, OutlierDetection { success_rate, consecutive_5xx: Threshold::OFF, ..parameters() });
    let mut interval = |failures: u32, seconds: u64| {
        (0..5)
            .for_each(|endpoint| cluster.send(endpoint, 100 - if endpoint == 2 { failures } else { 0 }, 200, seconds));
        cluster.fail(2, failures, seconds);
        cluster.look(seconds)
    };
    assert_eq!(interval(0, 10).judged, []);
    let ejected = Judged { at: 2, detection: Detection::SuccessRate, decision: Decision::Ejected };
    assert_eq!(interval(50, 20).judged, [ejected]);
    assert_eq!(interval(100, 30).judged, [], "who is out takes no part, and the others are too few");
    assert_eq!(cluster.look(40), Tick::default());
    assert_eq!(cluster.tick(50), [2]);
}

#[test]
fn too_large_a_share_of_failures_ejects_at_the_tick() {
    let failure_percentage = FailurePercentage { enforcing: 100, threshold: 50, minimum_hosts: 2, request_volume: 10 };
    let rates = OutlierDetection { failure_percentage, consecutive_5xx: Threshold::OFF, ..parameters() };
    let mut cluster = Cluster::new(3, rates);
    for (endpoint, failures) in [(0, 4), (1, 5), (2, 10)] {
        cluster.send(endpoint, 10 - failures, 200, 0);
        cluster.fail(endpoint, failures, 0);
    }
    let judged: Vec<_> = cluster.look(10).judged.iter().map(|judged| (judged.at, judged.detection)).collect();
    assert_eq!(judged, [(1, Detection::FailurePercentage), (2, Detection::FailurePercentage)]);
    assert_eq!(cluster.out(), [1, 2]);
}

#[test]
fn rates_of_connections_are_judged_apart_and_only_with_the_split() {
    let failure_percentage = FailurePercentage { enforcing: 0, threshold: 50, minimum_hosts: 1, request_volume: 10 };
    let rates = OutlierDetection {
        failure_percentage,
        local_origin_failure_percentage_enforcing: 100,
        consecutive_5xx: Threshold::OFF,
        consecutive_local_origin: Threshold::OFF,
        ..parameters()
    };
    for split_local_origin in [false, true] {
        let mut cluster = Cluster::new(1, OutlierDetection { split_local_origin, ..rates.clone() });
        for _ in 0..5 {
            cluster.observe(0, Outcome::Connected, 0);
            cluster.observe(0, Outcome::Status(500), 0);
            cluster.observe(0, Outcome::ConnectFailure, 0);
        }
        let judged = cluster.look(10).judged;
        assert_eq!(
            judged.iter().any(|judged| judged.detection == Detection::LocalOriginFailurePercentage),
            split_local_origin
        );
        assert_eq!(cluster.out().len(), usize::from(split_local_origin));
    }
}
