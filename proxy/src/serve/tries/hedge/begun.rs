//! One of several tries: with the client for as long as the request is not whole, and alone from then on.

use super::{Outcomes, Running};
use crate::clock::now;
use crate::cluster::{Ends, Member};
use crate::serve::alarms::Alarms;
use crate::serve::exchange::{Answer, Heads, Opened, SoFar, Stuck, Try, TryFailure, failure, of_client, open, up};
use crate::serve::respond::Failure;
use crate::serve::transaction::Transaction;
use crate::serve::tries::pick::{Tried, pick};
use crate::serve::tries::stamp::stamp;
use crate::serve::tries::{Plan, Stopped};
use crate::serve::upload::Upload;
use crate::serve::worker::Worker;
use crate::telemetry::ClusterCounter;
use crate::telemetry::trace::SpanContext;
use crate::wire::{Asked, Head};
use squall_http1::{Request, Response};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A try that is about to be made.
pub(super) struct Begun {
    pub(super) at: Instant,
    pub(super) member: Arc<Member>,
    pub(super) span: Option<SpanContext>,
    request: Rc<Request>,
}

/// Picks an endpoint, and says in the request which try it is.
pub(super) fn begin(
    transaction: &mut Transaction<'_>,
    upload: &Upload,
    plan: &Plan<'_>,
    tried: &mut Tried,
) -> Result<Begun, Stopped> {
    let Transaction { worker, request, notes, .. } = transaction;
    let picked = pick(worker, plan, tried, notes.attempts > 0);
    notes.attempts += 1;
    let Some(member) = picked else {
        plan.cluster.stats.count(worker.shard, ClusterCounter::CxNoneHealthy);
        plan.cluster.stats.answered(worker.shard, 503);
        return Err(Stopped::Failed(Failure::NoHealthyUpstream));
    };
    notes.host = Some(member.address());
    notes.trying = true;
    stamp(request, plan, &member, notes.attempts, upload);
    let span = plan.begin_span(transaction);
    Ok(Begun { at: now(), member, span, request: Rc::new(transaction.request.clone()) })
}

/// How far a try has come with the client's help.
#[allow(clippy::large_enum_variant, reason = "one a try, gone at once")]
pub(super) enum Sent {
    /// The request is on its way as a whole.
    Whole(Opened),
    /// The answer did not wait for that.
    Answered(Box<Answer>),
}

impl Begun {
    /// Sends what the client sends, up to its end.
    pub(super) async fn with_client(
        &self,
        transaction: &mut Transaction<'_>,
        upload: &mut Upload,
        plan: &Plan<'_>,
        so_far: &mut SoFar,
    ) -> Result<Sent, TryFailure> {
        let Transaction { worker, client, .. } = transaction;
        let mut opened = tokio::select! {
            biased;
            opened = open(worker, &self.request, upload.framing, plan.to(&self.member, self.at), so_far.written) => opened?,
            gone = client.gone() => return Err(TryFailure::Gone(gone)),
        };
        let mut response = Response::default();
        let asked = Asked { method: self.request.method(), tunnel: false };
        let mut heads = Heads::default();
        upload.replay(&mut opened.channel.ends.sink);
        upload.take(&mut client.source, &mut opened.channel.ends.sink).map_err(of_client)?;
        while !upload.is_done() {
            let Ends { source, sink } = &mut *opened.channel.ends;
            let head = tokio::select! {
                biased;
                sent = up(client, upload, sink, false) => {
                    so_far.written |= opened.channel.ends.sink.has_begun();
                    sent.map_err(|stuck| match stuck {
                        Stuck::Upstream(broken) => failure(broken, so_far.written),
                        Stuck::Client(failure) => failure,
                    })?;
                    continue;
                }
                head = heads.next(source, &mut response, asked) => head,
                () = worker.alarms.until(opened.until) => return Err(TryFailure::TooOld { whole: false }),
            };
            so_far.written |= opened.channel.ends.sink.has_begun();
            match head.map_err(|broken| failure(broken, so_far.written))? {
                Head::Interim if !plan.pass_interim => {}
                Head::Interim => {
                    client.interim(&response).await.map_err(TryFailure::Gone)?;
                    so_far.passed_on = true;
                }
                head => return Ok(Sent::Answered(opened.answered(response, head))),
            }
        }
        Ok(Sent::Whole(opened))
    }

