//! One try at one endpoint: a connection, the request, the head of the answer.

use super::client::{Client, Gone};
use super::upload::Upload;
use super::worker::Worker;
use crate::cluster::{Active, Channel, Cluster, ConnectError, Member, PoolKey, Slot, connect};
use crate::health::outlier::Outcome;
use crate::wire::{Asked, Broken, Head, Sink};
use squall_http1::{Framing, Refusal, Request, Response};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// The head of an answer, its body still to come.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) framing: Framing,
    /// The connection is a tunnel from here on.
    pub(super) tunnel: bool,
    pub(super) channel: Channel,
    /// Said by fields that are not passed on: whether the connection serves another request.
    keeps: bool,
    _active: Active,
    _request: Slot,
}

/// How a try ended without an answer.
#[derive(Debug)]
pub(super) enum TryFailure {
    Connect(ConnectError),
    /// The connection was lost; whether any of the request had been written.
    Reset {
        request_written: bool,
    },
    /// The upstream gave up the stream.
    RemoteReset {
        request_written: bool,
    },
    /// The upstream has not begun with the stream.
    Refused,
    /// The upstream does not speak HTTP.
    Protocol,
    /// The time of one try is over.
    Timeout,
    /// The client is gone.
    Gone(Gone),
    /// What the client sends is no request.
    Malformed(Refusal),
}

/// Where one try goes, and how long it may take.
#[derive(Clone, Copy)]
pub(super) struct Try<'a> {
    pub(super) cluster: &'a Arc<Cluster>,
    pub(super) member: &'a Arc<Member>,
    pub(super) key: &'a PoolKey,
    /// From the whole request received and a connection obtained to the head of the answer.
    pub(super) time: Option<Duration>,
    /// Between bytes of the upstream.
    pub(super) idle: Option<Duration>,
    /// An upgrade or CONNECT: no byte of the body goes up before that was accepted.
    pub(super) tunnel: bool,
    pub(super) scheme: &'a str,
}

/// What has happened to a request so far that no later try can take back.
#[derive(Debug, Default)]
pub(super) struct SoFar {
    /// Interim answers were passed on.
    pub(super) passed_on: bool,
    /// Bytes of the request were written to some endpoint.
    pub(super) written: bool,
}

/// Makes one try. Interim answers are passed to the client.
pub(super) async fn one_try(
    worker: &Rc<Worker>,
    client: &mut Client,
    request: &Request,
    upload: &mut Upload,
    to: Try<'_>,
    so_far: &mut SoFar,
) -> Result<Answer, TryFailure> {
    let active = to.member.host.begin();
    let connected = tokio::select! {
        biased;
        connected = connect(&worker.pools, to.cluster, to.member, to.key) => connected,
        // Whoever has left waits for nothing: its place is another's.
        gone = client.gone() => return Err(TryFailure::Gone(gone)),
    };
    let connected = connected.map_err(TryFailure::Connect)?;
    worker.observe(to.cluster, &to.member.host, Outcome::Connected);
    let framing = if to.tunnel { Framing::Empty } else { upload.framing };
    let (channel, slot) =
        connected.begin(request, framing, to.tunnel, to.scheme).await.map_err(|broken| failure(broken, so_far))?;
    let received = Rc::clone(&upload.received);
    let exchange = exchange(client, request, upload, channel, to, so_far);
    let time_is_over = async {
        received.wait().await;
        match to.time {
            Some(time) => tokio::time::sleep(time).await,
            None => std::future::pending().await,
        }
    };
    let (response, head, channel) = tokio::select! {
        biased;
        answer = exchange => answer?,
        () = time_is_over => return Err(TryFailure::Timeout),
    };
    let (framing, tunnel) = match head {
        Head::Last(framing) => (framing, false),
        Head::Tunnel | Head::Interim => (Framing::UntilClose, true),
    };
    let keeps = response.keep_alive() && framing != Framing::UntilClose && !tunnel;
    Ok(Answer { response, framing, tunnel, channel, keeps, _active: active, _request: slot })
}

