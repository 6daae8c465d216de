//! Failures in a row.

use super::*;

#[test]
fn an_endpoint_is_ejected_at_the_threshold_and_a_success_in_between_starts_anew() {
    let mut cluster = Cluster::new(3, parameters());
    cluster.fail(1, 2, 0);
    cluster.observe(1, Outcome::Status(200), 0);
    cluster.fail(1, 2, 0);
    assert!(cluster.out().is_empty());
    assert_eq!(cluster.observe(1, Outcome::Status(500), 0), [(Consecutive5xx, Decision::Ejected)]);
    assert_eq!(cluster.out(), [1]);
}

#[test]
fn gateway_errors_count_as_5xx_too_and_another_5xx_ends_their_row() {
    let gateway =
        OutlierDetection { consecutive_gateway: Threshold::at(2), consecutive_5xx: Threshold::at(5), ..parameters() };
    let mut cluster = Cluster::new(2, gateway.clone());
    cluster.observe(0, Outcome::Status(503), 0);
    cluster.observe(0, Outcome::Status(500), 0);
    cluster.observe(0, Outcome::Status(502), 0);
    assert!(cluster.out().is_empty());
    assert_eq!(cluster.observe(0, Outcome::Status(504), 0), [(ConsecutiveGateway, Decision::Ejected)]);

    let mut cluster = Cluster::new(2, gateway);
    cluster.fail(0, 4, 0);
    assert_eq!(cluster.observe(0, Outcome::Status(500), 0), [(Consecutive5xx, Decision::Ejected)]);
}

#[test]
fn without_the_split_failures_of_the_connection_count_as_503_and_504() {
    for outcome in [Outcome::ConnectFailure, Outcome::ConnectTimeout, Outcome::Reset, Outcome::TimeOut] {
        let mut cluster = Cluster::new(2, parameters());
        (0..3).for_each(|_| drop(cluster.observe(0, outcome, 0)));
        assert_eq!(cluster.out(), [0], "{outcome:?}");
    }
}

#[test]
fn with_the_split_time_outs_after_a_connection_never_accumulate() {
    let split =
        OutlierDetection { split_local_origin: true, consecutive_local_origin: Threshold::at(2), ..parameters() };
    let mut cluster = Cluster::new(2, split);
    for _ in 0..10 {
        cluster.observe(0, Outcome::Connected, 0);
        cluster.observe(0, Outcome::TimeOut, 0);
    }
    assert!(cluster.out().is_empty());
    cluster.observe(0, Outcome::Connected, 0);
    cluster.observe(0, Outcome::ConnectFailure, 0);
    assert_eq!(cluster.observe(0, Outcome::ConnectFailure, 0), [(ConsecutiveLocalOrigin, Decision::Ejected)]);
}

#[test]
fn with_the_split_answers_and_connections_are_counted_apart() {
    let split =
        OutlierDetection { split_local_origin: true, consecutive_local_origin: Threshold::at(3), ..parameters() };
    let mut cluster = Cluster::new(2, split);
    for _ in 0..2 {
        cluster.observe(0, Outcome::Status(503), 0);
        cluster.observe(0, Outcome::ConnectFailure, 0);
    }
    assert!(cluster.out().is_empty());
    assert_eq!(cluster.observe(0, Outcome::Status(503), 0), [(Consecutive5xx, Decision::Ejected)]);
}
