//! What is done with both sides.

use super::{Asked, Case, Step};
use crate::envoy::Side;
use std::sync::Arc;

impl Case {
    pub(super) fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Asks, on a connection of its own.
    #[must_use]
    pub fn ask(self, request: &str) -> Self {
        self.step(Step::Ask(request.to_owned()))
    }

    /// Asks several, one after another.
    #[must_use]
    pub fn asks(mut self, requests: &[&str]) -> Self {
        self.steps.extend(requests.iter().map(|request| Step::Ask((*request).to_owned())));
        self
    }

    /// Asks so often.
    #[must_use]
    pub fn times(mut self, times: usize, request: &str) -> Self {
        self.steps.extend((0..times).map(|_| Step::Ask(request.to_owned())));
        self
    }

    /// Asks several on one connection.
    #[must_use]
    pub fn together(self, requests: &[&str]) -> Self {
        self.step(Step::Together(requests.iter().map(|request| (*request).to_owned()).collect()))
    }

    /// Sends bytes as they are.
    #[must_use]
    pub fn raw(self, bytes: impl AsRef<[u8]>) -> Self {
        self.step(Step::Raw(bytes.as_ref().to_vec()))
    }

    /// Turns the rotation until this backend was the last.
    #[must_use]
    pub fn align(self, backend: &str) -> Self {
        self.step(Step::Align(backend.to_owned()))
    }

    /// Asks so often and compares only how often each answer came, by the chi-square test.
    #[must_use]
    pub fn spread(mut self, times: usize, request: &str) -> Self {
        self.asked = Asked::Nothing;
        self.logged = false;
        self.step(Step::Spread(times, request.to_owned()))
    }

    /// Asks in the background, and waits until `number` requests have come to backends.
    #[must_use]
    pub fn hold(self, number: usize, request: &str) -> Self {
        self.step(Step::Hold(number, request.to_owned()))
    }

    /// Lets `held` answers go.
    #[must_use]
    pub fn release(self) -> Self {
        self.step(Step::Release)
    }

    /// A backend answers so from now on.
    #[must_use]
    pub fn play(self, backend: &str, plays: &[&'static str]) -> Self {
        self.step(Step::Play(backend.to_owned(), plays.to_vec()))
    }

    /// Waits for a counter or level; one that begins with a dot is of the cluster `cart`.
    #[must_use]
    pub fn until(self, stat: &str, value: i64) -> Self {
        self.step(Step::UntilStat(stat.to_owned(), value))
    }

    /// Asks, over and over, until a counter or level is at least this, however slow the machine is.
    #[must_use]
    pub fn asking_until(self, request: &str, stat: &str, value: i64) -> Self {
        self.step(Step::AskUntilStat(request.to_owned(), stat.to_owned(), value))
    }

    /// Waits until so many requests have come to a backend.
    #[must_use]
    pub fn until_asked(self, backend: &str, number: usize) -> Self {
        self.step(Step::UntilAsked(backend.to_owned(), number))
    }

    /// Waits for the first request to a backend, and compares it, as where checks are among them.
    #[must_use]
    pub fn first_asked(self, backend: &str) -> Self {
        self.step(Step::FirstAsked(backend.to_owned()))
    }

    /// Asks until the answer is `STATUS BODY`; how long it takes may differ by `slack_ms`.
    #[must_use]
    pub fn until_answer(self, request: &str, answer: &'static str, slack_ms: u64) -> Self {
        self.step(Step::UntilAnswer(request.to_owned(), answer, slack_ms))
    }

    /// Compares the flags of all endpoints in `/clusters`.
    #[must_use]
    pub fn health(self) -> Self {
        self.step(Step::Health)
    }

    /// Compares how many connections a backend has had.
    #[must_use]
    pub fn connections(self, backend: &str) -> Self {
        self.step(Step::Connections(backend.to_owned()))
    }

    /// Does anything else, and compares the text that comes of it.
    #[must_use]
    pub fn then(self, what: &'static str, act: impl Fn(&Side) -> String + Send + Sync + 'static) -> Self {
        self.step(Step::Do(what, Arc::new(act)))
    }
}
