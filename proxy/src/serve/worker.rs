//! One worker: a thread with a runtime, connections and random numbers of its own.

mod leaving;
mod listener;
mod pressure;
mod pulse;
mod shared;

pub(crate) use leaving::Leaving;
pub(super) use listener::Opened;
pub(crate) use pressure::Pressure;
pub(crate) use pulse::Pulse;
pub(crate) use shared::{Phase, Seen, Shared, Socket, Told};

use super::alarms::Alarms;
use super::snapshot::{ChainId, HttpService, ListenerId, Snapshot};
use crate::balance::{Turn, Wish};
use crate::clock::{monotonic_nanos, now};
use crate::cluster::{Bound, Cluster, Host, Lifetime, Member, Pools};
use crate::health::outlier::{Detection, Outcome};
use crate::policy::Address;
use crate::telemetry::metrics::{self, ClusterCounter};
use nix::sys::socket::{Shutdown, shutdown};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::MissedTickBehavior;

/// How often a worker shows that it comes round.
const BEAT: Duration = Duration::from_millis(100);

/// How often idle connections are looked through.
const TIDY: Duration = Duration::from_secs(1);

/// How long what is cut off at the end of a drain may take to say so in the log.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A worker's own things.
pub(crate) struct Worker {
    /// What it shares.
    pub shared: Arc<Shared>,
    /// Its connections to endpoints.
    pub pools: Pools,
    /// Its timers for what is nearly always there in time.
    pub(super) alarms: Alarms,
    /// Its random numbers.
    pub rng: RefCell<ChaCha8Rng>,
    /// Whose numbers it counts.
    pub shard: metrics::Worker,
    /// Its place among the workers.
    number: u16,
    /// Its place in each cluster's rotation.
    turns: RefCell<foldhash::HashMap<u64, Turn>>,
    /// The date as fields have it, and the second for which it holds.
    date: RefCell<(u64, [u8; 29])>,
    connections: Cell<u64>,
    /// Wakes its own connections when the proxy drains or loses chains; nothing that workers share is touched for that.
    departures: Notify,
    /// Clients' sockets, to cut off whoever is still there when the drain is over.
    clients: RefCell<HashSet<RawFd>>,
    /// When that is; none while the process is to go on.
    ending: Cell<Option<Instant>>,
    /// Ends connections of bytes then.
    ends: Notify,
}

