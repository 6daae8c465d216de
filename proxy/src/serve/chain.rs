//! One request, from its head to the end of its answer, in the order in which it meets everything.

use super::admission::admit;
use super::client::{Client, Gone};
use super::fault::{self, Counted};
use super::health_check;
use super::notes::{self, Notes};
use super::rate_limit;
use super::respond::{Failure, OVERLOADED, Reply};
use super::router;
use super::snapshot::{Found, HttpService, ResolvedRoute};
use super::trace;
use super::upload::Upload;
use super::watch::{self, Clocks};
use super::worker::Worker;
use crate::filter::conditions::Asked;
use crate::filter::cors::{self, Cors};
use crate::filter::timeout::stream_age;
use crate::policy::{Forward, HttpFilter, HttpManager};
use crate::telemetry::{HttpCounter, HttpLevel, is_grpc};
use crate::wire::{Frames, Source, http2};
use rand::RngExt;
use squall_http1::{Framing, Headers, Refusal, Request, Response};
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// What filters have found out for what comes behind them.
#[derive(Default)]
pub(super) struct Filtered {
    /// The answer says that its request was allowed across origins.
    pub(super) allow_origin: bool,
    /// The answer flows no faster, in KiB a second.
    pub(super) rate: Option<u64>,
    /// A check that was passed on, by the place of its filter.
    pub(super) check: Option<usize>,
    /// A fault that is under way until the answer ends.
    pub(super) fault: Option<Counted>,
}

/// Serves one request.
pub(super) async fn handle(
    worker: &Rc<Worker>,
    service: &Arc<HttpService>,
    client: &mut Client,
    request: &mut Request,
) -> Result<(), Gone> {
    let mut notes = Notes::new();
    let stats = &service.stats;
    stats.began(worker.shard, client.is_http2());
    stats.up(worker.shard, HttpLevel::RqActive);
    if !request.keep_alive() || request.headers.has_token("proxy-connection", "close") {
        client.peer.closing.set(true);
    }
    if worker.says_goodbye() {
        client.peer.drain(worker, stats);
    }
    let served = within_its_time(worker, service, client, request, &mut notes).await;
    if let Err(gone) = served {
        notes.gone(gone);
        stats.count(worker.shard, HttpCounter::RqRxReset);
    }
    stats.down(worker.shard, HttpLevel::RqActive);
    notes::ended(worker, service, client, request, &notes);
    served
}

/// Serves a request for as long as it may take, whatever it is waiting for.
async fn within_its_time(
    worker: &Rc<Worker>,
    service: &Arc<HttpService>,
    client: &mut Client,
    request: &mut Request,
    notes: &mut Notes,
) -> Result<(), Gone> {
    // What cannot be read safely goes no further.
    let framing = match framing(client, request, service.manager.limits.target_bytes) {
        Ok(framing) => framing,
        Err(failure) => {
            failure.limit().into_iter().for_each(|counter| service.stats.count(worker.shard, counter));
            return refuse(worker, service, client, request, notes, &failure).await;
        }
    };
    let mut upload = Upload::new(framing, &mut client.source, service.buffer as usize);
    upload.frames = is_grpc(&request.headers).then(Frames::default);
    let clocks = Clocks::new(&upload, &service.manager.timeouts, notes.begun);
    let served = tokio::select! {
        biased;
        served = serve(worker, service, client, request, &mut upload, notes, &clocks) => served.map(|()| None),
        cut = watch::over(&clocks) => Ok(Some(cut)),
    };
    notes.received = upload.bytes;
    notes.messages.requests = upload.frames.map_or(0, |frames| frames.count);
    if !upload.is_done() && !client.is_http2() {
        // What was not read would be taken for the next request.
        client.peer.closing.set(true);
    }
    let Some(cut) = served? else { return Ok(()) };
    service.stats.count(worker.shard, cut.counter());
    if notes.response.is_some() {
        let looks = cut.failure(upload.is_done()).looks(false);
        notes.details = looks.details;
        looks.flag.into_iter().for_each(|flag| notes.flags.raise(flag));
        client.cut().await;
        return Ok(());
    }
    refuse(worker, service, client, request, notes, &cut.failure(upload.is_done())).await
}

/// Where the body of a request ends.
fn framing(client: &Client, request: &Request, most: usize) -> Result<Framing, Failure> {
    let Source::Http2(source) = &client.source else { return request.framing().map_err(Failure::Refused) };
    if request.target().len() > most {
        return Err(Failure::Refused(Refusal::TargetTooLong));
    }
    Ok(http2::framing(&request.headers, source.is_done()))
}

