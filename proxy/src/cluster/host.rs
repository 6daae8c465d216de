//! One endpoint as all workers see it.

use super::Load;
use crate::health::Health;
use crate::health::outlier::{Counters, Standing};
use crate::policy::{Address, Endpoint, EndpointHealth, Priority};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// What is known of an endpoint besides what its configuration says. Survives reloads for as long as it is listed.
#[derive(Debug)]
pub(crate) struct Host {
    /// A number that no other endpoint of this process has.
    pub id: u64,
    /// Failures in a row, and whether it is out for them.
    pub counters: Counters,
    active: AtomicU32,
    /// What is under way, for each priority of requests; counted where limits hold for each endpoint.
    load: [Arc<Load>; 2],
    checked: AtomicBool,
    failed_check: AtomicBool,
    degraded: AtomicBool,
    excluded: AtomicBool,
    /// Touched by the control task alone.
    standing: Mutex<Standing>,
    /// Since when it may be used.
    healthy_since: Mutex<Instant>,
    /// Requests sent to it.
    pub requests: AtomicU64,
    /// When it answered last, in nanoseconds; counted where stalls are watched for.
    answered: AtomicU64,
    cuts: Notify,
}

/// An endpoint of a cluster: what is configured, and what is known.
#[derive(Debug)]
pub(crate) struct Member {
    /// What is known.
    pub host: Arc<Host>,
    /// What is configured; its address was looked up.
    pub endpoint: Endpoint,
    /// 0 is used first.
    pub priority: u32,
    /// Which of the cluster's localities it is in.
    pub locality: usize,
    /// It is no longer listed, and stays for as long as it passes its checks.
    pub leaving: bool,
}

impl Member {
    /// Where it listens.
    pub(crate) fn address(&self) -> Address {
        self.endpoint.address.clone()
    }

    /// The same endpoint, asked at another address.
    pub(crate) fn at(&self, address: Address) -> Self {
        let endpoint = Endpoint { address, ..self.endpoint.clone() };
        let (host, leaving) = (Arc::clone(&self.host), self.leaving);
        Self { host, endpoint, priority: self.priority, locality: self.locality, leaving }
    }

    /// What discovery, the detector and the active check say of it together.
    pub(crate) fn health(&self) -> Health {
        let host = &self.host;
        match self.endpoint.health {
            _ if host.is_excluded() => Health::Excluded,
            EndpointHealth::Unhealthy | EndpointHealth::Draining => Health::Unhealthy,
            _ if host.fails_check() || host.counters.is_ejected() => Health::Unhealthy,
            EndpointHealth::Degraded => Health::Degraded,
            EndpointHealth::Healthy if host.is_degraded() => Health::Degraded,
            EndpointHealth::Healthy => Health::Healthy,
        }
    }
}

/// A request under way at an endpoint; over when dropped.
#[derive(Debug)]
pub(crate) struct Active {
    host: Arc<Host>,
    trial: Option<OnTrial>,
}

/// A request on which an endpoint is tried; it has been when this is dropped.
#[derive(Debug)]
pub(crate) struct OnTrial(Arc<Host>);

impl Host {
    /// An endpoint that nothing is known of.
    pub(crate) fn new(now: Instant) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            counters: Counters::default(),
            active: AtomicU32::new(0),
            load: Default::default(),
            checked: AtomicBool::new(false),
            failed_check: AtomicBool::new(false),
            degraded: AtomicBool::new(false),
            excluded: AtomicBool::new(false),
            standing: Mutex::default(),
            healthy_since: Mutex::new(now),
            requests: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            cuts: Notify::new(),
        }
    }

    /// Cuts the connections of bytes to it.
    pub(crate) fn cut(&self) {
        self.cuts.notify_waiters();
    }

    /// Returns once it is cut off.
    pub(crate) async fn is_cut(&self) {
        self.cuts.notified().await;
    }

    /// Failing its active check.
    pub(crate) fn fails_check(&self) -> bool {
        self.failed_check.load(Ordering::Relaxed)
    }

    /// What its active check says now.
    pub(crate) fn set_failed_check(&self, failed: bool) {
        self.failed_check.store(failed, Ordering::Relaxed);
    }

    /// Whether it is checked at all, from now on: one that has never been waits for its first check, and does not count until then if
    /// `ignored`. True if this is news.
    pub(crate) fn follow_checks(&self, checked: bool, ignored: bool) -> bool {
        let news = self.checked.swap(checked, Ordering::Relaxed) != checked;
        if news {
            self.set_failed_check(checked);
            self.set_degraded(false);
            self.set_excluded(checked && ignored);
        }
        news
    }

    /// It is checked, and passes.
    pub(crate) fn passes_checks(&self) -> bool {
        self.checked.load(Ordering::Relaxed) && !self.fails_check()
    }

    /// It said that it does less well.
    pub(crate) fn is_degraded(&self) -> bool {
        self.degraded.load(Ordering::Relaxed)
    }

    /// What its active check says of that now.
    pub(crate) fn set_degraded(&self, degraded: bool) {
        self.degraded.store(degraded, Ordering::Relaxed);
    }

    /// It counts for nothing: it said that it fails, or has never been asked.
    pub(crate) fn is_excluded(&self) -> bool {
        self.excluded.load(Ordering::Relaxed)
    }

    /// Takes it out of all counts, or back.
    pub(crate) fn set_excluded(&self, excluded: bool) {
        self.excluded.store(excluded, Ordering::Relaxed);
    }

    /// Since when it may be used.
    pub(crate) fn healthy_since(&self) -> Instant {
        *self.healthy_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It may be used from now on.
    pub(crate) fn set_healthy_since(&self, now: Instant) {
        *self.healthy_since.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// What is under way, where that is counted.
    pub(crate) fn load(&self, priority: Priority) -> &Arc<Load> {
        let [ordinary, high] = &self.load;
        match priority {
            Priority::Default => ordinary,
            Priority::High => high,
        }
    }

    /// Requests under way.
    pub(crate) fn active(&self) -> u32 {
        self.active.load(Ordering::Relaxed)
    }

    /// Begins a request.
    pub(crate) fn begin(self: &Arc<Self>) -> Active {
        self.active.fetch_add(1, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        Active { host: Arc::clone(self), trial: self.tried() }
    }

    /// If the endpoint is on trial, by one more request from now on.
    pub(crate) fn tried(self: &Arc<Self>) -> Option<OnTrial> {
        let trial = &self.counters.trial;
        trial.is_on().then(|| {
            trial.enter();
            OnTrial(Arc::clone(self))
        })
    }

    /// It has answered at this time, in nanoseconds.
    pub(crate) fn set_answered(&self, nanos: u64) {
        self.answered.store(nanos, Ordering::Relaxed);
    }

    /// True if it has answered since.
    pub(crate) fn has_answered_since(&self, nanos: u64) -> bool {
        self.answered.load(Ordering::Relaxed) > nanos
    }

    /// Its record of ejections.
    pub(crate) fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.host.active.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Active {
    /// The head of the answer has come, which is all that a trial waits for.
    pub(crate) fn answered(&mut self) {
        self.trial = None;
    }
}

impl Drop for OnTrial {
    fn drop(&mut self) {
        self.0.counters.trial.leave();
    }
}
