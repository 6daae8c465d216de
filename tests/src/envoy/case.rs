//! A case: the lines of its bootstrap, its backends, what is asked and what is compared, one after another.

mod done;
mod given;

use super::Side;
use super::bootstrap::Bootstrap;
use super::script::Part;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is compared of the requests that backends got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Each request, whole and in its order.
    Wholly,
    /// How many each got.
    Number,
    /// How many all got together.
    Sum,
    /// Nothing: health checks are among them.
    Nothing,
}

/// Names with values, as a proxy tells them.
type Told = dyn Fn(&Side) -> BTreeMap<String, String> + Send + Sync;

/// One thing that is done.
pub(super) enum Step {
    /// Asks, and notes the answer.
    Ask(String),
    /// Several requests on one connection.
    Together(Vec<String>),
    /// Bytes as they are; then whether the connection can still be used.
    Raw(Vec<u8>),
    /// Asks until this backend answers, so that the next pick is known.
    Align(String),
    /// Asks so often on one connection, and notes how often each status and body came.
    Spread(usize, String),
    /// Asks in the background, until this many have come to backends.
    Hold(usize, String),
    /// Lets backends answer what they held back, and notes the answers.
    Release,
    /// A backend answers so from now on.
    Play(String, Vec<&'static str>),
    /// Waits for a counter or level.
    UntilStat(String, i64),
    /// Asks, over and over, until a counter or level is at least this.
    AskUntilStat(String, String, i64),
    /// Waits for requests to have come to a backend.
    UntilAsked(String, usize),
    /// What came first to a backend.
    FirstAsked(String),
    /// Asks until this is the answer, and notes how long it took, give or take so many milliseconds.
    UntilAnswer(String, &'static str, u64),
    /// The health of all endpoints.
    Health,
    /// How many connections a backend got.
    Connections(String),
    /// Anything else that can be told in a text.
    Do(&'static str, Arc<dyn Fn(&Side) -> String + Send + Sync>),
    /// Names with values; those that both have are the same.
    Table(&'static str, Arc<Told>),
}

/// A case; see [`case`](fn@case).
pub struct Case {
    pub(super) name: &'static str,
    pub(super) bootstrap: Bootstrap,
    pub(super) parts: Vec<Part>,
    pub(super) steps: Vec<Step>,
    pub(super) stats: Vec<String>,
    pub(super) asked: Asked,
    pub(super) logged: bool,
    pub(super) differs: Option<&'static str>,
}

/// A case whose name says its rule. Without routes everything goes to the cluster `cart`; it has all backends.
#[must_use]
pub fn case(name: &'static str) -> Case {
    Case {
        name,
        bootstrap: Bootstrap::default(),
        parts: Vec::new(),
        steps: Vec::new(),
        stats: Vec::new(),
        asked: Asked::Wholly,
        logged: true,
        differs: None,
    }
}

impl Case {
    /// Its name, which is its rule.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The short name of its difference, if it differs on purpose.
    #[must_use]
    pub fn difference(&self) -> Option<&'static str> {
        self.differs
    }
}

/// What is compared.
impl Case {
    /// Names and values, of which those are compared that both have.
    #[must_use]
    pub fn table_of(
        self,
        what: &'static str,
        read: impl Fn(&Side) -> BTreeMap<String, String> + Send + Sync + 'static,
    ) -> Self {
        self.step(Step::Table(what, Arc::new(read)))
    }

    /// Further counters, between spaces; one that begins with a dot is of the cluster `cart`.
    #[must_use]
    pub fn stats(mut self, names: &str) -> Self {
        self.stats.extend(names.split_whitespace().map(ToOwned::to_owned));
        self
    }

    /// Of backends, only how often each was asked.
    #[must_use]
    pub fn counting(mut self) -> Self {
        self.asked = Asked::Number;
        self
    }

    /// Of backends, only how often all were asked together.
    #[must_use]
    pub fn summing(mut self) -> Self {
        self.asked = Asked::Sum;
        self
    }

    /// Neither backends nor the access log: health checks, or as many requests as it takes.
    #[must_use]
    pub fn answers_only(mut self) -> Self {
        self.asked = Asked::Nothing;
        self.logged = false;
        self
    }

    /// It differs, as `docs/differences.md` says under this name.
    #[must_use]
    pub fn differs(mut self, name: &'static str) -> Self {
        self.differs = Some(name);
        self
    }
}
