//! A place for one request at a time: a connection of HTTP/1, or a stream of HTTP/2. What its flow tells it.

use super::schedule::Arrival;
use super::wire::End;
use crate::clock::Nanos;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// The end of time: a place without a request is not given up.
const NEVER: Nanos = Nanos(u64::MAX);

/// A request that has been released.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub(super) arrival: Arrival,
    pub(super) released: Nanos,
}

/// What a flow tells a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Word {
    Send(Job),
    /// The request is over, by the flow's clock or its end; without one, so is the place.
    GiveUp(End),
}

/// A place. Only its own task waits for words.
pub(super) struct Slot {
    word: Cell<Option<Word>>,
    waker: Cell<Option<Waker>>,
    gives_up: Cell<Nanos>,
    /// Where it stands among all.
    index: Cell<usize>,
}

impl Slot {
    /// Tells it, in the place of what it has not heard yet.
    pub(super) fn tell(&self, word: Word) {
        self.word.set(Some(word));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// What it is told next.
    pub(super) async fn told(&self) -> Word {
        poll_fn(|context| {
            if let Some(word) = self.word.take() {
                return Poll::Ready(word);
            }
            let waker = self.waker.take().filter(|waker| waker.will_wake(context.waker()));
            self.waker.set(Some(waker.unwrap_or_else(|| context.waker().clone())));
            Poll::Pending
        })
        .await
    }

    /// What it was told and has not heard.
    pub(super) fn unheard(&self) -> Option<Word> {
        self.word.take()
    }

    /// Its request is over, whichever way.
    pub(super) fn rest(&self) {
        self.gives_up.set(NEVER);
        self.word.set(None);
    }
}

/// All places of a flow, and when the first of their requests is given up.
pub(super) struct Slots {
    all: RefCell<Vec<Rc<Slot>>>,
    next: Cell<Nanos>,
}

impl Default for Slots {
    fn default() -> Self {
        Self { all: RefCell::default(), next: Cell::new(NEVER) }
    }
}

impl Slots {
    /// One more.
    pub(super) fn add(&self) -> Rc<Slot> {
        let mut all = self.all.borrow_mut();
        let slot = Rc::new(Slot {
            word: Cell::new(None),
            waker: Cell::new(None),
            gives_up: Cell::new(NEVER),
            index: Cell::new(all.len()),
        });
        all.push(Rc::clone(&slot));
        slot
    }

    /// It is no more.
    pub(super) fn remove(&self, slot: &Slot) {
        let mut all = self.all.borrow_mut();
        let index = slot.index.get();
        all.swap_remove(index);
        if let Some(moved) = all.get(index) {
            moved.index.set(index);
        }
    }

    /// A request begins in a place, and is given up at that time.
    pub(super) fn begin(&self, slot: &Slot, gives_up: Nanos) {
        slot.gives_up.set(gives_up);
        self.next.set(self.next.get().min(gives_up));
    }

    /// When [`Slots::expire`] has something to do, at the earliest.
    pub(super) fn next(&self) -> Nanos {
        self.next.get()
    }

    /// Gives up what has taken too long.
    pub(super) fn expire(&self, now: Nanos) {
        if now < self.next.get() {
            return;
        }
        let mut next = NEVER;
        for slot in self.all.borrow().iter() {
            let gives_up = slot.gives_up.get();
            if gives_up <= now {
                slot.tell(Word::GiveUp(End::TimeOut));
            } else {
                next = next.min(gives_up);
            }
        }
        self.next.set(next);
    }

    /// Gives up everything.
    pub(super) fn stop(&self) {
        self.all.borrow().iter().for_each(|slot| slot.tell(Word::GiveUp(End::Cut)));
    }
}
