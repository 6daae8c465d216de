//! One try at one endpoint: a connection, the request, the head of the answer.

mod answer;

pub(super) use answer::{Answer, Heads, Opened};

use super::alarms::Alarms;
use super::client::{Client, Gone};
use super::transaction::Transaction;
use super::upload::Upload;
use super::worker::Worker;
use crate::clock::now;
use crate::cluster::{Cluster, ConnectError, Ends, Member, PoolKey, connect};
use crate::health::outlier::Outcome;
use crate::telemetry::ClusterCounter;
use crate::wire::{Asked, Broken, Head, Sink};
use squall_http1::{Framing, Refusal, Request};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    /// The stream has lived too long; whether the whole request was there.
    TooOld {
        whole: bool,
    },
    /// No byte of the upstream has come for too long.
    Idle,
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
    /// When it began.
    pub(super) begun: Instant,
    /// From the whole request received and a connection obtained to the head of the answer.
    pub(super) time: Option<Duration>,
    /// After so much of that time without an answer the detector is told.
    pub(super) stall: Option<Duration>,
    /// Between bytes of the upstream, once the whole request is there.
    pub(super) idle: Option<Duration>,
    /// An upgrade or CONNECT: no byte of the body goes up before that was accepted.
    pub(super) tunnel: bool,
    /// Answers ahead of the answer are passed on.
    pub(super) pass_interim: bool,
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

/// Makes one try. Interim answers are passed to the client. The answer stands where it will stay: it goes through many hands.
pub(super) async fn one_try(
    transaction: &mut Transaction<'_>,
    upload: &mut Upload,
    to: Try<'_>,
    so_far: &mut SoFar,
) -> Result<Box<Answer>, TryFailure> {
    let Transaction { worker, client, request, .. } = transaction;
    let opened = {
        let opening = pin!(open(worker, request, upload.framing, to, so_far.written));
        tokio::select! {
            biased;
            opened = opening => opened?,
            // A client that leaves while it waits for a connection gives up its place in that queue.
            gone = client.gone() => return Err(TryFailure::Gone(gone)),
        }
    };
    let (received, too_old) = (Rc::clone(&upload.received), opened.until);
    let mut answer = opened.waiting();
    let time_is_over = async {
        received.wait().await;
        let after = |time: Duration| now().checked_add(time);
        if let Some(stall) = to.stall {
            worker.alarms.until(after(stall)).await;
            worker.stalled(to.cluster, &to.member.host, stall);
        }
        let left = to.time.map(|time| time.saturating_sub(to.stall.unwrap_or_default()));
        worker.alarms.until(left.and_then(after)).await;
    };
    let head = {
        let exchange = pin!(exchange(&worker.alarms, client, request, upload, &mut answer, to, so_far));
        tokio::select! {
            biased;
            head = exchange => head?,
            () = time_is_over => return Err(TryFailure::Timeout),
            () = worker.alarms.until(too_old) => return Err(TryFailure::TooOld { whole: received.at().is_some() }),
        }
    };
    answer.begin(head);
    answer.idle = to.idle;
    if answer.says_close() {
        to.cluster.stats.count(worker.shard, ClusterCounter::CxCloseNotify);
    }
    Ok(answer)
}

/// Begins a try: a connection, and the head of the request in its sink.
pub(super) async fn open(
    worker: &Rc<Worker>,
    request: &Request,
    framing: Framing,
    to: Try<'_>,
    written: bool,
) -> Result<Opened, TryFailure> {
    let active = to.member.host.begin();
    let connected =
        connect(&worker.pools, to.cluster, to.member, to.key, to.begun).await.map_err(TryFailure::Connect)?;
    worker.observe(to.cluster, &to.member.host, Outcome::Connected);
    to.cluster.stats.count(worker.shard, ClusterCounter::RqTotal);
    let framing = if to.tunnel { Framing::Empty } else { framing };
    let begun = connected.begin(request, framing, to.tunnel, to.scheme).await;
    let (channel, slot) = begun.map_err(|broken| failure(broken, written))?;
    let until = to.cluster.policy.connections.max_stream.map(|age| now() + age);
    Ok(Opened { channel, until, begun: to.begun, active, slot })
}

/// How a broken connection ends a try; `request_written`: some of the request had gone out, in this try or before.
pub(super) fn failure(broken: Broken, request_written: bool) -> TryFailure {
    match broken {
        Broken::Lost => TryFailure::Reset { request_written },
        Broken::Reset => TryFailure::RemoteReset { request_written },
        Broken::Refused => TryFailure::Refused,
        Broken::Malformed(_) => TryFailure::Protocol,
    }
}

async fn exchange(
    alarms: &Alarms,
    client: &mut Client,
    request: &Request,
    upload: &mut Upload,
    answer: &mut Answer,
    to: Try<'_>,
    so_far: &mut SoFar,
) -> Result<Head, TryFailure> {
    let Answer { response, channel, .. } = answer;
    let asked = Asked { method: request.method(), tunnel: to.tunnel };
    let mut heads = Heads::default();
    if !to.tunnel {
        upload.replay(&mut channel.ends.sink);
        // What came together with the head goes up together with it.
        upload.take(&mut client.source, &mut channel.ends.sink).map_err(of_client)?;
    }
    loop {
        let Ends { source, sink } = &mut *channel.ends;
        let idle = to.idle.filter(|_| upload.is_done());
        let head = tokio::select! {
            biased;
            // The common case first: head and body of the request go in one call.
            sent = up(client, upload, sink, to.tunnel) => {
                so_far.written |= sink.has_begun();
                match sent {
                    Ok(()) => continue,
                    Err(Stuck::Upstream(broken)) => heads.at_hand(source, response, asked).await.unwrap_or(Err(broken)),
                    Err(Stuck::Client(failure)) => return Err(failure),
                }
            }
            head = alarms.within(idle, heads.next(source, response, asked)) => head.ok_or(TryFailure::Idle)?,
        };
        so_far.written |= channel.ends.sink.has_begun();
        let head = head.map_err(|broken| failure(broken, so_far.written))?;
        match head {
            Head::Interim if !to.pass_interim => {}
            Head::Interim => {
                client.interim(response).await.map_err(TryFailure::Gone)?;
                so_far.passed_on = true;
            }
            Head::Tunnel => {
                channel.ends.source.switched(response, request);
                return Ok(head);
            }
            Head::Last(_) => return Ok(head),
        }
    }
}

/// Why a request goes no further up.
pub(super) enum Stuck {
    Upstream(Broken),
    Client(TryFailure),
}

/// A step of the request's way up. May be dropped and begun again.
pub(super) async fn up(client: &mut Client, upload: &mut Upload, sink: &mut Sink, tunnel: bool) -> Result<(), Stuck> {
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

pub(super) fn of_client(broken: Broken) -> TryFailure {
    match broken {
        Broken::Malformed(refusal) => TryFailure::Malformed(refusal),
        Broken::Lost => TryFailure::Gone(Gone::Closed),
        Broken::Reset | Broken::Refused => TryFailure::Gone(Gone::Reset),
    }
}
