//! One client's connection: request after request, until somebody closes.

use super::chain::{self, After};
use super::respond::{Failure, Reply};
use super::worker::Worker;
use crate::clock::now;
use bytes::BytesMut;
use squall_http1::{HeadReader, Limits, Refusal, Request, write};
use std::io;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// How long a whole head may take once its first byte is there. Ours: Envoy has no such limit by default.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may idle between requests: Envoy's.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3600);

/// How long a client may go on sending after its last answer: Envoy's delayed close.
const LINGER: Duration = Duration::from_secs(1);

/// And how much.
const MOST_UNREAD: usize = 4 * 1024 * 1024;

/// A client's connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) stream: TcpStream,
    /// Bytes read and not yet used.
    pub(super) buf: BytesMut,
    /// Bytes to be written; kept between requests for its allocation.
    pub(super) out: BytesMut,
}

/// The client has gone away: there is nobody to answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gone;

impl Client {
    /// Reads more bytes; [`Gone`] at the end.
    pub(super) async fn fill(&mut self) -> Result<(), Gone> {
        self.buf.reserve(READ);
        match self.stream.read_buf(&mut self.buf).await {
            Ok(0) | Err(_) => Err(Gone),
            Ok(_) => Ok(()),
        }
    }

    /// Writes everything that is in `out`.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        let written = self.stream.write_all(&self.out).await;
        self.out.clear();
        written.map_err(|_| Gone)
    }
}

impl Client {
    /// Ends the connection so that the last answer arrives: a close with unread bytes would be a reset, which overtakes it.
    async fn linger(&mut self) {
        let _ = self.stream.shutdown().await;
        let unread = async {
            let mut left = MOST_UNREAD;
            while left > 0 {
                self.buf.clear();
                self.buf.reserve(READ);
                match self.stream.read_buf(&mut self.buf).await {
                    Ok(read) if read > 0 => left = left.saturating_sub(read),
                    _ => return,
                }
            }
        };
        // Who does not stop in time is cut off.
        let _ = tokio::time::timeout(LINGER, unread).await;
    }
}

/// Serves a connection to its end.
pub(super) async fn serve(worker: Rc<Worker>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut client = Client { stream, buf: BytesMut::new(), out: BytesMut::new() };
    let mut reader = HeadReader::new(Limits::default());
    let mut request = Request::default();
    loop {
        match next_request(&worker, &mut client, &mut reader, &mut request).await {
            Ok(true) => {}
            Ok(false) | Err(Next::Gone) => return,
            Err(Next::Refused(refusal)) => {
                if refuse(&mut client, refusal).await.is_ok() {
                    client.linger().await;
                }
                return;
            }
        }
        match chain::handle(&worker, &mut client, &mut request).await {
            Ok(After::KeepOpen) => {}
            Ok(After::Close) => return client.linger().await,
            Err(Gone) => return,
        }
        // Buffers that a large message has grown are given back while the connection idles.
        if client.buf.is_empty() && client.buf.capacity() > 4 * READ {
            client.buf = BytesMut::new();
        }
    }
}

enum Next {
    Gone,
    Refused(Refusal),
}

/// Reads the next head. False: the connection is over.
async fn next_request(
    worker: &Worker,
    client: &mut Client,
    reader: &mut HeadReader,
    request: &mut Request,
) -> Result<bool, Next> {
    if client.buf.is_empty() {
        // Between requests a draining proxy closes at once.
        tokio::select! {
            filled = tokio::time::timeout(IDLE_TIMEOUT, client.fill()) => match filled {
                Ok(Ok(())) => {}
                _ => return Ok(false),
            },
            () = worker.draining() => return Ok(false),
        }
    }
    let deadline = now() + HEAD_TIMEOUT;
    while !reader.request(&mut client.buf, request).map_err(Next::Refused)? {
        match tokio::time::timeout_at(deadline.into(), client.fill()).await {
            Ok(Ok(())) => {}
            Ok(Err(Gone)) => return Err(Next::Gone),
            Err(_) => return Ok(false),
        }
    }
    Ok(true)
}

/// Answers what cannot be read, and closes.
async fn refuse(client: &mut Client, refusal: Refusal) -> io::Result<()> {
    let mut reply = Reply::to(Failure::Refused(refusal), false, false);
    reply.response.headers.add("connection", b"close");
    client.out.clear();
    write::response(&mut client.out, &reply.response, reply.framing(), "GET");
    client.out.extend_from_slice(&reply.body);
    client.stream.write_all(&client.out).await?;
    client.stream.shutdown().await
}