/// The order of work. Each step may end the request with an answer of ours.
async fn serve(
    worker: &Rc<Worker>,
    service: &Arc<HttpService>,
    client: &mut Client,
    request: &mut Request,
    upload: &mut Upload,
    notes: &mut Notes,
    clocks: &Clocks,
) -> Result<(), Gone> {
    let manager = &service.manager;
    let admitted = admit(manager, &client.peer, request, &mut *worker.rng.borrow_mut());
    let admitted = match admitted {
        Ok(admitted) => admitted,
        Err(failure) => {
            if failure == Failure::BadTarget {
                service.stats.count(worker.shard, HttpCounter::RqNonRelativePath);
            }
            return refuse(worker, service, client, request, notes, &failure).await;
        }
    };
    notes.client = admitted.client;
    notes.trace = trace::begin(worker, service, request);
    if let Some(target) = &admitted.redirect {
        if is_grpc(&request.headers) {
            // It does not follow redirects.
            return refuse(worker, service, client, request, notes, &Failure::PathNormalization).await;
        }
        let mut response = Response::new(307);
        response.headers.add("location", target.as_bytes());
        return answer(worker, service, client, request, notes, response, Vec::new(), "path_normalization_failed")
            .await;
    }

    // The route is chosen once, by the request as it was admitted.
    let draw = worker.rng.borrow_mut().random_range(0..1_000_000);
    let authority = request.headers.get_str("host").unwrap_or_default();
    let secure = request.headers.get("x-forwarded-proto") == Some(b"https");
    let found = service.route(authority, &Asked::new(request, client.peer.scheme(), draw), secure);
    let resolved = match found {
        Some(Found::Route(resolved)) => resolved,
        Some(Found::ToTls) => return to_tls(worker, service, client, request, notes).await,
        None => {
            service.stats.count(worker.shard, HttpCounter::RoutedTotal);
            service.stats.count(worker.shard, HttpCounter::NoRoute);
            return refuse(worker, service, client, request, notes, &Failure::NoRoute).await;
        }
    };
    notes.route.clone_from(&resolved.route.name);
    let forward = resolved.route.forward();
    // What a filter answers is told of the cluster that the request was meant for, too.
    if let (Some(_), [Some(cluster)]) = (forward, &resolved.clusters[..]) {
        notes.cluster = Some(Arc::clone(cluster));
    }
    if let Some(forward) = forward {
        clocks.stream.set(stream_age(forward, &request.headers, clocks.stream.get()));
    }
    if let Some(idle) = forward.and_then(|forward| forward.idle_timeout) {
        clocks.idle.set(idle);
    }
    if let Some(upgrade) = &admitted.upgrade
        && !may_switch(manager, forward, upgrade)
    {
        service.stats.count(worker.shard, HttpCounter::RqWsOnNonWsRoute);
        return refuse(worker, service, client, request, notes, &Failure::UpgradeRefused).await;
    }
    if !manager.proxy_100_continue && request.headers.has_token("expect", "100-continue") {
        // Whoever waits for leave to send is given it here.
        request.headers.remove("expect");
        if !upload.is_done() {
            client.interim(&Response::new(100)).await?;
        }
    }

    // Filters, in the order of the listener; the router comes behind them all.
    let mut filtered = Filtered::default();
    for (at, filter) in manager.filters.iter().enumerate() {
        let passed = match filter {
            HttpFilter::Cors => cross_origin(resolved, request, &mut filtered),
            HttpFilter::Fault(own) => {
                let injection = resolved.route.filters.fault.as_deref().or(own.as_ref());
                fault::inject(worker, service, resolved, injection, client, request, notes, &mut filtered).await?
            }
            HttpFilter::LocalRateLimit(own) => {
                rate_limit::take(worker, service, client, resolved, (at, own), request, notes)
            }
            HttpFilter::HealthCheck(own) => {
                health_check::check(worker, service, (at, own), request, notes, &mut filtered)
            }
        };
        match passed {
            Passed::On => {}
            Passed::Refused(failure) => return refuse(worker, service, client, request, notes, &failure).await,
            Passed::Answered(response, details) => {
                return answer(worker, service, client, request, notes, response, Vec::new(), details).await;
            }
        }
    }
    router::route(worker, service, client, request, upload, resolved, admitted, filtered, notes).await
}

