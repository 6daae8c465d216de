//! The router: from a route to an upstream, and its answer back.

use super::admission::Admitted;
use super::answer;
use super::chain::{self, Filtered};
use super::client::{Client, Gone};
use super::exchange::Answer;
use super::health_check;
use super::mirror;
use super::notes::Notes;
use super::respond::{self, Failure};
use super::snapshot::{HttpService, ResolvedRoute};
use super::tries::{Plan, Stopped, pool_key, tries};
use super::upload::Upload;
use super::worker::Worker;
use crate::clock::now;
use crate::cluster::Cluster;
use crate::filter::hash::{self, NewCookie};
use crate::filter::timeout::times;
use crate::filter::{cors, hop_by_hop, overrides, rewrite, timeout};
use crate::health::outlier::Outcome;
use crate::policy::{Action, Forward, ProtocolChoice, ServerTransformation, Target};
use crate::telemetry::{ClusterCounter, HttpCounter, Tale, is_grpc};
use rand::RngExt;
use squall_http1::{Request, Response};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Fields that are for this proxy alone.
const OBEYED: [&str; 9] = [
    TIMEOUT_WITHOUT_A_WORD,
    "x-envoy-max-retries",
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-hedge-on-per-try-timeout",
];

/// Asks for 204 in place of 504.
const TIMEOUT_WITHOUT_A_WORD: &str = "x-envoy-upstream-rq-timeout-alt-response";

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
    service.stats.count(worker.shard, HttpCounter::RoutedTotal);
    // An answer that stands in the policy, or a destination.
    let forward = match &resolved.route.action {
        Action::Forward(forward) => forward,
        action => return policy_answer(worker, service, client, request, resolved, action, notes).await,
    };
    let draw = worker.rng.borrow_mut().random();
    let chosen = resolved.destination(draw);
    let Some(cluster) = destination(service, resolved, forward, chosen, request) else {
        service.stats.count(worker.shard, HttpCounter::NoCluster);
        return chain::refuse(worker, service, client, request, notes, &Failure::NoCluster(forward.not_found_status))
            .await;
    };
    let cluster = &cluster;
    notes.cluster = Some(Arc::clone(cluster));

    // What a request is hashed and timed by is what the client wrote.
    let source = notes.client.unwrap_or(client.peer.remote).ip();
    let (hash, cookies) = hash::hash(&forward.hash, request, source, || worker.rng.borrow_mut().random());
    let mut times = times(forward, &request.headers, admitted.internal);
    if service.manager.router.respect_expected_timeout
        && let Some(expected) = timeout::expected(&request.headers)
    {
        times.route = Some(expected);
    }
    // A caller from inside may want no word of a time-out.
    let wordless = request.headers.contains(TIMEOUT_WITHOUT_A_WORD);
    let retry = overrides::retry(&forward.retry, request, client.peer.scheme(), admitted.internal);
    request.headers.retain(|name, _| !OBEYED.contains(&name));
    let tells_original = !service.manager.router.suppress_envoy_headers;
    change_request(client, request, resolved, chosen, forward, tells_original, notes);
    if let Some(via) = &service.manager.via {
        chain::append_via(&mut request.headers, via);
    }

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
        pass_interim: service.manager.proxy_100_continue,
        trace: trace.as_ref().filter(|trace| trace.of_tries),
    };
    // Without another try nothing need be kept.
    let kept = if retry.attempts > 0 && !plan.tunnel { forward.buffer_limit.unwrap_or(service.buffer) } else { 0 };
    upload.keep(kept as usize);
    for (mirror, to) in forward.mirrors.iter().zip(&resolved.mirrors) {
        if cluster.healthy() > 0
            && let Some(copy) =
                mirror::send(worker, client.peer.scheme(), mirror, to.as_ref(), forward, request, upload.framing)
        {
            upload.copy_to(copy);
        }
    }

    // Tries, within the route's time, for as long as the client is there.
    let received = Rc::clone(&upload.received);
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
            // A request that goes on has no end from which it could be counted.
            let whole = upload.received.at().filter(|_| admitted.upgrade.is_none());
            let took = whole.map(|at| now().saturating_duration_since(at));
            if admitted.upgrade.is_some() && !answer.tunnel && !client.is_http2() {
                client.peer.closing.set(true);
            }
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
            answer::pass_on(worker, service, client, request, upload, answer, &filtered, left, notes).await
        }
        Err(Stopped::Failed(failure)) => {
            let failure = if wordless { failure.without_a_word() } else { failure };
            if matches!(failure, Failure::RouteTimeout | Failure::Wordless("response_timeout")) {
                timed_out(worker, cluster, plan.key.protocol, notes, failure.looks(false).status);
            }
            chain::refuse(worker, service, client, request, notes, &failure).await
        }
        Err(Stopped::ClientGone(gone)) => Err(gone),
    }
}

