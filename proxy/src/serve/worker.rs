//! One worker: a thread with a runtime, connections and random numbers of its own.

use super::accept;
use super::snapshot::{ChainId, HttpService, ListenerId, Snapshot, Telemetry};
use crate::balance::{Turn, Wish};
use crate::clock::monotonic_nanos;
use crate::cluster::{Bound, Cluster, Host, Lifetime, Member, Pools};
use crate::health::outlier::{Detection, Outcome};
use crate::net::{self, Scarcity};
use crate::policy::Address;
use crate::telemetry::access_log::AccessLog;
use crate::telemetry::messages::Level;
use crate::telemetry::metrics::{self, ClusterCounter, ListenerCounter, ListenerStats};
use arc_swap::ArcSwap;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinSet, LocalSet};

/// How often idle connections are looked through.
const TIDY: Duration = Duration::from_secs(1);

/// What a request has shown that the control task decides on.
#[derive(Debug)]
pub(crate) enum Seen {
    /// A threshold was reached at an endpoint.
    Detected {
        /// The cluster.
        cluster: Arc<str>,
        /// The endpoint, by its number.
        host: u64,
        /// What.
        detection: Detection,
    },
    /// An endpoint asked to be left out until it passes its checks.
    AskedOut {
        /// The cluster.
        cluster: Arc<str>,
        /// The endpoint, by its number.
        host: u64,
    },
}

/// A socket on which a worker takes connections.
#[derive(Debug)]
pub(crate) struct Socket {
    /// Of which listener.
    pub listener: ListenerId,
    /// Its numbers.
    pub stats: Arc<ListenerStats>,
    /// Connections of the listener, over all workers.
    pub open: Arc<AtomicU32>,
    /// Most of them at once.
    pub most: Option<u32>,
    /// The socket itself.
    pub socket: std::net::TcpListener,
}

/// What a worker is told while it runs.
#[derive(Debug)]
pub(crate) enum Told {
    /// Take connections here, too.
    Listen(Socket),
    /// Take no more of them for this listener; those that are there go on.
    Leave(ListenerId),
    /// Close connections to this endpoint.
    Close(u64),
}

/// What all workers share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The configuration; a request takes it once and lives with it.
    pub snapshot: ArcSwap<Snapshot>,
    /// Where what requests have shown goes.
    pub seen: mpsc::UnboundedSender<Seen>,
    /// Where all requests are logged besides, if they are.
    pub access_log: Option<AccessLog>,
    /// All numbers and logs.
    pub telemetry: Arc<Telemetry>,
    /// Becomes true when no more requests are to be taken; whoever sets it wakes [`Self::drained`] too.
    pub draining: AtomicBool,
    /// Wakes each worker once to look at `draining`.
    pub drained: watch::Receiver<bool>,
    /// It was told to fail the health checks of the load balancer in front of this proxy.
    pub fails_health_check: AtomicBool,
    /// Longest wait for requests under way when draining.
    pub patience: Duration,
    /// Connections so far, over all workers.
    pub connections: AtomicU64,
    /// Connections of clients now, over all listeners.
    pub open: AtomicU32,
    /// Limit on client connections; further ones are closed at once.
    pub most_open: u32,
    /// Somebody has asked the process to end.
    pub quit: Notify,
    /// Somebody has asked that no more connections be taken.
    pub drain: Notify,
    /// The same for those listeners alone that are on the service's side.
    pub drain_inbound: Notify,
    /// Why the newest configuration was refused; nothing if it was not.
    pub refused: ArcSwap<Option<String>>,
    /// Configurations that were put to use after the first.
    pub reloads: AtomicU64,
    /// Those that were refused.
    pub reloads_refused: AtomicU64,
    /// Where listeners came to be, by name.
    pub bound: ArcSwap<BTreeMap<String, SocketAddr>>,
}

