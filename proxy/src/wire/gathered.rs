//! Writes of a connection of HTTP/2, gathered: one call of the system for all that is ready, where the library makes one for each frame.

use super::spare::{self, READ};
use crate::net::Transport;
use bytes::{Buf, BytesMut};
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that are kept at most before some must have gone.
const MOST: usize = 4 * READ;

/// The end that the library reads and writes.
#[derive(Debug)]
pub(crate) struct Gathered(Rc<RefCell<Shared>>);

/// The end that says when all has been said that there is.
#[derive(Debug)]
pub(crate) struct Flusher(Rc<RefCell<Shared>>);

#[derive(Debug)]
struct Shared {
    transport: Transport,
    out: BytesMut,
    gathers: bool,
}

/// Both ends. Everything is written at once until [`Flusher::begin`].
pub(crate) fn gathered(transport: Transport) -> (Gathered, Flusher) {
    let shared = Rc::new(RefCell::new(Shared { transport, out: BytesMut::new(), gathers: false }));
    (Gathered(Rc::clone(&shared)), Flusher(shared))
}

impl Flusher {
    /// From here on writes wait for [`Flusher::after`].
    pub(crate) fn begin(&self) {
        self.0.borrow_mut().gathers = true;
    }

    /// What a look at the connection came to, with all that it left to be written on its way; none if nothing can be written any more.
    pub(crate) fn after<T>(
        &self,
        cx: &mut Context<'_>,
        look: impl FnOnce(&mut Context<'_>) -> Poll<Option<T>>,
    ) -> Poll<Option<T>> {
        let looked = look(cx);
        match self.0.borrow_mut().poll_flush(cx) {
            Poll::Ready(Err(_)) if looked.is_pending() => Poll::Ready(None),
            _ => looked,
        }
    }
}

impl Shared {
    fn poll_empty(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let written = ready!(Pin::new(&mut self.transport).poll_write(cx, &self.out))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(written);
        }
        if self.out.capacity() > 0 {
            spare::give(&mut self.out);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_empty(cx))?;
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let length = bufs.iter().map(|buf| buf.len()).sum();
        if !self.gathers || length >= READ {
            ready!(self.poll_empty(cx))?;
            return Pin::new(&mut self.transport).poll_write_vectored(cx, bufs);
        }
        if self.out.len() >= MOST {
            ready!(self.poll_empty(cx))?;
        }
        if self.out.capacity() == 0 {
            self.out = spare::take();
        }
        bufs.iter().for_each(|buf| self.out.extend_from_slice(buf));
        Poll::Ready(Ok(length))
    }
}

impl AsyncRead for Gathered {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.borrow_mut().transport).poll_read(cx, buf)
    }
}

impl AsyncWrite for Gathered {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll_write(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll_write(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut shared = self.0.borrow_mut();
        if shared.gathers { Poll::Ready(Ok(())) } else { shared.poll_flush(cx) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut shared = self.0.borrow_mut();
        ready!(shared.poll_empty(cx))?;
        Pin::new(&mut shared.transport).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;

    fn pair() -> (Gathered, Flusher, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (gathered, flusher) = gathered(ours.into());
        (gathered, flusher, theirs)
    }

    fn nothing_came(theirs: &UnixStream) -> bool {
        matches!(theirs.try_read(&mut [0; 64]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    #[tokio::test]
    async fn what_is_written_goes_out_at_once_until_gathering_begins_and_then_all_together() {
        let (mut gathered, flusher, mut theirs) = pair();
        gathered.write_all(b"settings").await.unwrap();
        let mut read = [0; 64];
        assert_eq!(theirs.read(&mut read).await.unwrap(), 8);
        flusher.begin();
        gathered.write_all(b"one, ").await.unwrap();
        gathered.flush().await.unwrap();
        gathered.write_all(b"two").await.unwrap();
        assert!(nothing_came(&theirs));
        let looked = poll_fn(|cx| Poll::Ready(flusher.after(cx, |_| Poll::<Option<()>>::Pending))).await;
        assert!(looked.is_pending());
        let length = theirs.read(&mut read).await.unwrap();
        assert_eq!(&read[..length], b"one, two");
    }

    #[tokio::test]
    async fn what_is_large_is_not_copied_and_keeps_its_place() {
        let (mut gathered, flusher, mut theirs) = pair();
        flusher.begin();
        gathered.write_all(b"first").await.unwrap();
        gathered.write_all(&[b'x'; READ]).await.unwrap();
        let mut read = vec![0; 5 + READ];
        theirs.read_exact(&mut read).await.unwrap();
        assert!(read.starts_with(b"firstx") && read.ends_with(b"x"));
    }

    #[tokio::test]
    async fn what_waits_has_a_bound_and_goes_out_before_the_end() {
        let (mut gathered, flusher, mut theirs) = pair();
        flusher.begin();
        let reader = tokio::spawn(async move {
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).await.unwrap();
            all.len()
        });
        for _ in 0..1000 {
            gathered.write_all(&[b'x'; 1024]).await.unwrap();
            assert!(gathered.0.borrow().out.len() <= MOST + 1024);
        }
        gathered.shutdown().await.unwrap();
        assert_eq!(reader.await.unwrap(), 1000 * 1024);
    }

    #[tokio::test]
    async fn a_peer_that_is_gone_ends_the_connection_unless_there_is_something_to_take() {
        let (mut gathered, flusher, theirs) = pair();
        flusher.begin();
        drop(theirs);
        for (looked, told) in [(Poll::Pending, Poll::Ready(None)), (Poll::Ready(Some(1)), Poll::Ready(Some(1)))] {
            gathered.write_all(b"x").await.unwrap();
            assert_eq!(poll_fn(|cx| Poll::Ready(flusher.after(cx, |_| looked))).await, told);
        }
    }
}
