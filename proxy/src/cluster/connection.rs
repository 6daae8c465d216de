//! Connections to endpoints: one request at a time, or many streams at once.

use super::Slot;
use super::pool::{Ended, HostPool};
use crate::clock::now;
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

/// A connection that a request may use.
pub(super) enum Connection {
    /// By itself.
    Http1(Http1),
    /// As one of many.
    Http2(Stream),
}

/// Both directions of a connection or stream. They stay where they are, from one request to the next.
pub(crate) struct Ends {
    /// Answers.
    pub source: Source,
    /// Requests.
    pub sink: Sink,
}

impl Ends {
    /// True if nothing has come that was not used, and the peer has not closed.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(&self.source, Source::Http1(source) if source.is_quiet())
    }

    /// Nothing has been read that was not used.
    fn is_clean(&self) -> bool {
        matches!(&self.source, Source::Http1(source) if source.is_clean())
    }

    /// Gives the buffers back while the connection idles.
    pub(super) fn release(&mut self) {
        if let (Source::Http1(source), Sink::Http1(sink)) = (&mut self.source, &mut self.sink) {
            source.release();
            sink.release();
        }
    }
}

/// A connection of HTTP/1.
pub(super) struct Http1 {
    pub(super) ends: Box<Ends>,
    /// Requests that it has carried.
    pub(super) requests: u32,
    pub(super) opened: Instant,
    pub(super) idle_since: Instant,
    /// Our end.
    pub(super) local: Option<SocketAddr>,
    /// Its place in the count of connections.
    pub(super) _slot: Slot,
}

/// A connection of HTTP/2. Its pool and its streams hold it: once they have let go of it, it says goodbye and ends.
pub(super) struct Http2 {
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
    pub(super) opened: Instant,
    pub(super) local: Option<SocketAddr>,
    pool: Weak<HostPool>,
}

impl Http2 {
    pub(super) fn new(
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
    pub(super) fn begin(connection: &Rc<Self>) -> Option<Stream> {
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
    pub(super) fn close(connection: &Rc<Self>, why: Option<ClusterCounter>) {
        if connection.closed.replace(true) {
            return;
        }
        if let Some(pool) = connection.pool.upgrade() {
            why.into_iter().for_each(|why| pool.counts(why));
            pool.remove_streams(connection);
        }
    }

    /// False once its peer has said goodbye or is gone: it is closed then.
    pub(super) fn is_ready(connection: &Rc<Self>) -> bool {
        let ready = connection.send.borrow_mut().poll_ready(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Err(error)) = ready else { return true };
        let said = error.is_go_away() && error.is_remote();
        Self::close(connection, said.then_some(ClusterCounter::CxCloseNotify));
        false
    }

    /// True while a stream is under way.
    pub(super) fn is_active(&self) -> bool {
        self.active.get() > 0
    }

    /// Since when it has had no stream; none while one is under way.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        (!self.is_active()).then(|| self.idle_since.get())
    }
}

/// A place among the streams of a connection; given back when dropped.
pub(super) struct Stream {
    connection: Rc<Http2>,
    /// A request has begun on it.
    used: bool,
}

impl Stream {
    /// Begins a request, once the connection takes its head.
    async fn begin(
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

/// A request's place on a connection.
pub(crate) struct Channel {
    /// It goes into the sink, its answer comes from the source.
    pub ends: Box<Ends>,
    /// Our end of the connection.
    pub local: Option<SocketAddr>,
    /// The connection ends with this answer.
    pub last: bool,
    back: Back,
}

enum Back {
    Http1(Place),
    Http2 { _stream: Stream },
}

/// Where a connection of HTTP/1 is given back to; lost to its pool when dropped before.
struct Place {
    rest: Option<Rest>,
    pool: Rc<HostPool>,
    /// Its request is under way.
    active: bool,
    why: Option<ClusterCounter>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(rest) = self.rest.take() {
            self.pool.gone(Ended { active: self.active, opened: rest.opened, why: self.why });
        }
    }
}

/// What a connection of HTTP/1 is besides its two halves.
struct Rest {
    requests: u32,
    opened: Instant,
    slot: Slot,
}

impl Connection {
    /// False once its peer has said goodbye: no request goes there any more.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Http1(_) => true,
            Self::Http2(stream) => Http2::is_ready(&stream.connection),
        }
    }

    pub(super) fn opened(&self) -> Instant {
        match self {
            Self::Http1(connection) => connection.opened,
            Self::Http2(stream) => stream.connection.opened,
        }
    }

    /// Begins a request. Its head waits to be written in the sink.
    pub(super) async fn begin(
        self,
        request: &Request,
        framing: Framing,
        tunnel: bool,
        scheme: &str,
        max_requests: Option<u32>,
        pool: Rc<HostPool>,
    ) -> Result<Channel, Broken> {
        match self {
            Self::Http1(connection) => {
                let Http1 { mut ends, requests, opened, idle_since: _, local, _slot: slot } = connection;
                let requests = requests.saturating_add(1);
                if let Sink::Http1(sink) = &mut ends.sink {
                    sink.request(request, framing);
                }
                let last = max_requests.is_some_and(|most| requests >= most);
                let rest = Some(Rest { requests, opened, slot });
                let back = Back::Http1(Place { rest, pool, active: true, why: None });
                Ok(Channel { ends, local, last, back })
            }
            // Boxed, so that a request of HTTP/1 carries nothing of it.
            Self::Http2(stream) => Box::pin(stream.begin(request, framing, tunnel, scheme)).await,
        }
    }

    /// Gives back what was not used.
    pub(super) fn put_back(self, pool: &HostPool) {
        if let Self::Http1(connection) = self {
            pool.put_back(connection, now());
        }
    }
}

impl Channel {
    /// The answer is over: the connection serves the next request if it can, and if the answer did not say otherwise.
    pub(crate) fn finish(self, stays: bool) {
        let Self { ends, local, last, back } = self;
        let Back::Http1(mut place) = back else { return };
        let whole = ends.source.is_done() && ends.sink.is_flushed();
        place.active = !whole;
        place.why = last.then_some(ClusterCounter::CxMaxRequests);
        if whole
            && stays
            && !last
            && ends.is_clean()
            && let Some(Rest { requests, opened, slot }) = place.rest.take()
        {
            let idle_since = now();
            place.pool.put_back(Http1 { ends, requests, opened, idle_since, local, _slot: slot }, idle_since);
        }
    }
}
