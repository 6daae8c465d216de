use super::*;
use crate::clock;
use Detection::{Consecutive5xx, ConsecutiveGateway, ConsecutiveLocalOrigin};

fn parameters() -> OutlierDetection {
    OutlierDetection { consecutive_5xx: Some(3), max_ejection_percent: 100, ..OutlierDetection::default() }
}

/// A cluster under test, at a time of its own.
struct Cluster {
    detector: Detector,
    parameters: OutlierDetection,
    endpoints: Vec<(Counters, Standing)>,
    begin: Instant,
}

impl Cluster {
    fn new(endpoints: usize, parameters: OutlierDetection) -> Self {
        let endpoints = (0..endpoints).map(|_| Default::default()).collect();
        Self { detector: Detector::new(parameters.clone()), parameters, endpoints, begin: clock::now() }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.begin + Duration::from_secs(seconds)
    }

    fn observe(&mut self, endpoint: usize, outcome: Outcome, seconds: u64) -> Vec<(Detection, Decision)> {
        let detections = self.endpoints[endpoint].0.observe(outcome, &self.parameters);
        let now = self.at(seconds);
        let mut endpoints: Vec<_> =
            self.endpoints.iter_mut().map(|(counters, standing)| (&*counters, standing)).collect();
        detections
            .into_iter()
            .flatten()
            .map(|detection| (detection, self.detector.detected(detection, endpoint, &mut endpoints, now)))
            .collect()
    }

    fn fail(&mut self, endpoint: usize, times: u32, seconds: u64) {
        for _ in 0..times {
            self.observe(endpoint, Outcome::Status(500), seconds);
        }
    }

    fn tick(&mut self, seconds: u64) -> Vec<usize> {
        let now = self.at(seconds);
        let mut endpoints: Vec<_> =
            self.endpoints.iter_mut().map(|(counters, standing)| (&*counters, standing)).collect();
        self.detector.tick(&mut endpoints, now)
    }

    fn out(&self) -> Vec<usize> {
        (0..self.endpoints.len()).filter(|index| self.endpoints[*index].0.is_ejected()).collect()
    }
}

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
    let gateway = OutlierDetection { consecutive_gateway: Some(2), consecutive_5xx: Some(5), ..parameters() };
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
    for outcome in [Outcome::ConnectFailure, Outcome::Reset, Outcome::TimeOut] {
        let mut cluster = Cluster::new(2, parameters());
        (0..3).for_each(|_| drop(cluster.observe(0, outcome, 0)));
        assert_eq!(cluster.out(), [0], "{outcome:?}");
    }
}

#[test]
fn with_the_split_time_outs_after_a_connection_never_accumulate() {
    let split = OutlierDetection { split_local_origin: true, consecutive_local_origin: Some(2), ..parameters() };
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
    assert_eq!(cluster.endpoints[0].1.multiplier, 1);
}

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
    assert_eq!(cluster.endpoints[0].1.multiplier, 2);
    assert_eq!(cluster.tick(90), [0]);
    assert_eq!(cluster.endpoints[0].1.multiplier, 2);
    cluster.tick(100);
    assert_eq!(cluster.endpoints[0].1.multiplier, 1);
    cluster.tick(110);
    cluster.tick(120);
    assert_eq!(cluster.endpoints[0].1.multiplier, 0);
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
    assert_eq!(cluster.endpoints[0].1.multiplier, 11);
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
