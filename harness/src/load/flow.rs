//! The requests of one flow: each gets a place on a connection, waits for one, or is dropped.

use super::connection::{Channel, serve};
use super::errand::Errand;
use super::exchange::Answer;
use super::output::Output;
use super::rows::Templates;
use super::schedule::Arrival;
use super::slot::{Job, Slot, Slots, Word};
use super::transport::Dialler;
use super::wire::{Connections, End, FlowPlan, Pace, Sample};
use crate::clock::{Nanos, now};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::{Notify, oneshot};

/// Connections being opened at once, so that a burst of them does not starve the pacer.
const MOST_DIALS: u32 = 64;

/// Pause before a lost connection of a fixed number is opened again after a failure.
const REDIAL: Duration = Duration::from_millis(20);

/// Everything of one flow. Lives on the worker's one thread.
pub(super) struct Flow {
    pub(super) plan: FlowPlan,
    pub(super) templates: Templates,
    pub(super) instances: Rc<[String]>,
    index: u16,
    dialler: Dialler,
    start: Cell<Nanos>,
    pub(super) slots: Slots,
    /// Places that rest, the one used last at the end.
    pub(super) idle: RefCell<VecDeque<Rc<Slot>>>,
    waiting: RefCell<VecDeque<Job>>,
    open: Cell<u32>,
    dials: Cell<u32>,
    next_target: Cell<usize>,
    /// What journeys have asked and were not told of yet, by the number of the request.
    errands: RefCell<HashMap<u64, Waiting>>,
    /// Number of the next request of a pace without a plan.
    next_id: Cell<u64>,
    /// Requests released and not ended.
    unfinished: Cell<u64>,
    stopped: Cell<bool>,
    ended: Notify,
    output: Rc<Output>,
}

/// What a journey has asked, and how it is told.
type Waiting = (Rc<Errand>, oneshot::Sender<Answer>);

/// A connection is open as long as any of its places holds this.
struct Carrier {
    flow: Rc<Flow>,
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.flow.open.set(self.flow.open.get() - 1);
        self.flow.replace();
    }
}

impl Flow {
    pub(super) fn new(
        plan: &FlowPlan,
        index: usize,
        seed: u64,
        instances: Rc<[String]>,
        output: Rc<Output>,
    ) -> io::Result<Rc<Self>> {
        Ok(Rc::new(Self {
            templates: Templates::new(plan, seed),
            dialler: Dialler::new(plan)?,
            plan: plan.clone(),
            index: index as u16,
            instances,
            start: Cell::new(Nanos(0)),
            slots: Slots::default(),
            idle: RefCell::default(),
            waiting: RefCell::default(),
            open: Cell::new(0),
            dials: Cell::new(0),
            next_target: Cell::new(0),
            errands: RefCell::default(),
            next_id: Cell::new(0),
            unfinished: Cell::new(0),
            stopped: Cell::new(false),
            ended: Notify::new(),
            output,
        }))
    }

    /// Opens the connections that are to be warm before the start, and gives how many are.
    pub(super) async fn warm(self: &Rc<Self>) -> u32 {
        let wanted = match self.plan.connections {
            _ if self.plan.journey.is_some() => 0,
            Connections::Fixed(number) => number,
            Connections::UpTo(number) => number.min(16),
            Connections::Each => 0,
        };
        for _ in 0..wanted {
            self.open_connection(None).await;
        }
        self.open.get()
    }

    /// The start is known, and the number from which a pace without a plan counts its requests.
    pub(super) fn begin(&self, start: Nanos, first_id: u64) {
        self.start.set(start);
        self.next_id.set(first_id);
    }

