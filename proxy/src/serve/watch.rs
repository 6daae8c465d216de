//! How long a request may take, whatever it is waiting for.

use super::alarms::Alarms;
use super::respond::Failure;
use super::upload::{Progress, Received, Upload};
use crate::clock::now;
use crate::policy::HttpTimeouts;
use crate::telemetry::HttpCounter;
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The clocks of one request.
pub(super) struct Clocks {
    begun: Instant,
    progress: Rc<Progress>,
    received: Rc<Received>,
    /// No byte either way; a route may say otherwise than its listener.
    pub(super) idle: Cell<Option<Duration>>,
    /// The same while a body is under way.
    body_idle: Option<Duration>,
    request: Option<Duration>,
    /// From its first byte to its last; a route may say otherwise.
    pub(super) stream: Cell<Option<Duration>>,
}

/// Which clock has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// No byte has moved.
    Idle,
    /// No byte of a body has.
    BodyIdle,
    /// The request was not whole.
    Request,
    /// The stream is too old.
    Stream,
}

impl Clocks {
    pub(super) fn new(upload: &Upload, timeouts: &HttpTimeouts, begun: Instant) -> Self {
        Self {
            begun,
            progress: Rc::clone(&upload.progress),
            received: Rc::clone(&upload.received),
            idle: Cell::new(timeouts.stream_idle),
            body_idle: timeouts.body_idle,
            request: timeouts.request,
            stream: Cell::new(timeouts.max_stream),
        }
    }

    /// The next one that may run out.
    fn next(&self) -> Option<(Instant, Over)> {
        let moved = self.progress.moved.get();
        let idle = self.idle.get().map(|limit| (moved + limit, Over::Idle));
        let body = self.body_idle.filter(|_| self.received.at().is_none() || self.progress.answering.get());
        let body = body.map(|limit| (moved + limit, Over::BodyIdle));
        let request = self.request.filter(|_| self.received.at().is_none());
        let request = request.map(|limit| (self.begun + limit, Over::Request));
        let stream = self.stream.get().map(|limit| (self.begun + limit, Over::Stream));
        [idle, body, request, stream].into_iter().flatten().min_by_key(|(due, _)| *due)
    }
}

impl Over {
    /// What is answered, if nothing was yet; `whole`: the request was.
    pub(super) fn failure(self, whole: bool) -> Failure {
        match self {
            Self::Idle => Failure::StreamIdle(whole),
            Self::BodyIdle => Failure::BodyIdle(whole),
            Self::Request => Failure::RequestTimeout(whole),
            Self::Stream => Failure::StreamTooOld(whole),
        }
    }

    /// What counts it.
    pub(super) fn counter(self) -> HttpCounter {
        match self {
            Self::Idle => HttpCounter::RqIdleTimeout,
            Self::BodyIdle => HttpCounter::RqBodyIdleTimeout,
            Self::Request => HttpCounter::RqTimeout,
            Self::Stream => HttpCounter::RqMaxDurationReached,
        }
    }
}

/// Returns when a clock has run out.
pub(super) async fn over(clocks: &Clocks, alarms: &Alarms) -> Over {
    loop {
        let now = now();
        let next = clocks.next();
        if let Some((due, over)) = next
            && due <= now
        {
            return over;
        }
        // A body may begin meanwhile, whose clock is another.
        let look_again = clocks.body_idle.map(|limit| now + limit);
        let Some(wake) = next.map(|(due, _)| due).into_iter().chain(look_again).min() else {
            return std::future::pending().await;
        };
        alarms.until(Some(wake)).await;
    }
}
