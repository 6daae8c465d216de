//! Copies of requests: sent and forgotten. Nothing that happens to them is seen by the client or by the request itself.

use super::client::Gone;
use super::exchange::{Answer, Heads, Try, TryFailure, failure, open};
use super::transaction::Transaction;
use super::tries::{charge, show};
use super::worker::Worker;
use crate::balance::Wish;
use crate::clock::now;
use crate::cluster::{Bound, Cluster, Member, PoolKey};
use crate::filter::hash;
use crate::health::outlier::Outcome;
use crate::policy::{Forward, Mirror, Priority, ProtocolChoice};
use crate::telemetry::ClusterCounter;
use crate::wire::{Asked, Head, Sink};
use rand::RngExt;
use squall_http1::{Framing, Headers, Request, Response};
use std::cell::Cell;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// Bytes of a body that may wait for a copy; a copy that is slower than that is given up.
const WAITING: usize = 1024 * 1024;

/// A part of a body.
enum Piece {
    Data(Vec<u8>),
    /// That was all, but for what stands behind it.
    End(Option<Box<Headers>>),
}

/// Where the body of a request is copied to.
pub(super) struct Copy {
    /// None once the copy was given up: it is cut where its pieces end.
    pieces: Option<mpsc::UnboundedSender<Piece>>,
    waiting: Rc<Cell<usize>>,
}

impl Copy {
    /// Copies a piece.
    pub(super) fn data(&mut self, payload: &[u8]) {
        let waiting = self.waiting.get() + payload.len();
        if waiting > WAITING {
            self.pieces = None;
        } else if !payload.is_empty() {
            self.waiting.set(waiting);
            self.send(Piece::Data(payload.to_vec()));
        }
    }

    /// That was all.
    pub(super) fn end(&mut self, trailers: Option<&Headers>) {
        self.send(Piece::End(trailers.cloned().map(Box::new)));
    }

    fn send(&self, piece: Piece) {
        if let Some(pieces) = &self.pieces {
            // Nobody minds if the copy is over already.
            let _ = pieces.send(piece);
        }
    }
}

/// Sends a copy of a request, by the share of its policy.
pub(super) fn send(
    transaction: &Transaction<'_>,
    mirror: &Mirror,
    cluster: Option<&Arc<Cluster>>,
    forward: &Forward,
    framing: Framing,
) -> Option<Copy> {
    let Transaction { worker, client, request, .. } = transaction;
    let cluster = Arc::clone(cluster?);
    if worker.rng.borrow_mut().random_range(0..1_000_000) >= mirror.share.0 || request.method() == "CONNECT" {
        return None;
    }
    let mut request = Request::clone(request);
    if let Some(timeout) = forward.timeout {
        request.headers.set("x-envoy-expected-rq-timeout-ms", timeout.as_millis().to_string().as_bytes());
    }
    if mirror.shadow_host {
        let host = request.headers.get_str("host").unwrap_or_default();
        let shadow = match host.rsplit_once(':') {
            Some((host, port)) => format!("{host}-shadow:{port}"),
            None => format!("{host}-shadow"),
        };
        request.headers.set("host", shadow.as_bytes());
    }
    request.headers.set("x-envoy-internal", b"true");
    super::admission::append_forwarded(&mut request, Ipv4Addr::LOCALHOST.into());
    let (pieces, coming) = mpsc::unbounded_channel();
    let waiting = Rc::new(Cell::new(0));
    let copy = Copy { pieces: Some(pieces), waiting: Rc::clone(&waiting) };
    let (hash, _) = hash::hash(&forward.hash, &request, Ipv4Addr::LOCALHOST.into(), || 0);
    let delivery = Delivery {
        worker: Rc::clone(worker),
        key: PoolKey::of(&cluster, &request, Priority::Default, false),
        cluster,
        scheme: client.peer.scheme(),
        hash,
        request,
        framing,
        time: forward.timeout,
    };
    tokio::task::spawn_local(async move { delivery.make(coming, &waiting).await });
    Some(copy)
}

