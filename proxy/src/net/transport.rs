//! A connection, whatever it is made of.

use bytes::{Buf, BytesMut};
use socket2::SockRef;
use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Sleep;
use tokio_rustls::{client, server};

/// A connection: bytes both ways, whatever they travel by.
#[derive(Debug)]
pub(crate) struct Transport {
    io: Io,
    /// Read already, to find out what this is; read again before anything else.
    unread: BytesMut,
    patience: Option<Patience>,
}

/// How long a peer may take none of what is written to it.
#[derive(Debug)]
struct Patience {
    limit: Duration,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Told when it is over.
    lost: Rc<Cell<bool>>,
}

#[derive(Debug)]
enum Io {
    Tcp(TcpStream),
    Unix(UnixStream),
    TlsServer(Box<server::TlsStream<Transport>>),
    TlsClient(Box<client::TlsStream<Transport>>),
}

impl From<TcpStream> for Transport {
    fn from(stream: TcpStream) -> Self {
        Self { io: Io::Tcp(stream), unread: BytesMut::new(), patience: None }
    }
}

impl From<UnixStream> for Transport {
    fn from(stream: UnixStream) -> Self {
        Self { io: Io::Unix(stream), unread: BytesMut::new(), patience: None }
    }
}

impl From<server::TlsStream<Self>> for Transport {
    fn from(stream: server::TlsStream<Self>) -> Self {
        Self { io: Io::TlsServer(Box::new(stream)), unread: BytesMut::new(), patience: None }
    }
}

impl From<client::TlsStream<Self>> for Transport {
    fn from(stream: client::TlsStream<Self>) -> Self {
        Self { io: Io::TlsClient(Box::new(stream)), unread: BytesMut::new(), patience: None }
    }
}

impl Transport {
    /// Puts bytes back that were read to find out what this is.
    pub(crate) fn put_back(&mut self, unread: BytesMut) {
        self.unread = unread;
    }

    /// From here on a peer that takes nothing for so long is cut off, which `lost` tells.
    pub(crate) fn set_patience(&mut self, limit: Duration, lost: Rc<Cell<bool>>) {
        self.patience = Some(Patience { limit, waiting: None, lost });
    }

    /// What a write has come to, with an eye on the time since the last that came to anything.
    fn in_time<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let Some(patience) = &mut self.patience else { return written };
        if written.is_ready() {
            patience.waiting = None;
            return written;
        }
        let limit = patience.limit;
        let waiting = patience.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(waiting.as_mut().poll(cx));
        patience.lost.set(true);
        // What waits in the kernel would wait on after a close; a reset frees it.
        self.close_by_reset();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Its peer will see a reset, not an orderly end.
    fn close_by_reset(&self) {
        if let Some(stream) = self.socket() {
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }

    /// The socket of TCP at the bottom.
    fn socket(&self) -> Option<&TcpStream> {
        match &self.io {
            Io::Tcp(stream) => Some(stream),
            Io::TlsServer(stream) => stream.get_ref().0.socket(),
            Io::TlsClient(stream) => stream.get_ref().0.socket(),
            Io::Unix(_) => None,
        }
    }

    /// What the two ends agreed on by ALPN.
    pub(crate) fn alpn(&self) -> Option<&[u8]> {
        match &self.io {
            Io::TlsServer(stream) => stream.get_ref().1.alpn_protocol(),
            Io::TlsClient(stream) => stream.get_ref().1.alpn_protocol(),
            Io::Tcp(_) | Io::Unix(_) => None,
        }
    }

    /// The server name that a client asked for.
    pub(crate) fn server_name(&self) -> Option<&str> {
        match &self.io {
            Io::TlsServer(stream) => stream.get_ref().1.server_name(),
            _ => None,
        }
    }

    /// The certificates that a client showed, its own first.
    pub(crate) fn peer_certificates(&self) -> impl Iterator<Item = &[u8]> {
        let shown = match &self.io {
            Io::TlsServer(stream) => stream.get_ref().1.peer_certificates(),
            _ => None,
        };
        shown.into_iter().flatten().map(AsRef::as_ref)
    }

    /// The version of TLS that a client speaks: `TLSv1.3`.
    pub(crate) fn tls_version(&self) -> &'static str {
        let Io::TlsServer(stream) = &self.io else { return "" };
        match stream.get_ref().1.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "",
        }
    }

    /// Two halves that may be used at the same time, on one thread.
    pub(crate) fn split(self) -> (Reader, Writer) {
        let shared = Rc::new(RefCell::new(self));
        (Reader(Rc::clone(&shared)), Writer(shared))
    }

    fn inner(&mut self) -> Pin<&mut (dyn Duplex + '_)> {
        match &mut self.io {
            Io::Tcp(stream) => Pin::new(stream),
            Io::Unix(stream) => Pin::new(stream),
            Io::TlsServer(stream) => Pin::new(stream.as_mut()),
            Io::TlsClient(stream) => Pin::new(stream.as_mut()),
        }
    }
}

/// Bytes both ways.
trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

impl AsyncRead for Transport {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.unread.is_empty() {
            let taken = self.unread.len().min(buf.remaining());
            buf.put_slice(&self.unread[..taken]);
            self.unread.advance(taken);
            return Poll::Ready(Ok(()));
        }
        // The common case by name, so that it costs no call through a table.
        match &mut self.io {
            Io::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            _ => self.inner().poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = match &mut self.io {
            Io::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            _ => self.inner().poll_write(cx, buf),
        };
        self.in_time(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.inner().poll_write_vectored(cx, bufs);
        self.in_time(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self.io, Io::Tcp(_) | Io::Unix(_))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.inner().poll_flush(cx);
        self.in_time(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_shutdown(cx)
    }
}

/// The half that reads.
#[derive(Debug)]
pub(crate) struct Reader(Rc<RefCell<Transport>>);

/// The half that writes.
#[derive(Debug)]
pub(crate) struct Writer(Rc<RefCell<Transport>>);

impl Reader {
    /// Ready when it may be worth reading. Where nobody can know, at once.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let transport = self.0.borrow();
        if !transport.unread.is_empty() {
            return Poll::Ready(());
        }
        match &transport.io {
            Io::Tcp(stream) => stream.poll_read_ready(cx).map(|_| ()),
            // Which of its bytes make a piece of plain text only TLS knows.
            Io::Unix(_) | Io::TlsServer(_) | Io::TlsClient(_) => Poll::Ready(()),
        }
    }

    /// True while the peer has sent nothing and has not closed. Costs no call to the kernel unless something has happened.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut transport = self.0.borrow_mut();
        if !transport.unread.is_empty() {
            return false;
        }
        let cx = &mut Context::from_waker(Waker::noop());
        let mut byte = [0];
        // Nothing is lost: whoever finds a byte here never uses the connection again.
        Pin::new(&mut *transport).poll_read(cx, &mut ReadBuf::new(&mut byte)).is_pending()
    }
}

impl Writer {
    /// The peer will see a reset, not an orderly end.
    pub(crate) fn close_by_reset(&self) {
        self.0.borrow().close_by_reset();
    }
}

impl AsyncRead for Reader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Writer {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_shutdown(cx)
    }
}
