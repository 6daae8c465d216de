//! The life of one place of a connection: requests, one after another, until it is of no more use.

use super::errand::Errand;
use super::exchange::{Answer, Failure, Reading};
use super::flow::Flow;
use super::http1::Http1;
use super::http2::Http2;
use super::slot::{Job, Slot, Word};
use super::transport::Stream;
use super::wire::{Connections, End, Protocol};
use crate::clock::now;
use std::io;
use std::rc::Rc;

/// One place of an open connection.
#[derive(Debug)]
pub(super) enum Channel {
    Http1(Box<Http1>),
    Http2(Http2),
}

impl Channel {
    /// The places of a new connection.
    pub(super) async fn all(stream: Stream, protocol: Protocol, connections: Connections) -> io::Result<Vec<Self>> {
        Ok(match protocol {
            Protocol::Http1 => vec![Self::Http1(Box::new(Http1::new(stream)))],
            Protocol::Http2 { .. } | Protocol::Grpc { .. } => {
                let place = Http2::new(stream).await?;
                let number = if connections == Connections::Each { 1 } else { protocol.streams() };
                (0..number).map(|_| Self::Http2(place.clone())).collect()
            }
        })
    }

    async fn is_stale(&mut self) -> bool {
        match self {
            Self::Http1(connection) => connection.is_stale().await,
            Self::Http2(place) => place.is_stale(),
        }
    }

    async fn until_stale(&mut self) {
        match self {
            Self::Http1(connection) => connection.until_stale().await,
            Self::Http2(place) => place.until_stale().await,
        }
    }

    /// A stream that is reset, or given up, takes its connection along only if that has ended too.
    fn outlives_a_stream(&self) -> bool {
        matches!(self, Self::Http2(place) if !place.is_stale())
    }

    async fn exchange(&mut self, flow: &Flow, id: u64, answer: &mut Answer) {
        let (plan, names, errand) = (&flow.plan, &flow.instances, flow.errand(id));
        let own = errand.as_deref().and_then(Errand::request);
        let template = own.unwrap_or_else(|| flow.templates.of(id));
        let mut reading = Reading::new(&plan.accept, errand.as_deref());
        let exchanged = match self {
            Self::Http1(connection) => connection.exchange(plan, template, id, names, &mut reading, answer).await,
            Self::Http2(place) => place.exchange(plan, template, id, names, &mut reading, answer).await,
        };
        if let Err(failure) = exchanged {
            answer.end = failure.end();
            answer.reusable = matches!(failure, Failure::Reset) && self.outlives_a_stream();
        }
        answer.done = now();
    }
}

/// Serves requests in one place. `job` is the one for which its connection was opened.
pub(super) async fn serve(flow: Rc<Flow>, mut channel: Channel, mut job: Option<Job>) {
    let slot = flow.slots.add();
    while let Some(next) = match job.take().or_else(|| flow.next()) {
        Some(next) => Some(next),
        None => rest(&flow, &slot, &mut channel).await,
    } {
        if channel.is_stale().await {
            // Nothing was sent on it, so the request takes another one and has lost only time.
            flow.place(next);
            break;
        }
        let answer = within_time_out(&flow, &slot, &mut channel, next).await;
        flow.finish(next, &answer);
        if !answer.reusable || flow.plan.connections == Connections::Each || flow.is_stopped() {
            break;
        }
    }
    flow.slots.remove(&slot);
}

/// Waits for a request, or until the peer closes or the flow ends.
async fn rest(flow: &Flow, slot: &Rc<Slot>, channel: &mut Channel) -> Option<Job> {
    if flow.is_stopped() {
        return None;
    }
    flow.idle.borrow_mut().push_back(Rc::clone(slot));
    let word = tokio::select! {
        biased;
        word = slot.told() => Some(word),
        () = channel.until_stale() => {
            flow.idle.borrow_mut().retain(|idle| !Rc::ptr_eq(idle, slot));
            // A request may have been given in the same moment; it was not sent.
            slot.unheard()
        }
    };
    match word {
        Some(Word::Send(job)) => Some(job),
        Some(Word::GiveUp(_)) => {
            flow.idle.borrow_mut().retain(|idle| !Rc::ptr_eq(idle, slot));
            None
        }
        None => None,
    }
}

async fn within_time_out(flow: &Flow, slot: &Slot, channel: &mut Channel, job: Job) -> Answer {
    let mut answer = Answer::none(End::Cut);
    flow.slots.begin(slot, flow.gives_up(job));
    let given_up = tokio::select! {
        biased;
        () = channel.exchange(flow, job.arrival.id, &mut answer) => None,
        word = slot.told() => Some(word),
    };
    slot.rest();
    match given_up {
        // It was sent, whatever became of it; what had come of an answer by then is none.
        Some(Word::GiveUp(end)) => {
            Answer { sent: answer.sent, reusable: channel.outlives_a_stream(), ..Answer::none(end) }
        }
        Some(Word::Send(_)) | None => answer,
    }
}
