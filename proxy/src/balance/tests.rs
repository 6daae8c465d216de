//! Rotations as a whole: a small mesh is given, and many picks are counted.

mod choosing;
mod keyed;
mod policies;
mod subsets;

use super::*;
use crate::clock;
use crate::health::Health;
use crate::policy::{Balance, Cluster, Locality, Place};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const PICKS: usize = 30_000;

/// An endpoint of a mesh under test.
#[derive(Debug, Clone)]
struct Given {
    priority: u32,
    locality: usize,
    weight: u32,
    health: Health,
    labels: BTreeMap<String, String>,
    /// Seconds before the begin.
    healthy_for: Option<u64>,
    active: u32,
}

/// A cluster with endpoints `127.0.0.1:90`, `:91` and so on.
struct Mesh {
    cluster: Cluster,
    endpoints: Vec<Given>,
    first_port: u16,
    begin: Instant,
}

impl Mesh {
    fn new(balance: Balance, endpoints: usize) -> Self {
        let endpoint = Given {
            priority: 0,
            locality: 0,
            weight: 1,
            health: Health::Healthy,
            labels: BTreeMap::new(),
            healthy_for: None,
            active: 0,
        };
        let cluster = Cluster { balance, ..Cluster::new("cart") };
        Self {
            cluster,
            endpoints: vec![endpoint; endpoints],
            first_port: 90,
            begin: clock::now() + Duration::from_secs(3600),
        }
    }

    fn each<T: Clone>(mut self, values: &[T], set: impl Fn(&mut Given, T)) -> Self {
        assert_eq!(values.len(), self.endpoints.len());
        self.endpoints.iter_mut().zip(values).for_each(|(endpoint, value)| set(endpoint, value.clone()));
        self
    }

    fn weights(self, weights: &[u32]) -> Self {
        self.each(weights, |endpoint, weight| endpoint.weight = weight)
    }

    fn healths(self, healths: &[Health]) -> Self {
        self.each(healths, |endpoint, health| endpoint.health = health)
    }

    fn priorities(self, priorities: &[u32]) -> Self {
        self.each(priorities, |endpoint, priority| endpoint.priority = priority)
    }

    fn active(self, active: &[u32]) -> Self {
        self.each(active, |endpoint, active| endpoint.active = active)
    }

    /// Localities `a`, `b` and so on with these weights, and where each endpoint is.
    fn localities(mut self, weights: &[Option<u32>], of: &[usize]) -> Self {
        let zone = |at: usize| Place { zone: char::from(b'a' + at as u8).to_string(), ..Place::default() };
        let locality =
            |(at, weight): (usize, &Option<u32>)| Locality { place: zone(at), weight: *weight, ..Default::default() };
        self.cluster.localities = weights.iter().enumerate().map(locality).collect();
        self.cluster.locality_weighted = true;
        self.each(of, |endpoint, locality| endpoint.locality = locality)
    }

    fn change(mut self, change: impl FnOnce(&mut Cluster)) -> Self {
        change(&mut self.cluster);
        self
    }

    fn rotation(&self, version: u64) -> Rotation {
        let addresses: Vec<_> =
            (0..self.endpoints.len()).map(|at| format!("127.0.0.1:{}", usize::from(self.first_port) + at)).collect();
        let member = |(index, (given, address))| {
            let given: &Given = given;
            let address: &String = address;
            Member {
                index,
                priority: given.priority,
                locality: given.locality,
                weight: given.weight,
                health: given.health,
                address,
                labels: &given.labels,
                healthy_since: given
                    .healthy_for
                    .and_then(|seconds| self.begin.checked_sub(Duration::from_secs(seconds))),
            }
        };
        let members: Vec<_> = self.endpoints.iter().zip(&addresses).enumerate().map(member).collect();
        Rotation::new(version, &self.cluster, &members, self.begin)
    }

    fn worker(&self, seed: u32) -> Worker<'_> {
        let rng = ChaCha8Rng::seed_from_u64(seed.into());
        Worker { mesh: self, rotation: self.rotation(1), turn: Turn::new(seed), rng, now: self.begin }
    }

    /// The endpoint of a key.
    fn keyed(&self, key: u64) -> Option<usize> {
        self.worker(7).pick(&Wish { hash: Some(key), ..Wish::default() }).map(|pick| pick.index)
    }

    /// Shares of many picks.
    fn shares(&self) -> Vec<f64> {
        self.worker(7).shares(&Wish::default())
    }

    fn expect(&self, expected: &[f64]) {
        about(&self.shares(), expected);
    }
}

/// One worker that picks.
struct Worker<'a> {
    mesh: &'a Mesh,
    rotation: Rotation,
    turn: Turn,
    rng: ChaCha8Rng,
    now: Instant,
}

impl Worker<'_> {
    fn pick(&mut self, wish: &Wish<'_>) -> Option<Pick> {
        let active = |index: usize| self.mesh.endpoints[index].active;
        self.rotation.pick(&mut self.turn, wish, self.now, &mut self.rng, active)
    }

    fn next(&mut self) -> usize {
        self.pick(&Wish::default()).unwrap().index
    }

    fn shares(&mut self, wish: &Wish<'_>) -> Vec<f64> {
        let mut counts = vec![0; self.mesh.endpoints.len()];
        for _ in 0..PICKS {
            if let Some(pick) = self.pick(wish) {
                counts[pick.index] += 1;
            }
        }
        counts.into_iter().map(|count| f64::from(count) / PICKS as f64).collect()
    }
}

fn about(actual: &[f64], expected: &[f64]) {
    assert_eq!(actual.len(), expected.len());
    for (share, expected) in actual.iter().zip(expected) {
        assert!((share - expected).abs() < 0.01, "{actual:?}: {share} for {expected}");
    }
}
