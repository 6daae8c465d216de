//! The answer on its way down.

use super::client::{Client, Gone};
use super::exchange::{Answer, Truncated};
use super::respond::Reply;
use squall_http1::{Framing, Request, Version, write};
use std::time::Duration;
use tokio::io::Interest;

/// How often it is looked whether a peer whose bytes lie unread has closed.
const LOOK_BEHIND: Duration = Duration::from_millis(50);

/// How the body of an upstream's answer ended.
pub(super) enum Streamed {
    /// Whole.
    Whole,
    /// Cut: the client sees its connection closed amid the answer.
    Cut,
}

/// Sends an answer of ours.
pub(super) async fn reply(client: &mut Client, request: &Request, mut reply: Reply, close: bool) -> Result<(), Gone> {
    if close {
        reply.response.headers.set("connection", b"close");
    }
    write::response(&mut client.out, &reply.response, reply.framing(), request.method());
    if request.method() != "HEAD" {
        client.out.extend_from_slice(&reply.body);
    }
    client.flush().await
}

/// Sends an upstream's answer: head and first bytes in one write, then what comes.
pub(super) async fn stream(
    client: &mut Client,
    request: &Request,
    answer: &mut Answer,
    close: bool,
) -> Result<Streamed, Gone> {
    let framing = downstream_framing(answer.framing, request.version);
    if close || framing == Framing::UntilClose {
        answer.response.headers.set("connection", b"close");
    }
    write::response(&mut client.out, &answer.response, framing, request.method());
    loop {
        let out = &mut client.out;
        let taken = answer.take(|payload| match framing {
            Framing::Chunked => write::chunk(out, payload),
            _ => out.extend_from_slice(payload),
        });
        if let Err(Truncated) = taken {
            return Ok(Streamed::Cut);
        }
        if answer.is_done() && framing == Framing::Chunked {
            write::last_chunk(&mut client.out);
        }
        if !client.out.is_empty() {
            client.flush().await?;
        }
        if answer.is_done() {
            return Ok(Streamed::Whole);
        }
        // The client going away must free the upstream, however slowly it answers.
        tokio::select! {
            biased;
            filled = answer.fill() => if let Err(Truncated) = filled {
                return Ok(Streamed::Cut);
            },
            () = until_closed(client) => return Err(Gone),
        }
    }
}

/// A client of HTTP/1.0 knows no chunks; what ended with the upstream's connection is chunked for all others.
fn downstream_framing(framing: Framing, version: Version) -> Framing {
    match (framing, version) {
        (Framing::Chunked, Version::Http10) => Framing::UntilClose,
        (Framing::UntilClose, Version::Http11) => Framing::Chunked,
        _ => framing,
    }
}

/// Returns when the client has closed. Bytes of a next request are left where they are.
pub(super) async fn until_closed(client: &Client) {
    // Waiting for readiness costs nothing, where peeking at once would be a call to the kernel for each request.
    while let Ok(ready) = client.stream.ready(Interest::READABLE).await {
        // A peer that has closed is seen behind bytes that nobody reads.
        if ready.is_read_closed() || !matches!(client.stream.peek(&mut [0]).await, Ok(1..)) {
            return;
        }
        tokio::time::sleep(LOOK_BEHIND).await;
    }
}
