//! Messages of HTTP/1: one after the other on a connection.

use super::Broken;
use super::spare::{self, READ};
use crate::net::{Reader, Writer};
use bytes::{Buf, BytesMut};
use squall_http1::{BodyReader, Framing, HeadReader, Headers, Limits, Request, Response, write};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes of a next message that are read ahead, at most.
const AHEAD: usize = 64 * 1024;

/// Bytes that are put aside while more are waited for.
const LITTLE: usize = 1024;

/// What comes in on a connection.
#[derive(Debug)]
pub(crate) struct Source {
    reader: Reader,
    /// Read and not yet used.
    buf: BytesMut,
    head: HeadReader,
    body: BodyReader,
    trailers: bool,
}

impl Source {
    /// Ahead of its first message.
    pub(crate) fn new(reader: Reader, limits: Limits) -> Self {
        let (head, body) = (HeadReader::new(limits), BodyReader::new(Framing::Empty));
        Self { reader, buf: BytesMut::new(), head, body, trailers: false }
    }

    /// Whether fields behind bodies are taken; all others are dropped.
    pub(crate) fn with_trailers(mut self, trailers: bool) -> Self {
        self.trailers = trailers;
        self
    }

    /// Reads a request's head out of what is there; false: more must be read.
    pub(crate) fn request(&mut self, request: &mut Request) -> Result<bool, Broken> {
        self.head.request(&mut self.buf, request).map_err(Broken::Malformed)
    }

    /// Reads an answer's head out of what is there; false: more must be read.
    pub(crate) fn response(&mut self, response: &mut Response) -> Result<bool, Broken> {
        self.head.response(&mut self.buf, response).map_err(Broken::Malformed)
    }

    /// Begins the body behind a head.
    pub(crate) fn begin(&mut self, framing: Framing, keep_trailers: bool) {
        let body = BodyReader::new(framing);
        self.body = if keep_trailers { body.keeping_trailers() } else { body };
    }

    pub(super) fn take(&mut self, mut into: impl FnMut(&[u8])) -> Result<(), Broken> {
        while !self.body.is_done() && !self.buf.is_empty() {
            let step = self.body.step(&self.buf).map_err(Broken::Malformed)?;
            if !step.payload.is_empty() {
                into(&self.buf[step.payload]);
            }
            self.buf.advance(step.consumed);
        }
        Ok(())
    }

    /// Reads more bytes, whatever they are.
    pub(crate) async fn fill(&mut self) -> Result<(), Broken> {
        self.make_room().await;
        match self.reader.read_buf(&mut self.buf).await {
            Ok(0) => self.body.closed().map_err(|_| Broken::Lost),
            Ok(_) => Ok(()),
            Err(_) => Err(Broken::Lost),
        }
    }

    /// The same ahead of a head, where an end is never right.
    pub(crate) async fn fill_head(&mut self) -> Result<(), Broken> {
        self.make_room().await;
        match self.reader.read_buf(&mut self.buf).await {
            Ok(0) | Err(_) => Err(Broken::Lost),
            Ok(_) => Ok(()),
        }
    }

    /// Whoever waits holds no buffer beyond what has come.
    async fn make_room(&mut self) {
        if self.buf.len() <= LITTLE {
            let Self { reader, buf, .. } = self;
            std::future::poll_fn(|cx| {
                let ready = reader.poll_ready(cx);
                if ready.is_pending() && buf.capacity() > buf.len() {
                    let rest = BytesMut::from(&buf[..]);
                    spare::give(buf);
                    *buf = rest;
                }
                ready
            })
            .await;
        }
        if self.buf.capacity() < READ {
            let rest = std::mem::replace(&mut self.buf, spare::take());
            self.buf.extend_from_slice(&rest);
        }
        self.buf.reserve(READ);
    }

    pub(crate) fn is_done(&self) -> bool {
        self.body.is_done()
    }

    pub(super) fn trailers(&mut self) -> Option<Headers> {
        self.body.take_trailers().filter(|_| self.trailers)
    }

    /// Returns once the peer has closed. What it sends of a next message is read ahead, up to a bound.
    pub(crate) async fn until_lost(&mut self) {
        while self.buf.len() < AHEAD {
            if self.fill_head().await.is_err() {
                return;
            }
        }
        std::future::pending::<()>().await;
    }

    /// Nothing has been read that was not used.
    pub(crate) fn is_clean(&self) -> bool {
        self.buf.is_empty()
    }

