//! What goes beyond Envoy, as far as the detector has a say in it.

use super::*;
use Detection::{FailedTrial, Stalled};

fn cluster(beyond: &str) -> Cluster {
    Cluster::beyond_envoy(3, parameters(), beyond.parse().unwrap())
}

impl Cluster {
    fn check_fails(&mut self, endpoint: usize) {
        let (counters, standing) = &mut self.endpoints[endpoint];
        standing.check_failed(counters);
    }

    fn check_ends(&mut self, endpoint: usize, seconds: u64) -> bool {
        let now = self.at(seconds);
        let (counters, standing) = &mut self.endpoints[endpoint];
        self.detector.check_passed(counters, standing, now)
    }

    fn is_tried(&self, endpoint: usize) -> bool {
        self.endpoints[endpoint].0.trial.is_on()
    }

    fn stalls(&mut self, endpoint: usize, seconds: u64) -> Option<(Detection, Decision)> {
        let detection = self.endpoints[endpoint].0.stalled(&self.parameters)?;
        let now = self.at(seconds);
        let mut endpoints: Vec<_> =
            self.endpoints.iter_mut().map(|(counters, standing)| (&*counters, standing)).collect();
        Some((detection, self.detector.detected(detection, endpoint, &mut endpoints, now, &mut self.rng)))
    }
}

#[test]
fn an_endpoint_that_comes_back_is_on_trial_and_one_failure_takes_it_out_for_longer() {
    let mut cluster = cluster("half-open");
    cluster.fail(0, 3, 0);
    assert_eq!(cluster.tick(30), [0]);
    assert!(cluster.is_tried(0));
    assert_eq!(cluster.observe(0, Outcome::Status(503), 31), [(FailedTrial, Decision::Ejected)]);
    assert_eq!(cluster.tick(80), [0; 0], "twice the base: until 91");
    assert_eq!(cluster.tick(100), [0]);
    cluster.send(0, 3, 200, 101);
    assert!(!cluster.is_tried(0), "three good answers are enough");
    assert_eq!(cluster.observe(0, Outcome::Status(503), 102), [], "from now on three failures are needed");
}

#[test]
fn one_on_trial_keeps_its_place_among_those_that_may_be_out() {
    let one_of_three = OutlierDetection { max_ejection_percent: 34, ..parameters() };
    let mut cluster = Cluster::beyond_envoy(3, one_of_three, "half-open".parse().unwrap());
    cluster.fail(0, 3, 0);
    cluster.tick(30);
    cluster.fail(1, 3, 31);
    assert_eq!(cluster.out(), [0; 0], "endpoint 0 is on trial");
    assert_eq!(cluster.observe(0, Outcome::Status(503), 32), [(FailedTrial, Decision::Ejected)]);
    cluster.tick(100);
    cluster.send(0, 3, 200, 101);
    cluster.fail(1, 3, 102);
    assert_eq!(cluster.out(), [1]);
}

#[test]
fn nothing_is_forgiven_during_a_trial() {
    let mut cluster = cluster("half-open");
    cluster.fail(0, 3, 0);
    cluster.tick(30);
    let length = |cluster: &Cluster| cluster.detector.duration(&cluster.endpoints[0].1).as_secs();
    (40..100).step_by(10).for_each(|seconds| drop(cluster.tick(seconds)));
    assert_eq!(length(&cluster), 30);
    cluster.send(0, 3, 200, 101);
    cluster.tick(110);
    assert_eq!(length(&cluster), 0);
}

#[test]
fn without_a_name_nobody_is_tried_and_every_check_is_believed() {
    let mut cluster = Cluster::new(3, parameters());
    cluster.fail(0, 3, 0);
    assert!(!cluster.is_tried(0));
    assert!(cluster.check_ends(0, 1));
    assert!(!cluster.is_tried(0));
}

#[test]
fn a_check_ends_an_ejection_only_if_it_saw_the_fault_and_traffic_has_not_failed_since() {
    let mut cluster = cluster("fresh-evidence");
    cluster.fail(0, 3, 0);
    assert!(!cluster.check_ends(0, 1), "it has passed all along");
    cluster.check_fails(0);
    cluster.fail(0, 1, 2);
    assert!(!cluster.check_ends(0, 3), "a request that was still under way has failed since");
    cluster.check_fails(0);
    assert!(cluster.check_ends(0, 4));
    cluster.fail(0, 3, 5);
    cluster.check_fails(0);
    assert!(!cluster.check_ends(0, 6), "it was wrong before");
    assert_eq!(cluster.tick(70), [0]);
    cluster.tick(80);
    cluster.fail(0, 3, 81);
    cluster.check_fails(0);
    assert!(cluster.check_ends(0, 82), "the endpoint has behaved in between");
}

#[test]
fn a_check_that_is_believed_leads_into_a_trial() {
    let mut cluster = cluster("all");
    cluster.fail(0, 3, 0);
    cluster.check_fails(0);
    assert!(cluster.check_ends(0, 1));
    assert!(cluster.is_tried(0) && cluster.out().is_empty());
}

#[test]
fn requests_in_a_row_that_wait_too_long_eject_and_an_answer_begins_the_row_anew() {
    let mut cluster = cluster("stalled");
    assert_eq!([cluster.stalls(0, 0), cluster.stalls(0, 0)], [None, None]);
    cluster.send(0, 1, 503, 0);
    assert_eq!([cluster.stalls(0, 0), cluster.stalls(0, 0)], [None, None]);
    assert_eq!(cluster.stalls(0, 0), Some((Stalled, Decision::Ejected)));
    assert_eq!(cluster.out(), [0]);
    let none = OutlierDetection { max_ejection_percent: 0, ..parameters() };
    let mut cluster = Cluster::beyond_envoy(3, none, "stalled".parse().unwrap());
    let decided: Vec<_> = (0..3).map(|_| cluster.stalls(0, 0)).collect();
    assert_eq!(decided, [None, None, Some((Stalled, Decision::Overflow))]);
}

#[test]
fn a_stall_fails_a_trial_at_once() {
    let mut cluster = cluster("all");
    cluster.fail(0, 3, 0);
    cluster.tick(30);
    assert_eq!(cluster.stalls(0, 31), Some((FailedTrial, Decision::Ejected)));
}
