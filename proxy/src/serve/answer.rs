//! The answer on its way down, while the rest of the request still goes up.

use super::client::{Client, Gone};
use super::exchange::Answer;
use super::upload::Upload;
use crate::clock::now;
use crate::wire::{Broken, Sink, Source};
use squall_http1::{Framing, Headers, Request};
use std::time::{Duration, Instant};

/// How the body of an upstream's answer ended.
#[allow(clippy::large_enum_variant, reason = "one a request, gone at once")]
pub(super) enum Streamed {
    /// Whole, with what stood behind it.
    Whole(Option<Headers>),
    /// Cut: the client sees its connection closed, or its stream reset, amid the answer.
    Cut,
}

/// A bound of how fast an answer flows.
pub(super) struct Pace {
    since: Instant,
    bytes_per_second: f64,
    bytes: f64,
}

impl Pace {
    /// So many KiB a second, from now on.
    pub(super) fn new(kib_per_second: u64) -> Self {
        Self { since: now(), bytes_per_second: kib_per_second as f64 * 1024.0, bytes: 0.0 }
    }

    async fn keep(&mut self, more: usize) {
        self.bytes += more as f64;
        let due = self.since + Duration::from_secs_f64(self.bytes / self.bytes_per_second);
        tokio::time::sleep_until(due.into()).await;
    }
}

/// Sends an upstream's answer: head and first bytes in one write, then what comes.
pub(super) async fn stream(
    client: &mut Client,
    request: &Request,
    upload: &mut Upload,
    answer: &mut Answer,
    mut pace: Option<Pace>,
) -> Result<Streamed, Gone> {
    client.begin(request, &mut answer.response, answer.framing)?;
    if answer.tunnel {
        begin_tunnel(client, upload, &mut answer.channel.sink);
    }
    let silent = request.method() == "HEAD" || answer.framing == Framing::Empty;
    loop {
        let mut taken = 0;
        let took = answer.channel.source.take(|payload| {
            taken += payload.len();
            client.sink.data(payload);
        });
        if taken > 0 {
            upload.moved.set(now());
        }
        if took.is_err() {
            return Ok(Streamed::Cut);
        }
        let done = answer.channel.source.is_done();
        let trailers = if done { answer.channel.source.trailers() } else { None };
        if done && !silent {
            client.end(trailers.as_ref());
        }
        if let Some(pace) = &mut pace {
            pace.keep(taken).await;
        }
        if !client.sink.is_flushed() {
            client.flush().await?;
        }
        if done {
            return Ok(Streamed::Whole(trailers));
        }
        // The client going away must free the upstream, however slowly it answers.
        tokio::select! {
            biased;
            filled = answer.channel.source.fill() => if filled.is_err() {
                return Ok(Streamed::Cut);
            },
            sent = up(&mut client.source, &mut client.sink, upload, &mut answer.channel.sink) => sent?,
        }
    }
}

fn begin_tunnel(client: &mut Client, upload: &mut Upload, upstream: &mut Sink) {
    upload.tunnel(&mut client.source);
    for sink in [&mut client.sink, upstream] {
        if let Sink::Http1(sink) = sink {
            sink.tunnel();
        }
    }
}

/// A step of the request's way up while its answer is already coming down. May be dropped and begun again.
async fn up(source: &mut Source, back: &mut Sink, upload: &mut Upload, sink: &mut Sink) -> Result<(), Gone> {
    if !sink.is_flushed() {
        if sink.flush().await.is_err() {
            // Its answer is what counts now.
            return std::future::pending().await;
        }
        return Ok(());
    }
    if upload.is_done() {
        return Err(super::client::gone(source, back).await);
    }
    match upload.more(source, sink).await {
        Ok(()) => Ok(()),
        Err(Broken::Malformed(_) | Broken::Lost) => Err(Gone::Closed),
        Err(Broken::Reset | Broken::Refused) => Err(Gone::Reset),
    }
}
