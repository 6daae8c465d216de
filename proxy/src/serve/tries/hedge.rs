//! Tries side by side: one that is late goes on, while the next one runs; the first good answer wins.

mod begun;

use super::judge::{charge, judge, settle};
use super::pick::Tried;
use super::retries::{Retries, wait};
use super::{Answer, Plan, Stopped};
use crate::clock::now;
use crate::cluster::Member;
use crate::filter::hedge::{Ended, Next};
use crate::filter::retry::is_retriable;
use crate::health::outlier::Outcome;
use crate::policy::ProtocolChoice;
use crate::serve::exchange::{SoFar, TryFailure};
use crate::serve::notes::Notes;
use crate::serve::transaction::Transaction;
use crate::serve::upload::Upload;
use crate::serve::worker::Worker;
use crate::telemetry::trace::SpanContext;
use crate::telemetry::{ClusterCounter, ClusterTime};
use begun::{Begun, Sent, begin};
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;
use tokio::sync::Notify;

type Outcomes<'a> = Pin<Box<dyn Future<Output = Result<Box<Answer>, TryFailure>> + 'a>>;

/// One of the tries.
struct Running<'a> {
    begun: Instant,
    member: Arc<Member>,
    span: Option<SpanContext>,
    /// Its time is over, and that was not looked at yet.
    late: Rc<Cell<bool>>,
    /// Another one has begun in its place.
    followed: bool,
    outcome: Outcomes<'a>,
}

/// How often a request may still be tried.
struct Allowance {
    retries: Retries,
    /// When the next one begins.
    next: Option<Instant>,
}

/// Tries until an answer is to be passed on, or nothing more may be tried.
pub(super) async fn tries(
    transaction: &mut Transaction<'_>,
    upload: &mut Upload,
    plan: &Plan<'_>,
) -> Result<Box<Answer>, Stopped> {
    let worker = transaction.worker;
    let mut tried = Tried::new(plan.retry);
    let mut allowance = Allowance { retries: Retries::new(plan.retry), next: None };
    let mut so_far = SoFar::default();
    let late = Rc::new(Notify::new());
    // Until the request is whole there is one try at a time: only it can send what the client sends.
    let mut running = loop {
        let begun = begin(transaction, upload, plan, &mut tried)?;
        if upload.is_done() {
            break vec![begun.alone(worker, upload, plan, so_far.written, &late)];
        }
        transaction.notes.under_way = 1;
        let result = match begun.with_client(transaction, upload, plan, &mut so_far).await {
            Ok(Sent::Whole(opened)) => break vec![begun.goes_on(&worker.alarms, opened, plan, &late)],
            Ok(Sent::Answered(answer)) => Ok(answer),
            Err(failure) => Err(failure),
        };
        transaction.notes.under_way = 0;
        let Begun { at, member, span, .. } = begun;
        let over = Finished { begun: at, member, span, followed: false, others: false };
        let tries = Tries { worker, plan, upload, passed_on: so_far.passed_on };
        if let Some(result) = tries.ended(transaction, &mut tried, &mut allowance, over, result)? {
            return settle(transaction, plan, result);
        }
        allowance.wait(transaction).await?;
        plan.cluster.stats.count(worker.shard, ClusterCounter::RqRetry);
    };
    let upload = &*upload;
    let tries = Tries { worker, plan, upload, passed_on: so_far.passed_on };
    loop {
        transaction.notes.under_way = u32::try_from(running.len()).unwrap_or(u32::MAX);
        tokio::select! {
            biased;
            (at, result) = first(&mut running) => {
                let Running { begun, member, span, followed, .. } = running.swap_remove(at);
                let others = !running.is_empty() || allowance.next.is_some();
                let over = Finished { begun, member, span, followed, others };
                if let Some(result) = tries.ended(transaction, &mut tried, &mut allowance, over, result)? {
                    running.iter_mut().for_each(|one| give_up(transaction, plan, one));
                    return settle(transaction, plan, result);
                }
            }
            () = late.notified() => {
                for one in running.iter_mut().filter(|one| one.late.take()) {
                    worker.observe(plan.cluster, &one.member.host, Outcome::TimeOut);
                    let notes = &mut transaction.notes;
                    notes.trying &= notes.host.as_ref() != Some(&one.member.address());
                    one.followed = !one.followed && tries.again(None, notes, &mut tried, &mut allowance, &one.member);
                }
            }
            waited = allowance.wait(transaction) => {
                waited?;
                plan.cluster.stats.count(worker.shard, ClusterCounter::RqRetry);
                let begun = begin(transaction, upload, plan, &mut tried);
                let begun = begun.inspect_err(|_| {
                    running.iter_mut().for_each(|one| give_up(transaction, plan, one));
                })?;
                running.push(begun.alone(worker, upload, plan, so_far.written, &late));
            }
        }
    }
}

