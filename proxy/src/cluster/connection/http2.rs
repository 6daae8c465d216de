//! A connection of HTTP/2: many streams at once, each with a place that it gives back.

use super::channel::{Back, Channel, Ends};
use crate::clock::now;
use crate::cluster::pool::HostPool;
use crate::telemetry::ClusterCounter;
use crate::wire::{Broken, Sink, Source, http2};
use bytes::Bytes;
use h2::client::SendRequest;
use squall_http1::{Framing, Request};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// A connection of HTTP/2. Its pool and its streams hold it: once they have let go of it, it says goodbye and ends.
pub(in crate::cluster) struct Http2 {
    /// Never sent with: each stream has its own, since one that must wait for room would hold up the others.
    send: RefCell<SendRequest<Bytes>>,
    /// Most streams at once, by our policy.
    limit: u32,
    /// Most streams ever, by our policy.
    requests_left: Cell<u32>,
    active: Cell<u32>,
    idle_since: Cell<Instant>,
    /// No more streams: it was closed, or says goodbye.
    closed: Cell<bool>,
    pub(in crate::cluster) opened: Instant,
    pub(in crate::cluster) local: Option<SocketAddr>,
    pool: Weak<HostPool>,
}

impl Http2 {
    pub(in crate::cluster) fn new(
        send: SendRequest<Bytes>,
        (limit, requests): (u32, Option<u32>),
        local: Option<SocketAddr>,
        pool: &Rc<HostPool>,
    ) -> Rc<Self> {
        let opened = now();
        Rc::new(Self {
            send: RefCell::new(send),
            limit,
            requests_left: Cell::new(requests.unwrap_or(u32::MAX)),
            active: Cell::new(0),
            idle_since: Cell::new(opened),
            closed: Cell::new(false),
            opened,
            local,
            pool: Rc::downgrade(pool),
        })
    }

    /// A place for a stream, if there is room.
    pub(in crate::cluster) fn begin(connection: &Rc<Self>) -> Option<Stream> {
        let theirs = u32::try_from(connection.send.borrow().current_max_send_streams()).unwrap_or(u32::MAX);
        let room = connection.limit.min(theirs);
        let active = connection.active.get();
        if connection.closed.get() || active >= room || connection.requests_left.get() == 0 {
            return None;
        }
        connection.active.set(active + 1);
        connection.requests_left.set(connection.requests_left.get() - 1);
        Some(Stream { connection: Rc::clone(connection), used: false })
    }

    /// The connection takes no more streams, and ends with those that are under way; `why` counts that.
    pub(in crate::cluster) fn close(connection: &Rc<Self>, why: Option<ClusterCounter>) {
        if connection.closed.replace(true) {
            return;
        }
        if let Some(pool) = connection.pool.upgrade() {
            why.into_iter().for_each(|why| pool.counts(why));
            pool.remove_streams(connection);
        }
    }

    /// False once its peer has said goodbye or is gone: it is closed then.
    pub(in crate::cluster) fn is_ready(connection: &Rc<Self>) -> bool {
        let ready = connection.send.borrow_mut().poll_ready(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Err(error)) = ready else { return true };
        let said = error.is_go_away() && error.is_remote();
        Self::close(connection, said.then_some(ClusterCounter::CxCloseNotify));
        false
    }

    /// True while a stream is under way.
    pub(in crate::cluster) fn is_active(&self) -> bool {
        self.active.get() > 0
    }

    /// Since when it has had no stream; none while one is under way.
    pub(in crate::cluster) fn idle_since(&self) -> Option<Instant> {
        (!self.is_active()).then(|| self.idle_since.get())
    }
}

/// A place among the streams of a connection; given back when dropped.
pub(in crate::cluster) struct Stream {
    connection: Rc<Http2>,
    /// A request has begun on it.
    used: bool,
}

impl Stream {
    /// False once its peer has said goodbye.
    pub(super) fn is_ready(&self) -> bool {
        Http2::is_ready(&self.connection)
    }

    /// When its connection was opened.
    pub(super) fn opened(&self) -> Instant {
        self.connection.opened
    }

    /// Begins a request, once the connection takes its head.
    pub(super) async fn begin(
        mut self,
        request: &Request,
        framing: Framing,
        tunnel: bool,
        scheme: &str,
    ) -> Result<Channel, Broken> {
        let head = http2::request_head(request, scheme, framing).ok_or(Broken::Lost)?;
        let whole = framing == Framing::Empty && !tunnel;
        let begun = {
            let send = self.connection.send.borrow().clone();
            let mut send = send.ready().await;
            match &mut send {
                Ok(send) => send.send_request(head, whole).map_err(|error| http2::broken(&error)),
                Err(error) => Err(http2::broken(error)),
            }
        };
        let (response, body) = begun.inspect_err(|_| Http2::close(&self.connection, None))?;
        self.used = true;
        if self.connection.requests_left.get() == 0 {
            Http2::close(&self.connection, Some(ClusterCounter::CxMaxRequests));
        }
        let source = Source::Http2(http2::Source::of_response(response));
        let sink = Sink::Http2(http2::Sink::of_request(body, whole));
        let (ends, local) = (Box::new(Ends { source, sink }), self.connection.local);
        Ok(Channel { ends, local, last: false, back: Back::Http2 { _stream: self } })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let connection = &self.connection;
        connection.active.set(connection.active.get() - 1);
        if !self.used {
            connection.requests_left.set(connection.requests_left.get().saturating_add(1));
        }
        connection.idle_since.set(now());
        if let Some(pool) = connection.pool.upgrade() {
            pool.room(connection);
        }
    }
}
