//! One worker: a thread with a runtime, connections and random numbers of its own.

use super::client;
use super::snapshot::Snapshot;
use crate::cluster::{Cluster, Host, Pools};
use crate::health::outlier::{Detection, Outcome};
use crate::telemetry::access_log::AccessLog;
use arc_swap::ArcSwap;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinSet, LocalSet};

/// How often idle connections are looked through.
const TIDY: Duration = Duration::from_secs(1);

/// Accepting failed for want of something; a pause lets others give some back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// A threshold was reached at an endpoint; the control task decides.
#[derive(Debug)]
pub(crate) struct Detected {
    /// The cluster.
    pub cluster: Arc<str>,
    /// The endpoint, by its number.
    pub host: u64,
    /// What.
    pub detection: Detection,
}

/// What all workers share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The configuration; a request takes it once and lives with it.
    pub snapshot: ArcSwap<Snapshot>,
    /// Where detections go.
    pub detections: mpsc::UnboundedSender<Detected>,
    /// Where requests are logged, if they are.
    pub access_log: Option<AccessLog>,
    /// Becomes true when no more requests are to be taken; whoever sets it wakes [`Self::drained`] too.
    pub draining: AtomicBool,
    /// Wakes each worker once to look at `draining`.
    pub drained: watch::Receiver<bool>,
    /// Longest wait for requests under way when draining.
    pub drain: Duration,
}

/// A worker's own things.
pub(crate) struct Worker {
    /// What it shares.
    pub shared: Arc<Shared>,
    /// Its connections to endpoints.
    pub pools: Pools,
    /// Its random numbers.
    pub rng: RefCell<ChaCha8Rng>,
    /// Its place in every round robin.
    pub turn: Cell<usize>,
    /// Wakes its own idle connections when the proxy drains; nothing that workers share is touched for that.
    drains: Notify,
}

impl Worker {
    /// Runs a worker to the end of its drain. `seed` is its own.
    pub(crate) fn run(
        shared: Arc<Shared>,
        listener: impl FnOnce() -> io::Result<TcpListener>,
        seed: u64,
    ) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let worker = Rc::new(Self {
            shared,
            pools: Pools::default(),
            rng: RefCell::new(ChaCha8Rng::seed_from_u64(seed)),
            turn: Cell::new(seed as usize),
            drains: Notify::new(),
        });
        LocalSet::new().block_on(&runtime, async { worker.serve(listener()?).await })
    }

    async fn serve(self: Rc<Self>, listener: TcpListener) -> io::Result<()> {
        let mut clients = JoinSet::new();
        let mut drained = self.shared.drained.clone();
        let mut tidy = tokio::time::interval(TIDY);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => drop(clients.spawn_local(client::serve(Rc::clone(&self), stream))),
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = clients.join_next(), if !clients.is_empty() => {}
                _ = tidy.tick() => self.tidy(),
                // A control task that is gone means the same.
                _ = drained.wait_for(|draining| *draining) => break,
            }
        }
        drop(listener);
        self.drains.notify_waiters();
        let all_ended = async { while clients.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(self.shared.drain, all_ended).await;
        Ok(())
    }

    /// Returns once the proxy drains.
    pub(super) async fn draining(&self) {
        let woken = self.drains.notified();
        if !self.is_draining() {
            woken.await;
        }
    }

    /// True once the proxy drains.
    pub(super) fn is_draining(&self) -> bool {
        self.shared.draining.load(Ordering::Relaxed)
    }

    /// Tells the detector of an endpoint what a try has shown.
    pub(super) fn observe(&self, cluster: &Cluster, host: &Host, outcome: Outcome) {
        let Some(parameters) = cluster.outlier() else { return };
        for detection in host.counters.observe(outcome, parameters).into_iter().flatten() {
            let detected = Detected { cluster: cluster.name.as_str().into(), host: host.id, detection };
            // Without a control task the process is on its way out.
            let _ = self.shared.detections.send(detected);
        }
    }

    fn tidy(&self) {
        let snapshot = self.shared.snapshot.load();
        let listed: std::collections::HashMap<u64, Option<Duration>> = snapshot
            .clusters
            .values()
            .flat_map(|cluster| cluster.hosts.iter().map(|host| (host.id, cluster.policy.pool.idle_timeout)))
            .collect();
        self.pools.tidy(crate::clock::now(), |id| listed.get(&id).copied());
    }
}
