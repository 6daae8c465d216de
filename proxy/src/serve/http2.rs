//! A client's connection of HTTP/2: many requests at once.

use super::chain;
use super::client::{Client, Gone, Peer};
use super::snapshot::ChainId;
use super::worker::Worker;
use crate::clock::now;
use crate::net::Transport;
use crate::telemetry::HttpCounter;
use crate::telemetry::metrics::HttpStats;
use crate::wire::{Sink, Source, gathered, http2, keepalive};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use squall_http1::Request;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Streams that a client may open and give up again before it is cut off: nobody in earnest does more.
const RESETS: usize = 100;

/// Streams after which it is looked whether a client means them.
const ENOUGH_TO_JUDGE: u32 = 500;

/// Streams that a client may make us give up, all its life.
const OUR_RESETS: usize = 1024;

/// Bytes of answers that are kept for one stream while its client is slow.
const SEND_BUFFER: usize = 64 * 1024;

/// How long the first words of a connection may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Serves a connection to its end.
pub(super) async fn serve(worker: Rc<Worker>, transport: Transport, peer: Rc<Peer>, chain: ChainId) {
    let Some(service) = worker.service(chain) else { return };
    let (timeouts, limits, options) = (service.manager.timeouts, service.manager.limits, service.manager.http2);
    let mut builder = h2::server::Builder::new();
    builder
        .max_concurrent_streams(options.max_concurrent_streams)
        .initial_window_size(options.stream_window)
        .initial_connection_window_size(options.connection_window)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_send_buffer_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(Some(OUR_RESETS));
    if options.allow_connect {
        builder.enable_connect_protocol();
    }
    // Long connections must not keep a configuration alive that is no longer in use.
    let stats = Arc::clone(&service.stats);
    drop(service);
    let (transport, flusher) = gathered(transport);
    let Ok(Ok(mut connection)) = tokio::time::timeout(HANDSHAKE, builder.handshake::<_, Bytes>(transport)).await else {
        return;
    };
    flusher.begin();
    let mut unanswered = pin!(keepalive::unanswered(connection.ping_pong(), options.keepalive));
    let mut streams = JoinSet::new();
    let opened = now();
    let mut last_active = opened;
    // Once goodbye is said, streams that were begun until then are served, and those under way go on to their end.
    let mut leaving = None;
    let ended = loop {
        let idle = timeouts.idle.filter(|_| streams.is_empty());
        let idle = idle.map(|limit| (last_active + limit, HttpCounter::CxIdleTimeout));
        let old = timeouts.max_connection.map(|limit| (opened + limit, HttpCounter::CxMaxDurationReached));
        let over = idle.into_iter().chain(old).min_by_key(|(due, _)| *due);
        let mut leaves = false;
        tokio::select! {
            biased;
            accepted = poll_fn(|cx| flusher.after(cx, |cx| connection.poll_accept(cx))) => match accepted {
                Some(Ok((head, respond))) => {
                    peer.requests.set(peer.requests.get().saturating_add(1));
                    last_active = now();
                    streams.spawn_local(stream(Rc::clone(&worker), Rc::clone(&peer), chain, last_active, head, respond));
                    if leaving.is_none() && limits.requests_per_connection.is_some_and(|most| peer.requests.get() >= most) {
                        stats.count(worker.shard, HttpCounter::CxMaxRequestsReached);
                        leaves = true;
                    }
                }
                Some(Err(error)) => break broken(&worker, &stats, &error),
                None => break Gone::Closed,
            },
            Some(_) = streams.join_next(), if !streams.is_empty() => {
                last_active = now();
                leaves = worker.fails_health_check();
                if is_a_flood(&peer) {
                    stats.count(worker.shard, HttpCounter::PrematureResets);
                    peer.ended.set(Some(Gone::Flood));
                    connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                    let _ = tokio::time::timeout(timeouts.delayed_close, poll_fn(|cx| connection.poll_closed(cx))).await;
                    break Gone::Flood;
                }
            }
            () = worker.parting(chain), if leaving.is_none() => leaves = true,
            () = worker.alarms.until(over.map(|(due, _)| due)), if leaving.is_none() => {
                over.into_iter().for_each(|(_, counter)| stats.count(worker.shard, counter));
                leaves = true;
            }
            // The last word follows the answer to a ping. Whoever does not answer hears it all the same.
            () = worker.alarms.until(leaving), if leaving.is_some() && streams.is_empty() => {
                connection.abrupt_shutdown(Reason::NO_ERROR);
                let _ = tokio::time::timeout(timeouts.delayed_close, poll_fn(|cx| connection.poll_closed(cx))).await;
                break Gone::Closed;
            }
            () = &mut unanswered => break Gone::PingTimeout,
        }
        if leaves && leaving.is_none() {
            leaving = Some(now() + timeouts.drain);
            connection.graceful_shutdown();
        }
    };
    // Streams that are under way learn of it by this, and are counted and logged as everywhere else.
    peer.ended.set(Some(ended));
    drop((connection, flusher));
    while streams.join_next().await.is_some() {}
}

/// How a connection ended with this error; one whose client does not keep to the protocol is counted.
fn broken(worker: &Worker, stats: &HttpStats, error: &h2::Error) -> Gone {
    if error.is_io() || error.is_remote() {
        return Gone::Closed;
    }
    stats.count(worker.shard, HttpCounter::CxProtocolError);
    Gone::BadMessage
}

/// A stream to be served: boxed, since a task moves what it runs several times, and this takes kilobytes.
fn stream(
    worker: Rc<Worker>,
    peer: Rc<Peer>,
    chain: ChainId,
    begun: Instant,
    head: http::Request<RecvStream>,
    respond: SendResponse<Bytes>,
) -> Pin<Box<impl Future<Output = ()>>> {
    Box::pin(serve_stream(worker, peer, chain, begun, head, respond))
}

async fn serve_stream(
    worker: Rc<Worker>,
    peer: Rc<Peer>,
    chain: ChainId,
    begun: Instant,
    head: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) {
    let Some(service) = worker.service(chain) else { return respond.send_reset(Reason::REFUSED_STREAM) };
    let (parts, body) = head.into_parts();
    let mut request = Request::default();
    if http2::read_head(&parts, &mut request).is_none() || parts.headers.len() > service.manager.limits.fields {
        service.stats.count(worker.shard, HttpCounter::CxProtocolError);
        return respond.send_reset(Reason::PROTOCOL_ERROR);
    }
    let mut client = Client {
        source: Source::Http2(http2::Source::of_request(body)),
        sink: Sink::Http2(http2::Sink::of_response(respond, service.manager.timeouts.slow_reader)),
        peer,
    };
    let served = chain::handle(&worker, &service, &mut client, &mut request).await;
    let Sink::Http2(sink) = &client.sink else { return };
    if sink.is_stalled() {
        service.stats.count(worker.shard, HttpCounter::RqSlowReader);
    } else if served == Err(Gone::Reset) && sink.is_unanswered() && is_early(now().saturating_duration_since(begun)) {
        client.peer.given_up.set(client.peer.given_up.get().saturating_add(1));
    }
}

/// A stream that is given up so soon may have been opened for that alone. Whole seconds count, as in Envoy.
fn is_early(lived: Duration) -> bool {
    lived.as_secs() <= 1
}

/// Most of what a client asks for it gives up at once and before it is answered: it means us harm.
fn is_a_flood(peer: &Peer) -> bool {
    let (asked, given_up) = (peer.requests.get(), peer.given_up.get());
    asked >= ENOUGH_TO_JUDGE && given_up > asked / 2
}
