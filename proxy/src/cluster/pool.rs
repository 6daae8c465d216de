//! Connections to endpoints that wait to be used again, and requests that wait for a connection. One of these a worker: no lock.

use super::{Host, Slot};
use bytes::BytesMut;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::rc::Rc;
use std::time::Instant;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// A connection to an endpoint.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// The socket.
    pub stream: TcpStream,
    /// Bytes read and not yet used.
    pub buf: BytesMut,
    /// Requests it has carried.
    pub requests: u32,
    /// Since when it is idle.
    idle_since: Instant,
    /// Its place in the count of connections.
    _slot: Slot,
}

impl Upstream {
    pub(super) fn new(stream: TcpStream, slot: Slot, now: Instant) -> Self {
        Self { stream, buf: BytesMut::new(), requests: 0, idle_since: now, _slot: slot }
    }

    /// False once the peer has closed, or has sent what nobody asked for.
    fn is_fresh(&self) -> bool {
        let mut byte = [0];
        matches!(self.stream.try_read(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// What a waiting request is given.
#[derive(Debug)]
pub(super) enum Turn {
    /// A connection that became free.
    Connection(Box<Upstream>),
    /// A connection went away: there may be room for another.
    TryAgain,
}

/// The pool of one endpoint on one worker.
#[derive(Debug, Default)]
pub(super) struct HostPool {
    /// The one used last on top.
    idle: RefCell<Vec<Upstream>>,
    waiting: RefCell<VecDeque<oneshot::Sender<Turn>>>,
    /// Connections of this pool, idle or not.
    open: std::cell::Cell<u32>,
}

/// All pools of one worker.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    hosts: RefCell<HashMap<u64, Rc<HostPool>>>,
}

impl Pools {
    pub(super) fn of(&self, host: &Host) -> Rc<HostPool> {
        Rc::clone(self.hosts.borrow_mut().entry(host.id).or_default())
    }

    /// Gives a connection back: to whoever has waited longest, or to rest.
    pub(crate) fn put_back(&self, host: &Host, mut upstream: Upstream, now: Instant) {
        upstream.idle_since = now;
        let pool = self.of(host);
        let mut turn = Turn::Connection(Box::new(upstream));
        while let Some(waiter) = pool.next_waiting() {
            match waiter.send(turn) {
                Ok(()) => return,
                // It has given up waiting.
                Err(unused) => turn = unused,
            }
        }
        if let Turn::Connection(upstream) = turn {
            pool.idle.borrow_mut().push(*upstream);
        }
    }

    /// A connection is not given back; somebody may open another in its place.
    pub(crate) fn lost(&self, host: &Host) {
        self.of(host).lost();
    }

    /// Closes connections that have idled too long, or whose peer has closed; forgets pools of endpoints that are no longer listed.
    pub(crate) fn tidy(&self, now: Instant, listed: impl Fn(u64) -> Option<Option<std::time::Duration>>) {
        self.hosts.borrow_mut().retain(|id, pool| {
            let Some(idle_timeout) = listed(*id) else {
                return pool.open.get() > pool.idle.borrow().len() as u32;
            };
            let keep = |upstream: &Upstream| {
                upstream.is_fresh() && idle_timeout.is_none_or(|limit| now.duration_since(upstream.idle_since) < limit)
            };
            let mut idle = pool.idle.borrow_mut();
            let before = idle.len();
            idle.retain(keep);
            pool.open.set(pool.open.get() - (before - idle.len()) as u32);
            true
        });
    }
}

impl HostPool {
    /// The idle connection used last that is still good.
    pub(super) fn take_idle(&self, now: Instant, idle_timeout: Option<std::time::Duration>) -> Option<Upstream> {
        loop {
            let upstream = self.idle.borrow_mut().pop()?;
            let expired = idle_timeout.is_some_and(|limit| now.duration_since(upstream.idle_since) >= limit);
            if !expired && upstream.is_fresh() {
                return Some(upstream);
            }
            self.open.set(self.open.get() - 1);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.get() == 0
    }

    pub(super) fn opening(&self) {
        self.open.set(self.open.get() + 1);
    }

    pub(super) fn lost(&self) {
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
}