/// The cluster that a request goes to. None: there is no such cluster.
fn destination(
    service: &HttpService,
    resolved: &ResolvedRoute,
    forward: &Forward,
    chosen: usize,
    request: &Request,
) -> Option<Arc<Cluster>> {
    match &forward.to {
        Target::Weighted(_) => resolved.clusters.get(chosen)?.clone(),
        Target::Header(name) => service.clusters.get(request.headers.get_str(name)?).cloned(),
    }
}

/// Changes of fields, then of path and host, so that fields see the original.
fn change_request(
    client: &Client,
    request: &mut Request,
    resolved: &ResolvedRoute,
    chosen: usize,
    forward: &Forward,
    tells_original: bool,
    notes: &mut Notes,
) {
    if let Some(changes) = resolved.changes.get(chosen).filter(|changes| !changes.request.is_empty()) {
        for change in &changes.request {
            let before = request.clone();
            let tale: Tale<'_> = notes.tale(client, &before, notes.begun);
            change.make(&mut request.headers, &tale);
        }
    }
    let original = forward.rewrite.path.as_ref().filter(|_| tells_original).map(|_| request.target().to_owned());
    rewrite::rewrite(&forward.rewrite, &resolved.route.matches.path, request, tells_original);
    notes.original_path = original.filter(|original| request.target() != original).or(notes.original_path.take());
    if let Target::Weighted(to) = &forward.to
        && let Some(host) = to.get(chosen).and_then(|weighted| weighted.host_rewrite.as_deref())
    {
        rewrite::set_host(request, host, forward.rewrite.append_forwarded_host, tells_original);
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
    took: Option<Duration>,
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
    if let Some(took) = took.filter(|_| !manager.router.suppress_envoy_headers) {
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
    if let Some(via) = &manager.via {
        chain::append_via(&mut response.headers, via);
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
    health_check::answered(service, filtered, response);
    if response.headers.contains("x-envoy-immediate-health-check-fail") {
        worker.exclude(notes.cluster.as_deref(), notes.host.as_ref());
    }
}

/// The route's time is over: an endpoint that still owes an answer is at fault, and no other. While a retry waits nobody does.
fn timed_out(worker: &Worker, cluster: &Cluster, protocol: ProtocolChoice, notes: &Notes, status: u16) {
    for _ in 0..notes.under_way {
        cluster.stats.count(worker.shard, ClusterCounter::RqTimeout);
        if protocol == ProtocolChoice::Http2 {
            cluster.stats.count(worker.shard, ClusterCounter::RqTxReset);
        }
        cluster.stats.answered(worker.shard, status);
    }
    if notes.under_way > 0
        && notes.trying
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
    service.stats.count(worker.shard, HttpCounter::DirectResponse);
    let (mut response, body) = match action {
        Action::Redirect(redirect) => {
            let (mut response, body) = respond::head_and_body(redirect.status, Vec::new(), is_grpc(&request.headers));
            let authority = request.headers.get_str("host").unwrap_or_default();
            let matched = &resolved.route.matches.path;
            let from = (client.peer.scheme(), client.peer.local.port());
            let location = rewrite::location(redirect, matched, from, authority, request.target());
            response.headers.add("location", location.as_bytes());
            (response, body)
        }
        Action::Direct(direct) => respond::head_and_body(direct.status, direct.body.clone(), is_grpc(&request.headers)),
        Action::Forward(_) => (Response::new(500), Vec::new()),
    };
    for change in resolved.changes.first().into_iter().flat_map(|changes| &changes.response) {
        let tale = notes.tale(client, request, now());
        change.make(&mut response.headers, &tale);
    }
    chain::answer(worker, service, client, request, notes, response, body, "direct_response").await
}