/// A worker's own things.
pub(crate) struct Worker {
    /// What it shares.
    pub shared: Arc<Shared>,
    /// Its connections to endpoints.
    pub pools: Pools,
    /// Its random numbers.
    pub rng: RefCell<ChaCha8Rng>,
    /// Whose numbers it counts.
    pub shard: metrics::Worker,
    /// Its place in each cluster's rotation.
    turns: RefCell<HashMap<u64, Turn>>,
    /// The date as fields have it, and the second for which it holds.
    date: RefCell<(u64, [u8; 29])>,
    connections: Cell<u64>,
    /// Wakes its own idle connections when the proxy drains; nothing that workers share is touched for that.
    drains: Notify,
    /// Cuts off connections when the drain is over.
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
            rng: RefCell::new(ChaCha8Rng::seed_from_u64(seed)),
            shard,
            turns: RefCell::default(),
            date: RefCell::new((0, [b' '; 29])),
            connections: Cell::new(0),
            drains: Notify::new(),
            ends: Notify::new(),
        });
        LocalSet::new().block_on(&runtime, worker.serve(told))
    }

    async fn serve(self: Rc<Self>, mut told: mpsc::UnboundedReceiver<Told>) -> io::Result<()> {
        let mut listeners = JoinSet::new();
        let mut leave: HashMap<ListenerId, Rc<Notify>> = HashMap::new();
        let mut drained = self.shared.drained.clone();
        let mut tidy = tokio::time::interval(TIDY);
        loop {
            tokio::select! {
                Some(told) = told.recv() => match told {
                    Told::Listen(socket) => {
                        let leaves = Rc::new(Notify::new());
                        leave.insert(socket.listener, Rc::clone(&leaves));
                        listeners.spawn_local(Rc::clone(&self).listen(socket, leaves));
                    }
                    Told::Leave(listener) => leave.remove(&listener).iter().for_each(|leaves| leaves.notify_one()),
                    Told::Close(host) => self.pools.close(host),
                },
                Some(_) = listeners.join_next(), if !listeners.is_empty() => {}
                _ = tidy.tick() => self.tidy(),
                // A control task that is gone means the same.
                _ = drained.wait_for(|draining| *draining) => break,
            }
        }
        self.drains.notify_waiters();
        let all_ended = async { while listeners.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(self.shared.patience, all_ended).await;
        self.ends.notify_waiters();
        Ok(())
    }

    /// Takes connections until the proxy drains or this listener goes, and serves them to their ends.
    async fn listen(self: Rc<Self>, socket: Socket, leaves: Rc<Notify>) {
        let Ok(listener) = TcpListener::from_std(socket.socket) else { return };
        let mut clients = JoinSet::new();
        let mut scarcity = Scarcity::default();
        loop {
            tokio::select! {
                accepted = net::accept(&listener) => match accepted {
                    Ok((stream, remote)) => {
                        scarcity.over();
                        let Some(opened) = self.opened(&socket.open, socket.most, &socket.stats) else { continue };
                        // Wrapped in another future it would take twice the room.
                        let served = accept::serve(Rc::clone(&self), socket.listener, stream, remote, opened);
                        clients.spawn_local(served);
                    }
                    Err(error) => {
                        socket.stats.count(self.shard, ListenerCounter::AcceptFailed);
                        let (pause, said) = scarcity.failed(&error, crate::clock::now());
                        let messages = &self.shared.telemetry.messages;
                        let say = |said: &String| messages.say(Level::Error, &format!("no connection can be taken: {said}"));
                        said.iter().for_each(say);
                        // Others may give something back meanwhile.
                        tokio::time::sleep(pause).await;
                    }
                },
                Some(_) = clients.join_next(), if !clients.is_empty() => {}
                () = self.draining() => break,
                () = leaves.notified() => break,
            }
        }
        drop(listener);
        while clients.join_next().await.is_some() {}
    }

    /// A place for a connection that was taken; none: there are too many.
    fn opened(&self, open: &Arc<AtomicU32>, most: Option<u32>, stats: &Arc<ListenerStats>) -> Option<Opened> {
        let count = |counter| stats.count(self.shard, counter);
        if open.fetch_add(1, Ordering::Relaxed) >= most.unwrap_or(u32::MAX) {
            open.fetch_sub(1, Ordering::Relaxed);
            count(ListenerCounter::CxOverflow);
            return None;
        }
        if self.shared.open.fetch_add(1, Ordering::Relaxed) >= self.shared.most_open {
            self.shared.open.fetch_sub(1, Ordering::Relaxed);
            open.fetch_sub(1, Ordering::Relaxed);
            count(ListenerCounter::GlobalCxOverflow);
            return None;
        }
        stats.opened(self.shard);
        Some(Opened {
            since: crate::clock::now(),
            open: Arc::clone(open),
            stats: Arc::clone(stats),
            shard: self.shard,
            shared: Arc::clone(&self.shared),
        })
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

    fn tidy(&self) {
        let snapshot = self.shared.snapshot.load();
        let mut listed = HashMap::new();
        for cluster in snapshot.clusters.values() {
            let options = &cluster.policy.connections;
            let lifetime = Lifetime { idle: options.idle_timeout, age: options.max_duration };
            listed.extend(cluster.tidied().into_iter().map(|host| (host, lifetime)));
        }
        self.pools.tidy(|host| listed.get(&host).copied());
        let known: std::collections::HashSet<u64> = snapshot.clusters.values().map(|cluster| cluster.id()).collect();
        self.turns.borrow_mut().retain(|id, _| known.contains(id));
    }
}

/// A connection that was taken; over when dropped.
pub(super) struct Opened {
    since: Instant,
    open: Arc<AtomicU32>,
    stats: Arc<ListenerStats>,
    shard: metrics::Worker,
    shared: Arc<Shared>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
        self.stats.closed(self.shard, crate::clock::now().saturating_duration_since(self.since));
    }
}
