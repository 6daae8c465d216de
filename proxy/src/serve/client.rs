//! The client's side of one request: where its body comes from, and where its answer goes.

use super::client_cert::{Identities, Shown};
use super::respond::Reply;
use super::worker::Worker;
use crate::clock::now;
use crate::filter::rate_limit::Limiter;
use crate::net::{Owner, Transport};
use crate::policy::RateLimit;
use crate::telemetry::metrics::HttpStats;
use crate::telemetry::{HttpCounter, TlsFacts};
use crate::wire::{Broken, Sink, Source};
use h2::Reason;
use squall_http1::{Framing, Headers, Request, Response, Version};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// What all requests of a connection have in common.
#[derive(Debug)]
pub(super) struct Peer {
    /// Whoever connected.
    pub(super) remote: SocketAddr,
    /// Where it connected to.
    pub(super) local: SocketAddr,
    /// Where it was going, if it was redirected here.
    pub(super) destination: Option<SocketAddr>,
    /// It came by TLS.
    pub(super) secure: bool,
    /// The server name that it asked for.
    pub(super) server_name: Option<String>,
    /// What is known of its TLS.
    pub(super) tls: Option<TlsFacts>,
    /// What both have shown each other by TLS.
    pub(super) identities: Option<Identities>,
    /// Its own buckets of rate limits that are for each connection, by place among the filters.
    pub(super) buckets: RefCell<Vec<(usize, Arc<Limiter>)>>,
    /// When it connected.
    pub(super) opened: Instant,
    /// It took nothing of what was written to it for too long.
    pub(super) stalled: Rc<Cell<bool>>,
    /// A number that no other connection of this worker has.
    pub(super) id: u64,
    /// Requests that it has carried.
    pub(super) requests: Cell<u32>,
    /// Streams that it gave up at once and before they were answered.
    pub(super) given_up: Cell<u32>,
    /// It takes no more requests.
    pub(super) closing: Cell<bool>,
    /// How it has ended, where requests on it are still to learn that.
    pub(super) ended: Cell<Option<Gone>>,
}

impl Peer {
    /// A connection that has just come, in clear as far as is known; `id` is a number that no other has.
    pub(super) fn new(remote: SocketAddr, local: SocketAddr, destination: Option<SocketAddr>, id: u64) -> Self {
        Self {
            remote,
            local,
            destination,
            secure: false,
            server_name: None,
            tls: None,
            identities: None,
            buckets: RefCell::default(),
            opened: now(),
            stalled: Rc::default(),
            id,
            requests: Cell::new(0),
            given_up: Cell::new(0),
            closing: Cell::new(false),
            ended: Cell::new(None),
        }
    }

    /// `http` or `https`.
    pub(super) fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// Takes no more requests, since this proxy is going away.
    pub(super) fn drain(&self, worker: &Worker, stats: &HttpStats) {
        if !self.closing.replace(true) {
            stats.count(worker.shard, HttpCounter::CxDrainClose);
        }
    }

    /// Learns what TLS has agreed on.
    pub(super) fn learn(&mut self, transport: &Transport, ours: Arc<Owner>) {
        self.secure = true;
        self.server_name = transport.server_name().map(ToOwned::to_owned);
        let theirs = Shown::new(transport.peer_certificates());
        let owner = theirs.as_ref().map(|shown| &shown.owner);
        self.tls = Some(TlsFacts {
            version: transport.tls_version(),
            local_subject: ours.subject.clone(),
            local_uris: ours.uris.clone(),
            peer_subject: owner.map(|owner| owner.subject.clone()).unwrap_or_default(),
            peer_uris: owner.map(|owner| owner.uris.clone()).unwrap_or_default(),
        });
        self.identities = Some(Identities { ours, theirs });
    }

    /// Its own buckets for a rate limit.
    pub(super) fn bucket(&self, at: usize, limit: &RateLimit) -> Arc<Limiter> {
        let mut buckets = self.buckets.borrow_mut();
        if let Some((_, bucket)) = buckets.iter().find(|(known, _)| *known == at) {
            return Arc::clone(bucket);
        }
        let bucket = Arc::new(Limiter::full(limit, now()));
        buckets.push((at, Arc::clone(&bucket)));
        bucket
    }
}

/// The client's side of one request.
#[derive(Debug)]
pub(super) struct Client {
    /// Its body.
    pub(super) source: Source,
    /// Its answer.
    pub(super) sink: Sink,
    pub(super) peer: Rc<Peer>,
}