    /// Waits for the answer to a request that is on its way.
    pub(super) fn goes_on<'a>(
        self,
        alarms: &'a Alarms,
        opened: Opened,
        plan: &Plan<'_>,
        late: &Rc<Notify>,
    ) -> Running<'a> {
        let is_late = Rc::new(Cell::new(false));
        let outcome = answer(
            alarms,
            opened,
            Rc::clone(&self.request),
            Patience::of(plan),
            true,
            Rc::clone(&is_late),
            Rc::clone(late),
        );
        self.running(is_late, Box::pin(outcome))
    }

    /// Makes the whole try without the client; `written`: some of the request had gone out before.
    pub(super) fn alone<'a>(
        self,
        worker: &'a Rc<Worker>,
        upload: &'a Upload,
        plan: &'a Plan<'_>,
        written: bool,
        late: &Rc<Notify>,
    ) -> Running<'a> {
        let is_late = Rc::new(Cell::new(false));
        let (flag, late) = (Rc::clone(&is_late), Rc::clone(late));
        let (request, member) = (Rc::clone(&self.request), Arc::clone(&self.member));
        let times = Patience::of(plan);
        let outcome = async move {
            let to = Try { pass_interim: false, ..plan.to(&member, now()) };
            let mut opened = open(worker, &request, upload.framing, to, written).await?;
            upload.replay(&mut opened.channel.ends.sink);
            answer(&worker.alarms, opened, request, times, written, flag, late).await
        };
        self.running(is_late, Box::pin(outcome))
    }

    fn running(self, late: Rc<Cell<bool>>, outcome: Outcomes<'_>) -> Running<'_> {
        Running { begun: self.at, member: self.member, span: self.span, late, followed: false, outcome }
    }
}

/// After which a try is late.
struct Patience {
    /// From its beginning.
    whole: Option<Duration>,
    /// Between bytes of the upstream.
    idle: Option<Duration>,
}

impl Patience {
    fn of(plan: &Plan<'_>) -> Self {
        Self { whole: plan.times.per_try, idle: plan.retry.per_try_idle_timeout }
    }

    /// When that is of a try whose last byte has just come.
    fn due(&self, begun: Instant) -> Option<Instant> {
        let (whole, idle) = (self.whole.map(|whole| begun + whole), self.idle.map(|idle| now() + idle));
        whole.into_iter().chain(idle).min()
    }
}

/// The head of the answer, however late; who waits for it is told when it is. `written`: some of the request had gone out before.
async fn answer(
    alarms: &Alarms,
    mut opened: Opened,
    request: Rc<Request>,
    times: Patience,
    written: bool,
    is_late: Rc<Cell<bool>>,
    late: Rc<Notify>,
) -> Result<Box<Answer>, TryFailure> {
    let mut response = Response::default();
    let asked = Asked { method: request.method(), tunnel: false };
    let begun = now();
    let mut due = times.due(begun);
    let mut heads = Heads::default();
    let head = loop {
        let Ends { source, sink } = &mut *opened.channel.ends;
        tokio::select! {
            biased;
            flushed = sink.flush(), if !sink.is_flushed() => {
                flushed.map_err(|broken| failure(broken, written || sink.has_begun()))?;
            }
            head = heads.next(source, &mut response, asked) => match head.map_err(|broken| failure(broken, true))? {
                // Once late, it is late.
                Head::Interim => due = due.and_then(|_| times.due(begun)),
                head => break head,
            },
            () = alarms.until(due) => {
                due = None;
                is_late.set(true);
                late.notify_one();
            }
            () = alarms.until(opened.until) => return Err(TryFailure::TooOld { whole: true }),
        }
    };
    Ok(opened.answered(response, head))
}
