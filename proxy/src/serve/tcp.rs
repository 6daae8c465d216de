//! Bytes, both ways.

use super::client::Peer;
use super::snapshot::TcpService;
use super::worker::Worker;
use crate::balance::{Wish, key};
use crate::clock::now;
use crate::cluster::{Bound, Cluster, ConnectError, Member, PoolKey, Slot, open};
use crate::health::outlier::Outcome;
use crate::net::{Reader, Transport, Writer};
use crate::policy::{Address, Priority, ProtocolChoice};
use crate::telemetry::metrics::TcpCounter;
use crate::telemetry::{ClusterCounter, Flag, Flags, StreamInfo};
use rand::RngExt;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes moved at once.
const PIECE: usize = 16 * 1024;

/// What is known of a forwarded connection.
struct Story {
    opened: Instant,
    flags: Flags,
    cluster: Option<Arc<Cluster>>,
    host: Option<Address>,
    received: Cell<u64>,
    sent: Cell<u64>,
    /// Connections that were tried.
    attempts: u32,
    /// Why the last of them failed, in the transport's words.
    failure: Option<Arc<str>>,
}

/// Forwards a connection to its end.
pub(super) async fn serve(worker: Rc<Worker>, proxy: &TcpService, transport: Transport, peer: &Peer) {
    proxy.stats.opened(worker.shard);
    let mut story = Story {
        opened: now(),
        flags: Flags::NONE,
        cluster: None,
        host: None,
        received: Cell::new(0),
        sent: Cell::new(0),
        attempts: 0,
        failure: None,
    };
    if let Err(flag) = forward(&worker, proxy, transport, peer, &mut story).await {
        story.flags.raise(flag);
    }
    proxy.stats.closed(worker.shard);
    proxy.stats.add(worker.shard, TcpCounter::CxRxBytesTotal, story.received.get());
    proxy.stats.add(worker.shard, TcpCounter::CxTxBytesTotal, story.sent.get());
    if let Some(cluster) = &story.cluster {
        let istio = cluster.istio_tcp(&worker.shared.telemetry.metrics);
        istio.moved(worker.shard, story.received.get(), story.sent.get());
        istio.closed(worker.shard, story.flags);
        cluster.stats.add(worker.shard, ClusterCounter::CxTxBytesTotal, story.received.get());
        cluster.stats.add(worker.shard, ClusterCounter::CxRxBytesTotal, story.sent.get());
    }
    let mut info = StreamInfo::new(story.opened, now());
    info.flags = story.flags;
    info.cluster = story.cluster.as_ref().map_or("", |cluster| &cluster.name);
    info.upstream_host = story.host.as_ref();
    info.attempts = story.attempts;
    info.transport_failure = story.failure.as_deref().unwrap_or_default();
    info.received = story.received.get();
    info.sent = story.sent.get();
    info.local = Some(peer.destination.unwrap_or(peer.local));
    info.remote = Some(peer.remote);
    info.direct_remote = Some(peer.remote);
    info.connection_id = peer.id;
    info.server_name = peer.server_name.as_deref().unwrap_or_default();
    proxy.logs.iter().chain(&worker.shared.access_log).for_each(|log| log.log(&info));
}

async fn forward(
    worker: &Rc<Worker>,
    proxy: &TcpService,
    transport: Transport,
    peer: &Peer,
    story: &mut Story,
) -> Result<(), Flag> {
    let draw = worker.rng.borrow_mut().random();
    let Some((to, cluster)) = proxy.destination(draw) else {
        proxy.stats.count(worker.shard, TcpCounter::CxNoRoute);
        return Err(Flag::NoCluster);
    };
    story.cluster = Some(Arc::clone(cluster));
    cluster.istio_tcp(&worker.shared.telemetry.metrics).opened(worker.shard);
    let load = Arc::clone(cluster.load(Priority::Default));
    let limit = cluster.policy.limits.connections;
    let Some(_place) = load.take(|load| &load.connections, cluster.common(limit)) else {
        cluster.stats.count(worker.shard, ClusterCounter::CxOverflow);
        return Err(Flag::Overflow);
    };
    let (upstream, member, _own) = connect(worker, proxy, cluster, &to.subset, peer, story).await?;
    let mut active = member.host.begin();
    active.answered();
    let (from_client, mut to_client) = transport.split();
    let (from_upstream, mut to_upstream) = upstream.split();
    let moved = Cell::new(now());
    let both = async {
        tokio::try_join!(
            pump(from_client, &mut to_upstream, &moved, &story.received),
            pump(from_upstream, &mut to_client, &moved, &story.sent)
        )
    };
    tokio::select! {
        moved = both => {
            if moved.is_err() {
                to_upstream.close_by_reset();
                to_client.close_by_reset();
            }
            Ok(())
        }
        () = idle(proxy.policy.idle_timeout, &moved) => {
            proxy.stats.count(worker.shard, TcpCounter::IdleTimeout);
            Ok(())
        }
        () = worker.alarms.until(proxy.policy.max_duration.map(|age| now() + age)) => {
            proxy.stats.count(worker.shard, TcpCounter::MaxDuration);
            Err(Flag::DurationTimeout)
        }
        () = member.host.is_cut() => Ok(()),
        () = worker.torn_down() => Ok(()),
    }
}

