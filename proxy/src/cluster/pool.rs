//! Connections to endpoints that wait to be used again, and requests that wait for a connection. One of these a worker: no lock.

use super::connection::{Connection, Http1, Http2};
use super::{ConnectError, Host, PoolKey};
use crate::clock::now;
use crate::telemetry::metrics::Worker;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// What a waiting request is given.
pub(super) enum Turn {
    /// A connection.
    Connection(Connection),
    /// A connection went away: there may be room for another.
    TryAgain,
    /// Connecting has failed, for everybody who waited.
    Failed(ConnectError),
}

/// The pool of one endpoint on one worker, for one way of speaking to it.
#[derive(Default)]
pub(super) struct HostPool {
    /// The one used last on top.
    idle: RefCell<Vec<Http1>>,
    streams: RefCell<Vec<Rc<Http2>>>,
    waiting: RefCell<VecDeque<oneshot::Sender<Turn>>>,
    /// Connections of this pool, those being opened included.
    open: Cell<u32>,
    /// Of those, being opened.
    opening: Cell<u32>,
}

/// All pools of one worker.
pub(crate) struct Pools {
    /// Whose numbers count what happens to them.
    pub(super) shard: Worker,
    hosts: RefCell<HashMap<u64, HostPools>>,
}

type HostPools = Vec<(PoolKey, Rc<HostPool>)>;

/// How long connections to an endpoint may idle and live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetime {
    /// Without a request.
    pub idle: Option<Duration>,
    /// At all.
    pub age: Option<Duration>,
}

impl Pools {
    /// None yet.
    pub(crate) fn new(shard: Worker) -> Self {
        Self { shard, hosts: RefCell::default() }
    }

    /// The pool for an endpoint and a way of speaking to it.
    pub(super) fn of(&self, host: &Host, key: &PoolKey) -> Rc<HostPool> {
        let mut hosts = self.hosts.borrow_mut();
        let pools = hosts.entry(host.id).or_default();
        if let Some((_, pool)) = pools.iter().find(|(known, _)| known == key) {
            return Rc::clone(pool);
        }
        let pool = Rc::new(HostPool::default());
        pools.push((key.clone(), Rc::clone(&pool)));
        pool
    }

    /// Pools that an endpoint has.
    pub(super) fn count(&self, host: &Host) -> usize {
        self.hosts.borrow().get(&host.id).map_or(0, Vec::len)
    }

    /// Closes connections that have idled or lived too long, or whose peer has closed; forgets pools of endpoints that are no longer
    /// listed.
    pub(crate) fn tidy(&self, listed: impl Fn(u64) -> Option<Lifetime>) {
        self.hosts.borrow_mut().retain(|id, pools| {
            let lifetime = listed(*id);
            let none = Lifetime { idle: Some(Duration::ZERO), age: None };
            pools.iter().for_each(|(_, pool)| pool.tidy(now(), lifetime.unwrap_or(none)));
            lifetime.is_some() || pools.iter().any(|(_, pool)| pool.open.get() > 0)
        });
    }

    /// Closes what idles at an endpoint, and takes nothing more from the rest.
    pub(crate) fn close(&self, host: u64) {
        for (_, pool) in self.hosts.borrow().get(&host).into_iter().flatten() {
            pool.tidy(now(), Lifetime { idle: Some(Duration::ZERO), age: Some(Duration::ZERO) });
        }
    }
}

impl HostPool {
    /// A connection that can be used at once.
    pub(super) fn take_ready(&self, now: Instant, idle_timeout: Option<Duration>) -> Option<Connection> {
        loop {
            let Some(connection) = self.idle.borrow_mut().pop() else { break };
            let expired = idle_timeout.is_some_and(|limit| now.duration_since(connection.idle_since) >= limit);
            if !expired && connection.source.is_quiet() {
                return Some(Connection::Http1(Box::new(connection)));
            }
            self.gone();
        }
        let streams = self.streams.borrow();
        streams.iter().find_map(Http2::begin).map(Connection::Http2)
    }

