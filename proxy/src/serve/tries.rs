//! The tries of a request: one endpoint after the other, until an answer is to be passed on or nothing more may be tried.

use super::answer::until_closed;
use super::client::Client;
use super::exchange::{Answer, Try, TryFailure, one_try};
use super::notes::Notes;
use super::respond::Failure;
use super::snapshot::ResolvedRoute;
use super::upload::{Broken, Upload};
use super::worker::Worker;
use crate::clock::now;
use crate::cluster::{Cluster, ConnectError, Host, Load};
use crate::filter::retry::{HeadOfAnswer, TryEnd, back_off, is_retriable};
use crate::health::outlier::Outcome;
use crate::telemetry::Flag;
use squall_http1::Request;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why there is no answer to pass on.
pub(super) enum Stopped {
    Failed(Failure),
    ClientGone,
}

/// Tries until an answer is to be passed on, or nothing more may be tried.
pub(super) async fn tries(
    worker: &Rc<Worker>,
    client: &mut Client,
    request: &mut Request,
    upload: &mut Upload,
    resolved: &ResolvedRoute,
    cluster: &Arc<Cluster>,
    notes: &mut Notes,
) -> Result<Answer, Stopped> {
    let policy = &resolved.route.retry;
    let per_try =
        policy.per_try_timeout.filter(|per_try| resolved.route.timeout.is_none_or(|timeout| *per_try < timeout));
    let mut tried: Vec<SocketAddr> = Vec::new();
    let mut retries_left = policy.attempts;
    // Held while a retry is under way: the breaker counts those that run, not only those that wait.
    let mut retrying = None;
    loop {
        let picked = {
            let avoid: &[SocketAddr] = if policy.avoid_previous_hosts { &tried } else { &[] };
            cluster.pick(avoid, &worker.turn, &mut *worker.rng.borrow_mut()).cloned()
        };
        let Some(host) = picked else { return Err(Stopped::Failed(Failure::NoHealthyUpstream)) };
        notes.attempts += 1;
        notes.host = Some(host.address);
        stamp(request, notes.attempts, resolved.route.timeout, per_try);
        cluster.stats.tries.add(1);
        let mut passed_on = false;
        let begin = now();
        let to = Try { cluster, host: &host, time: per_try };
        notes.trying = true;
        let result = one_try(worker, client, request, upload, to, &mut passed_on).await;
        notes.trying = false;
        let (end, failure) = judge_try(worker, cluster, &host, &result)?;
        let again = is_retriable(&policy.on, end) && upload.can_be_replayed() && !passed_on;
        if !again {
            return settle(result, failure, notes, begin);
        }
        if retries_left == 0 {
            if policy.attempts > 0 {
                cluster.stats.retries_exhausted.add(1);
            }
            return settle(result, failure, notes, begin);
        }
        retries_left -= 1;
        drop(retrying.take());
        retrying = cluster.load.take(|load| &load.retries, retry_limit(cluster, &cluster.load));
        if retrying.is_none() {
            cluster.stats.retry_overflow.add(1);
            notes.flags.push(Flag::Overflow);
            return settle(result, failure, notes, begin);
        }
        if let Ok(answer) = result {
            answer.discard();
        }
        cluster.stats.retries.add(1);
        tried.push(host.address);
        let wait = back_off(policy.back_off_base, notes.attempts, &mut *worker.rng.borrow_mut());
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = until_closed(client) => return Err(Stopped::ClientGone),
        }
    }
}

/// Retries that may run at once: a share of what is under way, or a plain number.
fn retry_limit(cluster: &Cluster, load: &Load) -> u32 {
    use std::sync::atomic::Ordering::Relaxed;
    match cluster.policy.pool.retry_budget {
        Some(budget) => {
            let under_way = load.requests.load(Relaxed) + load.pending.load(Relaxed);
            ((budget.percent / 100.0 * f64::from(under_way)) as u32).max(budget.min_concurrency)
        }
        None => cluster.policy.pool.max_retries,
    }
}

/// Says which try this is, and how long an answer may take.
fn stamp(request: &mut Request, attempt: u32, timeout: Option<Duration>, per_try: Option<Duration>) {
    let mut number = itoa::Buffer::new();
    request.headers.set("x-envoy-attempt-count", number.format(attempt).as_bytes());
    if let Some(expected) = per_try.or(timeout) {
        let millis = expected.as_millis().max(1);
        request.headers.set("x-envoy-expected-rq-timeout-ms", number.format(millis).as_bytes());
    }
}

/// Tells the detector what a try has shown, and says what it means for a retry and for the client.
fn judge_try(
    worker: &Worker,
    cluster: &Cluster,
    host: &Host,
    result: &Result<Answer, TryFailure>,
) -> Result<(TryEnd, Option<Failure>), Stopped> {
    let (outcome, end, failure) = match result {
        Ok(answer) => {
            let head = HeadOfAnswer::of(&answer.response);
            (Some(Outcome::Status(status_for_health(head))), TryEnd::Response(head), None)
        }
        Err(TryFailure::Connect(ConnectError::Overflow)) => (None, TryEnd::Overflow, Some(Failure::Overflow)),
        Err(TryFailure::Connect(ConnectError::Failed(_))) => {
            (Some(Outcome::ConnectFailure), TryEnd::ConnectFailure, Some(Failure::Unreachable))
        }
        Err(TryFailure::Connect(ConnectError::Timeout)) => {
            (Some(Outcome::ConnectFailure), TryEnd::ConnectFailure, Some(Failure::ConnectTimeout))
        }
        Err(TryFailure::Reset { request_written }) => {
            let end = TryEnd::Reset { request_written: *request_written };
            (Some(Outcome::Reset), end, Some(Failure::Closed))
        }
        Err(TryFailure::Protocol) => {
            (Some(Outcome::Reset), TryEnd::Reset { request_written: true }, Some(Failure::ProtocolError))
        }
        Err(TryFailure::Timeout) => (Some(Outcome::TimeOut), TryEnd::PerTryTimeout, Some(Failure::PerTryTimeout)),
        Err(TryFailure::Client(Broken::Gone)) => return Err(Stopped::ClientGone),
        Err(TryFailure::Client(Broken::Refused(refusal))) => return Err(Stopped::Failed(Failure::Refused(*refusal))),
    };
    if let Some(outcome) = outcome {
        worker.observe(cluster, host, outcome);
    }
    Ok((end, failure))
}

/// What an answer counts as for its endpoint: a gRPC status in the head goes before that of HTTP.
fn status_for_health(head: HeadOfAnswer) -> u16 {
    match head.grpc_status {
        None => head.status,
        Some(0) => 200,
        Some(1) => 499,
        Some(2 | 13 | 15) => 500,
        Some(3 | 9 | 11) => 400,
        Some(4) => 504,
        Some(5) => 404,
        Some(6 | 10) => 409,
        Some(7) => 403,
        Some(8) => 429,
        Some(12) => 501,
        Some(14) => 503,
        Some(16) => 401,
        Some(_) => 500,
    }
}

/// The last try decides: its answer, or the reply to its failure.
fn settle(
    result: Result<Answer, TryFailure>,
    failure: Option<Failure>,
    notes: &mut Notes,
    begin: Instant,
) -> Result<Answer, Stopped> {
    notes.service_time = Some(now().duration_since(begin));
    match (result, failure) {
        (Ok(answer), _) => Ok(answer),
        (Err(_), Some(failure)) => Err(Stopped::Failed(failure)),
        // A failed try has always said how.
        (Err(_), None) => Err(Stopped::Failed(Failure::Closed)),
    }
}
