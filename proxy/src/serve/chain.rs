//! One request, from its head to the end of its answer, in the order in which it meets everything.

use super::admission::admit;
use super::client::{Client, Gone};
use super::notes::{self, Notes};
use super::respond::{Failure, Reply};
use super::router;
use super::routing::Asked;
use super::snapshot::{Found, HttpService, ResolvedRoute};
use super::trace;
use super::upload::Upload;
use super::watch::{self, Clocks};
use super::worker::Worker;
use crate::filter::cors::{self, Cors};
use crate::filter::fault::{self, ActiveFault, Answer};
use crate::policy::{FaultInjection, HttpFilter, Redirect, RedirectPort};
use crate::telemetry::metrics::{self, HttpStats};
use crate::telemetry::{Flag, HttpCounter, HttpLevel, RateLimitCounter, is_grpc};
use crate::wire::{Source, http2};
use rand::RngExt;
use squall_http1::{Framing, Request, Response};
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
    /// A fault that is under way until the answer ends.
    fault: Option<Counted>,
}

/// A fault that is under way, and counted for as long.
struct Counted {
    stats: Arc<HttpStats>,
    shard: metrics::Worker,
    _active: ActiveFault,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.stats.down(self.shard, HttpLevel::ActiveFaults);
    }
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
    stats.count(worker.shard, HttpCounter::RqTotal);
    stats.up(worker.shard, HttpLevel::RqActive);
    if !request.keep_alive() || worker.is_draining() {
        client.peer.closing.set(true);
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
    let framing = match framing(client, request) {
        Ok(framing) => framing,
        Err(failure) => return refuse(worker, service, client, request, notes, &failure).await,
    };
    let mut upload = Upload::new(framing, &mut client.source, service.buffer as usize);
    let clocks = Clocks::new(&upload, &service.manager.timeouts, notes.begun);
    let served = tokio::select! {
        biased;
        served = serve(worker, service, client, request, &mut upload, notes, &clocks) => served.map(|()| None),
        cut = watch::over(&clocks) => Ok(Some(cut)),
    };
    notes.received = upload.bytes;
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
        client.cut();
        return Ok(());
    }
    refuse(worker, service, client, request, notes, &cut.failure(upload.is_done())).await
}

/// Where the body of a request ends.
fn framing(client: &Client, request: &Request) -> Result<Framing, Failure> {
    let Source::Http2(source) = &client.source else { return request.framing().map_err(Failure::Refused) };
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
        Err(failure) => return refuse(worker, service, client, request, notes, &failure).await,
    };
    notes.client = admitted.client;
    notes.trace = trace::begin(service, request, &mut *worker.rng.borrow_mut());
    if let Some(target) = &admitted.redirect {
        let mut response = Response::new(307);
        response.headers.add("location", target.as_bytes());
        return answer(worker, service, client, request, notes, response, Vec::new(), "path_normalization_failed")
            .await;
    }

    // The route is chosen once, by the request as it was admitted.
    let draw = worker.rng.borrow_mut().random_range(0..1_000_000);
    let authority = request.headers.get_str("host").unwrap_or_default();
    let found = service.route(authority, &Asked::new(request, client.peer.scheme(), draw), client.peer.secure);
    let resolved = match found {
        Some(Found::Route(resolved)) => resolved,
        Some(Found::ToTls) => return to_tls(worker, service, client, request, notes).await,
        None => {
            service.stats.count(worker.shard, HttpCounter::NoRoute);
            return refuse(worker, service, client, request, notes, &Failure::NoRoute).await;
        }
    };
    notes.route.clone_from(&resolved.route.name);
    let forward = resolved.route.forward();
    if let Some(idle) = forward.and_then(|forward| forward.idle_timeout) {
        clocks.idle.set(idle);
    }
    if let Some(upgrade) = &admitted.upgrade {
        let listed = forward.and_then(|forward| forward.upgrades.iter().find(|(known, _)| known == upgrade));
        let of_route = listed.map(|(_, allowed)| *allowed);
        if !of_route.unwrap_or_else(|| manager.upgrades.contains(upgrade)) {
            service.stats.count(worker.shard, HttpCounter::RqWsOnNonWsRoute);
            return refuse(worker, service, client, request, notes, &Failure::UpgradeRefused).await;
        }
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
                let injection = resolved.route.filters.fault.as_ref().or(own.as_ref());
                inject(worker, service, resolved, injection, client, request, notes, &mut filtered).await?
            }
            HttpFilter::LocalRateLimit(own) => rate_limited(worker, service, client, resolved, at, own, request, notes),
            HttpFilter::HealthCheck(own) => health_check(worker, own, request),
        };
        match passed {
            Passed::On => {}
            Passed::Refused(failure) => return refuse(worker, service, client, request, notes, &failure).await,
            Passed::Answered(response) => {
                return answer(worker, service, client, request, notes, response, Vec::new(), "").await;
            }
        }
    }
    router::route(worker, service, client, request, upload, resolved, admitted, filtered, notes).await
}

