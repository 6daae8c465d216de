//! Getting a connection to an endpoint within the cluster's limits.

use super::pool::{HostPool, Turn};
use super::{Cluster, Host, Pools, Slot, Upstream};
use crate::clock::now;
use crate::net;
use std::rc::Rc;

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConnectError {
    /// A limit of pending or active requests is reached.
    #[error("overflow")]
    Overflow,
    /// Refused, unreachable, reset.
    #[error("remote connection failure")]
    Failed(String),
    /// Not in time.
    #[error("connection timeout")]
    Timeout,
}

/// A connection with a place among the active requests of the cluster.
pub(crate) async fn connect(pools: &Pools, cluster: &Cluster, host: &Host) -> Result<(Upstream, Slot), ConnectError> {
    let limits = &cluster.policy.pool;
    let pool = pools.of(host);
    let upstream = match pool.take_idle(now(), limits.idle_timeout) {
        Some(upstream) => upstream,
        None => wait_or_open(&pool, cluster, host).await?,
    };
    if let Some(slot) = cluster.load.take(|load| &load.requests, limits.max_requests) {
        Ok((upstream, slot))
    } else {
        pools.put_back(host, upstream, now());
        cluster.stats.overflow.add(1);
        Err(ConnectError::Overflow)
    }
}

/// No ready connection: the request is pending from here on, even while a new connection is being opened.
async fn wait_or_open(pool: &Rc<HostPool>, cluster: &Cluster, host: &Host) -> Result<Upstream, ConnectError> {
    let limits = &cluster.policy.pool;
    let Some(_pending) = cluster.load.take(|load| &load.pending, limits.max_pending) else {
        cluster.stats.overflow.add(1);
        return Err(ConnectError::Overflow);
    };
    loop {
        // An endpoint may always have one connection, whatever the limit.
        let limit = if pool.is_empty() { u32::MAX } else { limits.max_connections };
        if let Some(slot) = cluster.load.take(|load| &load.connections, limit) {
            return open(pool, cluster, host, slot).await;
        }
        cluster.stats.connections_overflow.add(1);
        match pool.wait().await {
            Ok(Turn::Connection(upstream)) => return Ok(*upstream),
            Ok(Turn::TryAgain) | Err(_) => {}
        }
    }
}

async fn open(pool: &Rc<HostPool>, cluster: &Cluster, host: &Host, slot: Slot) -> Result<Upstream, ConnectError> {
    let opening = Opening::begin(pool);
    let connecting = net::connect(host.address);
    let stream = match tokio::time::timeout(cluster.policy.pool.connect_timeout, connecting).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            cluster.stats.connect_failures.add(1);
            return Err(ConnectError::Failed(error.to_string()));
        }
        Err(_) => {
            cluster.stats.connect_failures.add(1);
            return Err(ConnectError::Timeout);
        }
    };
    cluster.stats.connections_opened.add(1);
    opening.succeeded();
    Ok(Upstream::new(stream, slot, now()))
}

/// A connection of the pool that is being opened; not one any more if that fails or is given up.
struct Opening {
    pool: Option<Rc<HostPool>>,
}

impl Opening {
    fn begin(pool: &Rc<HostPool>) -> Self {
        pool.opening();
        Self { pool: Some(Rc::clone(pool)) }
    }

    fn succeeded(mut self) {
        self.pool = None;
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            pool.lost();
        }
    }
}
