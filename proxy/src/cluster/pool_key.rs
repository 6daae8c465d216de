//! How endpoints are spoken to, and what that follows from.

use super::Cluster;
use crate::net::{ServerName, server_name};
use crate::policy::ProtocolChoice::{Http1, Http2, OfClient};
use crate::policy::{Priority, ProtocolChoice, Sni};
use squall_http1::Request;

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