/// What a filter says of a request.
#[allow(clippy::large_enum_variant, reason = "one a filter, gone at once")]
enum Passed {
    On,
    Refused(Failure),
    Answered(Response),
}

fn cross_origin(resolved: &ResolvedRoute, request: &Request, filtered: &mut Filtered) -> Passed {
    // Only requests that are sent on are asked about.
    let policy = resolved.route.filters.cors.as_ref().filter(|_| resolved.route.forward().is_some());
    match policy.map(|policy| cors::judge(policy, request)) {
        Some(Cors::Answer(response)) => Passed::Answered(response),
        Some(Cors::Allow) => {
            filtered.allow_origin = true;
            Passed::On
        }
        Some(Cors::PassOn) | None => Passed::On,
    }
}

/// Faults of the policy come before the router, so no retry, time-out or detector ever sees them.
#[allow(clippy::too_many_arguments, reason = "a filter may need anything of a request")]
async fn inject(
    worker: &Worker,
    service: &HttpService,
    resolved: &ResolvedRoute,
    injection: Option<&FaultInjection>,
    client: &mut Client,
    request: &Request,
    notes: &mut Notes,
    filtered: &mut Filtered,
) -> Result<Passed, Gone> {
    let cluster = resolved.clusters.first().and_then(Option::as_ref).map(|cluster| &*cluster.name);
    let meant = |injection: &&FaultInjection| {
        injection.upstream_cluster.as_deref().is_none_or(|wanted| cluster == Some(wanted))
            && injection.headers.iter().all(|condition| crate::filter::retry::has(&request.headers, condition))
    };
    let Some(injection) = injection.filter(meant) else { return Ok(Passed::On) };
    let drawn = fault::draw(injection, &request.headers, &mut *worker.rng.borrow_mut());
    if drawn == fault::Drawn::default() {
        return Ok(Passed::On);
    }
    let stats = &service.stats;
    let Some(active) = service.faults.begin(injection.max_active) else {
        stats.count(worker.shard, HttpCounter::FaultsOverflow);
        return Ok(Passed::On);
    };
    stats.up(worker.shard, HttpLevel::ActiveFaults);
    let active = Counted { stats: Arc::clone(stats), shard: worker.shard, _active: active };
    if let Some(delay) = drawn.delay {
        stats.count(worker.shard, HttpCounter::DelaysInjected);
        notes.flags.raise(Flag::DelayInjected);
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            gone = client.gone() => return Err(gone),
        }
    }
    if let Some(abort) = drawn.abort {
        stats.count(worker.shard, HttpCounter::AbortsInjected);
        return Ok(Passed::Refused(match abort {
            Answer::Http(status) => Failure::FaultAbort(status),
            Answer::Grpc(status) => Failure::FaultAbortGrpc(status),
        }));
    }
    if drawn.rate.is_some() {
        stats.count(worker.shard, HttpCounter::ResponseRateInjected);
        filtered.rate = drawn.rate;
        filtered.fault = Some(active);
    }
    Ok(Passed::On)
}

