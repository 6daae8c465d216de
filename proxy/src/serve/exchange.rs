//! One try at one endpoint: a connection, the request, the head of the answer.

use super::answer::until_closed;
use super::client::Client;
use super::upload::{Broken, Upload};
use super::worker::Worker;
use crate::clock::now;
use crate::cluster::{Active, Cluster, ConnectError, Host, Slot, Upstream, connect};
use crate::health::outlier::Outcome;
use bytes::{Buf, BytesMut};
use squall_http1::{BodyReader, Framing, HeadReader, Refusal, Request, Response, write};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::WriteHalf;

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// A connection that is in use. Lost to its pool unless it is given back.
pub(super) struct Lease {
    worker: Rc<Worker>,
    host: Arc<Host>,
    upstream: Option<Upstream>,
    _active: Active,
    _request: Slot,
}

impl Lease {
    /// Gives the connection back for the next request.
    pub(super) fn give_back(mut self) {
        if let Some(upstream) = self.upstream.take() {
            self.worker.pools.put_back(&self.host, upstream, now());
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.upstream.take().is_some() {
            self.worker.pools.lost(&self.host);
        }
    }
}

/// The head of an answer, its body still to come.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) framing: Framing,
    body: BodyReader,
    lease: Lease,
    /// The connection ends with this answer.
    last: bool,
}

/// How a try ended without an answer.
#[derive(Debug)]
pub(super) enum TryFailure {
    Connect(ConnectError),
    /// The connection was lost; whether any of the request had been written.
    Reset {
        request_written: bool,
    },
    /// The upstream does not speak HTTP.
    Protocol,
    /// The time of one try is over.
    Timeout,
    /// The client is at fault, or gone.
    Client(Broken),
}

/// Where one try goes, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Try<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) host: &'a Arc<Host>,
    pub(super) time: Option<Duration>,
}

/// Makes one try. Interim answers are passed to the client, after which nothing may be tried again: `passed_on` says so.
pub(super) async fn one_try(
    worker: &Rc<Worker>,
    client: &mut Client,
    request: &Request,
    upload: &mut Upload,
    to: Try<'_>,
    passed_on: &mut bool,
) -> Result<Answer, TryFailure> {
    let Try { cluster, host, time } = to;
    let active = host.begin();
    let connected = tokio::select! {
        biased;
        connected = connect(&worker.pools, cluster, host) => connected,
        // Whoever has left waits for nothing: its place is another's.
        () = until_closed(client) => return Err(TryFailure::Client(Broken::Gone)),
    };
    let (mut upstream, slot) = connected.map_err(TryFailure::Connect)?;
    worker.observe(cluster, host, Outcome::Connected);
    upstream.requests += 1;
    let limit = cluster.policy.pool.max_requests_per_connection;
    let last = limit.is_some_and(|limit| upstream.requests >= limit);
    let lease = Lease {
        worker: Rc::clone(worker),
        host: Arc::clone(host),
        upstream: Some(upstream),
        _active: active,
        _request: slot,
    };
    let received = Rc::clone(&upload.received);
    let exchange = exchange(client, request, upload, lease, last, passed_on);
    let Some(time) = time else { return exchange.await };
    let time_is_over = async {
        received.wait().await;
        tokio::time::sleep(time).await;
    };
    tokio::select! {
        biased;
        answer = exchange => answer,
        () = time_is_over => Err(TryFailure::Timeout),
    }
}

