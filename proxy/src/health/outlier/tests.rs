//! A detector as a whole: endpoints fail, time passes, and it is asked who is out.

mod beyond;
mod limits;
mod rates;
mod rows;
mod times;

use super::*;
use crate::clock;
use crate::policy::{Beyond, FailurePercentage, OutlierDetection, SuccessRate, Threshold};
use Detection::{Consecutive5xx, ConsecutiveGateway, ConsecutiveLocalOrigin};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::time::{Duration, Instant};

/// Three in a row are enough, and all may be out.
fn parameters() -> OutlierDetection {
    let consecutive_5xx = Threshold::at(3);
    OutlierDetection { consecutive_5xx, max_ejection_percent: 100, ..OutlierDetection::istio_default() }
}

/// A cluster under test, at a time of its own.
struct Cluster {
    detector: Detector,
    parameters: OutlierDetection,
    endpoints: Vec<(Counters, Standing)>,
    begin: Instant,
    rng: ChaCha8Rng,
}

impl Cluster {
    fn new(endpoints: usize, parameters: OutlierDetection) -> Self {
        Self::beyond_envoy(endpoints, parameters, Beyond::default())
    }

    fn beyond_envoy(endpoints: usize, parameters: OutlierDetection, beyond: Beyond) -> Self {
        Self {
            detector: Detector::new(parameters.clone(), beyond),
            parameters,
            endpoints: (0..endpoints).map(|_| Default::default()).collect(),
            begin: clock::now(),
            rng: ChaCha8Rng::seed_from_u64(7),
        }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.begin + Duration::from_secs(seconds)
    }

    fn observe(&mut self, endpoint: usize, outcome: Outcome, seconds: u64) -> Vec<(Detection, Decision)> {
        let detections = self.endpoints[endpoint].0.observe(outcome, &self.parameters);
        let now = self.at(seconds);
        let mut endpoints: Vec<_> =
            self.endpoints.iter_mut().map(|(counters, standing)| (&*counters, standing)).collect();
        let mut decide = |detection| self.detector.detected(detection, endpoint, &mut endpoints, now, &mut self.rng);
        detections.into_iter().flatten().map(|detection| (detection, decide(detection))).collect()
    }

    fn fail(&mut self, endpoint: usize, times: u32, seconds: u64) {
        self.send(endpoint, times, 500, seconds);
    }

    fn send(&mut self, endpoint: usize, times: u32, status: u16, seconds: u64) {
        (0..times).for_each(|_| drop(self.observe(endpoint, Outcome::Status(status), seconds)));
    }

    fn look(&mut self, seconds: u64) -> Tick {
        let now = self.at(seconds);
        let mut endpoints: Vec<_> =
            self.endpoints.iter_mut().map(|(counters, standing)| (&*counters, standing)).collect();
        self.detector.tick(&mut endpoints, now, &mut self.rng)
    }

    fn tick(&mut self, seconds: u64) -> Vec<usize> {
        self.look(seconds).back
    }

    fn out(&self) -> Vec<usize> {
        (0..self.endpoints.len()).filter(|index| self.endpoints[*index].0.is_ejected()).collect()
    }
}