    /// Gives a connection back: to whoever has waited longest, or to rest.
    pub(super) fn put_back(&self, mut connection: Http1, now: Instant) {
        connection.idle_since = now;
        connection.source.release();
        connection.sink.release();
        let rest = self.hand_out(Connection::Http1(Box::new(connection)));
        if let Some(Connection::Http1(connection)) = rest {
            self.idle.borrow_mut().push(*connection);
        }
    }

    /// A connection for many streams is there: everybody who waits gets one, as long as there is room.
    pub(super) fn add_streams(&self, connection: &Rc<Http2>) {
        self.streams.borrow_mut().push(Rc::clone(connection));
        self.room(connection);
    }

    /// There is room for another stream.
    pub(super) fn room(&self, connection: &Rc<Http2>) {
        while !self.waiting.borrow().is_empty() {
            let Some(stream) = Http2::begin(connection) else { return };
            if self.hand_out(Connection::Http2(stream)).is_some() {
                return;
            }
        }
    }

    /// A connection for many streams takes no more of them.
    pub(super) fn remove_streams(&self, connection: &Rc<Http2>) {
        self.streams.borrow_mut().retain(|known| !Rc::ptr_eq(known, connection));
    }

    /// To whoever has waited longest; back, if nobody does.
    fn hand_out(&self, connection: Connection) -> Option<Connection> {
        let mut turn = Turn::Connection(connection);
        while let Some(waiter) = self.next_waiting() {
            match waiter.send(turn) {
                Ok(()) => return None,
                // It has given up waiting.
                Err(unused) => turn = unused,
            }
        }
        match turn {
            Turn::Connection(connection) => Some(connection),
            Turn::TryAgain | Turn::Failed(_) => None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.get() == 0
    }

    /// Connections of this pool.
    pub(super) fn open(&self) -> u32 {
        self.open.get()
    }

    /// True if more requests wait than connections are being opened for; one for many streams is for all of them.
    pub(super) fn wants_another(&self, for_many: bool) -> bool {
        let waiting = self.waiting.borrow().iter().filter(|waiter| !waiter.is_closed()).count() as u32;
        if for_many { self.opening.get() == 0 } else { self.opening.get() < waiting }
    }

    /// A connection is being opened.
    pub(super) fn opening(&self) {
        self.open.set(self.open.get() + 1);
        self.opening.set(self.opening.get() + 1);
    }

    /// It has been.
    pub(super) fn opened(&self) {
        self.opening.set(self.opening.get().saturating_sub(1));
    }

    /// It could not be: everybody who waits for one is told.
    pub(super) fn failed(&self, error: &ConnectError) {
        self.opened();
        self.open.set(self.open.get().saturating_sub(1));
        while let Some(waiter) = self.next_waiting() {
            // It may have given up waiting.
            let _ = waiter.send(Turn::Failed(error.clone()));
        }
    }

    /// A connection is not given back; somebody may open another in its place.
    pub(super) fn gone(&self) {
        self.open.set(self.open.get().saturating_sub(1));
        while let Some(waiter) = self.next_waiting() {
            if waiter.send(Turn::TryAgain).is_ok() {
                return;
            }
        }
    }

    pub(super) fn wait(&self) -> oneshot::Receiver<Turn> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.borrow_mut().push_back(sender);
        receiver
    }

    fn next_waiting(&self) -> Option<oneshot::Sender<Turn>> {
        self.waiting.borrow_mut().pop_front()
    }

    fn tidy(&self, now: Instant, lifetime: Lifetime) {
        let too_long =
            |since: Instant, limit: Option<Duration>| limit.is_some_and(|most| now.duration_since(since) >= most);
        let mut idle = self.idle.borrow_mut();
        let before = idle.len();
        idle.retain(|connection| {
            connection.source.is_quiet()
                && !too_long(connection.idle_since, lifetime.idle)
                && !too_long(connection.opened, lifetime.age)
        });
        let closed = before - idle.len();
        drop(idle);
        (0..closed).for_each(|_| self.gone());
        self.streams.borrow_mut().retain(|connection| {
            !connection.is_idle_since(now, lifetime.idle) && !too_long(connection.opened, lifetime.age)
        });
    }
}
