//! One request, from its head to the end of its answer, in the order in which it meets everything.

use super::answer::{self, Streamed, until_closed};
use super::client::{Client, Gone};
use super::exchange::Answer;
use super::notes::{Notes, note};
use super::respond::{Failure, Reply};
use super::snapshot::{ResolvedRoute, Snapshot};
use super::tries::{Stopped, tries};
use super::upload::Upload;
use super::worker::Worker;
use crate::clock::now;
use crate::filter::{fault, headers, hop_by_hop, rewrite};
use crate::health::outlier::Outcome;
use crate::policy::{Action, HeaderRules, Weighted};
use crate::telemetry::Flag;
use rand::{Rng, RngExt};
use squall_http1::{Framing, Request, Response, Version};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What becomes of the client's connection.
pub(super) enum After {
    KeepOpen,
    Close,
}

/// Serves one request.
pub(super) async fn handle(worker: &Rc<Worker>, client: &mut Client, request: &mut Request) -> Result<After, Gone> {
    let begin = now();
    let snapshot = worker.shared.snapshot.load_full();
    let mut notes = Notes::default();
    let served = serve(worker, client, request, &snapshot, &mut notes).await;
    if served.is_err() {
        notes.details = "downstream_remote_disconnect";
        notes.flags = vec![Flag::DownstreamClosed];
    }
    let status = served.as_ref().map_or(0, |(status, _)| *status);
    note(worker, request, &notes, status, now().duration_since(begin));
    served.map(|(_, after)| after)
}

/// The order of work. Each step may end the request with an answer of ours.
async fn serve(
    worker: &Rc<Worker>,
    client: &mut Client,
    request: &mut Request,
    snapshot: &Snapshot,
    notes: &mut Notes,
) -> Result<(u16, After), Gone> {
    let close = !request.keep_alive() || worker.is_draining();

    // What cannot be read safely goes no further.
    let framing = match request.framing() {
        Ok(framing) => framing,
        Err(refusal) => return refuse(client, request, notes, Failure::Refused(refusal), true).await,
    };
    if let Err(failure) = check(request) {
        return refuse(client, request, notes, failure, true).await;
    }
    let mut upload = Upload::new(framing);
    if framing != Framing::Empty && request.headers.has_token("expect", "100-continue") {
        // As Envoy does by default: whoever waits for leave to send is given it here.
        request.headers.remove("expect");
        client.out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        client.flush().await?;
    }

    // The route is chosen once, by the request as the client wrote it.
    let Some((resolved, block)) = snapshot.route(request) else {
        return refuse(client, request, notes, Failure::NoRoute, close).await;
    };
    notes.route = Some(resolved.route.name.clone().unwrap_or_else(|| resolved.route.origin.to_string()));

    // Faults of the policy come before the router, so no retry, time-out or detector ever sees them.
    if let Some(injection) = &resolved.route.fault {
        let drawn = fault::draw(injection, &mut *worker.rng.borrow_mut());
        if let Some(delay) = drawn.delay {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = until_closed(client) => return Err(Gone),
            }
        }
        if let Some(status) = drawn.abort {
            return refuse(client, request, notes, Failure::FaultAbort(status), close).await;
        }
    }

    // The router: an answer that stands in the policy, or a destination.
    let (to, path_and_host) = match &resolved.route.action {
        Action::Forward { to, rewrite } => (to, rewrite),
        action => return policy_answer(client, request, notes, action, close).await,
    };
    let chosen = choose(to, &mut *worker.rng.borrow_mut());
    let Some(cluster) = resolved.clusters.get(chosen).and_then(Option::as_ref) else {
        return refuse(client, request, notes, Failure::NoCluster, close).await;
    };
    notes.cluster = Some(Arc::clone(cluster));

    // Fields change before path and host do, so that they see the original.
    prepare(request, resolved, &to[chosen], worker);
    rewrite::rewrite(path_and_host, block.and_then(|block| block.path.as_ref()), request);

    // Tries, within the route's time, for as long as the client is there.
    let received = Rc::clone(&upload.received);
    let timeout = resolved.route.timeout;
    let tries = tries(worker, client, request, &mut upload, resolved, cluster, notes);
    let time_is_over = async {
        received.wait().await;
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    let begin = now();
    let outcome = tokio::select! {
        biased;
        outcome = tries => outcome,
        () = time_is_over => Err(Stopped::Failed(Failure::RouteTimeout)),
    };
    let close = close || !upload.is_done();
    match outcome {
        Ok(answer) => {
            // Draining may have begun while the upstream was at work.
            let close = close || worker.is_draining();
            let left = timeout.map(|timeout| upload.received.left_of(timeout));
            pass_on(client, request, resolved, &to[chosen], answer, notes, left, begin, close).await
        }
        Err(Stopped::Failed(failure)) => {
            // Only an endpoint that still owes an answer is at fault.
            if failure == Failure::RouteTimeout
                && notes.trying
                && let Some(host) = cluster.hosts.iter().find(|host| Some(host.address) == notes.host)
            {
                worker.observe(cluster, host, Outcome::TimeOut);
            }
            refuse(client, request, notes, failure, close).await
        }
        Err(Stopped::ClientGone) => Err(Gone),
    }
}

