//! The control task: the only place that changes anything. It ejects and readmits endpoints, and swaps snapshots.

use super::watch::Watch;
use super::{Options, load, tell};
use crate::clock::now;
use crate::cluster::{Cluster, Host};
use crate::health::outlier::{Counters, Decision, Detector, Standing};
use crate::serve::snapshot::Registry;
use crate::serve::{Detected, Shared};
use crate::telemetry::events::EventLog;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How often files are looked at, besides being watched.
const LOOK: Duration = Duration::from_millis(50);

/// Runs until the process ends.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut registry: Registry,
    mut watch: Watch,
    options: Options,
    events: Rc<EventLog>,
    mut detected: mpsc::UnboundedReceiver<Detected>,
) {
    let mut look = tokio::time::interval(LOOK);
    let mut next_ticks: HashMap<String, Instant> = HashMap::new();
    loop {
        tokio::select! {
            Some(detected) = detected.recv() => decide(&shared, &detected, &events),
            _ = look.tick() => {
                if watch.has_changed() {
                    reload(&shared, &mut registry, &options);
                }
                tick(&shared, &mut next_ticks, &events);
            }
        }
    }
}

/// A detection: the endpoint is ejected, unless too many are.
fn decide(shared: &Shared, detected: &Detected, events: &EventLog) {
    let snapshot = shared.snapshot.load();
    let Some(cluster) = snapshot.clusters.get(&*detected.cluster) else { return };
    let Some(parameters) = cluster.outlier() else { return };
    let Some(at) = cluster.hosts.iter().position(|host| host.id == detected.host) else { return };
    let detector = Detector::new(parameters.clone());
    let decision = with_standing(cluster, |endpoints| detector.detected(detected.detection, at, endpoints, now()));
    match decision {
        Decision::Ejected => {
            cluster.stats.ejections.add(1);
            events.log(&cluster.name, cluster.hosts[at].address, "eject", detected.detection.word());
        }
        Decision::Overflow => cluster.stats.ejections_overflow.add(1),
        Decision::AlreadyOut => {}
    }
}

/// The look at each cluster's interval.
fn tick(shared: &Shared, next_ticks: &mut HashMap<String, Instant>, events: &EventLog) {
    let snapshot = shared.snapshot.load();
    next_ticks.retain(|name, _| snapshot.clusters.contains_key(name));
    for (name, cluster) in &snapshot.clusters {
        let Some(parameters) = cluster.outlier() else { continue };
        let next = next_ticks.entry(name.clone()).or_insert_with(|| now() + parameters.interval);
        if now() < *next {
            continue;
        }
        *next += parameters.interval;
        let detector = Detector::new(parameters.clone());
        for back in with_standing(cluster, |endpoints| detector.tick(endpoints, now())) {
            events.log(&cluster.name, cluster.hosts[back].address, "uneject", "time");
        }
    }
}

fn with_standing<T>(cluster: &Cluster, decide: impl FnOnce(&mut [(&Counters, &mut Standing)]) -> T) -> T {
    let hosts: &[Arc<Host>] = &cluster.hosts;
    let mut guards: Vec<MutexGuard<'_, Standing>> = hosts.iter().map(|host| host.standing()).collect();
    let counters = hosts.iter().map(|host| &host.counters);
    let mut endpoints: Vec<_> = counters.zip(guards.iter_mut().map(|guard| &mut **guard)).collect();
    decide(&mut endpoints)
}

/// A new snapshot if the files hold one; otherwise the last good one goes on, and the reason is told.
fn reload(shared: &Shared, registry: &mut Registry, options: &Options) {
    match load(options) {
        Ok(loaded) => {
            let current = shared.snapshot.load().version.clone();
            if loaded.version != current {
                tell(&loaded.warnings);
                eprintln!("configuration {} is live", loaded.version);
                let snapshot = registry.build(loaded.version, loaded.policies, &loaded.endpoints);
                shared.snapshot.store(Arc::new(snapshot));
            }
        }
        Err(findings) => {
            for finding in findings.iter().take(10) {
                eprintln!("refused, the last good configuration goes on: {finding}");
            }
        }
    }
}
