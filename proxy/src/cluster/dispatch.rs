//! Getting a connection to an endpoint within the cluster's limits: a ready one, or a turn in the queue for one.

use super::connection::Connection;
use super::open::{ConnectError, open};
use super::pool::{HostPool, Turn};
use super::speak::speak;
use super::{Channel, Cluster, Member, PoolKey, Pools, Slot};
use crate::clock::now;
use crate::policy::{PoolLimits, ProtocolChoice};
use crate::telemetry::metrics::Worker;
use crate::telemetry::{ClusterCounter, ClusterTime};
use crate::wire::Broken;
use squall_http1::{Framing, Request};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

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
                speak(transport, local, slot, &pool, &cluster, &key).await;
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