/// True if a request may switch to another protocol: its route's word, else its listener's.
pub(super) fn may_switch(manager: &HttpManager, forward: Option<&Forward>, upgrade: &String) -> bool {
    let listed = forward.and_then(|forward| forward.upgrades.iter().find(|(known, _)| known == upgrade));
    listed.map_or_else(|| manager.upgrades.contains(upgrade), |(_, allowed)| *allowed)
}

/// What a filter says of a request.
#[allow(clippy::large_enum_variant, reason = "one a filter, gone at once")]
pub(super) enum Passed {
    On,
    Refused(Failure),
    /// By the filter itself, for this reason.
    Answered(Response, &'static str),
}

fn cross_origin(resolved: &ResolvedRoute, request: &Request, filtered: &mut Filtered) -> Passed {
    // Only requests that are sent on are asked about.
    let policy = resolved.route.filters.cors.as_ref().filter(|_| resolved.route.forward().is_some());
    match policy.map(|policy| cors::judge(policy, request)) {
        Some(Cors::Answer(response)) => Passed::Answered(response, "cors_response"),
        Some(Cors::Allow) => {
            filtered.allow_origin = true;
            Passed::On
        }
        Some(Cors::PassOn) | None => Passed::On,
    }
}

async fn to_tls(
    worker: &Worker,
    service: &HttpService,
    client: &mut Client,
    request: &mut Request,
    notes: &mut Notes,
) -> Result<(), Gone> {
    service.stats.count(worker.shard, HttpCounter::RoutedTotal);
    service.stats.count(worker.shard, HttpCounter::DirectResponse);
    let mut response = Response::new(301);
    response.headers.add("location", by_tls(request).as_bytes());
    answer(worker, service, client, request, notes, response, Vec::new(), "direct_response").await
}

/// Where a request has to come again by TLS.
pub(super) fn by_tls(request: &Request) -> String {
    let authority = request.headers.get_str("host").unwrap_or_default();
    format!("https://{authority}{}", request.target())
}

/// An answer of ours that is no failure.
#[allow(clippy::too_many_arguments, reason = "an answer shows traces of everything")]
pub(super) async fn answer(
    worker: &Worker,
    service: &HttpService,
    client: &mut Client,
    request: &Request,
    notes: &mut Notes,
    response: Response,
    body: Vec<u8>,
    details: &'static str,
) -> Result<(), Gone> {
    notes.details = Cow::Borrowed(details);
    let reply = Reply { response, body, flag: None, details: Cow::Borrowed(details) };
    send(worker, service, client, request, notes, reply).await
}

/// An answer of ours to a failure.
pub(super) async fn refuse(
    worker: &Worker,
    service: &HttpService,
    client: &mut Client,
    request: &Request,
    notes: &mut Notes,
    failure: &Failure,
) -> Result<(), Gone> {
    let mut reply = Reply::to(failure, notes.attempts > 1, is_grpc(&request.headers));
    if service.manager.router.suppress_envoy_headers {
        reply.response.headers.remove(OVERLOADED);
    }
    notes.details = reply.details.clone();
    notes.unread = failure.is_unread() && !client.is_http2();
    reply.flag.into_iter().for_each(|flag| notes.flags.raise(flag));
    if failure.ends_connection() && !service.manager.keep_connection_on_bad_message {
        client.peer.closing.set(true);
    }
    send(worker, service, client, request, notes, reply).await
}

/// Says who has passed a message on.
pub(super) fn append_via(headers: &mut Headers, via: &str) {
    let before = headers.get_str("via").filter(|before| !before.is_empty());
    let all = before.map_or_else(|| via.to_owned(), |before| format!("{before}, {via}"));
    headers.set("via", all.as_bytes());
}

async fn send(
    worker: &Worker,
    service: &HttpService,
    client: &mut Client,
    request: &Request,
    notes: &mut Notes,
    mut reply: Reply,
) -> Result<(), Gone> {
    reply.response.headers.add("date", &worker.http_date());
    reply.response.headers.add("server", service.manager.server_header.name.as_bytes());
    for (name, value) in notes.fields.drain(..) {
        reply.response.headers.set(&name, &value);
    }
    if let Some(via) = &service.manager.via {
        append_via(&mut reply.response.headers, via);
    }
    // What follows a CONNECT is no HTTP, and an answer ahead of the whole request ends a connection of HTTP/1.
    if !client.is_http2() && request.method() == "CONNECT" {
        client.peer.closing.set(true);
    }
    if !client.is_http2() && !matches!(request.framing(), Ok(Framing::Empty)) && !client.source.is_done() {
        client.peer.closing.set(true);
    }
    notes.response = Some(reply.response.clone());
    client.reply(request, reply).await
}
