//! The control task: the only place that changes anything. It ejects and readmits endpoints, and swaps snapshots.

use super::checks::{self, Checks};
use super::load::load;
use super::names::Names;
use super::sockets::Sockets;
use super::watch::Watch;
use super::{Error, Options, spans, tell};
use crate::clock::now;
use crate::cluster::{Cluster, Member};
use crate::health::outlier::{Decision, Detection, Detector, Endpoints, Standing};
use crate::serve::snapshot::{Registry, Snapshot};
use crate::serve::{Seen, Shared};
use crate::telemetry::ClusterCounter;
use crate::telemetry::events::EventLog;
use crate::telemetry::metrics::Worker;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// How often spans are sent.
const SPANS: Duration = Duration::from_secs(1);

/// How often files are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Everything that the control task changes, or needs for it.
pub(super) struct Control {
    shared: Arc<Shared>,
    registry: Registry,
    sockets: Sockets,
    names: Names,
    watch: Watch,
    options: Options,
    events: EventLog,
    rng: ChaCha8Rng,
    /// When each cluster's detector looks next.
    ticks: HashMap<u64, Instant>,
    checks: Checks,
    drain: watch::Sender<bool>,
}

impl Control {
    #[allow(clippy::too_many_arguments, reason = "whatever changes anything is handed to the one who may")]
    pub(super) fn new(
        shared: Arc<Shared>,
        registry: Registry,
        sockets: Sockets,
        names: Names,
        watch: Watch,
        options: Options,
        events: EventLog,
        drain: watch::Sender<bool>,
    ) -> Self {
        // Another than any worker's.
        let rng = ChaCha8Rng::seed_from_u64(options.seed ^ u64::MAX);
        let (ticks, checks) = (HashMap::new(), Checks::default());
        Self { shared, registry, sockets, names, watch, options, events, rng, ticks, checks, drain }
    }

    /// Runs until the process is told to stop. `ready` is called once it is known which endpoints may be used.
    pub(super) async fn run(
        mut self,
        mut seen: mpsc::UnboundedReceiver<Seen>,
        ready: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (found_by_checks, mut found) = mpsc::unbounded_channel();
        self.first_checks().await;
        ready()?;
        let mut look = tokio::time::interval(LOOK);
        let mut send_spans = tokio::time::interval(SPANS);
        loop {
            tokio::select! {
                biased;
                _ = term.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
                () = self.shared.quit.notified() => return Ok(()),
                () = self.shared.drain.notified() => self.drain(),
                Some(seen) = seen.recv() => self.seen(&seen),
                Some(found) = found.recv() => self.found(&found),
                _ = send_spans.tick() => spans::send_waiting(&self.shared.snapshot.load(), &mut self.rng),
                _ = look.tick() => {
                    if self.watch.has_changed() {
                        self.reload();
                    }
                    if self.names.next().is_some_and(|due| due <= now()) && self.names.look_up_due().await {
                        self.rebuild();
                    }
                    self.tick();
                    let snapshot = self.shared.snapshot.load_full();
                    self.checks.ask_due(&snapshot, &mut self.rng, &found_by_checks);
                }
            }
        }
    }

    /// No more connections are taken, and those that idle are ended; the process goes on.
    fn drain(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
        // Workers that are gone need not be told.
        let _ = self.drain.send(true);
    }

    /// Asks every endpoint that is checked once, so that a proxy that says it is ready knows which it may use.
    async fn first_checks(&mut self) {
        let snapshot = self.shared.snapshot.load_full();
        for found in self.checks.first_round(&snapshot).await {
            self.found(&found);
        }
    }

    /// What a check has found.
    fn found(&mut self, found: &checks::Found) {
        let snapshot = self.shared.snapshot.load_full();
        let Some((cluster, member)) = listed(&snapshot, &found.cluster, found.host) else { return };
        let taken = self.checks.take(cluster, member, found, &mut self.rng);
        if taken.close {
            self.sockets.close(member.host.id);
        }
        let ends = taken.passed
            && cluster.outlier().is_some_and(|parameters| {
                let detector = Detector::new(parameters.clone());
                detector.check_passed(&member.host.counters, &mut member.host.standing(), now())
            });
        if ends {
            self.events.log(&cluster.name, &member.endpoint.address, "uneject", "active-check");
        }
        if taken.changed || ends {
            cluster.refresh();
        }
    }

    /// What a request has shown.
    fn seen(&mut self, seen: &Seen) {
        let snapshot = self.shared.snapshot.load_full();
        match seen {
            Seen::Detected { cluster, host, detection } => {
                let Some(cluster) = snapshot.cluster(cluster) else { return };
                let Some(at) = cluster.members.iter().position(|member| member.host.id == *host) else { return };
                let Some(parameters) = cluster.outlier() else { return };
                let detector = Detector::new(parameters.clone());
                let decision = with_standing(cluster, |endpoints| {
                    detector.detected(*detection, at, endpoints, now(), &mut self.rng)
                });
                self.decided(cluster, at, *detection, decision);
            }
            Seen::AskedOut { cluster, host } => {
                if let Some((cluster, member)) = listed(&snapshot, cluster, *host)
                    && self.checks.asked_out(member)
                {
                    cluster.refresh();
                }
            }
        }
    }

