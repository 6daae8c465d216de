//! Connections to endpoints that wait to be used again, and requests that wait for a connection. One of these a worker: no lock.

use super::connection::{Connection, Http1, Http2};
use super::{ConnectError, Host, Lifetime};
use crate::clock::now;
use crate::telemetry::metrics::{ClusterStats, Worker};
use crate::telemetry::{ClusterCounter, ClusterTime};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::sync::Arc;
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

/// How a connection has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    /// Amid a request.
    pub active: bool,
    pub opened: Instant,
    /// What else counts it.
    pub why: Option<ClusterCounter>,
}

/// The pool of one endpoint on one worker, for one way of speaking to it.
pub(super) struct HostPool {
    /// Whose it is: nobody forgets an endpoint to which there may be connections.
    _host: Arc<Host>,
    stats: Arc<ClusterStats>,
    shard: Worker,
    /// The one used last on top.
    idle: RefCell<Vec<Http1>>,
    streams: RefCell<Vec<Rc<Http2>>>,
    waiting: RefCell<VecDeque<oneshot::Sender<Turn>>>,
    /// Connections of this pool, those being opened included.
    open: Cell<u32>,
    /// Of those, being opened.
    opening: Cell<u32>,
    /// Connections that were there by then are not used again.
    closed: Cell<Option<Instant>>,
}

impl HostPool {
    pub(super) fn new(host: Arc<Host>, stats: Arc<ClusterStats>, shard: Worker) -> Self {
        Self {
            _host: host,
            stats,
            shard,
            idle: RefCell::default(),
            streams: RefCell::default(),
            waiting: RefCell::default(),
            open: Cell::new(0),
            opening: Cell::new(0),
            closed: Cell::new(None),
        }
    }

    /// Counts something that happens to one of its connections.
    pub(super) fn counts(&self, counter: ClusterCounter) {
        self.stats.count(self.shard, counter);
    }

    /// A connection that can be used at once.
    pub(super) fn take_ready(&self, now: Instant, idle_timeout: Option<Duration>) -> Option<Connection> {
        loop {
            let Some(connection) = self.idle.borrow_mut().pop() else { break };
            let expired = idle_timeout.is_some_and(|limit| now.duration_since(connection.idle_since) >= limit);
            if !expired && connection.ends.is_quiet() {
                return Some(Connection::Http1(connection));
            }
            let why = expired.then_some(ClusterCounter::CxIdleTimeout);
            self.gone(Ended { active: false, opened: connection.opened, why });
        }
        self.take_stream(now, idle_timeout)
    }

    /// A stream on a connection that has neither idled too long nor been told goodbye.
    fn take_stream(&self, now: Instant, idle_timeout: Option<Duration>) -> Option<Connection> {
        let expired = |connection: &&Rc<Http2>| {
            idle_timeout.zip(connection.idle_since()).is_some_and(|(limit, since)| now.duration_since(since) >= limit)
        };
        loop {
            let found = self.streams.borrow().iter().find(expired).cloned();
            let Some(connection) = found else { break };
            Http2::close(&connection, Some(ClusterCounter::CxIdleTimeout));
        }
        loop {
            let stream = self.streams.borrow().iter().find_map(Http2::begin)?;
            let connection = Connection::Http2(stream);
            if connection.is_ready() {
                return Some(connection);
            }
        }
    }

    /// Gives a connection back: to whoever has waited longest, or to rest.
    pub(super) fn put_back(&self, mut connection: Http1, now: Instant) {
        connection.idle_since = now;
        if self.closed.get().is_some_and(|closed| connection.opened <= closed) {
            return self.gone(Ended { active: false, opened: connection.opened, why: None });
        }
        connection.ends.release();
        if let Some(Connection::Http1(connection)) = self.hand_out(Connection::Http1(connection)) {
            self.idle.borrow_mut().push(connection);
        }
    }

    /// A connection for many streams is there: everybody who waits gets one, as long as there is room.
    pub(super) fn add_streams(&self, connection: Rc<Http2>) -> Weak<Http2> {
        let (weak, used) = (Rc::downgrade(&connection), Rc::clone(&connection));
        // Known before it is used: whoever closes it takes it out.
        self.streams.borrow_mut().push(connection);
        self.room(&used);
        // Whoever is left has no room on it.
        self.try_again();
        weak
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

    /// True if it has a connection, or somebody who waits for one or holds one.
    pub(super) fn is_used(self: &Rc<Self>) -> bool {
        !self.is_empty() || Rc::strong_count(self) > 1
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

    /// It could not be opened: everybody who waits for one is told. Returns how many were told.
    pub(super) fn failed(&self, error: &ConnectError) -> u64 {
        self.opened();
        self.open.set(self.open.get().saturating_sub(1));
        let mut told = 0;
        while let Some(waiter) = self.next_waiting() {
            // It may have given up waiting.
            told += u64::from(waiter.send(Turn::Failed(error.clone())).is_ok());
        }
        told
    }

    /// A connection is not given back; somebody may open another in its place.
    pub(super) fn gone(&self, ended: Ended) {
        self.counts(ClusterCounter::CxDestroy);
        if ended.active {
            self.counts(ClusterCounter::CxDestroyWithActiveRq);
        }
        ended.why.into_iter().for_each(|why| self.counts(why));
        self.stats.took(self.shard, ClusterTime::CxLength, now().saturating_duration_since(ended.opened));
        self.open.set(self.open.get().saturating_sub(1));
        self.try_again();
    }

    /// Whoever has waited longest may open another connection.
    fn try_again(&self) {
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

    /// Closes what has idled or lived too long, or whose peer is gone or says goodbye.
    pub(super) fn tidy(&self, now: Instant, lifetime: Lifetime) {
        let why = |idle_since: Option<Instant>, opened: Instant| {
            let too_long =
                |since: Instant, limit: Option<Duration>| limit.is_some_and(|most| now.duration_since(since) >= most);
            match idle_since {
                Some(since) if too_long(since, lifetime.idle) => Some(ClusterCounter::CxIdleTimeout),
                _ => too_long(opened, lifetime.age).then_some(ClusterCounter::CxMaxDurationReached),
            }
        };
        let closed = |connection: &mut Http1| {
            let why = why(Some(connection.idle_since), connection.opened);
            why.is_some() || !connection.ends.is_quiet()
        };
        let closed: Vec<_> = self.idle.borrow_mut().extract_if(.., closed).collect();
        for connection in closed {
            let why = why(Some(connection.idle_since), connection.opened);
            self.gone(Ended { active: false, opened: connection.opened, why });
        }
        let streams = self.streams.borrow().clone();
        for connection in streams.iter().filter(|connection| Http2::is_ready(connection)) {
            if let Some(why) = why(connection.idle_since(), connection.opened) {
                Http2::close(connection, Some(why));
            }
        }
    }

    /// Closes what idles, and takes nothing more from what there is now.
    pub(super) fn close(&self, now: Instant) {
        self.closed.set(Some(now));
        self.drain();
    }

    /// Closes what idles, and takes no more streams from the rest.
    pub(super) fn drain(&self) {
        let idle = self.idle.take();
        idle.iter().for_each(|connection| self.gone(Ended { active: false, opened: connection.opened, why: None }));
        self.streams.take().iter().for_each(|connection| Http2::close(connection, None));
    }
}