fn failure(broken: Broken, so_far: &SoFar) -> TryFailure {
    let request_written = so_far.written;
    match broken {
        Broken::Lost => TryFailure::Reset { request_written },
        Broken::Reset => TryFailure::RemoteReset { request_written },
        Broken::Refused => TryFailure::Refused,
        Broken::Malformed(_) => TryFailure::Protocol,
    }
}

async fn exchange(
    client: &mut Client,
    request: &Request,
    upload: &mut Upload,
    mut channel: Channel,
    to: Try<'_>,
    so_far: &mut SoFar,
) -> Result<(Response, Head, Channel), TryFailure> {
    let mut response = Response::default();
    let asked = Asked { method: request.method(), tunnel: to.tunnel };
    if !to.tunnel {
        upload.replay(&mut channel.sink);
        // What came together with the head goes up together with it.
        upload.take(&mut client.source, &mut channel.sink).map_err(of_client)?;
    }
    loop {
        let Channel { source, sink, .. } = &mut channel;
        let head = tokio::select! {
            biased;
            // The common case first: head and body of the request go in one call.
            sent = up(client, upload, sink, to.tunnel) => {
                so_far.written |= channel.sink.has_begun();
                sent.map_err(|stuck| match stuck {
                    Stuck::Upstream(broken) => failure(broken, so_far),
                    Stuck::Client(failure) => failure,
                })?;
                continue;
            }
            head = with_idle(to.idle, source.head(&mut response, asked)) => head,
        };
        so_far.written |= channel.sink.has_begun();
        match head {
            None => return Err(TryFailure::Timeout),
            Some(Err(broken)) => return Err(failure(broken, so_far)),
            Some(Ok(Head::Interim)) => {
                client.interim(&response).await.map_err(TryFailure::Gone)?;
                so_far.passed_on = true;
            }
            Some(Ok(head)) => return Ok((response, head, channel)),
        }
    }
}

/// Why a request goes no further up.
enum Stuck {
    Upstream(Broken),
    Client(TryFailure),
}

/// A step of the request's way up. May be dropped and begun again.
async fn up(client: &mut Client, upload: &mut Upload, sink: &mut Sink, tunnel: bool) -> Result<(), Stuck> {
    if !sink.is_flushed() {
        return tokio::select! {
            biased;
            flushed = sink.flush() => flushed.map_err(Stuck::Upstream),
            // An upstream that reads nothing does not hold a client that leaves.
            gone = client.gone() => Err(Stuck::Client(TryFailure::Gone(gone))),
        };
    }
    if tunnel || upload.is_done() {
        // Its leaving frees the endpoint, however slowly that answers.
        return Err(Stuck::Client(TryFailure::Gone(client.gone().await)));
    }
    upload.more(&mut client.source, sink).await.map_err(|broken| Stuck::Client(of_client(broken)))
}

/// What a future gives within a time; none if that is over first.
async fn with_idle<T>(limit: Option<Duration>, future: impl Future<Output = T>) -> Option<T> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, future).await.ok(),
        None => Some(future.await),
    }
}

pub(super) fn of_client(broken: Broken) -> TryFailure {
    match broken {
        Broken::Malformed(refusal) => TryFailure::Malformed(refusal),
        Broken::Lost => TryFailure::Gone(Gone::Closed),
        Broken::Reset | Broken::Refused => TryFailure::Gone(Gone::Reset),
    }
}

impl Answer {
    /// The answer is over: its connection serves the next request if it can.
    pub(super) fn finish(self) {
        if self.keeps {
            self.channel.finish();
        }
    }

    /// The answer is thrown away for another try; a short body that is there already keeps the connection.
    pub(super) fn discard(mut self) {
        if self.channel.source.take(|_| {}).is_ok() {
            self.finish();
        }
    }
}
