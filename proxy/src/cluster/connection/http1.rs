//! A connection of HTTP/1: it carries one request after another, and rests in its pool between them.

use super::channel::{Back, Channel, Ends};
use crate::clock::now;
use crate::cluster::Slot;
use crate::cluster::pool::{Ended, HostPool};
use crate::telemetry::ClusterCounter;
use crate::wire::Sink;
use squall_http1::{Framing, Request};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

/// A connection of HTTP/1.
pub(in crate::cluster) struct Http1 {
    pub(in crate::cluster) ends: Box<Ends>,
    /// Requests that it has carried.
    pub(in crate::cluster) requests: u32,
    pub(in crate::cluster) opened: Instant,
    pub(in crate::cluster) idle_since: Instant,
    /// Our end.
    pub(in crate::cluster) local: Option<SocketAddr>,
    /// Its place in the count of connections.
    pub(in crate::cluster) _slot: Slot,
}

impl Http1 {
    /// Begins a request; its head waits to be written in the sink. The connection ends with the last of `max_requests`.
    pub(super) fn begin(
        self,
        request: &Request,
        framing: Framing,
        max_requests: Option<u32>,
        pool: Rc<HostPool>,
    ) -> Channel {
        let Self { mut ends, requests, opened, idle_since: _, local, _slot: slot } = self;
        let requests = requests.saturating_add(1);
        if let Sink::Http1(sink) = &mut ends.sink {
            sink.request(request, framing);
        }
        let last = max_requests.is_some_and(|most| requests >= most);
        let rest = Some(Rest { requests, opened, slot });
        Channel { ends, local, last, back: Back::Http1(Place { rest, pool, active: true, why: None }) }
    }
}

/// Where a connection of HTTP/1 is given back to; lost to its pool when dropped before.
pub(super) struct Place {
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

impl Place {
    /// The answer is over: the connection goes back to its pool if it may stay, and can carry another request. `why` counts its end.
    pub(super) fn give_back(
        mut self,
        ends: Box<Ends>,
        local: Option<SocketAddr>,
        stays: bool,
        why: Option<ClusterCounter>,
    ) {
        let whole = ends.source.is_done() && ends.sink.is_flushed();
        self.active = !whole;
        self.why = why;
        if whole
            && stays
            && ends.is_clean()
            && let Some(Rest { requests, opened, slot }) = self.rest.take()
        {
            let idle_since = now();
            self.pool.put_back(Http1 { ends, requests, opened, idle_since, local, _slot: slot }, idle_since);
        }
    }
}