/// What a request must have before it is routed.
fn check(request: &mut Request) -> Result<(), Failure> {
    if request.version == Version::Http10 {
        return Err(Failure::LowVersion);
    }
    if request.method() == "CONNECT" || request.headers.contains("upgrade") && !is_h2c(request) {
        return Err(Failure::UpgradeRefused);
    }
    let target = request.target().to_owned();
    if let Some(rest) = target.strip_prefix("http://") {
        // The host of an absolute target goes before the field.
        let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_at);
        request.headers.set("host", authority.as_bytes());
        request.set_target(if path.starts_with('/') { path } else { "/" });
    } else if !(target.starts_with('/') || (target == "*" && request.method() == "OPTIONS")) {
        return Err(Failure::BadTarget);
    }
    if request.target().contains('#') {
        return Err(Failure::Refused(squall_http1::Refusal::Syntax));
    }
    let host = request.headers.get("host");
    if host.is_none_or(<[u8]>::is_empty) || request.headers.get_all("host").count() > 1 {
        return Err(Failure::MissingHost);
    }
    hop_by_hop::strip(&mut request.headers).map_err(|_| Failure::ConnectionMisused)
}

/// An offer to go on in HTTP/2 is not taken up; the request goes on as it is.
fn is_h2c(request: &Request) -> bool {
    request.headers.has_token("upgrade", "h2c")
}

/// Draws a destination by weight.
fn choose(to: &[Weighted], rng: &mut impl Rng) -> usize {
    let sum: u32 = to.iter().map(|weighted| weighted.weight).sum();
    if to.len() < 2 || sum == 0 {
        return 0;
    }
    let mut left = rng.random_range(0..sum);
    to.iter()
        .position(|weighted| {
            let hit = left < weighted.weight;
            left = left.saturating_sub(weighted.weight);
            hit
        })
        .unwrap_or(0)
}

/// Changes the request's fields. With several destinations the route has the last word, with one the destination.
fn prepare(request: &mut Request, resolved: &ResolvedRoute, weighted: &Weighted, worker: &Worker) {
    for rules in in_order(&resolved.route.headers, &weighted.headers, resolved.clusters.len()) {
        headers::change_request(&rules.request, request);
    }
    if !request.headers.contains("x-request-id") {
        let id: u128 = worker.rng.borrow_mut().random();
        let id = format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            id >> 96,
            (id >> 80) & 0xffff,
            (id >> 64) & 0xfff,
            (id >> 48) & 0xfff,
            id & 0xffff_ffff_ffff
        );
        request.headers.add("x-request-id", id.as_bytes());
    }
    if !request.headers.contains("x-forwarded-proto") {
        request.headers.add("x-forwarded-proto", b"http");
    }
    for name in CONTROL_FIELDS {
        request.headers.remove(name);
    }
}

/// Fields by which a client could steer the proxy; nobody is trusted to.
const CONTROL_FIELDS: [&str; 7] = [
    "x-envoy-max-retries",
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-retriable-status-codes",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-expected-rq-timeout-ms",
];

fn in_order<'a>(route: &'a HeaderRules, destination: &'a HeaderRules, destinations: usize) -> [&'a HeaderRules; 2] {
    if destinations > 1 { [destination, route] } else { [route, destination] }
}

