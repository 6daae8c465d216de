//! The router: from a route to an upstream, and its answer back.

use super::admission::Admitted;
use super::answer;
use super::chain::Filtered;
use super::changes;
use super::client::Gone;
use super::control_fields::{self, TIMEOUT_WITHOUT_A_WORD};
use super::destination::Destination;
use super::exchange::Answer;
use super::mirror;
use super::respond::{self, Failure};
use super::snapshot::ResolvedRoute;
use super::transaction::{Sending, Transaction};
use super::tries::{Plan, Stopped, tries};
use super::upload::Upload;
use crate::clock::now;
use crate::cluster::PoolKey;
use crate::filter::hash::{self, NewCookie};
use crate::filter::timeout::{Times, times};
use crate::filter::{overrides, rewrite, timeout};
use crate::health::outlier::Outcome;
use crate::policy::{Action, ProtocolChoice, Redirect, RetryPolicy};
use crate::telemetry::{ClusterCounter, HttpCounter};
use rand::RngExt;
use squall_http1::Response;
use std::borrow::Cow;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

/// Sends a request where its route says.
pub(super) async fn route(
    transaction: &mut Transaction<'_>,
    upload: &mut Upload,
    resolved: &ResolvedRoute,
    admitted: Admitted,
    filtered: Filtered,
) -> Result<(), Gone> {
    transaction.count(HttpCounter::RoutedTotal);
    // An answer that stands in the policy, or a destination.
    let forward = match &resolved.route.action {
        Action::Forward(forward) => forward,
        Action::Redirect(redirect) => {
            let answer = redirected(transaction, resolved, redirect);
            return policy_answer(transaction, resolved, answer).await;
        }
        Action::Direct(direct) => {
            let answer = respond::head_and_body(direct.status, direct.body.clone(), transaction.is_grpc());
            return policy_answer(transaction, resolved, answer).await;
        }
    };
    let draw = transaction.worker.rng.borrow_mut().random();
    let clusters = &transaction.service.clusters;
    let Some(destination) = Destination::choose(resolved, forward, clusters, transaction.request, draw) else {
        transaction.count(HttpCounter::NoCluster);
        return transaction.refuse(&Failure::NoCluster(forward.not_found_status)).await;
    };
    transaction.notes.cluster = Some(Arc::clone(destination.cluster));

    // What the client wrote is read before anything of it is changed.
    let terms = Terms::read(transaction, &destination, admitted.internal);
    control_fields::strip(&mut transaction.request.headers);
    changes::to_request(transaction, &destination);

    let plan = plan(transaction, &destination, &terms, admitted.upgrade.is_some());
    upload.keep(most_kept(transaction, &plan));
    send_mirrors(transaction, upload, &destination);

    let outcome = pin!(tries_in_time(transaction, upload, &plan)).await;
    match outcome {
        Ok(mut answer) => {
            if plan.tunnel && !answer.tunnel && !transaction.client.is_http2() {
                transaction.client.peer.closing.set(true);
            }
            // A request that goes on has no end from which it could be counted.
            let whole = upload.received.at().filter(|_| !plan.tunnel);
            let took = whole.map(|at| answer.began.saturating_duration_since(at));
            changes::to_answer(transaction, &destination, &filtered, &terms.cookies, took, &mut answer);
            let due = terms.times.route.filter(|_| !answer.tunnel).and_then(|route| upload.received.due(route));
            pin!(answer::pass_on(transaction, upload, answer, &filtered, due)).await
        }
        Err(Stopped::Failed(failure)) => {
            let failure = if terms.wordless { failure.without_a_word() } else { failure };
            if matches!(failure, Failure::RouteTimeout | Failure::Wordless("response_timeout")) {
                timed_out(transaction, &plan, failure.local_reply(false).status);
            }
            transaction.refuse(&failure).await
        }
        Err(Stopped::ClientGone(gone)) => Err(gone),
    }
}

/// What a request is hashed, timed and tried again by: its route's word, and what the client wrote.
struct Terms<'a> {
    hash: Option<u64>,
    cookies: Vec<NewCookie>,
    times: Times,
    retry: Cow<'a, RetryPolicy>,
    /// A caller from inside may want no word of a time-out.
    wordless: bool,
}

impl<'a> Terms<'a> {
    fn read(transaction: &Transaction<'_>, destination: &Destination<'a>, internal: bool) -> Self {
        let Transaction { worker, service, client, request, notes } = transaction;
        let forward = destination.forward;
        let source = notes.client.unwrap_or(client.peer.remote).ip();
        let (hash, cookies) = hash::hash(&forward.hash, request, source, || worker.rng.borrow_mut().random());
        let mut times = times(forward, &request.headers, internal);
        if service.manager.router.respect_expected_timeout
            && let Some(expected) = timeout::expected(&request.headers)
        {
            times.route = Some(expected);
        }
        let retry = overrides::retry(&forward.retry, request, client.peer.scheme(), internal);
        Self { hash, cookies, times, retry, wordless: request.headers.contains(TIMEOUT_WITHOUT_A_WORD) }
    }
}

