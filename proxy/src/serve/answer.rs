//! The answer on its way down, while the rest of the request still goes up.

use super::alarms::Alarms;
use super::chain::Filtered;
use super::client::{Client, Gone};
use super::exchange::Answer;
use super::transaction::Transaction;
use super::upload::Upload;
use crate::clock::now;
use crate::filter::pace::Pace;
use crate::health::outlier::Outcome;
use crate::telemetry::{ClusterCounter, Flag, HttpCounter, is_grpc};
use crate::wire::{Broken, GrpcMessages, Sink, Source};
use squall_http1::{Framing, Headers, Request};
use std::borrow::Cow;
use std::pin::pin;
use std::time::Instant;

/// How the body of an upstream's answer ended.
#[allow(clippy::large_enum_variant, reason = "one a request, gone at once")]
enum Streamed {
    /// Whole, with what stood behind it.
    Whole(Option<Box<Headers>>),
    /// Cut: the client sees its connection closed, or its stream reset, amid the answer.
    Cut,
    /// The same, since the route's time is over.
    TimedOut,
    /// The same, since no byte of it has come for too long.
    Idle,
    /// The same, since the upstream's stream has lived too long.
    TooOld,
}

/// Passes an upstream's answer on, until the route's time is over.
pub(super) async fn pass_on(
    transaction: &mut Transaction<'_>,
    upload: &mut Upload,
    mut answer: Box<Answer>,
    filtered: &Filtered,
    due: Option<Instant>,
) -> Result<(), Gone> {
    let Transaction { worker, service, client, request, notes } = transaction;
    notes.details = Cow::Borrowed("via_upstream");
    // Draining may have begun while the upstream was at work.
    if worker.says_goodbye() {
        client.peer.drain(worker, &service.stats);
    }
    let begun = client.begin(request, &mut answer.response, answer.framing, answer.tunnel);
    notes.response = Some(std::mem::take(&mut answer.response));
    begun?;
    let pace = filtered.rate.map(Pace::new);
    let too_old = worker.alarms.until(answer.until);
    let _upgraded = answer.tunnel.then(|| service.stats.upgraded(worker.shard));
    let mut messages = upload.grpc_messages.map(|_| GrpcMessages::default());
    let streamed = {
        let streaming = pin!(stream(&worker.alarms, client, request, upload, &mut answer, pace, messages.as_mut()));
        tokio::select! {
            biased;
            streamed = streaming => streamed,
            () = worker.alarms.until(due) => Ok(Streamed::TimedOut),
            () = too_old => Ok(Streamed::TooOld),
        }
    };
    notes.messages.responses = messages.map_or(0, |messages| messages.count);
    let (details, flag, counter, outcome) = match streamed? {
        Streamed::Whole(trailers) => {
            notes.trailers = trailers;
            if answer.tunnel {
                client.peer.closing.set(true);
            }
            answer.finish();
            return Ok(());
        }
        Streamed::Cut => (
            "upstream_reset_after_response_started{connection_termination}",
            Flag::UpstreamClosed,
            ClusterCounter::RqRxReset,
            Some(Outcome::Reset),
        ),
        // Its endpoint has answered in time.
        Streamed::TimedOut => ("response_timeout", Flag::UpstreamTimeout, ClusterCounter::RqTimeout, None),
        Streamed::Idle => (
            "upstream_per_try_idle_timeout",
            Flag::UpstreamTimeout,
            ClusterCounter::RqPerTryIdleTimeout,
            Some(Outcome::TimeOut),
        ),
        Streamed::TooOld => (
            "upstream_max_stream_duration_reached",
            Flag::UpstreamMaxDuration,
            ClusterCounter::RqMaxDurationReached,
            None,
        ),
    };
    notes.details = Cow::Borrowed(details);
    notes.flags.raise(flag);
    if let Some(cluster) = &notes.cluster {
        cluster.stats.count(worker.shard, counter);
        // What we end ourselves.
        if !matches!(counter, ClusterCounter::RqRxReset) && matches!(answer.channel.ends.sink, Sink::Http2(_)) {
            cluster.stats.count(worker.shard, ClusterCounter::RqTxReset);
        }
        if let Some((outcome, member)) = outcome.zip(cluster.member(notes.host.as_ref())) {
            worker.observe(cluster, &member.host, outcome);
            // All others were taken for answered with their head.
            if is_grpc(&request.headers) {
                service.stats.count(worker.shard, HttpCounter::ResetAfterResponseStarted);
            }
        }
    }
    client.cut().await;
    Ok(())
}

/// Sends an upstream's answer, whose head waits to be sent: it goes in one write with the first bytes, then comes what comes.
async fn stream(
    alarms: &Alarms,
    client: &mut Client,
    request: &Request,
    upload: &mut Upload,
    answer: &mut Answer,
    mut pace: Option<Pace>,
    mut messages: Option<&mut GrpcMessages>,
) -> Result<Streamed, Gone> {
    if answer.tunnel {
        begin_tunnel(client, upload, &mut answer.channel.ends.sink);
    }
    upload.progress.answering.set(!answer.tunnel);
    let silent = request.method() == "HEAD" || answer.framing == Framing::Empty;
    // What has come with the head has come when that did.
    let mut came = Some(answer.began);
    loop {
        let mut taken = 0;
        let took = answer.channel.ends.source.take(|payload| {
            taken += payload.len();
            if silent {
                return;
            }
            if let Some(messages) = &mut messages {
                messages.push(payload);
            }
            match &mut pace {
                Some(pace) => pace.hold(payload),
                None => client.sink.data(payload),
            }
        });
        let came = came.take().unwrap_or_else(now);
        if taken > 0 {
            upload.progress.moved.set(came);
        }
        if took.is_err() || silent && taken > 0 {
            return Ok(Streamed::Cut);
        }
        if let Some(pace) = &mut pace {
            slowly(client, upload, &mut answer.channel.ends.sink, pace).await?;
        }
        let done = answer.channel.ends.source.is_done();
        let trailers = if done { answer.channel.ends.source.trailers() } else { None };
        if done && !silent {
            client.end(trailers.as_deref());
        }
        flush(client, upload).await?;
        if done {
            return Ok(Streamed::Whole(trailers));
        }
        let idle = answer.idle.filter(|_| upload.is_done());
        // The client going away must free the upstream, however slowly it answers.
        tokio::select! {
            biased;
            filled = alarms.within(idle, answer.channel.ends.source.fill()) => match filled {
                Some(Ok(())) => {}
                Some(Err(_)) => return Ok(Streamed::Cut),
                None => return Ok(Streamed::Idle),
            },
            sent = up(&mut client.source, &mut client.sink, upload, &mut answer.channel.ends.sink) => sent?,
        }
    }
}

/// Writes what waits; each step of it counts as progress.
async fn flush(client: &mut Client, upload: &Upload) -> Result<(), Gone> {
    while !client.sink.is_flushed() {
        client.sink.step().await?;
        if !client.sink.is_flushed() {
            upload.progress.moved.set(now());
        }
    }
    Ok(())
}

/// Sends what has come as fast as it may go; what went before goes at once.
async fn slowly(client: &mut Client, upload: &mut Upload, upstream: &mut Sink, pace: &mut Pace) -> Result<(), Gone> {
    while !pace.is_empty() {
        flush(client, upload).await?;
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(pace.due(now()).into()) => {
                client.sink.data(&pace.next(now()));
                upload.progress.moved.set(now());
            }
            sent = up(&mut client.source, &mut client.sink, upload, upstream) => sent?,
        }
    }
    Ok(())
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
