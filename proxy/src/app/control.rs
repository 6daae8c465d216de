//! The control task: the only place that changes anything. It ejects and readmits endpoints, and swaps snapshots.

mod reload;

use super::checks::{self, Checks};
use super::memory::Memory;
use super::names::{LookedUp, Names};
use super::sockets::Sockets;
use super::warming::Warming;
use super::watch::Watch;
use super::{Error, Options, spans};
use crate::clock::now;
use crate::cluster::{Cluster, Member};
use crate::health::merge::Merging;
use crate::health::outlier::{Decision, Detection, Detector, Endpoints, Standing};
use crate::policy::{Direction, memory};
use crate::serve::snapshot::{Registry, Snapshot};
use crate::serve::{Phase, Seen, Shared};
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
    /// Changes of each cluster that its balancer was not told of yet.
    merging: HashMap<u64, Merging>,
    checks: Checks,
    /// Where tasks of this thread tell what they have found.
    tell: mpsc::UnboundedSender<News>,
    /// A configuration that is on its way.
    warming: Option<Warming>,
    /// Addresses have changed, or who stays: the snapshot is to be built anew.
    rebuild_waits: bool,
    phases: watch::Sender<Phase>,
    /// Its limit of memory, if there is one.
    memory: Option<Memory>,
}