/// The client has gone away: there is nobody to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// It closed its connection, or that is lost.
    Closed,
    /// It gave up this stream.
    Reset,
    /// It broke the protocol, which ended its connection.
    BadMessage,
    /// It answered no ping, so its connection was cut off.
    PingTimeout,
    /// It gave up most of what it had asked for, so its connection was cut off.
    Flood,
}

impl From<Broken> for Gone {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Reset | Broken::Refused => Self::Reset,
            Broken::Lost | Broken::Malformed(_) => Self::Closed,
        }
    }
}

impl Client {
    /// Returns once the client has left.
    pub(super) async fn gone(&mut self) -> Gone {
        gone(&mut self.source, &mut self.sink).await
    }

    /// Begins an answer, or a tunnel. What cannot be framed for this client is framed anew.
    pub(super) fn begin(
        &mut self,
        request: &Request,
        response: &mut Response,
        framing: Framing,
        tunnel: bool,
    ) -> Result<Framing, Gone> {
        match &mut self.sink {
            // What follows is no body that could be framed.
            Sink::Http1(sink) if tunnel => {
                sink.response(response, Framing::UntilClose, request.method(), false);
                Ok(Framing::UntilClose)
            }
            Sink::Http1(sink) => {
                let framing = downstream_framing(framing, request.version);
                if self.peer.closing.get() || framing == Framing::UntilClose {
                    response.headers.set("connection", b"close");
                    self.peer.closing.set(true);
                }
                let old = request.version == Version::Http10;
                if old && !self.peer.closing.get() {
                    response.headers.set("connection", b"keep-alive");
                }
                sink.response(response, framing, request.method(), old);
                Ok(framing)
            }
            Sink::Http2(sink) => {
                // The length of what HEAD does not get is told all the same.
                let whole = framing == Framing::Empty || request.method() == "HEAD";
                sink.response(response, framing, whole)?;
                Ok(framing)
            }
        }
    }

    /// Passes on an answer ahead of the answer.
    pub(super) async fn interim(&mut self, response: &Response) -> Result<(), Gone> {
        match &mut self.sink {
            Sink::Http1(sink) => sink.interim(response),
            Sink::Http2(sink) => sink.interim(response),
        }
        self.flush().await
    }

    /// Sends an answer of ours.
    pub(super) async fn reply(&mut self, request: &Request, mut reply: Reply) -> Result<(), Gone> {
        let framing = reply.framing();
        self.begin(request, &mut reply.response, framing, false)?;
        if request.method() != "HEAD" && framing != Framing::Empty {
            self.sink.data(&reply.body);
            self.sink.end(None);
        }
        self.flush().await
    }

    /// Ends an answer's body.
    pub(super) fn end(&mut self, trailers: Option<&Headers>) {
        self.sink.end(trailers);
    }

    /// Writes what waits.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        self.sink.flush().await.map_err(Gone::from)
    }

    /// Ends an answer that has begun and will not be whole.
    pub(super) async fn cut(&mut self) {
        match &mut self.sink {
            // Closing is all that HTTP/1 has for that.
            Sink::Http1(_) => self.peer.closing.set(true),
            Sink::Http2(sink) => {
                // A reset overtakes what the connection has not written yet: its turn comes first.
                tokio::task::yield_now().await;
                sink.reset(Reason::INTERNAL_ERROR);
            }
        }
    }

    /// True if the client speaks HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        matches!(self.sink, Sink::Http2(_))
    }
}

/// Returns once the client at these two ends has left.
pub(super) async fn gone(source: &mut Source, sink: &mut Sink) -> Gone {
    match (source, sink) {
        (Source::Http1(source), _) => {
            source.until_lost().await;
            Gone::Closed
        }
        (_, Sink::Http2(sink)) => sink.until_reset().await.into(),
        (Source::Http2(_), Sink::Http1(_)) => std::future::pending().await,
    }
}

/// A client of HTTP/1.0 knows no chunks; what ended with the upstream's connection is chunked for all others.
fn downstream_framing(framing: Framing, version: Version) -> Framing {
    match (framing, version) {
        (Framing::Chunked, Version::Http10) => Framing::UntilClose,
        (Framing::UntilClose, Version::Http11 | Version::Http2) => Framing::Chunked,
        _ => framing,
    }
}
