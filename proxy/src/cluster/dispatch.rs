//! Getting a connection to an endpoint within the cluster's limits.

use super::connection::{Connection, Ends, Http1, Http2};
use super::pool::{Ended, HostPool, Turn};
use super::{Channel, Cluster, Member, Pools, Slot};
use crate::clock::now;
use crate::net::{self, ServerName, Transport};
use crate::policy::{Address, PoolLimits, Priority, ProtocolChoice};
use crate::telemetry::metrics::Worker;
use crate::telemetry::{ClusterCounter, ClusterTime};
use crate::wire::{Broken, Sink, Source, http1, keepalive};
use squall_http1::{Framing, Limits, Request};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConnectError {
    /// A limit of active requests is reached.
    #[error("overflow")]
    Overflow,
    /// No request more may wait for a connection.
    #[error("overflow")]
    PendingOverflow,
    /// A limit of pools is reached: the endpoint counts as not there.
    #[error("no room for another pool")]
    NoPool,
    /// Refused, unreachable, reset; with what the transport said, if it is not the plain "refused".
    #[error("{0}")]
    Failed(Arc<str>),
    /// Not in time.
    #[error("connection timeout")]
    Timeout,
}

impl ConnectError {
    /// What the transport said, if it said anything.
    pub(crate) fn transport(&self) -> Option<&str> {
        let Self::Failed(told) = self else { return None };
        told.split_once("transport failure reason: ").map(|(_, reason)| reason)
    }
}

/// How an endpoint is spoken to: connections are shared only among requests that agree on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PoolKey {
    /// The protocol, or how it is found out.
    pub protocol: ProtocolChoice,
    /// The server name, where it is that of the request: no more of a host makes a pool, since strangers choose it.
    pub server_name: Option<ServerName<'static>>,
    /// Which limits count it.
    pub priority: Priority,
}

/// A connection with a place among the active requests of the cluster.
pub(crate) struct Connected {
    connection: Connection,
    pool: Rc<HostPool>,
    max_requests: Option<u32>,
    slot: Slot,
}

impl Connected {
    /// Begins a request on it. Its head waits in the sink; the place among the active requests is the caller's to keep.
    pub(crate) async fn begin(
        self,
        request: &Request,
        framing: Framing,
        tunnel: bool,
        scheme: &str,
    ) -> Result<(Channel, Slot), Broken> {
        let channel = self.connection.begin(request, framing, tunnel, scheme, self.max_requests, self.pool).await?;
        Ok((channel, self.slot))
    }
}

/// A connection to an endpoint for one request, which began to look for one `now`.
pub(crate) async fn connect(
    pools: &Pools,
    cluster: &Arc<Cluster>,
    member: &Arc<Member>,
    key: &PoolKey,
    now: Instant,
) -> Result<Connected, ConnectError> {
    let options = &cluster.policy.connections;
    let limits = cluster.policy.limits(key.priority);
    let pool = pools.of(&member.host, key, &cluster.stats);
    let connection = match pool.take_ready(now, options.idle_timeout) {
        Some(connection) => connection,
        None => wait_or_open(pools, &pool, cluster, member, key, limits).await?,
    };
    if let Some(slot) = cluster.place(member, key.priority, |load| &load.requests, limits.requests) {
        Ok(Connected { connection, pool, max_requests: options.max_requests, slot })
    } else {
        connection.put_back(&pool);
        Err(ConnectError::Overflow)
    }
}

/// No ready connection: the request is pending from here on, even while a new connection is being opened.
async fn wait_or_open(
    pools: &Pools,
    pool: &Rc<HostPool>,
    cluster: &Arc<Cluster>,
    member: &Arc<Member>,
    key: &PoolKey,
    limits: &PoolLimits,
) -> Result<Connection, ConnectError> {
    if pool.is_empty() && pools.in_use(&member.host) as u32 >= limits.pools {
        cluster.stats.count(pools.shard, ClusterCounter::CxPoolOverflow);
        return Err(ConnectError::NoPool);
    }
    let Some(_pending) = cluster.place(member, key.priority, |load| &load.pending, limits.pending) else {
        cluster.stats.count(pools.shard, ClusterCounter::RqPendingOverflow);
        return Err(ConnectError::PendingOverflow);
    };
    cluster.stats.count(pools.shard, ClusterCounter::RqPendingTotal);
    let begun = now();
    loop {
        let mut waiter = pool.wait();
        open_another(pools.shard, pool, cluster, member, key, limits);
        match waiter.turn().await {
            // A peer whose newest connection says goodbye at once would do so with the next, too.
            Some(Turn::Connection(connection)) if connection.is_ready() || connection.opened() >= begun => {
                return Ok(connection);
            }
            Some(Turn::Failed(error)) => return Err(error),
            Some(Turn::Connection(_) | Turn::TryAgain) | None => {}
        }
    }
}