#[allow(clippy::too_many_arguments, reason = "a filter may need anything of a request")]
fn rate_limited(
    worker: &Worker,
    service: &HttpService,
    client: &Client,
    resolved: &ResolvedRoute,
    at: usize,
    own: &crate::policy::RateLimit,
    request: &Request,
    notes: &mut Notes,
) -> Passed {
    let of_route = resolved.route.filters.rate_limit.as_ref().zip(resolved.bucket.as_ref());
    let of_connection = own.per_connection.then(|| client.peer.bucket(at, own));
    let of_listener = service.buckets.get(at).and_then(Option::as_ref).or(of_connection.as_ref());
    let of_listener = of_listener.map(|bucket| (own, bucket));
    let Some((limit, bucket)) = of_route.or(of_listener) else { return Passed::On };
    let Some(stats) = service.limit_stats.get(at).and_then(Option::as_ref) else { return Passed::On };
    let hit = |share: crate::policy::Fraction| worker.rng.borrow_mut().random_range(0..1_000_000) < share.0;
    if !hit(limit.enabled) {
        return Passed::On;
    }
    stats.count(worker.shard, RateLimitCounter::Enabled);
    let now = crate::clock::now();
    let taken = bucket.take(now);
    if limit.rate_limit_headers {
        let told = [
            ("x-ratelimit-limit", u64::from(limit.max_tokens)),
            ("x-ratelimit-remaining", bucket.left(now)),
            ("x-ratelimit-reset", bucket.next_in(now).as_secs()),
        ];
        notes.fields.extend(told.map(|(name, value)| (name.to_owned(), value.to_string().into_bytes())));
    }
    if taken {
        stats.count(worker.shard, RateLimitCounter::Ok);
        return Passed::On;
    }
    stats.count(worker.shard, RateLimitCounter::RateLimited);
    if !hit(limit.enforced) {
        return Passed::On;
    }
    stats.count(worker.shard, RateLimitCounter::Enforced);
    let added = limit.response_headers.iter().filter_map(|field| Some((field.name.clone(), field.value.as_literal()?)));
    notes.fields.extend(added.map(|(name, value)| (name, value.as_bytes().to_vec())));
    let resource_exhausted = limit.grpc_resource_exhausted && is_grpc(&request.headers);
    Passed::Refused(Failure::RateLimited { status: limit.status, resource_exhausted })
}

/// Answers health checks of load balancers ahead of this proxy.
fn health_check(worker: &Worker, own: &crate::policy::HealthCheckFilter, request: &Request) -> Passed {
    let asked = Asked::new(request, "http", 0);
    if !own.headers.iter().all(|condition| asked.header_fits(condition)) {
        return Passed::On;
    }
    if worker.fails_health_check() {
        let mut response = Response::new(503);
        response.headers.add("x-envoy-immediate-health-check-fail", b"true");
        return Passed::Answered(response);
    }
    if own.pass_through { Passed::On } else { Passed::Answered(Response::new(200)) }
}

async fn to_tls(
    worker: &Worker,
    service: &HttpService,
    client: &mut Client,
    request: &mut Request,
    notes: &mut Notes,
) -> Result<(), Gone> {
    let redirect = Redirect {
        status: 301,
        path: None,
        host: None,
        scheme: Some("https".to_owned()),
        port: RedirectPort::Kept,
        strip_query: false,
    };
    let authority = request.headers.get_str("host").unwrap_or_default();
    let matched = crate::policy::PathMatch::Any;
    let location = crate::filter::rewrite::location(
        &redirect,
        &matched,
        ("http", client.peer.local.port()),
        authority,
        request.target(),
    );
    let mut response = Response::new(301);
    response.headers.add("location", location.as_bytes());
    answer(worker, service, client, request, notes, response, Vec::new(), "").await
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
    let reply = Reply::to(failure, notes.attempts > 1, is_grpc(&request.headers));
    notes.details = reply.details.clone();
    reply.flag.into_iter().for_each(|flag| notes.flags.raise(flag));
    if failure.ends_connection() && !service.manager.keep_connection_on_bad_message {
        client.peer.closing.set(true);
    }
    send(worker, service, client, request, notes, reply).await
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
    // An answer ahead of the whole request ends a connection of HTTP/1.
    if !client.is_http2() && !matches!(request.framing(), Ok(Framing::Empty)) && !client.source.is_done() {
        client.peer.closing.set(true);
    }
    notes.response = Some(reply.response.clone());
    client.reply(request, reply).await
}
