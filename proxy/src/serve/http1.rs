//! A client's connection of HTTP/1: request after request, until somebody closes.

use super::client::{Client, Peer};
use super::respond::{Failure, Reply};
use super::snapshot::ChainId;
use super::worker::Worker;
use super::{chain, notes};
use crate::clock::now;
use crate::net::Transport;
use crate::policy::HttpTimeouts;
use crate::telemetry::HttpCounter;
use crate::wire::{Broken, Sink, Source, http1};
use squall_http1::{Limits, Refusal, Request};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How much a client may go on sending after its last answer.
const MOST_UNREAD: usize = 4 * 1024 * 1024;

/// What may be asked for; all else is no HTTP to Envoy.
const METHODS: [&str; 34] = [
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "CONNECT",
    "TRACE",
    "ACL",
    "BIND",
    "CHECKOUT",
    "COPY",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MOVE",
    "MSEARCH",
    "NOTIFY",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "REBIND",
    "REPORT",
    "SEARCH",
    "SOURCE",
    "SUBSCRIBE",
    "UNBIND",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
];

/// A path, a whole URL, a star, or for CONNECT an authority.
fn has_target(request: &Request) -> bool {
    let target = request.target();
    target.starts_with('/') || target == "*" || target.contains("://") || request.method() == "CONNECT"
}

/// Serves a connection to its end.
pub(super) async fn serve(worker: Rc<Worker>, transport: Transport, peer: Rc<Peer>, chain: ChainId) {
    let Some(service) = worker.service(chain) else { return };
    let (manager, mut timeouts, stats) = (&service.manager, service.manager.timeouts, Arc::clone(&service.stats));
    let limits = Limits {
        head_bytes: manager.limits.head_bytes,
        fields: manager.limits.fields,
        target_bytes: manager.limits.target_bytes,
    };
    let (reader, writer) = transport.split();
    let mut client = Client {
        source: Source::Http1(http1::Source::new(reader, limits).with_trailers(manager.http1.trailers)),
        sink: Sink::Http1(http1::Sink::new(writer).with_trailers(manager.http1.trailers)),
        peer,
    };
    let most = manager.limits.requests_per_connection;
    // Long connections must not keep a configuration alive that is no longer in use.
    drop(service);
    let mut request = Request::default();
    // The first head must be there within its time of the connection, whether or not it has begun.
    let mut first_due = timeouts.head.map(|limit| client.peer.opened + limit);
    let mut ends = timeouts.max_connection.map(|limit| client.peer.opened + limit);
    loop {
        match next_request(&worker, &mut client, chain, &timeouts, (first_due.take(), ends), &mut request).await {
            Ok(()) => {}
            Err(Next::Over) => return,
            Err(Next::Idle | Next::TooOld) if client.peer.closing.get() => return,
            Err(why @ (Next::Idle | Next::TooOld)) => {
                let is_idle = matches!(why, Next::Idle);
                let counter = if is_idle { HttpCounter::CxIdleTimeout } else { HttpCounter::CxMaxDurationReached };
                stats.count(worker.shard, counter);
                if client.peer.requests.get() == 0 {
                    return;
                }
                // A request may be on its way: it is answered, as the last.
                client.peer.closing.set(true);
                (timeouts.idle, ends) = (Some(timeouts.drain), None);
                continue;
            }
            Err(Next::Refused(failure)) => {
                Box::pin(refuse(&worker, &mut client, chain, &failure)).await;
                return linger(&mut client, &timeouts).await;
            }
        }
        client.peer.requests.set(client.peer.requests.get().saturating_add(1));
        if most.is_some_and(|most| client.peer.requests.get() >= most) {
            stats.count(worker.shard, HttpCounter::CxMaxRequestsReached);
            client.peer.closing.set(true);
        }
        // What was configured may have changed since the connection began.
        let service = if let Some(service) = worker.http(chain) {
            service
        } else {
            let Some(service) = worker.leaving(chain) else { return };
            client.peer.drain(&worker, &service.stats);
            service
        };
        // Boxed: between requests a connection holds none of the kilobytes that one takes. They are made where they stay, not moved there.
        let handling = Box::write(Box::new_uninit(), chain::handle(&worker, &service, &mut client, &mut request));
        if Box::into_pin(handling).await.is_err() {
            return;
        }
        if client.peer.closing.get() {
            return linger(&mut client, &timeouts).await;
        }
        if let Source::Http1(source) = &mut client.source {
            source.release();
        }
    }
}