    /// Nothing has been read that was not used, the peer has sent nothing since, and has not closed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.buf.is_empty() && self.reader.is_quiet()
    }

    /// Gives the buffer back while the connection idles.
    pub(crate) fn release(&mut self) {
        if self.buf.is_empty() {
            spare::give(&mut self.buf);
        }
    }

    /// Throws away what comes, up to `most` bytes or the end.
    pub(crate) async fn drain(&mut self, most: usize) {
        let mut left = most;
        while left > 0 {
            left = left.saturating_sub(self.buf.len());
            self.buf.clear();
            if self.fill_head().await.is_err() {
                return;
            }
        }
    }
}

/// What goes out on a connection.
#[derive(Debug)]
pub(crate) struct Sink {
    writer: Writer,
    /// To be written; kept between messages for its allocation.
    out: BytesMut,
    chunked: bool,
    /// Its end is that of the connection.
    tunnel: bool,
    ended: bool,
    trailers: bool,
    /// Bytes of this message that were written.
    written: u64,
    /// Bytes of its body, without what frames them.
    payload: u64,
}

impl Sink {
    /// Ahead of its first message.
    pub(crate) fn new(writer: Writer) -> Self {
        Self {
            writer,
            out: BytesMut::new(),
            chunked: false,
            tunnel: false,
            ended: false,
            trailers: false,
            written: 0,
            payload: 0,
        }
    }

    /// Whether fields behind bodies are written; all others are dropped.
    pub(crate) fn with_trailers(mut self, trailers: bool) -> Self {
        self.trailers = trailers;
        self
    }

    /// Begins a request.
    pub(crate) fn request(&mut self, request: &Request, framing: Framing) {
        self.begin();
        self.chunked = framing == Framing::Chunked;
        write::request(&mut self.out, request, framing);
    }

    fn begin(&mut self) {
        (self.written, self.payload) = (0, 0);
        if self.out.capacity() == 0 {
            self.out = spare::take();
        }
    }

    /// Begins an answer to a request of this method.
    pub(crate) fn response(&mut self, response: &Response, framing: Framing, method: &str, old: bool) {
        self.begin();
        self.chunked = framing == Framing::Chunked;
        let begin = self.out.len();
        // How long the body of a GET would have been is not known.
        let is_open = method == "HEAD" && framing == Framing::Empty && !response.headers.contains("content-length");
        let has_body = response.status >= 200 && !matches!(response.status, 204 | 304);
        let described = if is_open && has_body && !old { Framing::Chunked } else { framing };
        write::response(&mut self.out, response, described, method);
        // HTTP/1.0 is answered in its own words.
        if old && let Some(minor) = self.out.get_mut(begin + "HTTP/1.".len()) {
            *minor = b'0';
        }
    }

    /// What follows is bytes of a tunnel.
    pub(crate) fn tunnel(&mut self) {
        self.chunked = false;
        self.tunnel = true;
    }

    /// An answer ahead of the answer.
    pub(crate) fn interim(&mut self, response: &Response) {
        write::response(&mut self.out, response, Framing::Empty, "GET");
    }

    pub(super) fn data(&mut self, payload: &[u8]) {
        self.payload += payload.len() as u64;
        if self.chunked {
            write::chunk(&mut self.out, payload);
        } else {
            self.out.extend_from_slice(payload);
        }
    }

    pub(super) fn end(&mut self, trailers: Option<&Headers>) {
        if self.chunked {
            write::last_chunk(&mut self.out, trailers.filter(|_| self.trailers));
        }
        self.ended = self.tunnel;
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.out.is_empty() && !self.ended
    }

    pub(super) async fn step(&mut self) -> Result<(), Broken> {
        if !self.out.is_empty() {
            match self.writer.write_buf(&mut self.out).await {
                Ok(0) | Err(_) => return Err(Broken::Lost),
                Ok(written) => self.written += written as u64,
            }
        }
        if !self.out.is_empty() {
            return Ok(());
        }
        // TLS keeps what it has sealed until it is told to send it.
        self.writer.flush().await.map_err(|_| Broken::Lost)?;
        if std::mem::take(&mut self.ended) {
            self.shutdown().await;
        }
        Ok(())
    }

    pub(super) fn written(&self) -> u64 {
        self.written
    }

    pub(super) fn payload(&self) -> u64 {
        self.payload
    }

    /// Gives the buffer back while the connection idles.
    pub(crate) fn release(&mut self) {
        if self.out.is_empty() {
            spare::give(&mut self.out);
        }
    }

    /// Closes this direction.
    pub(crate) async fn shutdown(&mut self) {
        // A peer that is gone needs no farewell.
        let _ = self.writer.shutdown().await;
    }
}