/// What a task of the control thread has found.
#[derive(Debug)]
pub(super) enum News {
    Check(checks::Found),
    Name(LookedUp),
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
        tell: mpsc::UnboundedSender<News>,
        phases: watch::Sender<Phase>,
    ) -> Self {
        // A seed that no worker uses.
        let rng = ChaCha8Rng::seed_from_u64(options.seed ^ u64::MAX);
        let memory = memory(&options.inputs.limits).map(Memory::new);
        Self {
            shared,
            registry,
            sockets,
            names,
            watch,
            options,
            events,
            rng,
            ticks: HashMap::new(),
            merging: HashMap::new(),
            checks: Checks::default(),
            tell,
            warming: None,
            rebuild_waits: false,
            phases,
            memory,
        }
    }

    /// Runs until the process was told to end and its workers have. `ready` is called once it is known which endpoints may be used.
    pub(super) async fn run(
        mut self,
        mut seen: mpsc::UnboundedReceiver<Seen>,
        mut news: mpsc::UnboundedReceiver<News>,
        ready: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let shared = Arc::clone(&self.shared);
        tokio::select! {
            biased;
            _ = term.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            () = shared.quit.notified() => return Ok(()),
            () = self.first_checks() => {}
        }
        ready()?;
        let mut look = tokio::time::interval(LOOK);
        let mut send_spans = tokio::time::interval(SPANS);
        loop {
            tokio::select! {
                biased;
                _ = term.recv() => self.enter(Phase::Ending),
                _ = interrupt.recv() => self.enter(Phase::Ending),
                () = self.shared.quit.notified() => self.enter(Phase::Ending),
                () = self.sockets.all_left() => return Ok(()),
                () = self.shared.drain.notified() => self.enter(Phase::Draining),
                () = self.shared.drain_inbound.notified() => self.drain_inbound(),
                Some(seen) = seen.recv() => self.seen(&seen),
                Some(news) = news.recv() => self.learn(news),
                _ = send_spans.tick() => spans::send_waiting(&self.shared.snapshot.load(), &mut self.rng),
                _ = look.tick() => {
                    if let Some(memory) = &mut self.memory {
                        memory.look(&self.shared.pressure);
                    }
                    if self.watch.has_changed() {
                        self.reload();
                    }
                    self.warm();
                    self.names.look_up_due(&self.teller(News::Name));
                    self.tick();
                    self.forget_left();
                    let snapshot = self.shared.snapshot.load_full();
                    let tell = self.teller(News::Check);
                    self.checks.ask_due(&snapshot, &mut self.rng, &tell);
                }
            }
        }
    }

    /// Tells the workers how far the process is on its way out; there is no way back.
    fn enter(&self, phase: Phase) {
        self.shared.draining.store(true, Ordering::Relaxed);
        self.phases.send_if_modified(|now| {
            let is_next = *now != phase && *now != Phase::Ending;
            if is_next {
                *now = phase;
            }
            is_next
        });
    }

    /// Listeners on the service's side take no more connections; those that are open go on.
    fn drain_inbound(&mut self) {
        let snapshot = self.shared.snapshot.load();
        let inbound = |name: &str| {
            let named = snapshot.config.listeners.iter().find(|listener| listener.name == name);
            named.is_some_and(|listener| listener.direction == Direction::Inbound)
        };
        let gone = snapshot.listeners().filter(|(_, runtime)| inbound(&runtime.name)).map(|(id, _)| id);
        self.sockets.leave(gone);
    }

    /// Asks every endpoint that is checked once, so that a proxy that says it is ready knows which it may use.
    async fn first_checks(&mut self) {
        let snapshot = self.shared.snapshot.load_full();
        for found in self.checks.first_round(&snapshot).await {
            self.found(found);
        }
    }

    /// Hands what a task has found to this one.
    fn teller<T: 'static>(&self, news: fn(T) -> News) -> impl Fn(T) + Clone + use<T> {
        let tell = self.tell.clone();
        // Nobody listens any more when the process ends.
        move |found| drop(tell.send(news(found)))
    }

    /// What a task has found.
    fn learn(&mut self, news: News) {
        match news {
            News::Check(found) => match &mut self.warming {
                Some(warming) if warming.waits_for(&found) => {
                    warming.take(found);
                    self.warm();
                }
                _ => self.found(found),
            },
            News::Name(looked_up) => {
                self.rebuild_waits |= self.names.found(looked_up);
                self.warm();
            }
        }
    }

    /// What a check has found.
    fn found(&mut self, found: checks::Found) {
        let snapshot = self.shared.snapshot.load_full();
        let Some((cluster, member)) = listed(&snapshot, &found.cluster, found.host) else { return };
        let taken = self.checks.take(cluster, member, found, &mut self.rng);
        if taken.close {
            self.close(cluster, member);
        }
        let ends = taken.passed
            && cluster.outlier().is_some_and(|parameters| {
                let detector = Detector::new(parameters.clone(), cluster.policy.beyond);
                detector.check_passed(&member.host.counters, &mut member.host.standing(), now())
            });
        if member.host.fails_check() {
            member.host.standing().check_failed(&member.host.counters);
        }
        if ends {
            self.events.log(&cluster.name, &member.endpoint.address, "uneject", "active-check");
        }
        if taken.changed && member.leaving && member.host.fails_check() {
            self.rebuild_waits = true;
            return self.warm();
        }
        if taken.changed || ends {
            self.changed(cluster);
        }
    }

    /// Who has failed is met on new connections: what ailed it may have been those that there are.
    fn close(&self, cluster: &Cluster, member: &Member) {
        self.sockets.close(member.host.id);
        if cluster.policy.close_on_failed_check {
            member.host.cut();
        }
    }

    /// Somebody's health has changed: the balancer is told, now or together with what comes soon.
    fn changed(&mut self, cluster: &Cluster) {
        let merging = self.merging.entry(cluster.id()).or_default();
        if merging.changed(now(), cluster.policy.merge_window) {
            cluster.refresh();
        }
    }

    /// Tells the balancers of what has waited for its window.
    fn tell_merged(&mut self, snapshot: &Snapshot) {
        for cluster in snapshot.clusters.values() {
            if self.merging.get_mut(&cluster.id()).is_some_and(|merging| merging.is_due(now())) {
                cluster.refresh();
            }
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
                let detector = Detector::new(parameters.clone(), cluster.policy.beyond);
                let decision = with_standing(cluster, |endpoints| {
                    detector.detected(*detection, at, endpoints, now(), &mut self.rng)
                });
                self.decided(cluster, at, *detection, decision);
            }
            Seen::AskedOut { cluster, host } => {
                if let Some((cluster, member)) = listed(&snapshot, cluster, *host)
                    && self.checks.asked_out(cluster, member)
                {
                    self.close(cluster, member);
                    self.changed(cluster);
                }
            }
        }
    }

    /// Counts a decision, and carries it out.
    fn decided(&mut self, cluster: &Cluster, at: usize, detection: Detection, decision: Decision) {
        let count = |counter| cluster.stats.count(Worker::CONTROL, counter);
        let own = counters(detection);
        if let Some((detected, _)) = own.filter(|_| decision != Decision::AlreadyOut) {
            count(detected);
        }
        match decision {
            Decision::Ejected => {
                own.into_iter().for_each(|(_, enforced)| count(enforced));
                count(ClusterCounter::EjectionsEnforcedTotal);
                self.changed(cluster);
                if let Some(member) = cluster.members.get(at) {
                    self.close(cluster, member);
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
        self.merging.retain(|id, _| known.contains(id));
        self.tell_merged(&snapshot);
        for cluster in snapshot.clusters.values() {
            let Some(parameters) = cluster.outlier() else { continue };
            let next = self.ticks.entry(cluster.id()).or_insert_with(|| now() + parameters.interval);
            if now() < *next {
                continue;
            }
            *next += parameters.interval;
            let detector = Detector::new(parameters.clone(), cluster.policy.beyond);
            let tick = with_standing(cluster, |endpoints| detector.tick(endpoints, now(), &mut self.rng));
            for back in &tick.back {
                self.events.log(&cluster.name, &cluster.members[*back].endpoint.address, "uneject", "time");
            }
            if !tick.back.is_empty() {
                self.changed(cluster);
            }
            for judged in &tick.judged {
                self.decided(cluster, judged.at, judged.detection, judged.decision);
            }
        }
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

/// What counts a detection, and its enforcement; Envoy's numbers have no place for what goes beyond it.
fn counters(detection: Detection) -> Option<(ClusterCounter, ClusterCounter)> {
    use ClusterCounter as C;
    Some(match detection {
        Detection::Consecutive5xx => (C::DetectedConsecutive5xx, C::EnforcedConsecutive5xx),
        Detection::ConsecutiveGateway => (C::DetectedConsecutiveGateway, C::EnforcedConsecutiveGateway),
        Detection::ConsecutiveLocalOrigin => (C::DetectedConsecutiveLocalOrigin, C::EnforcedConsecutiveLocalOrigin),
        Detection::SuccessRate => (C::DetectedSuccessRate, C::EnforcedSuccessRate),
        Detection::FailurePercentage => (C::DetectedFailurePercentage, C::EnforcedFailurePercentage),
        Detection::LocalOriginSuccessRate => (C::DetectedLocalOriginSuccessRate, C::EnforcedLocalOriginSuccessRate),
        Detection::LocalOriginFailurePercentage => {
            (C::DetectedLocalOriginFailurePercentage, C::EnforcedLocalOriginFailurePercentage)
        }
        Detection::FailedTrial | Detection::Stalled => return None,
    })
}
