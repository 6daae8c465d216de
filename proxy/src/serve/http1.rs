//! A client's connection of HTTP/1: request after request, until somebody closes.

use super::client::{Client, Peer};
use super::respond::{Failure, Reply};
use super::snapshot::ChainId;
use super::worker::Worker;
use super::{chain, notes};
use crate::clock::now;
use crate::net::Transport;
use crate::policy::HttpManager;
use crate::wire::{Broken, Sink, Source, http1};
use squall_http1::{Limits, Request};
use std::rc::Rc;

/// How much a client may go on sending after its last answer.
const MOST_UNREAD: usize = 4 * 1024 * 1024;

/// Serves a connection to its end.
pub(super) async fn serve(worker: Rc<Worker>, transport: Transport, peer: Rc<Peer>, chain: ChainId) {
    let Some(service) = worker.http(chain) else { return };
    let manager = &service.manager;
    let limits = Limits { head_bytes: manager.limits.head_bytes, fields: manager.limits.fields, ..Limits::default() };
    let (reader, writer) = transport.split();
    let mut client = Client {
        source: Source::Http1(http1::Source::new(reader, limits)),
        sink: Sink::Http1(http1::Sink::new(writer)),
        peer,
    };
    let mut request = Request::default();
    loop {
        match next_request(&worker, &mut client, manager, &mut request).await {
            Ok(()) => {}
            Err(Next::Over) => return,
            Err(Next::Refused(failure)) => {
                refuse(&worker, &mut client, chain, &failure).await;
                return linger(&mut client, manager).await;
            }
        }
        // What was configured may have changed since the connection began.
        let Some(service) = worker.http(chain) else { return };
        if chain::handle(&worker, &service, &mut client, &mut request).await.is_err() {
            return;
        }
        if client.peer.closing.get() {
            return linger(&mut client, manager).await;
        }
        if let Source::Http1(source) = &mut client.source {
            source.release();
        }
    }
}

/// Why there is no next request.
enum Next {
    Over,
    Refused(Failure),
}

/// Reads the next head.
async fn next_request(
    worker: &Worker,
    client: &mut Client,
    manager: &HttpManager,
    request: &mut Request,
) -> Result<(), Next> {
    let Source::Http1(source) = &mut client.source else { return Err(Next::Over) };
    if source.is_clean() {
        // Between requests a draining proxy closes at once.
        tokio::select! {
            biased;
            filled = within(manager.timeouts.idle, source.fill_head()) => match filled {
                Some(Ok(())) => {}
                _ => return Err(Next::Over),
            },
            () = worker.draining() => return Err(Next::Over),
        }
    }
    // Of the two, the shorter: one is a policy's and is answered, the other ours against clients that never come to an end.
    let (limit, told) = match (manager.timeouts.request_headers, manager.timeouts.head) {
        (Some(told), own) if own.is_none_or(|own| told <= own) => (Some(told), true),
        (_, own) => (own, false),
    };
    let deadline = limit.map(|limit| now() + limit);
    loop {
        match source.request(request) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(Broken::Malformed(refusal)) => return Err(Next::Refused(Failure::Refused(refusal))),
            Err(_) => return Err(Next::Over),
        }
        let filled = match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline.into(), source.fill_head()).await.ok(),
            None => Some(source.fill_head().await),
        };
        match filled {
            Some(Ok(())) => {}
            Some(Err(_)) => return Err(Next::Over),
            None if told => return Err(Next::Refused(Failure::HeadTimeout)),
            None => return Err(Next::Over),
        }
    }
}

/// What a future gives within a time; none if that is over first.
async fn within<T>(limit: Option<std::time::Duration>, future: impl Future<Output = T>) -> Option<T> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, future).await.ok(),
        None => Some(future.await),
    }
}

/// Answers what cannot be read, and closes.
async fn refuse(worker: &Worker, client: &mut Client, chain: ChainId, failure: &Failure) {
    client.peer.closing.set(true);
    let reply = Reply::to(failure, false, false);
    if let Some(service) = worker.http(chain) {
        notes::unreadable(worker, &service, client, &reply);
    }
    // Whoever sends such things may be gone already.
    let _ = client.reply(&Request::new("GET", "/"), reply).await;
}

/// Ends the connection so that the last answer arrives: a close with unread bytes would be a reset, which overtakes it.
async fn linger(client: &mut Client, manager: &HttpManager) {
    if let (Source::Http1(source), Sink::Http1(sink)) = (&mut client.source, &mut client.sink) {
        sink.shutdown().await;
        // Who does not stop in time is cut off.
        let _ = tokio::time::timeout(manager.timeouts.delayed_close, source.drain(MOST_UNREAD)).await;
    }
}
