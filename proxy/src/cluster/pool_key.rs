//! How a request's endpoints are spoken to.

use super::{Cluster, PoolKey};
use crate::net::server_name;
use crate::policy::ProtocolChoice::{Http1, Http2, OfClient};
use crate::policy::{Priority, Sni};
use squall_http1::Request;

impl PoolKey {
    /// That of a request which came by HTTP/2 or not.
    pub(crate) fn of(cluster: &Cluster, request: &Request, priority: Priority, http2: bool) -> Self {
        let protocol = match cluster.policy.protocol.choice {
            OfClient if http2 => Http2,
            OfClient => Http1,
            choice => choice,
        };
        let by_host = cluster.policy.tls.as_ref().is_some_and(|tls| tls.sni == Sni::FromHost);
        let server_name = if by_host { request.headers.get_str("host").and_then(server_name) } else { None };
        Self { protocol, server_name, priority }
    }
}
