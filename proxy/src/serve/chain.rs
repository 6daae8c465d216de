//! One request, from its head to the end of its answer, in the order in which it meets everything.
//!
//! Here and below, futures of a kilobyte are pinned where they are made: awaiting one by value moves it first.

use super::admission::{Admitted, admit};
use super::client::{Client, Gone};
use super::fault::{self, Counted};
use super::health_check;
use super::notes;
use super::rate_limit;
use super::respond::Failure;
use super::router;
use super::snapshot::{Found, HttpService, ResolvedRoute};
use super::trace;
use super::transaction::{Sending, Transaction};
use super::upload::Upload;
use super::watch::{self, Clocks};
use super::worker::Worker;
use crate::filter::conditions::Asked;
use crate::filter::cors::{self, Cors};
use crate::filter::timeout::stream_age;
use crate::policy::{Forward, Fraction, HttpFilter, HttpManager};
use crate::telemetry::metrics::Raised;
use crate::telemetry::{HttpCounter, HttpLevel};
use crate::wire::{GrpcMessages, Source, http2};
use rand::RngExt;
use squall_http1::{Framing, Refusal, Request, Response};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

/// What filters have found out for what comes behind them.
#[derive(Default)]
pub(super) struct Filtered {
    /// The answer says that its request was allowed across origins.
    pub(super) allow_origin: bool,
    /// The answer flows no faster, in KiB a second.
    pub(super) rate: Option<u64>,
    /// The request had to wait.
    pub(super) held_up: bool,
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
    let mut transaction = Transaction::new(worker, service, client, request);
    let stats = &service.stats;
    stats.began(worker.shard, transaction.client.is_http2());
    let active = Raised::new(&**stats, worker.shard, HttpLevel::RqActive);
    let headers = &transaction.request.headers;
    if !transaction.request.keep_alive() || headers.has_token("proxy-connection", "close") {
        transaction.client.peer.closing.set(true);
    }
    if worker.says_goodbye() {
        transaction.client.peer.drain(worker, stats);
    } else if worker.shared.pressure.ends_keep_alive() && !transaction.client.peer.closing.replace(true) {
        stats.count(worker.shard, HttpCounter::CxOverloadDisableKeepalive);
    }
    let served = pin!(within_its_time(&mut transaction)).await;
    // A stream ends in many ways with its connection; only that has happened.
    let served = served.map_err(|gone| transaction.client.peer.ended.get().unwrap_or(gone));
    if let Err(gone) = served {
        transaction.notes.gone(gone);
        transaction.count(HttpCounter::RqRxReset);
    }
    drop(active);
    notes::ended(&transaction);
    served
}

/// Serves a request for as long as it may take, whatever it is waiting for.
async fn within_its_time(transaction: &mut Transaction<'_>) -> Result<(), Gone> {
    let (worker, service) = (transaction.worker, transaction.service);
    // What cannot be read safely goes no further, and nothing does that there is no room for.
    let framing = framing(transaction.client, transaction.request, service.manager.limits.target_bytes);
    let room = if worker.shared.pressure.refuses() { Err(Failure::Overloaded) } else { Ok(()) };
    let framing = match room.and(framing) {
        Ok(framing) => framing,
        Err(failure) => {
            failure.limit().into_iter().for_each(|counter| transaction.count(counter));
            return transaction.refuse(&failure).await;
        }
    };
    let mut upload =
        Upload::new(framing, &mut transaction.client.source, service.buffer as usize, transaction.notes.begun);
    upload.grpc_messages = transaction.is_grpc().then(GrpcMessages::default);
    let clocks = Clocks::new(&upload, &service.manager.timeouts, transaction.notes.begun);
    let served = {
        let serving = pin!(serve(transaction, &mut upload, &clocks));
        tokio::select! {
            biased;
            served = serving => served.map(|()| None),
            cut = watch::over(&clocks, &worker.alarms) => Ok(Some(cut)),
        }
    };
    transaction.notes.received = upload.bytes;
    transaction.notes.messages.requests = upload.grpc_messages.map_or(0, |messages| messages.count);
    if !upload.is_done() && !transaction.client.is_http2() {
        // What was not read would be taken for the next request.
        transaction.client.peer.closing.set(true);
    }
    match served? {
        None => Ok(()),
        Some(cut) => Box::pin(cut_short(transaction, cut, upload.is_done())).await,
    }
}

