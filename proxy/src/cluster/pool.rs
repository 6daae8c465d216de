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
use tokio::sync::oneshot::{self, error::TryRecvError};

/// Places of requests that have given up waiting, which are not worth looking for.
const MOST_GONE: usize = 16;

/// What a waiting request is given.
pub(super) enum Turn {
    /// A connection.
    Connection(Connection),
    /// A connection went away: there may be room for another.
    TryAgain,
    /// Connecting has failed, for everybody who waited.
    Failed(ConnectError),
}

/// A place in the queue of a pool. Whoever gives it up passes on what it was given meanwhile.
pub(super) struct Waiter<'a> {
    pool: &'a HostPool,
    turn: oneshot::Receiver<Turn>,
}

impl Waiter<'_> {
    /// Waits for its turn; none if the pool is gone.
    pub(super) async fn turn(&mut self) -> Option<Turn> {
        (&mut self.turn).await.ok()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let given = self.turn.try_recv();
        // Nobody gives it anything from here on.
        self.turn.close();
        match given {
            Ok(Turn::Connection(connection)) => connection.put_back(self.pool),
            Ok(Turn::TryAgain) => self.pool.try_again(),
            Err(TryRecvError::Empty) => self.pool.pending.set(self.pool.pending.get() - 1),
            // It has had its turn.
            Ok(Turn::Failed(_)) | Err(TryRecvError::Closed) => {}
        }
    }
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
    /// Whoever has waited longest in front; those who have given up are passed over when they come to the front.
    waiting: RefCell<VecDeque<oneshot::Sender<Turn>>>,
    /// Of those, who still wait.
    pending: Cell<u32>,
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
            pending: Cell::new(0),
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
        match self.give(Turn::Connection(connection))? {
            Turn::Connection(connection) => Some(connection),
            Turn::TryAgain | Turn::Failed(_) => None,
        }
    }

    /// The same with any turn.
    fn give(&self, mut turn: Turn) -> Option<Turn> {
        loop {
            let Some(waiter) = self.waiting.borrow_mut().pop_front() else { return Some(turn) };
            match waiter.send(turn) {
                Ok(()) => {
                    self.pending.set(self.pending.get() - 1);
                    return None;
                }
                // It has given up waiting.
                Err(unused) => turn = unused,
            }
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
        self.opening.get() < if for_many { 1 } else { self.pending.get() }
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
        while self.give(Turn::Failed(error.clone())).is_none() {
            told += 1;
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
        self.give(Turn::TryAgain);
    }

    /// A place at the end of the queue.
    pub(super) fn wait(&self) -> Waiter<'_> {
        let (sender, turn) = oneshot::channel();
        let mut waiting = self.waiting.borrow_mut();
        // Whoever has given up takes no more room than those who wait.
        if waiting.len() > 2 * self.pending.get() as usize + MOST_GONE {
            waiting.retain(|waiter| !waiter.is_closed());
        }
        waiting.push_back(sender);
        self.pending.set(self.pending.get() + 1);
        Waiter { pool: self, turn }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Ends, Load};
    use crate::net::Transport;
    use crate::telemetry::metrics::Registry;
    use crate::wire::{Sink, Source, http1};
    use squall_http1::Limits;
    use tokio::net::UnixStream;

    fn pool() -> HostPool {
        HostPool::new(Arc::new(Host::new(now())), Registry::new(1).cluster("cart"), Worker::CONTROL)
    }

    /// A connection of this pool, and its other end.
    fn opened(pool: &HostPool) -> (Http1, UnixStream) {
        pool.opening();
        pool.opened();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (reader, writer) = Transport::from(ours).split();
        let source = Source::Http1(http1::Source::new(reader, Limits::default()));
        let ends = Box::new(Ends { source, sink: Sink::Http1(http1::Sink::new(writer)) });
        let slot = Arc::new(Load::default()).take(|load| &load.connections, 1).unwrap();
        let opened = now();
        (Http1 { ends, requests: 0, opened, idle_since: opened, local: None, _slot: slot }, theirs)
    }

    #[tokio::test]
    async fn a_connection_given_to_whoever_has_given_up_goes_to_the_next_or_rests() {
        let pool = pool();
        let (connection, _theirs) = opened(&pool);
        let (first, mut second) = (pool.wait(), pool.wait());
        pool.put_back(connection, now());
        drop(first);
        let Some(Turn::Connection(connection)) = second.turn().await else { panic!("it is the second's turn") };
        drop(second);
        let third = pool.wait();
        connection.put_back(&pool);
        drop(third);
        assert!(pool.take_ready(now(), None).is_some());
        assert_eq!(pool.open(), 1);
    }

    #[tokio::test]
    async fn leave_to_open_another_connection_is_passed_on() {
        let pool = pool();
        let (connection, _theirs) = opened(&pool);
        let (first, mut second) = (pool.wait(), pool.wait());
        pool.gone(Ended { active: false, opened: connection.opened, why: None });
        drop(first);
        assert!(matches!(second.turn().await, Some(Turn::TryAgain)));
    }

    #[tokio::test]
    async fn as_many_connections_are_wanted_as_requests_wait_however_many_have_given_up() {
        let pool = pool();
        let mut waiting = vec![pool.wait(), pool.wait()];
        (0..10_000).for_each(|_| drop(pool.wait()));
        assert!(pool.waiting.borrow().len() < 100);
        pool.opening();
        assert!(pool.wants_another(false) && !pool.wants_another(true));
        waiting.pop();
        assert!(!pool.wants_another(false));
        waiting.push(pool.wait());
        assert!(pool.wants_another(false));
        assert_eq!(pool.failed(&ConnectError::Timeout), 2);
        assert!(!pool.wants_another(false) && pool.wants_another(true));
    }
}
