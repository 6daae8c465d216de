//! The router: from a route to an upstream, and its answer back.

use super::admission::Admitted;
use super::answer::{self, Pace, Streamed};
use super::chain::{self, Filtered};
use super::client::{Client, Gone};
use super::exchange::Answer;
use super::mirror;
use super::notes::Notes;
use super::respond::Failure;
use super::snapshot::{HttpService, ResolvedRoute};
use super::tries::{Plan, Stopped, pool_key, tries};
use super::upload::Upload;
use super::worker::Worker;
use crate::clock::now;
use crate::cluster::Cluster;
use crate::filter::hash::{self, NewCookie};
use crate::filter::timeout::times;
use crate::filter::{cors, hop_by_hop, overrides, rewrite};
use crate::health::outlier::Outcome;
use crate::policy::{Action, Forward, ServerTransformation, Target};
use crate::telemetry::{ClusterCounter, Flag, HttpCounter, Tale};
use rand::RngExt;
use squall_http1::{Request, Response};
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Sends a request where its route says.
#[allow(clippy::too_many_arguments, reason = "everything that was found out of a request meets here")]
pub(super) async fn route(
    worker: &Rc<Worker>,
    service: &Arc<HttpService>,
    client: &mut Client,
    request: &mut Request,
    upload: &mut Upload,
    resolved: &ResolvedRoute,
    admitted: Admitted,
    filtered: Filtered,
    notes: &mut Notes,
) -> Result<(), Gone> {
    // An answer that stands in the policy, or a destination.
    let forward = match &resolved.route.action {
        Action::Forward(forward) => forward,
        action => return policy_answer(worker, service, client, request, resolved, action, notes).await,
    };
    service.stats.count(worker.shard, HttpCounter::RoutedTotal);
    let draw = worker.rng.borrow_mut().random();
    let chosen = resolved.destination(draw);
    let Some(cluster) = destination(worker, resolved, forward, chosen, request) else {
        service.stats.count(worker.shard, HttpCounter::NoCluster);
        return chain::refuse(worker, service, client, request, notes, &Failure::NoCluster(forward.not_found_status))
            .await;
    };
    let cluster = &cluster;
    notes.cluster = Some(Arc::clone(cluster));

    // What a request is hashed and timed by is what the client wrote.
    let source = notes.client.unwrap_or(client.peer.remote).ip();
    let (hash, cookies) = hash::hash(&forward.hash, request, source, || worker.rng.borrow_mut().random());
    let times = times(forward, &request.headers, admitted.internal);
    let retry = overrides::retry(&forward.retry, &request.headers, admitted.internal);
    change_request(client, request, resolved, chosen, forward, notes);

    let weighted = match &forward.to {
        Target::Weighted(to) => to.get(chosen),
        Target::Header(_) => None,
    };
    let of_destination = weighted.map(|weighted| &weighted.subset).filter(|subset| !subset.is_empty());
    let trace = notes.trace.clone();
    let plan = Plan {
        cluster,
        forward,
        retry: &retry,
        times,
        hash,
        subset: of_destination.unwrap_or(&forward.subset),
        destination: client.peer.destination,
        key: pool_key(cluster, request, forward.priority, client.is_http2()),
        tunnel: admitted.upgrade.is_some(),
        scheme: client.peer.scheme(),
        count_attempts: resolved.route.attempt_count_in_request,
        quiet: service.manager.router.suppress_envoy_headers,
        trace: trace.as_ref().filter(|trace| trace.of_tries),
    };
    // Without another try nothing need be kept.
    let kept = if retry.attempts > 0 && !plan.tunnel { forward.buffer_limit.unwrap_or(service.buffer) } else { 0 };
    upload.keep(kept as usize);
    for (mirror, to) in forward.mirrors.iter().zip(&resolved.mirrors) {
        if cluster.healthy() > 0
            && let Some(copy) = mirror::send(worker, mirror, to.as_ref(), forward, request, upload.framing)
        {
            upload.copy_to(copy);
        }
    }

    // Tries, within the route's time, for as long as the client is there.
    let received = Rc::clone(&upload.received);
    let begin = now();
    let outcome = {
        let tries = tries(worker, client, request, upload, &plan, notes);
        let time_is_over = async {
            received.wait().await;
            match times.route {
                Some(timeout) => tokio::time::sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            outcome = tries => outcome,
            () = time_is_over => Err(Stopped::Failed(Failure::RouteTimeout)),
        }
    };
    match outcome {
        Ok(mut answer) => {
            let took = now().saturating_duration_since(upload.received.at().unwrap_or(begin));
            change_answer(
                worker,
                service,
                client,
                request,
                resolved,
                chosen,
                &mut answer,
                &filtered,
                &cookies,
                took,
                notes,
            );
            let left = times.route.filter(|_| !answer.tunnel).map(|route| upload.received.left_of(route));
            pass_on(worker, client, request, upload, answer, filtered, left, notes).await
        }
        Err(Stopped::Failed(failure)) => {
            if failure == Failure::RouteTimeout {
                timed_out(worker, cluster, notes);
            }
            chain::refuse(worker, service, client, request, notes, &failure).await
        }
        Err(Stopped::ClientGone(gone)) => Err(gone),
    }
}

/// The cluster that a request goes to. None: there is no such cluster.
fn destination(
    worker: &Worker,
    resolved: &ResolvedRoute,
    forward: &Forward,
    chosen: usize,
    request: &Request,
) -> Option<Arc<Cluster>> {
    match &forward.to {
        Target::Weighted(_) => resolved.clusters.get(chosen)?.clone(),
        Target::Header(name) => worker.snapshot().cluster(request.headers.get_str(name)?).cloned(),
    }
}

/// Changes of fields, then of path and host, so that fields see the original.
fn change_request(
    client: &Client,
    request: &mut Request,
    resolved: &ResolvedRoute,
    chosen: usize,
    forward: &Forward,
    notes: &mut Notes,
) {
    if let Some(changes) = resolved.changes.get(chosen).filter(|changes| !changes.request.is_empty()) {
        for change in &changes.request {
            let before = request.clone();
            let tale: Tale<'_> = notes.tale(client, &before, notes.begun);
            change.make(&mut request.headers, &tale);
        }
    }
    let original = request.target().to_owned();
    rewrite::rewrite(&forward.rewrite, &resolved.route.matches.path, request, true);
    if request.target() != original {
        notes.original_path = Some(original);
    }
    if let Target::Weighted(to) = &forward.to
        && let Some(host) = to.get(chosen).and_then(|weighted| weighted.host_rewrite.as_deref())
    {
        rewrite::set_host(request, host, forward.rewrite.append_forwarded_host);
    }
}

/// The fields of an answer as the client sees them.
#[allow(clippy::too_many_arguments, reason = "an answer shows traces of everything")]
fn change_answer(
    worker: &Worker,
    service: &HttpService,
    client: &Client,
    request: &Request,
    resolved: &ResolvedRoute,
    chosen: usize,
    answer: &mut Answer,
    filtered: &Filtered,
    cookies: &[NewCookie],
    took: Duration,
    notes: &mut Notes,
) {
    let response = &mut answer.response;
    let switched = answer.tunnel.then(|| response.headers.get("upgrade").map(<[u8]>::to_vec)).flatten();
    // What `Connection` names by misuse stays; the fields of the hop are gone all the same.
    let _ = hop_by_hop::strip(&mut response.headers);
    if let Some(upgrade) = switched {
        response.headers.add("connection", b"upgrade");
        response.headers.add("upgrade", &upgrade);
    }
    let manager = &service.manager;
    let mut number = itoa::Buffer::new();
    if !manager.router.suppress_envoy_headers {
        response.headers.set("x-envoy-upstream-service-time", number.format(took.as_millis()).as_bytes());
    }
    if resolved.route.attempt_count_in_response {
        response.headers.set("x-envoy-attempt-count", number.format(notes.attempts).as_bytes());
    }
    if manager.request_id.in_response
        && let Some(id) = request.headers.get("x-request-id")
    {
        response.headers.set("x-request-id", id);
    }
    let server = &manager.server_header;
    match server.transformation {
        ServerTransformation::Overwrite => response.headers.set("server", server.name.as_bytes()),
        ServerTransformation::AppendIfAbsent if !response.headers.contains("server") => {
            response.headers.add("server", server.name.as_bytes());
        }
        ServerTransformation::AppendIfAbsent | ServerTransformation::PassThrough => {}
    }
    if !response.headers.contains("date") {
        response.headers.add("date", &worker.http_date());
    }
    cookies.iter().for_each(|cookie| response.headers.add("set-cookie", cookie.set_cookie.as_bytes()));
    if let Some(policy) = resolved.route.filters.cors.as_ref().filter(|_| filtered.allow_origin) {
        cors::allow(policy, request, &mut response.headers);
    }
    if let Some(changes) = resolved.changes.get(chosen).filter(|changes| !changes.response.is_empty()) {
        for change in &changes.response {
            notes.response = Some(response.clone());
            let tale = notes.tale(client, request, now());
            change.make(&mut response.headers, &tale);
        }
        notes.response = None;
    }
    for (name, value) in notes.fields.drain(..) {
        response.headers.set(&name, &value);
    }
    if response.headers.contains("x-envoy-immediate-health-check-fail") {
        worker.exclude(notes.cluster.as_deref(), notes.host.as_ref());
    }
}

/// Passes an upstream's answer on, within what is left of the route's time.
#[allow(clippy::too_many_arguments, reason = "an answer ends everything that its request began")]
async fn pass_on(
    worker: &Worker,
    client: &mut Client,
    request: &Request,
    upload: &mut Upload,
    mut answer: Answer,
    filtered: Filtered,
    left: Option<Duration>,
    notes: &mut Notes,
) -> Result<(), Gone> {
    notes.details = Cow::Borrowed("via_upstream");
    // Draining may have begun while the upstream was at work.
    if worker.is_draining() {
        client.peer.closing.set(true);
    }
    notes.response = Some(answer.response.clone());
    let pace = filtered.rate.map(Pace::new);
    let streamed = answer::stream(client, request, upload, &mut answer, pace);
    let streamed = match left {
        Some(left) => tokio::time::timeout(left, streamed).await.unwrap_or(Ok(Streamed::Cut)),
        None => streamed.await,
    };
    match streamed? {
        Streamed::Whole(trailers) => {
            notes.trailers = trailers;
            if answer.tunnel {
                client.peer.closing.set(true);
            }
            answer.finish();
        }
        Streamed::Cut => {
            notes.details = Cow::Borrowed("upstream_reset_after_response_started{connection_termination}");
            notes.flags.raise(Flag::UpstreamClosed);
            if let Some(cluster) = &notes.cluster
                && let Some(member) = cluster.member(notes.host.as_ref())
            {
                worker.observe(cluster, &member.host, Outcome::Reset);
                cluster.stats.count(worker.shard, ClusterCounter::RqRxReset);
            }
            client.cut();
        }
    }
    Ok(())
}

/// The route's time is over: an endpoint that still owes an answer is at fault, and no other.
fn timed_out(worker: &Worker, cluster: &Cluster, notes: &Notes) {
    cluster.stats.count(worker.shard, ClusterCounter::RqTimeout);
    cluster.stats.answered(worker.shard, 504);
    if notes.trying
        && let Some(member) = cluster.member(notes.host.as_ref())
    {
        worker.observe(cluster, &member.host, Outcome::TimeOut);
    }
}

/// An answer that stands in the policy.
async fn policy_answer(
    worker: &Worker,
    service: &HttpService,
    client: &mut Client,
    request: &Request,
    resolved: &ResolvedRoute,
    action: &Action,
    notes: &mut Notes,
) -> Result<(), Gone> {
    let (mut response, body) = match action {
        Action::Redirect(redirect) => {
            service.stats.count(worker.shard, HttpCounter::Redirect);
            let mut response = Response::new(redirect.status);
            let authority = request.headers.get_str("host").unwrap_or_default();
            let matched = &resolved.route.matches.path;
            let from = (client.peer.scheme(), client.peer.local.port());
            let location = rewrite::location(redirect, matched, from, authority, request.target());
            response.headers.add("location", location.as_bytes());
            (response, Vec::new())
        }
        Action::Direct(direct) => {
            service.stats.count(worker.shard, HttpCounter::DirectResponse);
            let mut response = Response::new(direct.status);
            if !direct.body.is_empty() {
                response.headers.add("content-type", b"text/plain");
            }
            (response, direct.body.clone())
        }
        Action::Forward(_) => (Response::new(500), Vec::new()),
    };
    for change in resolved.changes.first().into_iter().flat_map(|changes| &changes.response) {
        let tale = notes.tale(client, request, now());
        change.make(&mut response.headers, &tale);
    }
    chain::answer(worker, service, client, request, notes, response, body, "direct_response").await
}