/// A copy on its way.
struct Delivery {
    worker: Rc<Worker>,
    cluster: Arc<Cluster>,
    key: PoolKey,
    scheme: &'static str,
    hash: Option<u64>,
    request: Request,
    framing: Framing,
    /// From the whole request to the whole answer.
    time: Option<Duration>,
}

impl Delivery {
    async fn make(self, mut coming: mpsc::UnboundedReceiver<Piece>, waiting: &Cell<usize>) {
        let Self { worker, cluster, key, request, time, .. } = &self;
        let stats = &cluster.stats;
        let wish = Wish { hash: self.hash, ..Wish::default() };
        let Some(member) = worker.pick(cluster, &wish, Bound::Requests(key.priority), None) else {
            stats.count(worker.shard, ClusterCounter::CxNoneHealthy);
            return stats.answered(worker.shard, 503);
        };
        let whole = Notify::new();
        let answered = Cell::new(false);
        let made = async {
            let result = self.answer(&member, &mut coming, waiting, &whole).await;
            answered.set(true);
            show(worker, cluster, key.protocol, &member.host, request, &result);
            match result {
                Ok(answer) => {
                    stats.answered(worker.shard, answer.response.status);
                    throw_away(answer).await;
                }
                // There is nobody to reply to.
                Err(failure) => drop(charge(worker, stats, failure)),
            }
        };
        let late = async {
            whole.notified().await;
            match time {
                Some(time) => tokio::time::sleep(*time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = made => {}
            () = late => {
                stats.count(worker.shard, ClusterCounter::RqTimeout);
                if key.protocol == ProtocolChoice::Http2 {
                    stats.count(worker.shard, ClusterCounter::RqTxReset);
                }
                if !answered.get() {
                    stats.answered(worker.shard, 504);
                    worker.observe(cluster, &member.host, Outcome::TimeOut);
                }
            }
        }
    }

    /// Sends it as its pieces come, and waits for the head of its answer.
    async fn answer(
        &self,
        member: &Arc<Member>,
        coming: &mut mpsc::UnboundedReceiver<Piece>,
        waiting: &Cell<usize>,
        whole: &Notify,
    ) -> Result<Box<Answer>, TryFailure> {
        let Self { worker, cluster, key, scheme, request, framing, .. } = self;
        let broken = |broken| failure(broken, true);
        if *framing == Framing::Empty {
            whole.notify_one();
        }
        let to = Try {
            cluster,
            member,
            key,
            begun: now(),
            time: None,
            stall: None,
            idle: None,
            tunnel: false,
            pass_interim: false,
            scheme,
        };
        let mut opened = open(worker, request, *framing, to, false).await?;
        let sink = &mut opened.channel.ends.sink;
        if *framing != Framing::Empty {
            pass_on(coming, sink, waiting).await?;
            whole.notify_one();
        }
        sink.flush().await.map_err(broken)?;
        let mut response = Response::default();
        let mut heads = Heads::default();
        let asked = Asked { method: request.method(), tunnel: false };
        loop {
            match heads.next(&mut opened.channel.ends.source, &mut response, asked).await.map_err(broken)? {
                Head::Interim => {}
                head => return Ok(opened.answered(response, head)),
            }
        }
    }
}

/// Writes pieces as they come, up to the last.
async fn pass_on(
    coming: &mut mpsc::UnboundedReceiver<Piece>,
    sink: &mut Sink,
    waiting: &Cell<usize>,
) -> Result<(), TryFailure> {
    loop {
        match coming.recv().await {
            Some(Piece::Data(piece)) => {
                waiting.set(waiting.get().saturating_sub(piece.len()));
                sink.data(&piece);
                sink.flush().await.map_err(|broken| failure(broken, true))?;
            }
            Some(Piece::End(trailers)) => {
                sink.end(trailers.as_deref());
                return Ok(());
            }
            // Whoever gives up the request before it is whole gives up its copy, too.
            None => return Err(TryFailure::Gone(Gone::Reset)),
        }
    }
}

/// Reads an answer to its end, so that its connection serves another request.
async fn throw_away(mut answer: Box<Answer>) {
    let source = &mut answer.channel.ends.source;
    while source.take(|_| {}).is_ok() {
        if source.is_done() {
            return answer.finish();
        }
        if source.fill().await.is_err() {
            return;
        }
    }
}
