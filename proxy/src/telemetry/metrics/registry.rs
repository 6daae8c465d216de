//! All numbers of this process, by what they are of.
//!
//! Asked for when a configuration is loaded and when somebody wants to know; what a request counts it holds already.

use super::istio::{Istio, IstioTcp, Labels, Security};
use super::sample::{Sample, Value};
use super::{ClusterNow, ClusterStats, HttpStats, ListenerStats, RateLimitStats, TcpStats};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All numbers of this process. The same name is the same numbers, over reloads too.
#[derive(Debug)]
pub(crate) struct Registry {
    workers: u16,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    clusters: BTreeMap<String, Arc<ClusterStats>>,
    http: BTreeMap<String, Arc<HttpStats>>,
    listeners: BTreeMap<SocketAddr, Arc<ListenerStats>>,
    tcp: BTreeMap<String, Arc<TcpStats>>,
    rate_limits: BTreeMap<String, Arc<RateLimitStats>>,
    istio: BTreeMap<Labels, Arc<Istio>>,
    istio_tcp: BTreeMap<(Labels, Security), Arc<IstioTcp>>,
    /// What counters were when they were last set to 0.
    zeroes: BTreeMap<String, u64>,
}

impl Registry {
    /// For so many workers.
    pub(crate) fn new(workers: u16) -> Self {
        Self { workers, known: Mutex::default() }
    }

    /// Those of a cluster.
    pub(crate) fn cluster(&self, name: &str) -> Arc<ClusterStats> {
        let new = || Arc::new(ClusterStats::new(self.workers));
        Arc::clone(self.known().clusters.entry(name.to_owned()).or_insert_with(new))
    }

    /// Those of the HTTP managers of a prefix.
    pub(crate) fn http(&self, prefix: &str) -> Arc<HttpStats> {
        let new = || Arc::new(HttpStats::new(self.workers));
        Arc::clone(self.known().http.entry(prefix.to_owned()).or_insert_with(new))
    }

    /// Those of a listener.
    pub(crate) fn listener(&self, address: SocketAddr) -> Arc<ListenerStats> {
        let new = || Arc::new(ListenerStats::new(self.workers));
        Arc::clone(self.known().listeners.entry(address).or_insert_with(new))
    }

    /// Those of the forwarders of a prefix.
    pub(crate) fn tcp(&self, prefix: &str) -> Arc<TcpStats> {
        let new = || Arc::new(TcpStats::new(self.workers));
        Arc::clone(self.known().tcp.entry(prefix.to_owned()).or_insert_with(new))
    }

    /// Those of the local rate limits of a prefix.
    pub(crate) fn rate_limit(&self, prefix: &str) -> Arc<RateLimitStats> {
        let new = || Arc::new(RateLimitStats::new(self.workers));
        Arc::clone(self.known().rate_limits.entry(prefix.to_owned()).or_insert_with(new))
    }

    /// Those of requests between two sides.
    pub(crate) fn istio(&self, labels: &Labels) -> Arc<Istio> {
        let new = || Arc::new(Istio::new(labels, self.workers));
        Arc::clone(self.known().istio.entry(labels.clone()).or_insert_with(new))
    }

    /// Those of forwarded connections between two sides.
    pub(crate) fn istio_tcp(&self, labels: &Labels, security: Security) -> Arc<IstioTcp> {
        let new = || Arc::new(IstioTcp::new(labels, security, self.workers));
        Arc::clone(self.known().istio_tcp.entry((labels.clone(), security)).or_insert_with(new))
    }

    /// Forgets what nobody holds any more: to be called when a configuration has gone.
    pub(crate) fn forget_unused(&self) {
        let mut known = self.known();
        known.clusters.retain(|_, stats| Arc::strong_count(stats) > 1);
        known.http.retain(|_, stats| Arc::strong_count(stats) > 1);
        known.listeners.retain(|_, stats| Arc::strong_count(stats) > 1);
        known.tcp.retain(|_, stats| Arc::strong_count(stats) > 1);
        known.rate_limits.retain(|_, stats| Arc::strong_count(stats) > 1);
        known.istio.retain(|_, stats| Arc::strong_count(stats) > 1);
        known.istio_tcp.retain(|_, stats| Arc::strong_count(stats) > 1);
    }

    /// Sets all counters to 0, as far as anyone can see; histograms stay.
    pub(crate) fn reset_counters(&self) {
        let mut known = self.known();
        known.zeroes.clear();
        let counted = known.samples(&|_| None).into_iter().filter_map(|sample| match sample.value {
            Value::Counter(value) if value > 0 => Some((sample.name, value)),
            _ => None,
        });
        known.zeroes = counted.collect();
    }

    /// Adds everything up. `now` says what a cluster is at this moment.
    pub(crate) fn samples(&self, now: &dyn Fn(&str) -> Option<ClusterNow>) -> Vec<Sample> {
        self.known().samples(now)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn samples(&self, now: &dyn Fn(&str) -> Option<ClusterNow>) -> Vec<Sample> {
        let mut samples = Vec::new();
        self.clusters.iter().for_each(|(name, stats)| stats.samples(name, now(name), &mut samples));
        self.http.iter().for_each(|(prefix, stats)| stats.samples(prefix, &mut samples));
        self.listeners.iter().for_each(|(address, stats)| stats.samples(&address.to_string(), &mut samples));
        self.tcp.iter().for_each(|(prefix, stats)| stats.samples(prefix, &mut samples));
        self.rate_limits.iter().for_each(|(prefix, stats)| stats.samples(prefix, &mut samples));
        self.istio.values().for_each(|stats| stats.samples(&mut samples));
        self.istio_tcp.values().for_each(|stats| stats.samples(&mut samples));
        for sample in &mut samples {
            if let (Value::Counter(value), Some(zero)) = (&mut sample.value, self.zeroes.get(&sample.name)) {
                *value = value.saturating_sub(*zero);
            }
        }
        samples
    }
}
