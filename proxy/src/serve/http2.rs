//! A client's connection of HTTP/2: many requests at once.

use super::chain;
use super::client::{Client, Gone, Peer};
use super::snapshot::ChainId;
use super::worker::Worker;
use crate::clock::now;
use crate::net::Transport;
use crate::wire::{Sink, Source, http2};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use squall_http1::Request;
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;
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
    let Some(service) = worker.http(chain) else { return };
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
    let Ok(Ok(mut connection)) = tokio::time::timeout(HANDSHAKE, builder.handshake::<_, Bytes>(transport)).await else {
        return;
    };
    let mut pings = connection.ping_pong();
    let mut streams = JoinSet::new();
    let opened = now();
    let mut last_active = opened;
    loop {
        let idle = timeouts.idle.filter(|_| streams.is_empty()).map(|limit| last_active + limit);
        let old = timeouts.max_connection.map(|limit| opened + limit);
        tokio::select! {
            biased;
            accepted = connection.accept() => match accepted {
                Some(Ok((head, respond))) => {
                    peer.requests.set(peer.requests.get() + 1);
                    last_active = now();
                    streams.spawn_local(stream(Rc::clone(&worker), Rc::clone(&peer), chain, head, respond));
                    if limits.requests_per_connection.is_some_and(|most| peer.requests.get() >= most) {
                        break;
                    }
                }
                Some(Err(_)) | None => return,
            },
            Some(_) = streams.join_next(), if !streams.is_empty() => {
                last_active = now();
                if is_a_flood(&peer) {
                    connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                    let _ = tokio::time::timeout(timeouts.delayed_close, poll_fn(|cx| connection.poll_closed(cx))).await;
                    return;
                }
            }
            () = worker.draining() => break,
            () = until(idle.into_iter().chain(old).min()) => break,
            () = alive(pings.as_mut(), options.keepalive), if options.keepalive.is_some() => return,
        }
    }
    // Goodbye first; streams that were begun meanwhile are served, and those under way go on to their end.
    connection.graceful_shutdown();
    loop {
        tokio::select! {
            biased;
            accepted = connection.accept() => match accepted {
                Some(Ok((head, respond))) => {
                    drop(streams.spawn_local(stream(Rc::clone(&worker), Rc::clone(&peer), chain, head, respond)));
                }
                Some(Err(_)) | None => return,
            },
            Some(_) = streams.join_next(), if !streams.is_empty() => {}
        }
    }
}

async fn until(moment: Option<std::time::Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

/// Returns when the client does not answer a ping in time.
async fn alive(pings: Option<&mut h2::PingPong>, keepalive: Option<crate::policy::Http2Keepalive>) {
    let (Some(pings), Some(keepalive)) = (pings, keepalive) else { return std::future::pending().await };
    loop {
        tokio::time::sleep(keepalive.interval).await;
        let pong = tokio::time::timeout(keepalive.timeout, pings.ping(h2::Ping::opaque())).await;
        if !matches!(pong, Ok(Ok(_))) {
            return;
        }
    }
}

/// Serves one stream.
async fn stream(
    worker: Rc<Worker>,
    peer: Rc<Peer>,
    chain: ChainId,
    head: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) {
    let Some(service) = worker.http(chain) else { return respond.send_reset(Reason::REFUSED_STREAM) };
    let (parts, body) = head.into_parts();
    let mut request = Request::default();
    if http2::read_head(&parts, &mut request).is_none() || parts.headers.len() > service.manager.limits.fields {
        return respond.send_reset(Reason::PROTOCOL_ERROR);
    }
    let mut client = Client {
        source: Source::Http2(http2::Source::of_request(body)),
        sink: Sink::Http2(http2::Sink::of_response(respond)),
        peer,
    };
    let served = chain::handle(&worker, &service, &mut client, &mut request).await;
    if served == Err(Gone::Reset) {
        client.peer.given_up.set(client.peer.given_up.get() + 1);
    }
}

/// Most of what a client asks for it gives up before it is answered: it means us harm, however slowly.
fn is_a_flood(peer: &Peer) -> bool {
    let (asked, given_up) = (peer.requests.get(), peer.given_up.get());
    asked >= ENOUGH_TO_JUDGE && given_up > asked / 2
}
