//! HTTP/1.1 on one connection: a request at a time. A request is never sent twice.

use super::exchange::{Answer, Failure, Reading, judged};
use super::request::{Head, Template};
use super::transport::Stream;
use super::wire::FlowPlan;
use crate::clock::now;
use bytes::{Buf, BytesMut};
use squall_http1::{BodyReader, HeadReader, Response};
use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};

/// A slow request is sent in at most so many pieces a second.
const PIECES: u64 = 50;
/// Bytes read at once.
const READ: usize = 64 * 1024;
/// A buffer that has grown beyond this is given back while its connection rests.
const KEPT: usize = 4 * 1024;

thread_local! {
    /// Where all connections of a thread read to: ten thousand of them that rest hold no buffers.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Http1 {
    stream: Stream,
    /// Bytes of the answer that have come and were not read yet.
    buf: BytesMut,
    request: Head,
    answer: Response,
}

impl Http1 {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, buf: BytesMut::new(), request: Head::default(), answer: Response::default() }
    }

    /// True if the peer has closed it, or sent what nobody asked for, while it was idle.
    pub(super) async fn is_stale(&mut self) -> bool {
        poll_fn(|context| {
            let mut bytes = [0];
            Poll::Ready(Pin::new(&mut self.stream).poll_read(context, &mut ReadBuf::new(&mut bytes)).is_ready())
        })
        .await
    }

    /// Returns once the idle connection is stale.
    pub(super) async fn until_stale(&mut self) {
        let mut bytes = [0];
        poll_fn(|context| Pin::new(&mut self.stream).poll_read(context, &mut ReadBuf::new(&mut bytes)).map(|_| ()))
            .await;
    }

    /// Sends request `id` and reads its answer.
    pub(super) async fn exchange(
        &mut self,
        flow: &FlowPlan,
        template: &Template,
        id: u64,
        names: &[String],
        reading: &mut Reading<'_>,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let body = template.body();
        let head = self.request.of(template, id, body.len());
        let complete = match flow.speed {
            None => {
                write_both(&mut self.stream, head, &body).await?;
                answer.sent = Some(now());
                true
            }
            Some(speed) => {
                let request = [head, &body[..]].concat();
                self.write_slowly(&request, speed, answer).await?
            }
        };
        let mut reader = HeadReader::default();
        loop {
            // Of an answer to a slow request something may have come already.
            while reader.response(&mut self.buf, &mut self.answer)? {
                // Interim answers announce the real one.
                if self.answer.status >= 200 {
                    self.body(flow, names, reading, answer).await?;
                    answer.reusable &= complete;
                    return Ok(());
                }
            }
            self.fill(answer).await?;
        }
    }

    /// Writes so many bytes a second; true once all are sent, false if the answer did not wait for them.
    async fn write_slowly(&mut self, request: &[u8], speed: u64, answer: &mut Answer) -> Result<bool, Failure> {
        answer.sent = Some(now());
        let piece = usize::try_from(speed / PIECES).unwrap_or(usize::MAX).max(1);
        let every = Duration::from_secs_f64(piece as f64 / speed.max(1) as f64);
        let mut due = tokio::time::interval(every);
        for piece in request.chunks(piece) {
            tokio::select! {
                biased;
                filled = self.fill(answer) => return filled.map(|()| false),
                _ = due.tick() => {}
            }
            self.stream.write_all(piece).await?;
            self.stream.flush().await?;
        }
        Ok(true)
    }

    async fn body(
        &mut self,
        flow: &FlowPlan,
        names: &[String],
        reading: &mut Reading<'_>,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        answer.head(self.answer.status, names, |name| self.answer.headers.get(name));
        reading.fields(self.answer.headers.iter());
        let mut body = BodyReader::new(self.answer.framing(&flow.method)?);
        while !body.is_done() {
            if self.buf.is_empty() {
                match self.fill(answer).await {
                    Err(Failure::Io(error))
                        if error.kind() == io::ErrorKind::UnexpectedEof && body.closed().is_ok() =>
                    {
                        break;
                    }
                    filled => filled?,
                }
            }
            let step = body.step(&self.buf)?;
            reading.body(&self.buf[step.payload]);
            self.buf.advance(step.consumed);
        }
        let degraded = self.answer.headers.contains("x-squall-degraded");
        answer.end = judged(flow, answer.status, degraded, reading.conclude());
        // Bytes that belong to no answer make the connection worthless.
        answer.reusable = self.answer.keep_alive() && self.buf.is_empty();
        if self.buf.capacity() > KEPT {
            self.buf = BytesMut::new();
        }
        Ok(())
    }

    async fn fill(&mut self, answer: &mut Answer) -> Result<(), Failure> {
        let read = poll_fn(|context| {
            SCRATCH.with_borrow_mut(|scratch| {
                let mut read = ReadBuf::new(scratch);
                ready!(Pin::new(&mut self.stream).poll_read(context, &mut read))?;
                self.buf.extend_from_slice(read.filled());
                Poll::Ready(Ok::<_, io::Error>(read.filled().len()))
            })
        })
        .await?;
        if read == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        answer.first_byte.get_or_insert_with(now);
        Ok(())
    }
}

/// Head and body in as few calls as the socket allows.
async fn write_both(stream: &mut Stream, mut head: &[u8], mut body: &[u8]) -> io::Result<()> {
    while !head.is_empty() && !body.is_empty() {
        let written = stream.write_vectored(&[IoSlice::new(head), IoSlice::new(body)]).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let of_head = written.min(head.len());
        head = &head[of_head..];
        body = &body[written - of_head..];
    }
    stream.write_all(head).await?;
    stream.write_all(body).await?;
    stream.flush().await
}
