//! Connections to endpoints: limits, times and the protocol, with the mesh's defaults for what a policy leaves out.

use super::{Mode, Site};
use crate::config::objects::{AppProtocol, ConnectionPool, TrafficPolicy};
use crate::policy::{ConnectionOptions, PoolLimits, ProtocolChoice, UNLIMITED, UpstreamProtocol};
use std::time::Duration;

/// Limits of a cluster. 0 cannot be said in Istio: it means nothing was said.
pub(super) fn limits(policy: &TrafficPolicy) -> PoolLimits {
    let default = ConnectionPool::default();
    let pool = policy.connection_pool.as_ref().unwrap_or(&default);
    let limit = |count: Option<u32>| count.filter(|count| *count > 0).unwrap_or(UNLIMITED);
    PoolLimits {
        connections: limit(pool.max_connections),
        pending: limit(pool.max_pending),
        requests: limit(pool.max_requests),
        retries: limit(pool.max_retries),
        retry_budget: policy.retry_budget,
        ..PoolLimits::unlimited()
    }
}

/// How connections are made and kept. The idle time of TCP is that of HTTP where that is unsaid; zero is for ever.
pub(super) fn connections(pool: Option<&ConnectionPool>) -> ConnectionOptions {
    let mesh = ConnectionOptions { connect_timeout: Duration::from_secs(10), ..ConnectionOptions::default() };
    let Some(pool) = pool else { return mesh };
    ConnectionOptions {
        connect_timeout: pool.connect_timeout.unwrap_or(mesh.connect_timeout),
        idle_timeout: match pool.http_idle_timeout.or(pool.tcp_idle_timeout) {
            Some(idle) => (!idle.is_zero()).then_some(idle),
            None => mesh.idle_timeout,
        },
        max_duration: pool.max_connection_duration,
        max_requests: pool.max_requests_per_connection.filter(|count| *count > 0),
        tcp_keepalive: pool.tcp_keepalive,
        ..mesh
    }
}

/// Which protocol is spoken to the endpoints of a port.
pub(super) fn protocol(spoken: AppProtocol, policy: &TrafficPolicy, site: &Site) -> UpstreamProtocol {
    let default = ConnectionPool::default();
    let pool = policy.connection_pool.as_ref().unwrap_or(&default);
    // A gateway always offers HTTP/2 to its clients, which says nothing about what a service understands.
    let as_found = spoken == AppProtocol::Sniffed && site.mode != Mode::Gateway;
    let choice = if pool.use_client_protocol || as_found {
        ProtocolChoice::OfClient
    } else if spoken.is_http2() || pool.upgrade_to_http2 == Some(true) {
        ProtocolChoice::Http2
    } else {
        ProtocolChoice::Http1
    };
    let mut http2 = site.version.http2();
    if choice == ProtocolChoice::Http2 {
        http2.max_concurrent_streams =
            pool.max_concurrent_streams.filter(|count| *count > 0).unwrap_or(http2.max_concurrent_streams);
        http2.keepalive = pool.http2_keepalive;
    }
    UpstreamProtocol { choice, http2, ..UpstreamProtocol::default() }
}
