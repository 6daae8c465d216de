//! A new connection to an endpoint, up to the end of its handshake.

use super::{Cluster, Member, PoolKey};
use crate::net::{self, Transport};
use crate::policy::Address;
use std::net::SocketAddr;
use std::sync::Arc;

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