/// The place of the first that has ended, and how.
async fn first(running: &mut [Running<'_>]) -> (usize, Result<Box<Answer>, TryFailure>) {
    poll_fn(|cx| {
        for (at, one) in running.iter_mut().enumerate() {
            if let Poll::Ready(result) = one.outcome.as_mut().poll(cx) {
                return Poll::Ready((at, result));
            }
        }
        Poll::Pending
    })
    .await
}

/// One that nobody waits for any more: it ends when it is dropped.
fn give_up(transaction: &Transaction<'_>, plan: &Plan<'_>, one: &mut Running<'_>) {
    if plan.key.protocol == ProtocolChoice::Http2 {
        plan.cluster.stats.count(transaction.worker.shard, ClusterCounter::RqTxReset);
    }
    plan.end_span(transaction, one.span.take(), one.begun);
}

impl Allowance {
    /// Returns when the next try begins, or its client has left.
    async fn wait(&mut self, transaction: &mut Transaction<'_>) -> Result<(), Stopped> {
        tokio::select! {
            () = transaction.worker.alarms.until(self.next) => {}
            gone = transaction.client.gone() => return Err(Stopped::ClientGone(gone)),
        }
        self.next = None;
        Ok(())
    }
}

/// What all tries of a request have in common once they end.
struct Tries<'a, 'p> {
    worker: &'a Rc<Worker>,
    plan: &'a Plan<'p>,
    upload: &'a Upload,
    /// The client has seen an interim answer: nothing is tried again.
    passed_on: bool,
}

/// A try that has ended.
struct Finished {
    begun: Instant,
    member: Arc<Member>,
    span: Option<SpanContext>,
    followed: bool,
    others: bool,
}

impl Tries<'_, '_> {
    /// What a try has shown. Its result comes back if it is the request's.
    fn ended(
        &self,
        transaction: &mut Transaction<'_>,
        tried: &mut Tried,
        allowance: &mut Allowance,
        over: Finished,
        result: Result<Box<Answer>, TryFailure>,
    ) -> Result<Option<Result<Box<Answer>, TryFailure>>, Stopped> {
        let Self { worker, plan, passed_on, .. } = self;
        let stats = &plan.cluster.stats;
        let host = transaction.notes.host.replace(over.member.address());
        plan.end_span(transaction, over.span, over.begun);
        let end = judge(transaction, plan, &over.member.host, &result)?;
        let notes = &mut transaction.notes;
        if let Ok(answer) = &result {
            stats.took(worker.shard, ClusterTime::Rq, now().saturating_duration_since(over.begun));
            notes.local = answer.channel.local;
        }
        let retriable = is_retriable(&plan.retry.on, end) && !passed_on;
        let again =
            retriable && !over.followed && self.again(result.as_deref().ok(), notes, tried, allowance, &over.member);
        let ended = Ended { answered: result.is_ok(), retriable, again, others: over.others };
        let next = ended.next();
        if next == Next::PassOn {
            notes.trying = false;
            if !retriable && notes.attempts > 1 {
                stats.count(worker.shard, ClusterCounter::RqRetrySuccess);
            }
            return Ok(Some(result));
        }
        notes.host = host;
        match (next, result) {
            (Next::TryAgain, Ok(answer)) => {
                stats.retried(worker.shard, answer.response.status);
                answer.discard();
            }
            (Next::WaitForOthers, Err(failure)) => drop(charge(worker, stats, failure)),
            _ => {}
        }
        Ok(None)
    }

    /// Allows another try, if there may be one.
    fn again(
        &self,
        answer: Option<&Answer>,
        notes: &mut Notes,
        tried: &mut Tried,
        allowance: &mut Allowance,
        member: &Member,
    ) -> bool {
        let Self { worker, plan, upload, passed_on } = self;
        if *passed_on || plan.retry.attempts == 0 || !allowance.retries.take(worker, notes, upload, plan) {
            return false;
        }
        let back_off = wait(worker, plan, answer, notes.attempts);
        tried.add(member);
        allowance.next = Some(now() + back_off);
        true
    }
}
