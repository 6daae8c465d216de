//! A listener that can refuse: its port stays bound while nobody listens, so that connections are refused by the kernel and the port is not lost.

use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use tokio::net::TcpListener;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Tries to bind a port that the kernel has just named, in case somebody else is quicker.
const TRIES: u32 = 50;

/// The bound socket, whether it listens or not.
#[derive(Debug)]
pub(super) struct Port {
    socket: Socket,
    pub(super) address: SocketAddr,
}

impl Port {
    /// Binds an address; a free port of it where its port is 0, and of loopback where none is asked for.
    pub(super) fn bind(asked: Option<SocketAddr>) -> io::Result<Self> {
        let asked = asked.unwrap_or((Ipv4Addr::LOCALHOST, 0).into());
        if asked.port() != 0 {
            return Self::bound(asked);
        }
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..TRIES {
            // The number must be asked for explicitly: one that the kernel chose is lost when listening ends.
            let free = std::net::TcpListener::bind(asked)?.local_addr()?;
            match Self::bound(free) {
                Ok(port) => return Ok(port),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn bound(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        Ok(Self { socket, address })
    }

    /// Listens, again or for the first time.
    pub(super) fn listen(&self) -> io::Result<TcpListener> {
        self.socket.listen(BACKLOG)?;
        TcpListener::from_std(self.socket.try_clone()?.into())
    }

    /// Refuses connections from now on, those not yet accepted included.
    pub(super) fn refuse(&self) {
        // It is no error that nobody was listening.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn a_port_refuses_and_listens_again_under_the_same_number() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _guard = runtime.enter();
        let port = Port::bind(None).unwrap();
        for _ in 0..3 {
            let listener = port.listen().unwrap();
            assert!(TcpStream::connect(port.address).is_ok());
            drop(listener);
            port.refuse();
            let refused = TcpStream::connect(port.address).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        }
    }
}