/// Passes an upstream's answer on, within what is left of the route's time.
#[allow(clippy::too_many_arguments)]
async fn pass_on(
    client: &mut Client,
    request: &Request,
    resolved: &ResolvedRoute,
    weighted: &Weighted,
    mut answer: Answer,
    notes: &mut Notes,
    left: Option<Duration>,
    begin: Instant,
    close: bool,
) -> Result<(u16, After), Gone> {
    let status = answer.response.status;
    notes.details = "via_upstream";
    if let (Some(cluster), true) = (&notes.cluster, notes.attempts > 1 && status < 500) {
        cluster.stats.retry_success.add(1);
    }
    finish_head(&mut answer.response, resolved, weighted, now().duration_since(begin));
    let streamed = answer::stream(client, request, &mut answer, close);
    let streamed = match left {
        Some(left) => tokio::time::timeout(left, streamed).await.unwrap_or(Ok(Streamed::Cut)),
        None => streamed.await,
    };
    match streamed? {
        Streamed::Whole => {
            answer.finish();
            let after = if close { After::Close } else { After::KeepOpen };
            Ok((status, after))
        }
        Streamed::Cut => {
            notes.details = "upstream_reset_after_response_started";
            notes.flags.push(Flag::Closed);
            Ok((status, After::Close))
        }
    }
}

/// The fields of an answer as the client sees them.
fn finish_head(response: &mut Response, resolved: &ResolvedRoute, weighted: &Weighted, took: Duration) {
    // What `Connection` names by misuse stays; the fields of the hop are gone all the same.
    let _ = hop_by_hop::strip(&mut response.headers);
    let mut number = itoa::Buffer::new();
    response.headers.set("x-envoy-upstream-service-time", number.format(took.as_millis()).as_bytes());
    response.headers.set("server", b"envoy");
    for rules in in_order(&resolved.route.headers, &weighted.headers, resolved.clusters.len()) {
        headers::change(&rules.response, &mut response.headers);
    }
}

/// An answer that stands in the policy.
async fn policy_answer(
    client: &mut Client,
    request: &Request,
    notes: &mut Notes,
    action: &Action,
    close: bool,
) -> Result<(u16, After), Gone> {
    notes.details = "direct_response";
    let (response, body) = match action {
        Action::Redirect(redirect) => {
            let mut response = Response::new(redirect.status);
            let authority = request.headers.get_str("host").unwrap_or_default();
            let location = rewrite::location(redirect, authority, request.target());
            response.headers.add("location", location.as_bytes());
            (response, Vec::new())
        }
        Action::Direct(direct) => {
            let mut response = Response::new(direct.status);
            if !direct.body.is_empty() {
                response.headers.add("content-type", b"text/plain");
            }
            (response, direct.body.clone())
        }
        Action::Forward { .. } => (Response::new(500), Vec::new()),
    };
    let status = response.status;
    let close = close || request.framing() != Ok(Framing::Empty);
    let reply = Reply { response, body, flag: Flag::None, details: notes.details };
    answer::reply(client, request, reply, close).await?;
    Ok((status, if close { After::Close } else { After::KeepOpen }))
}

/// An answer of ours to a failure.
async fn refuse(
    client: &mut Client,
    request: &Request,
    notes: &mut Notes,
    failure: Failure,
    close: bool,
) -> Result<(u16, After), Gone> {
    let grpc = request.headers.get("content-type").is_some_and(|kind| kind.starts_with(b"application/grpc"));
    let mut reply = Reply::to(failure, notes.attempts > 1, grpc);
    notes.details = reply.details;
    if reply.flag != Flag::None && !notes.flags.contains(&reply.flag) {
        notes.flags.push(reply.flag);
    }
    reply.response.headers.add("server", b"envoy");
    let status = reply.response.status;
    // A body that was not read would be taken for the next request.
    let unread = matches!(request.framing(), Ok(framing) if framing != Framing::Empty);
    let close = close || failure.ends_connection() || (unread && notes.attempts == 0);
    answer::reply(client, request, reply, close).await?;
    Ok((status, if close { After::Close } else { After::KeepOpen }))
}
