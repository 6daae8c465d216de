//! One connection of the load: a request at a time, each judged by what came back. A request is never sent twice.

use super::template::Template;
use super::wire::{End, FlowPlan};
use crate::clock::{Nanos, now};
use bytes::{Buf, BytesMut};
use squall_http1::{BodyReader, HeadReader, Response};
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// What became of one request on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) end: End,
    pub(super) status: u16,
    pub(super) instance: Option<u16>,
    pub(super) sent: Option<Nanos>,
    pub(super) first_byte: Option<Nanos>,
    pub(super) done: Nanos,
    /// The connection can take another request.
    pub(super) reusable: bool,
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    buf: BytesMut,
    head: Response,
}

impl Connection {
    pub(super) async fn open(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buf: BytesMut::with_capacity(READ), head: Response::default() })
    }

    /// True if the peer has closed it, or sent what nobody asked for, while it was idle.
    pub(super) fn is_stale(&self) -> bool {
        let mut byte = [0];
        !matches!(self.stream.try_read(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Returns once the idle connection is stale.
    pub(super) async fn until_stale(&self) {
        while self.stream.readable().await.is_ok() && !self.is_stale() {}
    }

    /// Sends request `id` and reads its answer.
    pub(super) async fn request(
        &mut self,
        flow: &FlowPlan,
        template: &mut Template,
        id: u64,
        names: &[String],
        answer: &mut Answer,
    ) {
        match self.exchange(flow, template, id, names, answer).await {
            Ok(()) => {}
            Err(Failure::Io(error)) => answer.end = end_of(&error),
            Err(Failure::Malformed) => answer.end = End::Malformed,
        }
        answer.done = now();
    }

    async fn exchange(
        &mut self,
        flow: &FlowPlan,
        template: &mut Template,
        id: u64,
        names: &[String],
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        self.stream.write_all(template.request(id)).await?;
        answer.sent = Some(now());
        let mut reader = HeadReader::default();
        loop {
            self.fill(answer).await?;
            while reader.response(&mut self.buf, &mut self.head)? {
                // Interim answers announce the real one.
                if self.head.status >= 200 {
                    return self.body(flow, names, answer).await;
                }
            }
        }
    }

    async fn body(&mut self, flow: &FlowPlan, names: &[String], answer: &mut Answer) -> Result<(), Failure> {
        answer.status = self.head.status;
        answer.instance = self.head.headers.get("x-squall-instance").and_then(|name| {
            names.iter().position(|known| known.as_bytes() == name).and_then(|index| u16::try_from(index).ok())
        });
        let mut body = BodyReader::new(self.head.framing(&flow.method)?);
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
            self.buf.advance(step.consumed);
        }
        let accepted = flow.accept.iter().any(|(from, to)| (*from..=*to).contains(&answer.status));
        answer.end = match (accepted, self.head.headers.contains("x-squall-degraded")) {
            (false, _) => End::Status,
            (true, true) => End::Degraded,
            (true, false) => End::Acceptable,
        };
        // Bytes that belong to no answer make the connection worthless.
        answer.reusable = self.head.keep_alive() && self.buf.is_empty();
        Ok(())
    }

    async fn fill(&mut self, answer: &mut Answer) -> Result<(), Failure> {
        self.buf.reserve(READ);
        let read = self.stream.read_buf(&mut self.buf).await?;
        if read == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        answer.first_byte.get_or_insert_with(now);
        Ok(())
    }
}

#[derive(Debug)]
enum Failure {
    Io(io::Error),
    Malformed,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<squall_http1::Refusal> for Failure {
    fn from(_: squall_http1::Refusal) -> Self {
        Self::Malformed
    }
}

fn end_of(error: &io::Error) -> End {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => End::Reset,
        io::ErrorKind::UnexpectedEof => End::Closed,
        _ => End::Reset,
    }
}
