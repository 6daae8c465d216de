//! How long a request may take, whatever it is waiting for.

use super::respond::Failure;
use super::upload::{Received, Upload};
use crate::clock::now;
use crate::policy::HttpTimeouts;
use crate::telemetry::HttpCounter;
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The clocks of one request.
pub(super) struct Clocks {
    begun: Instant,
    moved: Rc<Cell<Instant>>,
    received: Rc<Received>,
    /// No byte either way; a route may say otherwise than its listener.
    pub(super) idle: Cell<Option<Duration>>,
    request: Option<Duration>,
    stream: Option<Duration>,
}

/// Which clock has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// No byte has moved.
    Idle,
    /// The request was not whole.
    Request,
    /// The stream is too old.
    Stream,
}

impl Clocks {
    pub(super) fn new(upload: &Upload, timeouts: &HttpTimeouts, begun: Instant) -> Self {
        Self {
            begun,
            moved: Rc::clone(&upload.moved),
            received: Rc::clone(&upload.received),
            idle: Cell::new(timeouts.stream_idle),
            request: timeouts.request,
            stream: timeouts.max_stream,
        }
    }

    /// The next one that may run out.
    fn next(&self) -> Option<(Instant, Over)> {
        let idle = self.idle.get().map(|limit| (self.moved.get() + limit, Over::Idle));
        let request = self.request.filter(|_| self.received.at().is_none());
        let request = request.map(|limit| (self.begun + limit, Over::Request));
        let stream = self.stream.map(|limit| (self.begun + limit, Over::Stream));
        [idle, request, stream].into_iter().flatten().min_by_key(|(due, _)| *due)
    }
}

impl Over {
    /// What is answered, if nothing was yet; `whole`: the request was.
    pub(super) fn failure(self, whole: bool) -> Failure {
        match self {
            Self::Idle => Failure::StreamIdle(whole),
            Self::Request => Failure::RequestTimeout(whole),
            Self::Stream => Failure::StreamTooOld(whole),
        }
    }

    /// What counts it.
    pub(super) fn counter(self) -> HttpCounter {
        match self {
            Self::Idle => HttpCounter::RqIdleTimeout,
            Self::Request => HttpCounter::RqTimeout,
            Self::Stream => HttpCounter::RqMaxDurationReached,
        }
    }
}

/// Returns when a clock has run out.
pub(super) async fn over(clocks: &Clocks) -> Over {
    loop {
        let Some((due, over)) = clocks.next() else { return std::future::pending().await };
        if due <= now() {
            return over;
        }
        tokio::time::sleep_until(due.into()).await;
    }
}
