//! When users arrive: a thread of its own wakes those who are due, more exactly than the runtime's timer.

use squall::clock::{self, Nanos, now};
use squall::load::schedule::{Arrival, Arrivals};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use tokio::sync::oneshot;

/// Somebody who waits for a moment.
type Waiting = (Nanos, oneshot::Sender<()>);

/// Hands out arrivals, each to whoever asks next.
#[derive(Debug)]
pub(crate) struct Doorman {
    arrivals: Arrivals,
    start: Nanos,
    wait: Sender<Waiting>,
}

impl Doorman {
    pub(crate) fn new(arrivals: Arrivals, start: Nanos) -> Self {
        let (wait, waiting) = channel();
        std::thread::spawn(move || wake(&waiting));
        Self { arrivals, start, wait }
    }

    /// The next user, and what tells when he is due; None when all have come.
    pub(crate) fn next(&mut self) -> Option<(Arrival, oneshot::Receiver<()>)> {
        let arrival = self.arrivals.next()?;
        Some((arrival, self.at(arrival.due)))
    }

    /// Tells when a moment of the plan has come.
    pub(crate) fn at(&self, due: u64) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        // The thread lives as long as this does.
        let _ = self.wait.send((Nanos(self.start.0 + due), tell));
        told
    }
}

fn wake(waiting: &Receiver<Waiting>) {
    // Without it the thread is woken a little later.
    let _ = clock::precise_thread();
    let mut sleepers: Vec<Waiting> = Vec::new();
    loop {
        // The next one stands at the end.
        sleepers.sort_by_key(|(due, _)| std::cmp::Reverse(due.0));
        let next = match sleepers.last() {
            Some((due, _)) => waiting.recv_timeout(due.since(now())),
            None => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(sleeper) => sleepers.push(sleeper),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        while sleepers.last().is_some_and(|(due, _)| *due <= now()) {
            if let Some((_, tell)) = sleepers.pop() {
                // Whoever has gone is not woken.
                let _ = tell.send(());
            }
        }
    }
}
