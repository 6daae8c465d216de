//! The connections of one flow, and the requests that wait for one.

use super::connection::{Answer, Connection};
use super::output::Output;
use super::schedule::Arrival;
use super::template::Template;
use super::wire::{Connections, End, FlowPlan, Frame, Sample};
use crate::clock::{Nanos, now};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;

/// Connections being opened at once, so that a burst of them does not starve the pacer.
const MOST_DIALS: u32 = 64;

/// Pause before a lost connection of a fixed number is opened again after a failure.
const REDIAL: Duration = Duration::from_millis(20);

/// A request that has been released and waits for its connection.
#[derive(Debug, Clone, Copy)]
struct Job {
    arrival: Arrival,
    released: Nanos,
}

/// Everything of one flow. Lives on the worker's one thread.
#[derive(Debug)]
pub(super) struct Flow {
    plan: FlowPlan,
    index: u16,
    template: Template,
    instances: Rc<[String]>,
    start: Cell<Nanos>,
    /// Idle connections, the one used last at the end.
    idle: RefCell<VecDeque<Rc<Slot>>>,
    waiting: RefCell<VecDeque<Job>>,
    open: Cell<u32>,
    dials: Cell<u32>,
    next_target: Cell<usize>,
    /// Requests released and not ended.
    pub(super) unfinished: Cell<u64>,
    stopped: Cell<bool>,
    ended: Notify,
    output: Rc<Output>,
}

/// Where an idle connection waits for its next request.
#[derive(Debug, Default)]
struct Slot {
    job: Cell<Option<Job>>,
    given: Notify,
}

impl Flow {
    pub(super) fn new(
        plan: &FlowPlan,
        index: usize,
        seed: u64,
        instances: Rc<[String]>,
        output: Rc<Output>,
    ) -> Rc<Self> {
        Rc::new(Self {
            template: Template::new(plan, seed),
            plan: plan.clone(),
            index: index as u16,
            instances,
            start: Cell::new(Nanos(0)),
            idle: RefCell::default(),
            waiting: RefCell::default(),
            open: Cell::new(0),
            dials: Cell::new(0),
            next_target: Cell::new(0),
            unfinished: Cell::new(0),
            stopped: Cell::new(false),
            ended: Notify::new(),
            output,
        })
    }

    /// Opens the connections that are to be warm before the start, and gives how many are.
    pub(super) async fn warm(self: &Rc<Self>) -> u32 {
        let wanted = match self.plan.connections {
            Connections::Fixed(number) => number,
            Connections::UpTo(number) => number.min(16),
            Connections::Each => 0,
        };
        for _ in 0..wanted {
            self.open_connection(None).await;
        }
        self.open.get()
    }

    pub(super) fn begin(&self, start: Nanos) {
        self.start.set(start);
    }

    /// A request is due: it gets a connection now, or waits for one.
    pub(super) fn release(self: &Rc<Self>, arrival: Arrival) {
        let job = Job { arrival, released: now() };
        self.unfinished.set(self.unfinished.get() + 1);
        self.place(job);
    }

    fn place(self: &Rc<Self>, job: Job) {
        if self.stopped.get() {
            self.finish(job, &nothing(End::Cut));
        } else if let Some(slot) = self.take_idle() {
            slot.job.set(Some(job));
            slot.given.notify_one();
        } else if self.may_grow() {
            let flow = Rc::clone(self);
            self.dials.set(self.dials.get() + 1);
            tokio::task::spawn_local(async move { flow.open_connection(Some(job)).await });
        } else {
            self.waiting.borrow_mut().push_back(job);
        }
    }

    /// The connection that was used last, so that few are kept busy; of several targets the one that has rested longest, so that each gets
    /// its share.
    fn take_idle(&self) -> Option<Rc<Slot>> {
        let mut idle = self.idle.borrow_mut();
        if self.plan.to.len() > 1 { idle.pop_front() } else { idle.pop_back() }
    }

    fn may_grow(&self) -> bool {
        self.dials.get() < MOST_DIALS
            && match self.plan.connections {
                Connections::Fixed(_) => false,
                Connections::UpTo(most) => self.open.get() + self.dials.get() < most,
                Connections::Each => true,
            }
    }

    /// Drops what has waited too long.
    pub(super) fn drop_late(&self) {
        let mut waiting = self.waiting.borrow_mut();
        while let Some(job) = waiting.front().copied() {
            if now() < self.due(job).after(self.plan.drop_after) {
                break;
            }
            waiting.pop_front();
            self.finish(job, &nothing(End::Dropped));
        }
    }

    /// Cuts everything that is still open.
    pub(super) fn stop(&self) {
        self.stopped.set(true);
        self.waiting.take().into_iter().for_each(|job| self.finish(job, &nothing(End::Cut)));
        self.ended.notify_waiters();
    }

    /// How long the slowest request of this flow may take after its due time.
    pub(super) fn time_out(&self) -> Duration {
        self.plan.time_out
    }