/// Ends a request whose time is over; `whole`: it was there as a whole.
async fn cut_short(transaction: &mut Transaction<'_>, cut: watch::Over, whole: bool) -> Result<(), Gone> {
    transaction.count(cut.counter());
    let failure = cut.failure(whole);
    let Transaction { client, notes, .. } = transaction;
    if notes.response.is_none() {
        return transaction.refuse(&failure).await;
    }
    let reply = failure.local_reply(false);
    notes.details = reply.details;
    reply.flag.into_iter().for_each(|flag| notes.flags.raise(flag));
    client.cut().await;
    Ok(())
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
async fn serve(transaction: &mut Transaction<'_>, upload: &mut Upload, clocks: &Clocks) -> Result<(), Gone> {
    let admitted = match admitted(transaction) {
        Ok(admitted) => admitted,
        Err(failure) => return transaction.refuse(&failure).await,
    };
    if let Some(target) = &admitted.redirect {
        return to_normal_path(transaction, target).await;
    }

    // The route is chosen once, by the request as it was admitted.
    let resolved = match find_route(transaction) {
        Some(Found::Route(resolved)) => resolved,
        Some(Found::ToTls) => return to_tls(transaction).await,
        None => {
            transaction.count(HttpCounter::RoutedTotal);
            transaction.count(HttpCounter::NoRoute);
            return transaction.refuse(&Failure::NoRoute).await;
        }
    };
    take_route(transaction, resolved, clocks);
    if let Some(upgrade) = &admitted.upgrade
        && !may_switch(&transaction.service.manager, resolved.route.forward(), upgrade)
    {
        transaction.count(HttpCounter::RqWsOnNonWsRoute);
        return transaction.refuse(&Failure::UpgradeRefused).await;
    }
    invite_body(transaction, upload).await?;

    // Filters, in the order of the listener; the router comes behind them all.
    let mut filtered = Filtered::default();
    for (at, filter) in transaction.service.manager.filters.iter().enumerate() {
        let passed = match filter {
            HttpFilter::Cors => cross_origin(transaction, resolved, &mut filtered),
            HttpFilter::Fault(own) => {
                let injection = resolved.route.filters.fault.as_deref().or(own.as_ref());
                fault::inject(transaction, resolved, injection, &mut filtered).await?
            }
            HttpFilter::LocalRateLimit(own) => rate_limit::take(transaction, resolved, (at, own)),
            HttpFilter::HealthCheck(own) => health_check::check(transaction, (at, own), &mut filtered),
        };
        match passed {
            Passed::On => {}
            Passed::Refused(failure) => return transaction.refuse(&failure).await,
            Passed::Answered(response, details) => return transaction.answer(response, Vec::new(), details).await,
        }
    }
    if filtered.held_up {
        upload.received.passed_on();
    }
    pin!(router::route(transaction, upload, resolved, admitted, filtered)).await
}

/// Checks a request, and notes what was found out of it.
fn admitted(transaction: &mut Transaction<'_>) -> Result<Admitted, Failure> {
    let Transaction { worker, service, client, request, notes } = transaction;
    let admitted = admit(&service.manager, &client.peer, request, &mut *worker.rng.borrow_mut());
    if matches!(admitted, Err(Failure::BadTarget)) {
        service.stats.count(worker.shard, HttpCounter::RqNonRelativePath);
    }
    let admitted = admitted?;
    notes.client = admitted.client;
    notes.trace = trace::begin(worker, service, request);
    Ok(admitted)
}

/// The client has to come again for the path in its unambiguous form.
fn to_normal_path<'a>(transaction: &'a mut Transaction<'_>, target: &str) -> Sending<'a> {
    if transaction.is_grpc() {
        // It does not follow redirects.
        return transaction.refuse(&Failure::PathNormalization);
    }
    let mut response = Response::new(307);
    response.headers.add("location", target.as_bytes());
    transaction.answer(response, Vec::new(), "path_normalization_failed")
}

fn find_route<'a>(transaction: &Transaction<'a>) -> Option<Found<'a>> {
    let Transaction { worker, service, client, request, .. } = transaction;
    let draw = worker.rng.borrow_mut().random_range(0..1_000_000);
    let secure = request.headers.get("x-forwarded-proto") == Some(b"https");
    service.route(&Asked::new(request, client.peer.scheme(), draw), secure)
}

/// What a route says of everything that comes behind: what is noted of it, and how long the stream may take.
fn take_route(transaction: &mut Transaction<'_>, resolved: &ResolvedRoute, clocks: &Clocks) {
    let Transaction { request, notes, .. } = transaction;
    notes.route.clone_from(&resolved.route.name);
    let Some(forward) = resolved.route.forward() else { return };
    // What a filter answers is told of the cluster that the request was meant for, too.
    if let [Some(cluster)] = &resolved.clusters[..] {
        notes.cluster = Some(Arc::clone(cluster));
    }
    clocks.stream.set(stream_age(forward, &request.headers, clocks.stream.get()));
    if let Some(idle) = forward.idle_timeout {
        clocks.idle.set(idle);
    }
}

/// Whoever waits for leave to send is given it here, unless the upstream is to give it.
async fn invite_body(transaction: &mut Transaction<'_>, upload: &Upload) -> Result<(), Gone> {
    let Transaction { service, client, request, .. } = transaction;
    if !service.manager.proxy_100_continue && request.headers.has_token("expect", "100-continue") {
        request.headers.remove("expect");
        if !upload.is_done() {
            client.interim(&Response::new(100)).await?;
        }
    }
    Ok(())
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

fn cross_origin(transaction: &Transaction<'_>, resolved: &ResolvedRoute, filtered: &mut Filtered) -> Passed {
    // Only requests that are sent on are asked about.
    let policy = resolved.route.filters.cors.as_ref().filter(|_| resolved.route.forward().is_some());
    let hit = |share: Fraction| transaction.worker.rng.borrow_mut().random_range(0..1_000_000) < share.0;
    let policy = policy.filter(|policy| policy.enabled.is_none_or(hit));
    match policy.map(|policy| cors::judge(policy, transaction.request)) {
        Some(Cors::Answer(response)) => Passed::Answered(response, "cors_response"),
        Some(Cors::Allow) => {
            filtered.allow_origin = true;
            Passed::On
        }
        Some(Cors::PassOn) | None => Passed::On,
    }
}

fn to_tls<'a>(transaction: &'a mut Transaction<'_>) -> Sending<'a> {
    transaction.count(HttpCounter::RoutedTotal);
    transaction.count(HttpCounter::DirectResponse);
    let mut response = Response::new(301);
    response.headers.add("location", by_tls(transaction.request).as_bytes());
    transaction.answer(response, Vec::new(), "direct_response")
}

/// Where a request has to come again by TLS.
pub(super) fn by_tls(request: &Request) -> String {
    let authority = request.headers.get_str("host").unwrap_or_default();
    format!("https://{authority}{}", request.target())
}