/// How a request that is ready to be sent is tried.
fn plan<'a>(
    transaction: &Transaction<'a>,
    destination: &Destination<'a>,
    terms: &'a Terms<'_>,
    tunnel: bool,
) -> Plan<'a> {
    let Transaction { service, client, request, notes, .. } = transaction;
    let Destination { resolved, forward, cluster, .. } = *destination;
    Plan {
        cluster,
        forward,
        retry: &terms.retry,
        times: terms.times,
        hash: terms.hash,
        subset: destination.subset(),
        destination: client.peer.destination,
        key: PoolKey::of(cluster, request, forward.priority, client.is_http2()),
        tunnel,
        scheme: client.peer.scheme(),
        count_attempts: resolved.route.attempt_count_in_request,
        quiet: service.manager.router.suppress_envoy_headers,
        pass_interim: service.manager.proxy_100_continue,
        trace: notes.trace.as_ref().filter(|trace| trace.of_tries).cloned(),
    }
}

/// Bytes of a request that are kept for another try. Without another try nothing need be.
fn most_kept(transaction: &Transaction<'_>, plan: &Plan<'_>) -> usize {
    let again = plan.retry.attempts > 0 && !plan.tunnel;
    if again { plan.forward.buffer_limit.unwrap_or(transaction.service.buffer) as usize } else { 0 }
}

fn send_mirrors(transaction: &Transaction<'_>, upload: &mut Upload, destination: &Destination<'_>) {
    let Destination { resolved, forward, cluster, .. } = destination;
    for (mirror, to) in forward.mirrors.iter().zip(&resolved.mirrors) {
        if cluster.healthy() > 0
            && let Some(copy) = mirror::send(transaction, mirror, to.as_ref(), forward, upload.framing)
        {
            upload.copy_to(copy);
        }
    }
}

/// Tries within the route's time, for as long as the client is there.
async fn tries_in_time(
    transaction: &mut Transaction<'_>,
    upload: &mut Upload,
    plan: &Plan<'_>,
) -> Result<Box<Answer>, Stopped> {
    let (worker, received) = (transaction.worker, Rc::clone(&upload.received));
    let time_is_over = async {
        let whole = received.wait().await;
        // As much as a client may ask for is beyond any moment.
        worker.alarms.until(plan.times.route.and_then(|time| whole.checked_add(time))).await;
    };
    let tries = pin!(tries(transaction, upload, plan));
    tokio::select! {
        biased;
        outcome = tries => outcome,
        () = time_is_over => Err(Stopped::Failed(Failure::RouteTimeout)),
    }
}

/// The route's time is over: an endpoint that still owes an answer is at fault, and no other. While a retry waits nobody does.
fn timed_out(transaction: &Transaction<'_>, plan: &Plan<'_>, status: u16) {
    let Transaction { worker, notes, .. } = transaction;
    let cluster = plan.cluster;
    for _ in 0..notes.under_way {
        cluster.stats.count(worker.shard, ClusterCounter::RqTimeout);
        if plan.key.protocol == ProtocolChoice::Http2 {
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

/// Where a redirect sends a request.
fn redirected(transaction: &Transaction<'_>, resolved: &ResolvedRoute, redirect: &Redirect) -> (Response, Vec<u8>) {
    let Transaction { client, request, .. } = transaction;
    let (mut response, body) = respond::head_and_body(redirect.status, Vec::new(), transaction.is_grpc());
    let authority = request.headers.get_str("host").unwrap_or_default();
    let from = (client.peer.scheme(), client.peer.local.port());
    let location = rewrite::location(redirect, &resolved.route.matches.path, from, authority, request.target());
    response.headers.add("location", location.as_bytes());
    (response, body)
}

/// An answer that stands in the policy.
fn policy_answer<'a>(
    transaction: &'a mut Transaction<'_>,
    resolved: &ResolvedRoute,
    (mut response, body): (Response, Vec<u8>),
) -> Sending<'a> {
    transaction.count(HttpCounter::DirectResponse);
    let Transaction { client, request, notes, .. } = transaction;
    for change in resolved.changes.first().into_iter().flat_map(|changes| &changes.response) {
        let values = change.values(&notes.info(client, request, now()));
        change.make(&mut response.headers, &values);
    }
    transaction.answer(response, body, "direct_response")
}
