//! Copies of requests: sent and forgotten. Nothing that happens to them is seen by the client or by the request itself.

use super::worker::Worker;
use crate::balance::Wish;
use crate::cluster::{Cluster, PoolKey, connect};
use crate::filter::hash;
use crate::health::outlier::Outcome;
use crate::policy::{Forward, Mirror, Priority};
use crate::wire::{Asked, Head};
use rand::RngExt;
use squall_http1::{Framing, Request, Response};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Bytes of a body that may wait for a copy; a copy that is slower than that is given up.
const WAITING: usize = 1024 * 1024;

/// A copy that is given up is one that takes longer than this, where the route has no time of its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the body of a request is copied to.
pub(super) struct Copy {
    pieces: mpsc::UnboundedSender<Option<Vec<u8>>>,
    waiting: Rc<Cell<usize>>,
}

impl Copy {
    /// Copies a piece.
    pub(super) fn data(&self, payload: &[u8]) {
        let waiting = self.waiting.get() + payload.len();
        if !payload.is_empty() && waiting <= WAITING {
            self.waiting.set(waiting);
            // Nobody minds if the copy was given up.
            let _ = self.pieces.send(Some(payload.to_vec()));
        }
    }

    /// That was all.
    pub(super) fn end(&self) {
        let _ = self.pieces.send(None);
    }
}

/// Sends a copy of a request, by the share of its policy.
pub(super) fn send(
    worker: &Rc<Worker>,
    mirror: &Mirror,
    cluster: Option<&Arc<Cluster>>,
    forward: &Forward,
    request: &Request,
    framing: Framing,
) -> Option<Copy> {
    let cluster = Arc::clone(cluster?);
    if worker.rng.borrow_mut().random_range(0..1_000_000) >= mirror.share.0 || request.method() == "CONNECT" {
        return None;
    }
    let mut request = request.clone();
    if mirror.shadow_host {
        let host = request.headers.get_str("host").unwrap_or_default();
        let shadow = match host.rsplit_once(':') {
            Some((host, port)) => format!("{host}-shadow:{port}"),
            None => format!("{host}-shadow"),
        };
        request.headers.set("host", shadow.as_bytes());
    }
    let (pieces, coming) = mpsc::unbounded_channel();
    let waiting = Rc::new(Cell::new(0));
    let copy = Copy { pieces, waiting: Rc::clone(&waiting) };
    let (hashing, limit) = (forward.hash.clone(), forward.timeout.unwrap_or(PATIENCE));
    let worker = Rc::clone(worker);
    tokio::task::spawn_local(async move {
        let sent = deliver(&worker, &cluster, &hashing, request, framing, coming, &waiting);
        // A copy that is late is as good as none.
        let _ = tokio::time::timeout(limit, sent).await;
    });
    Some(copy)
}

async fn deliver(
    worker: &Rc<Worker>,
    cluster: &Arc<Cluster>,
    hashing: &[crate::policy::HashPolicy],
    mut request: Request,
    framing: Framing,
    mut coming: mpsc::UnboundedReceiver<Option<Vec<u8>>>,
    waiting: &Cell<usize>,
) -> Option<()> {
    let (key, _) = hash::hash(hashing, &request, std::net::Ipv4Addr::LOCALHOST.into(), || 0);
    let member = worker.pick(cluster, &Wish { hash: key, ..Wish::default() }, None)?;
    let host = Arc::clone(&member.host);
    let _active = host.begin();
    request.headers.set("x-envoy-attempt-count", b"1");
    let pool = PoolKey { protocol: cluster.policy.protocol.choice, server_name: None, priority: Priority::Default };
    let Ok(connected) = connect(&worker.pools, cluster, &member, &pool).await else {
        worker.observe(cluster, &host, Outcome::ConnectFailure);
        return None;
    };
    worker.observe(cluster, &host, Outcome::Connected);
    let (mut channel, _slot) = connected.begin(&request, framing, false, "http").await.ok()?;
    if framing != Framing::Empty {
        // Whoever gives up the request before it is whole gives up its copy, too.
        while let Some(piece) = coming.recv().await? {
            waiting.set(waiting.get().saturating_sub(piece.len()));
            channel.sink.data(&piece);
            channel.sink.flush().await.ok()?;
        }
        channel.sink.end(None);
    }
    channel.sink.flush().await.ok()?;
    let mut response = Response::default();
    let asked = Asked { method: request.method(), tunnel: false };
    loop {
        match channel.source.head(&mut response, asked).await {
            Ok(Head::Interim) => {}
            Ok(_) => break,
            Err(_) => {
                worker.observe(cluster, &host, Outcome::Reset);
                return None;
            }
        }
    }
    worker.observe(cluster, &host, Outcome::Status(response.status));
    while !channel.source.is_done() {
        channel.source.take(|_| {}).ok()?;
        if !channel.source.is_done() {
            channel.source.fill().await.ok()?;
        }
    }
    channel.finish();
    Some(())
}
