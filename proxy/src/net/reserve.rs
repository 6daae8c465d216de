//! One descriptor that is kept for the day when there are no others, and a way to use it that nobody can forestall.

use std::fs::File;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::{PoisonError, RwLock};
use std::task::Poll;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// Read by whoever opens a socket, for the moment of the system call; written while the reserve changes hands.
static OPENING: RwLock<()> = RwLock::new(());

/// Takes the next connection.
pub(crate) async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    opening(listener.accept()).await
}

/// Polls what may open a socket.
pub(super) async fn opening<F: Future>(opens: F) -> F::Output {
    let mut opens = pin!(opens);
    std::future::poll_fn(|context| {
        let _among_others = OPENING.read().unwrap_or_else(PoisonError::into_inner);
        opens.as_mut().poll(context)
    })
    .await
}

/// The descriptor, if it is there.
pub(crate) struct Reserve(Option<OwnedFd>);

impl Default for Reserve {
    fn default() -> Self {
        Self(File::open("/dev/null").ok().map(Into::into))
    }
}

impl Reserve {
    /// Takes the next connection with it; [`Reserve::keep`] brings it back.
    pub(crate) async fn accept(&mut self, listener: &TcpListener) -> io::Result<TcpStream> {
        std::future::poll_fn(|context| {
            let _alone = OPENING.write().unwrap_or_else(PoisonError::into_inner);
            self.0 = None;
            let accepted = listener.poll_accept(context);
            if !matches!(accepted, Poll::Ready(Ok(_))) {
                *self = Self::default();
            }
            accepted.map_ok(|(stream, _)| stream)
        })
        .await
    }

    /// Keeps the descriptor of a connection that is over: given back to all, somebody else would have it at once.
    pub(crate) async fn keep(&mut self, mut stream: TcpStream) {
        // Its client may have left, and has all that there is in either case.
        let _ = stream.shutdown().await;
        self.0 = stream.into_std().ok().map(Into::into);
    }
}