    async fn open_connection(self: &Rc<Self>, job: Option<Job>) {
        // Nobody waits longer for a connection than for its answer.
        let left = job.map_or(self.plan.time_out, |job| self.due(job).after(self.plan.time_out).since(now()));
        let opened = tokio::select! {
            biased;
            opened = Connection::open(self.target()) => opened.map_err(|_| End::Refused),
            () = tokio::time::sleep(left) => Err(End::TimeOut),
            () = self.until_stopped() => Err(End::Cut),
        };
        if job.is_some() {
            self.dials.set(self.dials.get() - 1);
        }
        match (opened, job) {
            (Ok(connection), job) => {
                self.open.set(self.open.get() + 1);
                tokio::task::spawn_local(Rc::clone(self).serve(connection, job));
            }
            (Err(end), Some(job)) => {
                self.finish(job, &nothing(end));
                // Its place among the dials is free for whoever waits.
                if let Some(job) = self.next_waiting() {
                    self.place(job);
                }
            }
            (Err(_), None) => {
                let flow = Rc::clone(self);
                tokio::task::spawn_local(async move { flow.redial().await });
            }
        }
    }

    async fn redial(self: &Rc<Self>) {
        while !self.stopped.get() {
            tokio::time::sleep(REDIAL).await;
            if let Ok(connection) = Connection::open(self.target()).await {
                self.open.set(self.open.get() + 1);
                tokio::task::spawn_local(Rc::clone(self).serve(connection, None));
                return;
            }
        }
    }

    /// The life of one connection.
    async fn serve(self: Rc<Self>, mut connection: Connection, mut job: Option<Job>) {
        let mut template = self.template.clone();
        let slot = Rc::new(Slot::default());
        loop {
            let next = match job.take().or_else(|| self.waiting.borrow_mut().pop_front()) {
                Some(job) => job,
                None => match self.wait(&slot, &connection).await {
                    Some(job) => job,
                    None => break,
                },
            };
            if connection.is_stale() {
                // Nothing was sent on it, so the request takes another one and has lost only time.
                self.place(next);
                break;
            }
            let answer = self.within_time_out(next, &mut connection, &mut template).await;
            self.finish(next, &answer);
            if !answer.reusable || self.plan.connections == Connections::Each || self.stopped.get() {
                break;
            }
        }
        self.open.set(self.open.get() - 1);
        drop(connection);
        if matches!(self.plan.connections, Connections::Fixed(_)) && !self.stopped.get() {
            self.open_connection(None).await;
        } else if let Some(job) = self.next_waiting() {
            self.place(job);
        }
    }

    fn next_waiting(&self) -> Option<Job> {
        self.waiting.borrow_mut().pop_front()
    }

    /// Idle until a request comes, or the peer closes.
    async fn wait(&self, slot: &Rc<Slot>, connection: &Connection) -> Option<Job> {
        self.idle.borrow_mut().push_back(Rc::clone(slot));
        tokio::select! {
            biased;
            () = slot.given.notified() => slot.job.take(),
            () = connection.until_stale() => {
                self.idle.borrow_mut().retain(|idle| !Rc::ptr_eq(idle, slot));
                // A request may have been given in the same moment; it was not sent.
                slot.job.take()
            }
            () = self.until_stopped() => {
                self.idle.borrow_mut().retain(|idle| !Rc::ptr_eq(idle, slot));
                slot.job.take()
            }
        }
    }

    /// Returns once everything that is open is to be cut.
    async fn until_stopped(&self) {
        let ended = self.ended.notified();
        if !self.stopped.get() {
            ended.await;
        }
    }

    async fn within_time_out(&self, job: Job, connection: &mut Connection, template: &mut Template) -> Answer {
        let left = self.due(job).after(self.plan.time_out).since(now());
        let mut answer = nothing(End::Cut);
        let given_up = tokio::select! {
            biased;
            () = connection.request(&self.plan, template, job.arrival.id, &self.instances, &mut answer) => None,
            () = tokio::time::sleep(left) => Some(End::TimeOut),
            () = self.until_stopped() => Some(End::Cut),
        };
        match given_up {
            None => answer,
            // It was sent, whatever became of it; what had come of an answer by then is none.
            Some(end) => Answer { sent: answer.sent, ..nothing(end) },
        }
    }

    fn due(&self, job: Job) -> Nanos {
        self.start.get().after(Duration::from_nanos(job.arrival.due))
    }

    fn target(&self) -> SocketAddr {
        let next = self.next_target.get();
        self.next_target.set(next.wrapping_add(1));
        self.plan.to[next % self.plan.to.len()]
    }

    fn finish(&self, job: Job, answer: &Answer) {
        let since_start = |at: Nanos| at.0.saturating_sub(self.start.get().0);
        self.unfinished.set(self.unfinished.get() - 1);
        self.output.frame(&Frame::Sample(Sample {
            id: job.arrival.id,
            flow: self.index,
            end: answer.end,
            status: answer.status,
            instance: answer.instance,
            due: job.arrival.due,
            released: since_start(job.released),
            sent: answer.sent.map(since_start),
            first_byte: answer.first_byte.map(since_start),
            done: since_start(answer.done),
        }));
    }
}

/// A request that ended without an answer, just now.
fn nothing(end: End) -> Answer {
    Answer { end, status: 0, instance: None, sent: None, first_byte: None, done: now(), reusable: false }
}