/// Why there is no next request.
enum Next {
    Over,
    Idle,
    TooOld,
    Refused(Failure),
}

/// Reads the next head.
async fn next_request(
    worker: &Worker,
    client: &mut Client,
    chain: ChainId,
    timeouts: &HttpTimeouts,
    (first_due, ends): (Option<Instant>, Option<Instant>),
    request: &mut Request,
) -> Result<(), Next> {
    let Source::Http1(source) = &mut client.source else { return Err(Next::Over) };
    let mut dismissed = pin!(worker.dismissed(chain, timeouts.drain));
    if source.is_clean() {
        // A request may be on its way when the proxy drains: it is answered, as the last.
        tokio::select! {
            biased;
            filled = worker.alarms.within(timeouts.idle, source.fill_head()) => match filled {
                Some(Ok(())) => {}
                Some(Err(_)) => return Err(Next::Over),
                None => return Err(Next::Idle),
            },
            () = worker.alarms.until(first_due), if first_due.is_some() => return Err(Next::Refused(Failure::HeadTimeout)),
            () = &mut dismissed => return Err(Next::Over),
            () = worker.alarms.until(ends) => return Err(Next::TooOld),
        }
    }
    let mut due = None;
    loop {
        match source.request(request) {
            Ok(true) if !METHODS.contains(&request.method()) || !has_target(request) => {
                return Err(Next::Refused(Failure::Refused(Refusal::Syntax)));
            }
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(Broken::Malformed(refusal)) => return Err(Next::Refused(Failure::Refused(refusal))),
            Err(_) => return Err(Next::Over),
        }
        let (deadline, too_late) = *due.get_or_insert_with(|| head_due(timeouts, first_due));
        tokio::select! {
            biased;
            filled = source.fill_head() => match filled {
                Ok(()) => {}
                Err(_) => return Err(Next::Over),
            },
            () = worker.alarms.until(deadline) => return Err(too_late()),
            () = &mut dismissed => return Err(Next::Over),
        }
    }
}

/// When a head that has begun must be whole, and what becomes of it else.
///
/// Of a policy's time and ours, the shorter. Without either a request that stands still is one from its first byte on, as in Envoy, and
/// a connection that no time of a stream holds for idles.
fn head_due(timeouts: &HttpTimeouts, first_due: Option<Instant>) -> (Option<Instant>, fn() -> Next) {
    let after = |limit: Option<Duration>| limit.map(|limit| now() + limit);
    let own = first_due.or_else(|| after(timeouts.head));
    let head = after(timeouts.request_headers).into_iter().chain(own).min();
    if head.is_some() {
        return (head, || Next::Refused(Failure::HeadTimeout));
    }
    match timeouts.stream_idle {
        Some(limit) => (Some(now() + limit), || Next::Refused(Failure::StreamIdle(false))),
        None => (after(timeouts.idle), || Next::Idle),
    }
}

/// Answers what cannot be read, and closes.
async fn refuse(worker: &Rc<Worker>, client: &mut Client, chain: ChainId, failure: &Failure) {
    client.peer.closing.set(true);
    let mut reply = Reply::to(failure, false, false);
    let service = worker.service(chain);
    if let Some(service) = &service {
        reply.response.headers.add("date", &worker.http_date());
        reply.response.headers.add("server", service.manager.server_header.name.as_bytes());
        failure.limit().into_iter().for_each(|counter| service.stats.count(worker.shard, counter));
    }
    let said = (reply.response.clone(), reply.flag, reply.details.clone());
    // Whoever sends such things may be gone already.
    let _ = client.reply(&Request::new("GET", "/"), reply).await;
    if let Some(service) = &service {
        let (response, flag, details) = said;
        notes::unreadable(worker, service, client, &Reply { response, flag, details, body: Vec::new() });
    }
}

/// Ends the connection so that the last answer arrives: a close with unread bytes would be a reset, which overtakes it.
async fn linger(client: &mut Client, timeouts: &HttpTimeouts) {
    if let (Source::Http1(source), Sink::Http1(sink)) = (&mut client.source, &mut client.sink) {
        let farewell = async {
            sink.shutdown().await;
            source.drain(MOST_UNREAD).await;
        };
        // Who takes no farewell, or does not stop, in time is cut off.
        let _ = tokio::time::timeout(timeouts.delayed_close, farewell).await;
    }
}