    /// Counts a decision, and carries it out.
    fn decided(&self, cluster: &Cluster, at: usize, detection: Detection, decision: Decision) {
        let count = |counter| cluster.stats.count(Worker::CONTROL, counter);
        let (detected, enforced) = counters(detection);
        if decision != Decision::AlreadyOut {
            count(detected);
        }
        match decision {
            Decision::Ejected => {
                count(enforced);
                count(ClusterCounter::EjectionsEnforcedTotal);
                cluster.refresh();
                if let Some(member) = cluster.members.get(at) {
                    self.events.log(&cluster.name, &member.endpoint.address, "eject", detection.word());
                }
            }
            Decision::Overflow => count(ClusterCounter::EjectionsOverflow),
            Decision::NotEnforced | Decision::AlreadyOut => {}
        }
    }

    /// The look at each cluster's interval.
    fn tick(&mut self) {
        let snapshot = self.shared.snapshot.load_full();
        let known: std::collections::HashSet<u64> = snapshot.clusters.values().map(|cluster| cluster.id()).collect();
        self.ticks.retain(|id, _| known.contains(id));
        for cluster in snapshot.clusters.values() {
            let Some(parameters) = cluster.outlier() else { continue };
            let next = self.ticks.entry(cluster.id()).or_insert_with(|| now() + parameters.interval);
            if now() < *next {
                continue;
            }
            *next += parameters.interval;
            let detector = Detector::new(parameters.clone());
            let tick = with_standing(cluster, |endpoints| detector.tick(endpoints, now(), &mut self.rng));
            for back in &tick.back {
                self.events.log(&cluster.name, &cluster.members[*back].endpoint.address, "uneject", "time");
            }
            if !tick.back.is_empty() {
                cluster.refresh();
            }
            for judged in &tick.judged {
                self.decided(cluster, judged.at, judged.detection, judged.decision);
            }
        }
    }

    /// A new snapshot if the files hold one; otherwise the last good one goes on, and the reason is told.
    fn reload(&mut self) {
        let loaded = match load(&self.options) {
            Ok(loaded) => loaded,
            Err(findings) => {
                let told: Vec<_> = findings.iter().take(10).map(ToString::to_string).collect();
                return self.refuse(&told.join("\n"));
            }
        };
        if loaded.version == self.shared.snapshot.load().version {
            return;
        }
        tell(&loaded.warnings);
        self.names.follow(&loaded.config);
        match self.swap(loaded.version, loaded.config) {
            Ok(version) => eprintln!("configuration {version} is live"),
            Err(reason) => self.refuse(&reason),
        }
    }

    /// The same configuration with names looked up anew.
    fn rebuild(&mut self) {
        let current = self.shared.snapshot.load_full();
        if let Err(reason) = self.swap(current.version.clone(), current.config.clone()) {
            self.refuse(&reason);
        }
    }

    fn swap(&mut self, version: String, config: crate::policy::Config) -> Result<String, String> {
        let built = self.registry.build(version, config, self.names.resolved());
        let snapshot = built.map_err(|error| error.to_string())?;
        let orders = self.sockets.follow(&snapshot, self.sockets.workers()).map_err(|error| error.to_string())?;
        let version = snapshot.version.clone();
        // Who is told to listen finds its listener configured.
        self.shared.snapshot.store(Arc::new(snapshot));
        self.sockets.tell(orders);
        self.shared.refused.store(Arc::new(None));
        self.shared.reloads.fetch_add(1, Ordering::Relaxed);
        self.shared.bound.store(Arc::new(self.sockets.addresses(&self.shared.snapshot.load())));
        self.shared.means.metrics.forget_unused();
        self.shared.means.logs.forget_unused();
        Ok(version)
    }

    fn refuse(&self, reason: &str) {
        reason.lines().for_each(|line| eprintln!("refused, the last good configuration goes on: {line}"));
        self.shared.refused.store(Arc::new(Some(reason.to_owned())));
        self.shared.reloads_refused.fetch_add(1, Ordering::Relaxed);
    }
}

fn listed<'s>(snapshot: &'s Snapshot, cluster: &str, host: u64) -> Option<(&'s Arc<Cluster>, &'s Arc<Member>)> {
    let cluster = snapshot.cluster(cluster)?;
    Some((cluster, cluster.members.iter().find(|member| member.host.id == host)?))
}

fn with_standing<T>(cluster: &Cluster, decide: impl FnOnce(Endpoints<'_, '_>) -> T) -> T {
    let mut guards: Vec<MutexGuard<'_, Standing>> =
        cluster.members.iter().map(|member| member.host.standing()).collect();
    let counters = cluster.members.iter().map(|member| &member.host.counters);
    let mut endpoints: Vec<_> = counters.zip(guards.iter_mut().map(|guard| &mut **guard)).collect();
    decide(&mut endpoints)
}

/// What counts a detection, and its enforcement.
fn counters(detection: Detection) -> (ClusterCounter, ClusterCounter) {
    use ClusterCounter as C;
    match detection {
        Detection::Consecutive5xx => (C::DetectedConsecutive5xx, C::EnforcedConsecutive5xx),
        Detection::ConsecutiveGateway => (C::DetectedConsecutiveGateway, C::EnforcedConsecutiveGateway),
        Detection::ConsecutiveLocalOrigin => (C::DetectedConsecutiveLocalOrigin, C::EnforcedConsecutiveLocalOrigin),
        Detection::SuccessRate => (C::DetectedSuccessRate, C::EnforcedSuccessRate),
        Detection::FailurePercentage => (C::DetectedFailurePercentage, C::EnforcedFailurePercentage),
        Detection::LocalOriginSuccessRate => (C::DetectedLocalOriginSuccessRate, C::EnforcedLocalOriginSuccessRate),
        Detection::LocalOriginFailurePercentage => {
            (C::DetectedLocalOriginFailurePercentage, C::EnforcedLocalOriginFailurePercentage)
        }
    }
}