impl Worker {
    /// Runs a worker to the end of its drain. `seed` is its own.
    pub(crate) fn run(
        shared: Arc<Shared>,
        told: mpsc::UnboundedReceiver<Told>,
        number: u16,
        seed: u64,
    ) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shard = metrics::Worker::number(number);
        let worker = Rc::new(Self {
            shared,
            pools: Pools::new(shard),
            alarms: Alarms::default(),
            rng: RefCell::new(ChaCha8Rng::seed_from_u64(seed)),
            shard,
            number,
            turns: RefCell::default(),
            date: RefCell::new((0, [b' '; 29])),
            connections: Cell::new(0),
            departures: Notify::new(),
            clients: RefCell::default(),
            ending: Cell::new(None),
            ends: Notify::new(),
        });
        LocalSet::new().block_on(&runtime, worker.serve(told))
    }

    async fn serve(self: Rc<Self>, mut told: mpsc::UnboundedReceiver<Told>) -> io::Result<()> {
        let mut listeners = JoinSet::new();
        let mut leave: HashMap<ListenerId, Rc<Notify>> = HashMap::new();
        let mut phase = self.shared.phase.clone();
        let mut tidy = tokio::time::interval(TIDY);
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(told) = told.recv() => match told {
                    Told::Listen(socket) => {
                        let leaves = Rc::new(Notify::new());
                        leave.insert(socket.listener, Rc::clone(&leaves));
                        listeners.spawn_local(Rc::clone(&self).listen(socket, leaves));
                    }
                    Told::Leave(listener) => leave.remove(&listener).iter().for_each(|leaves| leaves.notify_one()),
                    Told::ChainsLeave => self.departures.notify_waiters(),
                    Told::Close(host) => self.pools.close(host),
                },
                Some(_) = listeners.join_next(), if !listeners.is_empty() => {}
                _ = tidy.tick() => self.tidy(),
                _ = beat.tick() => self.beat(),
                changed = phase.changed(), if self.ending.get().is_none() => {
                    // A control task that is gone means the same.
                    if changed.is_err() || *phase.borrow_and_update() == Phase::Ending {
                        self.ending.set(Some(now() + self.shared.patience));
                    }
                    self.departures.notify_waiters();
                }
                () = self.alarms.until(self.ending.get()), if self.ending.get().is_some() => break,
            }
            if self.ending.get().is_some() && listeners.is_empty() {
                return Ok(());
            }
        }
        self.cut_off();
        let all_ended = async { while listeners.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_WORDS, all_ended).await;
        Ok(())
    }

    /// Ends whatever clients still have under way, as if they had gone.
    fn cut_off(&self) {
        self.ends.notify_waiters();
        for client in &*self.clients.borrow() {
            // One that has gone by itself needs no more.
            let _ = shutdown(*client, Shutdown::Both);
        }
    }

    /// Returns once the proxy drains.
    pub(super) async fn draining(&self) {
        self.departs(|| self.is_draining()).await;
    }

    /// Returns once a connection by this chain is to be told to go: the proxy drains, or a reload has taken the chain away.
    pub(super) async fn parting(&self, chain: ChainId) {
        self.departs(|| self.is_draining() || self.shared.snapshot.load().http(chain).is_none()).await;
    }

    /// Returns once a connection without a request has to go: nobody is left to answer on its chain, or the process is to end and a
    /// next request was waited for long enough.
    pub(super) async fn dismissed(&self, chain: ChainId, grace: Duration) {
        self.departs(|| self.ending.get().is_some() || !self.serves(chain)).await;
        if self.serves(chain) {
            tokio::time::sleep(grace).await;
        }
    }

    async fn departs(&self, is_so: impl Fn() -> bool) {
        loop {
            let woken = self.departures.notified();
            if is_so() {
                return;
            }
            woken.await;
        }
    }

    /// True once the proxy drains.
    pub(super) fn is_draining(&self) -> bool {
        self.shared.draining.load(Ordering::Relaxed)
    }

    /// Returns once the drain is over.
    pub(super) async fn torn_down(&self) {
        self.ends.notified().await;
    }

    /// True if every answer is the last of its connection: the load balancer in front of this proxy shall go elsewhere.
    pub(super) fn says_goodbye(&self) -> bool {
        self.is_draining() || self.fails_health_check()
    }

    /// True if it was told to fail the health checks of the load balancer in front of this proxy.
    pub(super) fn fails_health_check(&self) -> bool {
        self.shared.fails_health_check.load(Ordering::Relaxed)
    }

    /// The configuration as it is now.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// Who serves the requests of a chain, as configured now.
    pub(super) fn http(&self, chain: ChainId) -> Option<Arc<HttpService>> {
        self.shared.snapshot.load().http(chain).cloned()
    }

    /// The same of a chain that a reload has taken away, as configured last; none once its time is over.
    pub(super) fn leaving(&self, chain: ChainId) -> Option<Arc<HttpService>> {
        self.shared.leaving.load().http(chain).cloned()
    }

    /// Who serves whoever has come by a chain, be it there or leaving.
    pub(super) fn service(&self, chain: ChainId) -> Option<Arc<HttpService>> {
        self.http(chain).or_else(|| self.leaving(chain))
    }

    /// True if there is such a one; nobody's count of holders is touched for that.
    fn serves(&self, chain: ChainId) -> bool {
        let there = self.shared.snapshot.load().http(chain).is_some();
        there || self.shared.leaving.load().http(chain).is_some()
    }

    /// A number for a connection.
    pub(super) fn next_connection(&self) -> u64 {
        self.connections.set(self.connections.get() + 1);
        self.shared.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// The date, as fields have it.
    pub(super) fn http_date(&self) -> [u8; 29] {
        let second = crate::clock::unix_seconds();
        let mut date = self.date.borrow_mut();
        if date.0 != second {
            *date = (second, crate::clock::http_date(second));
        }
        date.1
    }

    /// Picks an endpoint of a cluster, or that where the client was going. None: none may be used.
    pub(super) fn pick(
        &self,
        cluster: &Cluster,
        wish: &Wish<'_>,
        bound: Bound,
        destination: Option<SocketAddr>,
    ) -> Option<Arc<Member>> {
        if let Some(met) = destination.and_then(|address| cluster.meet(address)) {
            return Some(met);
        }
        let rng = &mut *self.rng.borrow_mut();
        let mut turns = self.turns.borrow_mut();
        let turn = turns.entry(cluster.id()).or_insert_with(|| Turn::new(rng.random()));
        cluster.pick(turn, wish, bound, rng, self.shard)
    }

    /// Tells the detector of an endpoint what a try has shown.
    pub(super) fn observe(&self, cluster: &Cluster, host: &Host, outcome: Outcome) {
        let Some(parameters) = cluster.outlier() else { return };
        if cluster.policy.beyond.stalled && outcome.is_answer() {
            host.set_answered(monotonic_nanos());
        }
        host.counters
            .observe(outcome, parameters)
            .into_iter()
            .flatten()
            .for_each(|found| self.tell(cluster, host, found));
    }

    /// Tells the detector of a request that has waited so long for its answer, if others answer meanwhile.
    pub(super) fn stalled(&self, cluster: &Cluster, host: &Host, waited: Duration) {
        let Some(parameters) = cluster.outlier() else { return };
        let since = monotonic_nanos().saturating_sub(waited.as_nanos() as u64);
        let mut others = cluster.members.iter().filter(|member| member.host.id != host.id);
        if others.any(|member| member.host.has_answered_since(since)) {
            host.counters.stalled(parameters).into_iter().for_each(|found| self.tell(cluster, host, found));
        }
    }

    fn tell(&self, cluster: &Cluster, host: &Host, detection: Detection) {
        let cluster = Arc::clone(&cluster.name);
        // Without a control task the process is on its way out.
        let _ = self.shared.seen.send(Seen::Detected { cluster, host: host.id, detection });
    }

    /// An endpoint asks to be left out until it passes its checks.
    pub(super) fn exclude(&self, cluster: Option<&Cluster>, address: Option<&Address>) {
        let checked = cluster.filter(|cluster| !cluster.policy.health_checks.is_empty());
        if let Some((cluster, member)) = checked.and_then(|cluster| Some((cluster, cluster.member(address)?))) {
            cluster.stats.count(self.shard, ClusterCounter::CheckPassiveFailure);
            let seen = Seen::AskedOut { cluster: Arc::clone(&cluster.name), host: member.host.id };
            let _ = self.shared.seen.send(seen);
        }
    }

    fn beat(&self) {
        if let Some(pulse) = self.shared.pulses.get(usize::from(self.number)) {
            pulse.beat(monotonic_nanos());
        }
    }

    fn tidy(&self) {
        let snapshot = self.shared.snapshot.load();
        let mut listed = HashMap::new();
        for cluster in snapshot.clusters.values() {
            let options = &cluster.policy.connections;
            let lifetime = Lifetime { idle: options.idle_timeout, age: options.max_duration };
            listed.extend(cluster.tidied().into_iter().map(|host| (host, lifetime)));
        }
        self.pools.tidy(|host| listed.get(&host).copied());
        let known: HashSet<u64> = snapshot.clusters.values().map(|cluster| cluster.id()).collect();
        self.turns.borrow_mut().retain(|id, _| known.contains(id));
    }
}
