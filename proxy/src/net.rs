//! Sockets: the only place that opens one.

mod certificate;
mod der;
mod inspect;
mod reserve;
mod scarcity;
mod tls;
mod transport;

pub(crate) use certificate::{Owner, fingerprint};
pub(crate) use inspect::{Inspected, begins_http2, inspect};
pub(crate) use reserve::{Reserve, accept};
pub(crate) use scarcity::{Scarcity, no_descriptor};
pub(crate) use tls::{ClientTls, ServerName, ServerTls, TlsError, server_name};
pub(crate) use transport::{Reader, Transport, Writer};

use crate::policy::TcpKeepalive;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 4096;

/// Connects to a port; says from which address.
pub(crate) async fn connect(to: SocketAddr, keepalive: Option<TcpKeepalive>) -> io::Result<(Transport, SocketAddr)> {
    let stream = reserve::opening(TcpStream::connect(to)).await?;
    stream.set_nodelay(true)?;
    if let Some(keepalive) = keepalive {
        let mut probes = socket2::TcpKeepalive::new();
        if let Some(time) = keepalive.time {
            probes = probes.with_time(time);
        }
        if let Some(interval) = keepalive.interval {
            probes = probes.with_interval(interval);
        }
        if let Some(count) = keepalive.probes {
            probes = probes.with_retries(count);
        }
        SockRef::from(&stream).set_tcp_keepalive(&probes)?;
    }
    let from = stream.local_addr()?;
    Ok((stream.into(), from))
}

/// Connects to a socket of the file system.
pub(crate) async fn connect_pipe(to: &Path) -> io::Result<Transport> {
    Ok(reserve::opening(UnixStream::connect(to)).await?.into())
}

/// A listener at an address that nobody else listens to, another process of this program least of all; it may be shared from then on.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    opened(address, false)
}

/// A further listener at an address that this process listens to, so that each worker has a socket of its own.
pub(crate) fn share(address: SocketAddr) -> io::Result<TcpListener> {
    opened(address, true)
}

fn opened(address: SocketAddr, shares: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shares)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    // To bind by itself and to be shared later exclude each other only until it is bound.
    socket.set_reuse_port(true)?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Where a client's connection was going before it was redirected here; what it says itself where nothing was redirected.
pub(crate) fn original_destination(stream: &TcpStream) -> Option<SocketAddr> {
    SockRef::from(stream).original_dst_v4().ok()?.as_socket()
}