/// Opens a connection for whoever waits, if that is needed and allowed. It goes on by itself, whoever gives up waiting.
fn open_another(
    shard: Worker,
    pool: &Rc<HostPool>,
    cluster: &Arc<Cluster>,
    member: &Arc<Member>,
    key: &PoolKey,
    limits: &PoolLimits,
) {
    let for_many = matches!(key.protocol, ProtocolChoice::Http2);
    if !pool.wants_another(for_many) {
        return;
    }
    // An endpoint may always have one connection, whatever the limit.
    let limit = if pool.is_empty() { u32::MAX } else { limits.connections };
    let slot = cluster.place(member, key.priority, |load| &load.connections, limit);
    let Some(slot) = slot.filter(|_| pool.open() < limits.connections_per_host.max(1)) else {
        cluster.stats.count(shard, ClusterCounter::CxOverflow);
        return;
    };
    pool.opening();
    let begun = now();
    let (pool, cluster, member, key) = (Rc::clone(pool), Arc::clone(cluster), Arc::clone(member), key.clone());
    tokio::task::spawn_local(async move {
        match open(&cluster, &member, &key).await {
            Ok((transport, local)) => {
                cluster.stats.count(shard, ClusterCounter::CxTotal);
                cluster.stats.took(shard, ClusterTime::CxConnect, now().saturating_duration_since(begun));
                serve(transport, local, slot, &pool, &cluster, &key).await;
            }
            Err(error) => {
                cluster.stats.count(shard, ClusterCounter::CxConnectFail);
                if error == ConnectError::Timeout {
                    cluster.stats.count(shard, ClusterCounter::CxConnectTimeout);
                }
                let told = pool.failed(&error);
                cluster.stats.add(shard, ClusterCounter::RqPendingFailureEject, told);
            }
        }
    });
}

/// A connection with TLS where the cluster asks for it, in time.
pub(crate) async fn open(
    cluster: &Cluster,
    member: &Member,
    key: &PoolKey,
) -> Result<(Transport, Option<SocketAddr>), ConnectError> {
    let options = &cluster.policy.connections;
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::ConnectionRefused => {
            let reason = "delayed connect error: Connection refused";
            ConnectError::Failed(format!("remote connection failure, transport failure reason: {reason}").into())
        }
        _ => ConnectError::Failed(format!("remote connection failure, transport failure reason: {error}").into()),
    };
    let opening = async {
        let (transport, local) = match member.address() {
            Address::Socket(address) => {
                let (transport, local) = net::connect(address, options.tcp_keepalive).await.map_err(failed)?;
                (transport, Some(local))
            }
            Address::Pipe(path) => (net::connect_pipe(&path).await.map_err(failed)?, None),
            Address::Name(name, _) => {
                return Err(failed(std::io::Error::other(format!("{name} is not looked up yet"))));
            }
        };
        match &cluster.tls {
            Some(tls) => Ok((tls.connect(transport, key.server_name.as_ref()).await.map_err(failed)?, local)),
            None => Ok((transport, local)),
        }
    };
    tokio::time::timeout(options.connect_timeout, opening).await.unwrap_or(Err(ConnectError::Timeout))
}

/// Puts a connection to use in the protocol that its ends speak.
async fn serve(
    transport: Transport,
    local: Option<SocketAddr>,
    slot: Slot,
    pool: &Rc<HostPool>,
    cluster: &Cluster,
    key: &PoolKey,
) {
    let http2 = match key.protocol {
        ProtocolChoice::Http2 => true,
        ProtocolChoice::Alpn => transport.alpn() == Some(b"h2"),
        ProtocolChoice::Http1 | ProtocolChoice::OfClient => false,
    };
    pool.counts(if http2 { ClusterCounter::CxHttp2Total } else { ClusterCounter::CxHttp1Total });
    if http2 {
        return serve_streams(transport, local, slot, pool, cluster).await;
    }
    let (reader, writer) = transport.split();
    let trailers = cluster.policy.protocol.http1.trailers;
    let source = Source::Http1(http1::Source::new(reader, Limits::default()).with_trailers(trailers));
    let sink = Sink::Http1(http1::Sink::new(writer).with_trailers(trailers));
    let ends = Box::new(Ends { source, sink });
    let opened = now();
    pool.opened();
    pool.put_back(Http1 { ends, requests: 0, opened, idle_since: opened, local, _slot: slot }, opened);
}

/// Drives a connection of HTTP/2 to its end.
async fn serve_streams(
    transport: Transport,
    local: Option<SocketAddr>,
    slot: Slot,
    pool: &Rc<HostPool>,
    cluster: &Cluster,
) {
    let options = &cluster.policy.protocol.http2;
    let shaken = h2::client::Builder::new()
        .initial_window_size(options.stream_window)
        .initial_connection_window_size(options.connection_window)
        .max_header_list_size(60 * 1024)
        .enable_push(false)
        .handshake(transport)
        .await;
    let Ok((send, mut connection)) = shaken else {
        pool.failed(&ConnectError::Failed("remote connection failure".into()));
        return;
    };
    let limits = (options.max_concurrent_streams, cluster.policy.connections.max_requests);
    let http2 = Http2::new(send, limits, local, pool);
    let opened = http2.opened;
    let unanswered = keepalive::unanswered(connection.ping_pong(), options.keepalive);
    pool.opened();
    // Once nobody else holds it the connection ends.
    let http2 = pool.add_streams(http2);
    tokio::select! {
        // However it ends, its streams have been told.
        _ = connection => {}
        () = unanswered => {}
    }
    let left = http2.upgrade();
    left.iter().filter(|http2| Http2::is_ready(http2)).for_each(|http2| Http2::close(http2, None));
    let active = left.is_some_and(|http2| http2.is_active());
    drop(slot);
    pool.gone(Ended { active, opened, why: None });
}