    /// Lets every place that rests send, where nothing is planned.
    pub(super) fn unleash(&self) {
        if self.plan.pace.schedule().is_some() {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        while !idle.is_empty() {
            let Some(job) = self.next() else { return };
            idle.pop_front().into_iter().for_each(|slot| slot.tell(Word::Send(job)));
        }
    }

    /// A request is due: it gets a place now, or waits for one.
    pub(super) fn release(self: &Rc<Self>, arrival: Arrival) {
        self.place(self.take_on(arrival));
    }

    /// Counts what is due as released; it is to be finished.
    pub(super) fn take_on(&self, arrival: Arrival) -> Job {
        self.unfinished.set(self.unfinished.get() + 1);
        Job { arrival, released: now() }
    }

    /// Asks for a journey, and returns what became of it.
    pub(super) async fn ask(self: &Rc<Self>, due: u64, errand: Rc<Errand>) -> Answer {
        let (tell, told) = oneshot::channel();
        let id = self.number();
        self.errands.borrow_mut().insert(id, (errand, tell));
        self.release(Arrival { id, flow: usize::from(self.index), due });
        told.await.unwrap_or_else(|_| Answer::none(End::Cut))
    }

    /// What a journey has asked by a request.
    pub(super) fn errand(&self, id: u64) -> Option<Rc<Errand>> {
        self.errands.borrow().get(&id).map(|(errand, _)| Rc::clone(errand))
    }

    /// The number of a request that nobody has planned.
    fn number(&self) -> u64 {
        self.next_id.replace(self.next_id.get() + 1)
    }

    /// Finds a place for a request.
    pub(super) fn place(self: &Rc<Self>, job: Job) {
        if self.stopped.get() {
            self.finish(job, &Answer::none(End::Cut));
        } else if let Some(slot) = self.take_idle() {
            slot.tell(Word::Send(job));
        } else if self.may_grow() {
            let flow = Rc::clone(self);
            self.dials.set(self.dials.get() + 1);
            tokio::task::spawn_local(async move { flow.open_connection(Some(job)).await });
        } else {
            self.waiting.borrow_mut().push_back(job);
        }
    }

    /// The next request for a place that is free: one that waits, or the next of a closed pace.
    pub(super) fn next(&self) -> Option<Job> {
        if let Some(job) = self.waiting.borrow_mut().pop_front() {
            return Some(job);
        }
        let Pace::Closed { lasting } = self.plan.pace else { return None };
        let released = now();
        let due = released.0.checked_sub(self.start.get().0).filter(|due| *due < lasting && !self.stopped.get())?;
        let arrival = Arrival { id: self.number(), flow: usize::from(self.index), due };
        Some(Job { released, ..self.take_on(arrival) })
    }

    /// The place that was used last, so that few are kept busy; of several targets, and of connections that are always open, the one that
    /// has rested longest, so that each gets its share.
    fn take_idle(&self) -> Option<Rc<Slot>> {
        let mut idle = self.idle.borrow_mut();
        let in_turn = self.plan.to.len() > 1 || matches!(self.plan.connections, Connections::Fixed(_));
        if in_turn { idle.pop_front() } else { idle.pop_back() }
    }

    fn may_grow(&self) -> bool {
        let dials = self.dials.get();
        // What is being opened will carry as many as it has places.
        let coming = dials as usize * (self.plan.protocol.streams() as usize - 1);
        dials < MOST_DIALS
            && self.waiting.borrow().len() >= coming
            && match self.plan.connections {
                Connections::Fixed(_) => false,
                Connections::UpTo(most) => self.open.get() + dials < most,
                Connections::Each => true,
            }
    }

    /// When something is to be given up, at the earliest.
    pub(super) fn wakes(&self) -> Nanos {
        self.slots.next()
    }

    /// Gives up what takes too long, and drops what has waited too long.
    pub(super) fn expire(&self) {
        self.slots.expire(now());
        let mut waiting = self.waiting.borrow_mut();
        while let Some(job) = waiting.front().copied() {
            if now() < self.due(job).after(self.plan.drop_after) {
                break;
            }
            waiting.pop_front();
            self.finish(job, &Answer::none(End::Dropped));
        }
    }

    /// Cuts everything that is still open.
    pub(super) fn stop(&self) {
        self.stopped.set(true);
        self.waiting.take().into_iter().for_each(|job| self.finish(job, &Answer::none(End::Cut)));
        self.slots.stop();
        self.ended.notify_waiters();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.get()
    }

    /// True if requests were released that have not ended.
    pub(super) fn is_busy(&self) -> bool {
        self.unfinished.get() > 0
    }

    async fn open_connection(self: &Rc<Self>, job: Option<Job>) {
        // Nobody waits longer for a connection than for its answer.
        let left = job.map_or(self.plan.time_out, |job| self.gives_up(job).since(now()));
        let opened = tokio::select! {
            biased;
            opened = self.dial() => opened.map_err(|_| End::Refused),
            () = tokio::time::sleep(left) => Err(End::TimeOut),
            () = self.until_stopped() => Err(End::Cut),
        };
        if job.is_some() {
            self.dials.set(self.dials.get() - 1);
        }
        match (opened, job) {
            (Ok(channels), job) => self.carry(channels, job),
            (Err(end), Some(job)) => {
                self.finish(job, &Answer::none(end));
                // Its place among the dials is free for whoever waits.
                self.replace();
            }
            (Err(_), None) => {
                let flow = Rc::clone(self);
                tokio::task::spawn_local(async move { flow.redial().await });
            }
        }
    }

    async fn dial(&self) -> io::Result<Vec<Channel>> {
        let stream = self.dialler.dial(self.target()).await?;
        Channel::all(stream, self.plan.protocol, self.plan.connections).await
    }

    /// Puts a new connection to use.
    fn carry(self: &Rc<Self>, channels: Vec<Channel>, mut job: Option<Job>) {
        self.open.set(self.open.get() + 1);
        let carrier = Rc::new(Carrier { flow: Rc::clone(self) });
        for channel in channels {
            let (flow, job, carrier) = (Rc::clone(self), job.take(), Rc::clone(&carrier));
            tokio::task::spawn_local(async move {
                serve(flow, channel, job).await;
                drop(carrier);
            });
        }
    }

    /// Something has become free: for a connection of a fixed number, or for whoever waits.
    fn replace(self: &Rc<Self>) {
        if self.stopped.get() {
            return;
        }
        if matches!(self.plan.connections, Connections::Fixed(_)) {
            let flow = Rc::clone(self);
            tokio::task::spawn_local(async move { flow.open_connection(None).await });
        } else if let Some(job) = self.next() {
            self.place(job);
        }
    }

    async fn redial(self: &Rc<Self>) {
        while !self.stopped.get() {
            tokio::time::sleep(REDIAL).await;
            if let Ok(channels) = self.dial().await {
                return self.carry(channels, None);
            }
        }
    }

    /// Returns once everything that is open is to be cut.
    pub(super) async fn until_stopped(&self) {
        let ended = self.ended.notified();
        if !self.stopped.get() {
            ended.await;
        }
    }

    /// When a request has taken too long.
    pub(super) fn gives_up(&self, job: Job) -> Nanos {
        self.due(job).after(self.plan.time_out)
    }

    fn due(&self, job: Job) -> Nanos {
        self.at(job.arrival.due)
    }

    /// A moment of the plan.
    pub(super) fn at(&self, nanos: u64) -> Nanos {
        self.start.get().after(Duration::from_nanos(nanos))
    }

    /// Nanoseconds from the start of the plan.
    pub(super) fn since_start(&self, at: Nanos) -> u64 {
        at.0.saturating_sub(self.start.get().0)
    }

    fn target(&self) -> SocketAddr {
        let next = self.next_target.get();
        self.next_target.set(next.wrapping_add(1));
        self.plan.to[next % self.plan.to.len()]
    }

    /// A request has ended.
    pub(super) fn finish(&self, job: Job, answer: &Answer) {
        let since_start = |at: Nanos| self.since_start(at);
        self.unfinished.set(self.unfinished.get() - 1);
        self.output.sample(&Sample {
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
        });
        if let Some((_, tell)) = self.errands.borrow_mut().remove(&job.arrival.id) {
            // A journey that has gone needs no answer.
            let _ = tell.send(*answer);
        }
    }
}
