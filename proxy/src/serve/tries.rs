//! The tries of a request: one endpoint after the other, until an answer is to be passed on or nothing more may be tried.

mod hedge;
mod judge;
mod pick;
mod retries;
mod stamp;

pub(super) use judge::{charge, show};

use super::client::Gone;
use super::exchange::{Answer, SoFar, Try, TryFailure, one_try};
use super::respond::Failure;
use super::trace::Trace;
use super::transaction::Transaction;
use super::upload::Upload;
use crate::clock::now;
use crate::cluster::{Cluster, Member, PoolKey};
use crate::filter::retry::is_retriable;
use crate::filter::timeout::Times;
use crate::policy::{Forward, RetryPolicy};
use crate::telemetry::trace::SpanContext;
use crate::telemetry::{ClusterCounter, ClusterTime};
use pick::{Tried, pick};
use retries::{Retries, wait};
use stamp::stamp;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why there is no answer to pass on.
pub(super) enum Stopped {
    Failed(Failure),
    ClientGone(Gone),
}

/// How a request is to be tried.
pub(super) struct Plan<'a> {
    pub(super) cluster: &'a Arc<Cluster>,
    pub(super) forward: &'a Forward,
    pub(super) retry: &'a RetryPolicy,
    pub(super) times: Times,
    pub(super) hash: Option<u64>,
    pub(super) subset: &'a BTreeMap<String, String>,
    /// Where the client was going.
    pub(super) destination: Option<SocketAddr>,
    pub(super) key: PoolKey,
    pub(super) tunnel: bool,
    pub(super) scheme: &'static str,
    pub(super) count_attempts: bool,
    /// None of the fields that tell of this proxy.
    pub(super) quiet: bool,
    /// Answers ahead of the answer are passed on.
    pub(super) pass_interim: bool,
    /// Each try has a span of its own.
    pub(super) trace: Option<Trace>,
}

/// Tries until an answer is to be passed on, or nothing more may be tried.
pub(super) async fn tries(
    transaction: &mut Transaction<'_>,
    upload: &mut Upload,
    plan: &Plan<'_>,
) -> Result<Box<Answer>, Stopped> {
    let Plan { cluster, retry, .. } = plan;
    if retry.hedge && !plan.tunnel && (plan.times.per_try.is_some() || retry.per_try_idle_timeout.is_some()) {
        // Boxed, so that who hedges nothing carries nothing of it.
        return Box::pin(hedge::tries(transaction, upload, plan)).await;
    }
    let worker = transaction.worker;
    let count = |counter| cluster.stats.count(worker.shard, counter);
    let mut tried = Tried::new(retry);
    let mut retries = Retries::new(retry);
    let mut so_far = SoFar::default();
    loop {
        let Some(member) = pick(worker, plan, &mut tried, transaction.notes.attempts > 0) else {
            count(ClusterCounter::CxNoneHealthy);
            cluster.stats.answered(worker.shard, 503);
            transaction.notes.attempts += 1;
            return Err(Stopped::Failed(Failure::NoHealthyUpstream));
        };
        transaction.notes.attempts += 1;
        let result = pin!(try_member(transaction, upload, plan, &member, &mut so_far)).await;
        let end = judge::judge(transaction, plan, &member.host, &result)?;
        if !is_retriable(&retry.on, end) || so_far.passed_on {
            if transaction.notes.attempts > 1 {
                count(ClusterCounter::RqRetrySuccess);
            }
            return judge::settle(transaction, plan, result);
        }
        if !retries.take(worker, &mut transaction.notes, upload, plan) {
            return judge::settle(transaction, plan, result);
        }
        let wait = wait(worker, plan, result.as_deref().ok(), transaction.notes.attempts);
        if let Ok(answer) = result {
            cluster.stats.retried(worker.shard, answer.response.status);
            answer.discard();
        }
        tried.add(&member);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            gone = transaction.client.gone() => return Err(Stopped::ClientGone(gone)),
        }
        count(ClusterCounter::RqRetry);
    }
}

/// Makes the next try, at this endpoint, and notes what it was like.
async fn try_member(
    transaction: &mut Transaction<'_>,
    upload: &mut Upload,
    plan: &Plan<'_>,
    member: &Arc<Member>,
    so_far: &mut SoFar,
) -> Result<Box<Answer>, TryFailure> {
    transaction.notes.host = Some(member.address());
    stamp(transaction.request, plan, member, transaction.notes.attempts, upload);
    let span = plan.begin_span(transaction);
    let begin = now();
    let to = Try {
        time: plan.times.per_try,
        stall: stall(plan),
        idle: plan.retry.per_try_idle_timeout,
        tunnel: plan.tunnel,
        ..plan.to(member, begin)
    };
    (transaction.notes.under_way, transaction.notes.trying) = (1, true);
    let result = pin!(one_try(transaction, upload, to, so_far)).await;
    (transaction.notes.under_way, transaction.notes.trying) = (0, false);
    plan.end_span(transaction, span, begin);
    if let Ok(answer) = &result {
        let took = answer.began.saturating_duration_since(begin);
        plan.cluster.stats.took(transaction.worker.shard, ClusterTime::Rq, took);
        transaction.notes.local = answer.channel.local;
    }
    result
}

impl Plan<'_> {
    /// A try at an endpoint that nothing ends but the route's time.
    fn to<'t>(&'t self, member: &'t Arc<Member>, begun: Instant) -> Try<'t> {
        Try {
            cluster: self.cluster,
            member,
            key: &self.key,
            begun,
            time: None,
            stall: None,
            idle: None,
            tunnel: false,
            pass_interim: self.pass_interim,
            scheme: self.scheme,
        }
    }

    /// A span for the next try, if each has its own.
    fn begin_span(&self, transaction: &mut Transaction<'_>) -> Option<SpanContext> {
        let Transaction { worker, request, .. } = transaction;
        self.trace.as_ref().map(|trace| trace.begin_try(request, &mut *worker.rng.borrow_mut()))
    }

    /// A try is over that began then.
    fn end_span(&self, transaction: &Transaction<'_>, span: Option<SpanContext>, begun: Instant) {
        if let Some((trace, span)) = self.trace.as_ref().zip(span) {
            let mut info = transaction.info(now());
            info.started = begun;
            trace.end_try(span, &info);
        }
    }
}

/// How long an answer may be awaited before the detector is told that it is. None: it never is.
fn stall(plan: &Plan<'_>) -> Option<Duration> {
    let watched = plan.cluster.policy.beyond.stalled && plan.cluster.outlier().is_some() && !plan.tunnel;
    let configured = plan.retry.per_try_timeout.or(plan.forward.timeout);
    configured.filter(|_| watched).and_then(|configured| plan.times.stall(configured))
}