async fn exchange(
    client: &mut Client,
    request: &Request,
    upload: &mut Upload,
    mut lease: Lease,
    last: bool,
    passed_on: &mut bool,
) -> Result<Answer, TryFailure> {
    let mut request_written = false;
    let Some(upstream) = lease.upstream.as_mut() else { return Err(TryFailure::Reset { request_written }) };
    let mut out = BytesMut::with_capacity(1024);
    write::request(&mut out, request, upload.framing);
    upload.replay(&mut out);
    let mut reader = HeadReader::default();
    let mut response = Response::default();
    // The common case: head and body go in one call.
    if let Ok(written) = upstream.stream.try_write(&out) {
        request_written = written > 0;
        out.advance(written);
    }
    loop {
        upstream.buf.reserve(READ);
        let (mut from_upstream, mut to_upstream) = upstream.stream.split();
        // An early answer ends the upload; an upstream that reads nothing holds neither its answer nor a client that leaves.
        let read = tokio::select! {
            biased;
            read = from_upstream.read_buf(&mut upstream.buf) => read,
            sent = send_or_read(upload, client, &mut to_upstream, &mut out) => {
                request_written |= sent.map_err(|broken| broken.map_or(TryFailure::Reset { request_written }, TryFailure::Client))?;
                continue;
            }
        };
        match read {
            Ok(0) | Err(_) => return Err(TryFailure::Reset { request_written }),
            Ok(_) => {}
        }
        while reader.response(&mut upstream.buf, &mut response).map_err(|_| TryFailure::Protocol)? {
            if response.status >= 200 {
                let framing = response.framing(request.method()).map_err(|_| TryFailure::Protocol)?;
                let last = last || !response.keep_alive() || framing == Framing::UntilClose || !upload.is_done();
                return Ok(Answer { body: BodyReader::new(framing), response, framing, lease, last });
            }
            if response.status == 101 {
                return Err(TryFailure::Protocol);
            }
            write::response(&mut client.out, &response, Framing::Empty, request.method());
            client.flush().await.map_err(|_| TryFailure::Client(Broken::Gone))?;
            *passed_on = true;
        }
    }
}

/// Writes what is there, or reads more of the request; true if bytes were written. Without a cause the upstream was lost.
async fn send_or_read(
    upload: &mut Upload,
    client: &mut Client,
    to: &mut WriteHalf<'_>,
    out: &mut BytesMut,
) -> Result<bool, Option<Broken>> {
    if out.is_empty() {
        more(upload, client, out).await.map_err(Some)?;
        return Ok(false);
    }
    tokio::select! {
        biased;
        written = to.write_buf(out) => written.map(|_| true).map_err(|_| None),
        () = until_closed(client) => Err(Some(Broken::Gone)),
    }
}

/// More of the request's body; once that is whole, the client's leaving: it frees the endpoint, however slowly that answers.
async fn more(upload: &mut Upload, client: &mut Client, out: &mut BytesMut) -> Result<(), Broken> {
    if upload.is_done() {
        until_closed(client).await;
        return Err(Broken::Gone);
    }
    upload.more(client, out).await
}

/// The upstream was lost amid the body of its answer.
#[derive(Debug)]
pub(super) struct Truncated;

impl Answer {
    /// Takes payload that has been read already into `out`, without waiting.
    pub(super) fn take(&mut self, mut into: impl FnMut(&[u8])) -> Result<(), Truncated> {
        let Some(upstream) = self.lease.upstream.as_mut() else { return Err(Truncated) };
        while !self.body.is_done() && !upstream.buf.is_empty() {
            let step = self.body.step(&upstream.buf).map_err(|_: Refusal| Truncated)?;
            into(&upstream.buf[step.payload]);
            upstream.buf.advance(step.consumed);
        }
        Ok(())
    }

    /// The whole body has been taken.
    pub(super) fn is_done(&self) -> bool {
        self.body.is_done()
    }

    /// Reads more of the body.
    pub(super) async fn fill(&mut self) -> Result<(), Truncated> {
        let Some(upstream) = self.lease.upstream.as_mut() else { return Err(Truncated) };
        upstream.buf.reserve(READ);
        match upstream.stream.read_buf(&mut upstream.buf).await {
            Ok(0) => self.body.closed().map_err(|_| Truncated),
            Ok(_) => Ok(()),
            Err(_) => Err(Truncated),
        }
    }

    /// The answer is over: its connection serves the next request if it can.
    pub(super) fn finish(self) {
        let clean = self.lease.upstream.as_ref().is_some_and(|upstream| upstream.buf.is_empty());
        if self.body.is_done() && clean && !self.last {
            self.lease.give_back();
        }
    }

    /// The answer is thrown away for another try; a short body that is there already keeps the connection.
    pub(super) fn discard(mut self) {
        if self.take(|_| {}).is_ok() {
            self.finish();
        }
    }
}