/// Connects to an endpoint, or to another if that fails, as often as the policy says.
async fn connect(
    worker: &Rc<Worker>,
    proxy: &TcpService,
    cluster: &Arc<Cluster>,
    subset: &BTreeMap<String, String>,
    peer: &Peer,
    story: &mut Story,
) -> Result<(Transport, Arc<Member>, Option<Slot>), Flag> {
    let hash = proxy.policy.hash_source_ip.then(|| key(peer.remote.ip().to_string().as_bytes()));
    let how = PoolKey { protocol: ProtocolChoice::Http1, server_name: None, priority: Priority::Default };
    for _ in 0..proxy.policy.max_connect_attempts.max(1) {
        let wish = Wish { hash, subset, ..Wish::default() };
        let Some(member) = worker.pick(cluster, &wish, Bound::Connections, peer.destination) else {
            cluster.stats.count(worker.shard, ClusterCounter::CxNoneHealthy);
            return Err(Flag::NoHealthyUpstream);
        };
        story.host = Some(member.address());
        story.attempts += 1;
        let Ok(own) = cluster.own_connection(&member) else {
            cluster.stats.count(worker.shard, ClusterCounter::CxOverflow);
            return Err(Flag::Overflow);
        };
        let _trial = member.host.tried();
        match open(cluster, &member, &how).await {
            Ok((upstream, _)) => {
                worker.observe(cluster, &member.host, Outcome::Reached);
                cluster.stats.count(worker.shard, ClusterCounter::CxTotal);
                return Ok((upstream, member, own));
            }
            Err(error) => {
                let timed_out = error == ConnectError::Timeout;
                story.failure = error.transport().map(Into::into);
                let outcome = if timed_out { Outcome::TimeOut } else { Outcome::ConnectFailure };
                worker.observe(cluster, &member.host, outcome);
                cluster.stats.count(worker.shard, ClusterCounter::CxConnectFail);
                if timed_out {
                    cluster.stats.count(worker.shard, ClusterCounter::CxConnectTimeout);
                }
                story.flags.raise(Flag::ConnectFailure);
            }
        }
    }
    cluster.stats.count(worker.shard, ClusterCounter::CxConnectAttemptsExceeded);
    Err(Flag::RetryLimit)
}

/// Moves bytes until one side ends; the end is passed on, and the other direction goes on. An error is the end of both.
async fn pump(mut from: Reader, to: &mut Writer, moved: &Cell<Instant>, bytes: &Cell<u64>) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = match from.read(&mut piece).await {
            // Some leave TLS without a farewell.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            read => read?,
        };
        if read == 0 {
            // A peer that is gone needs no farewell.
            let _ = to.shutdown().await;
            return Ok(());
        }
        moved.set(now());
        bytes.set(bytes.get() + read as u64);
        to.write_all(&piece[..read]).await?;
        to.flush().await?;
    }
}

/// Returns when no byte has moved for so long.
async fn idle(limit: Option<Duration>, moved: &Cell<Instant>) {
    let Some(limit) = limit else { return std::future::pending().await };
    loop {
        let due = moved.get() + limit;
        if now() >= due {
            return;
        }
        tokio::time::sleep_until(due.into()).await;
    }
}
