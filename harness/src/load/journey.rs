//! Users: each arrival of a flow with a journey is one, who goes from step to step, waits for every answer, thinks, and leaves when a
//! step fails.

use super::cookies::Cookies;
use super::errand::{Capture, Errand};
use super::exchange::Answer;
use super::flow::Flow;
use super::request::Template;
use super::schedule::Arrival;
use super::slot::Job;
use super::wire::{self, Body, End, FlowPlan, Table, Think};
use crate::clock::{Timer, now};
use crate::distribution::Distribution;
use crate::seed::Seed;
use rand_chacha::ChaCha12Rng;
use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::rc::Rc;
use std::time::Duration;

/// The journey of a flow.
pub(super) struct Journey {
    /// What a user counts as, from the first step's due time to the last answer.
    flow: Rc<Flow>,
    steps: Vec<Step>,
    /// Names of values: columns of the table that users take rows of in turn, then captures in the order of their steps.
    names: Table,
    timer: Timer,
    rng: RefCell<ChaCha12Rng>,
    seed: u64,
    /// Requests written so far.
    written: Cell<usize>,
}

struct Step {
    flow: Rc<Flow>,
    think: Distribution,
    longest_think: Duration,
    /// Place of its first capture among the names.
    first_value: usize,
    captures: Rc<[Capture]>,
    /// Nothing in its request differs between users, but for cookies.
    is_plain: bool,
}

/// What a user carries from step to step.
struct Visit {
    values: Vec<String>,
    cookies: Cookies,
}

impl Journey {
    /// That of a flow, if it has one.
    pub(super) fn of(flow: &Rc<Flow>, flows: &[Rc<Flow>], seed: u64, timer: &Timer) -> Option<Rc<Self>> {
        let plan = flow.plan.journey.as_ref()?;
        let mut names = flow.plan.data.clone().unwrap_or(Table { columns: Vec::new(), rows: Vec::new() });
        let mut steps = Vec::new();
        for step in &plan.steps {
            let first_value = names.columns.len();
            names.columns.extend(step.captures.iter().map(|capture| capture.name.clone()));
            steps.push(Step::new(step, Rc::clone(flows.get(step.flow)?), first_value));
        }
        let rng = Seed(seed).stream(&format!("load/journeys/{}", flow.plan.name));
        let (rng, timer) = (RefCell::new(rng), timer.clone());
        Some(Rc::new(Self { flow: Rc::clone(flow), steps, names, timer, rng, seed, written: Cell::new(0) }))
    }

    /// A user arrives.
    pub(super) fn begin(self: &Rc<Self>, arrival: Arrival) {
        let (journey, job) = (Rc::clone(self), self.flow.take_on(arrival));
        tokio::task::spawn_local(async move {
            let last = journey.walk(job).await;
            // It asked nothing itself: what was sent are its steps.
            let answer = Answer { sent: None, first_byte: None, instance: None, done: now(), ..last };
            journey.flow.finish(job, &answer);
        });
    }

    /// Goes all the way, or until a step fails; gives the answer that decided.
    async fn walk(&self, job: Job) -> Answer {
        let mut visit = Visit { values: self.row(job.arrival.id), cookies: Cookies::default() };
        let mut decided = Answer::none(End::Acceptable);
        let mut due = job.arrival.due;
        for step in &self.steps {
            let pause = step.think(&mut self.rng.borrow_mut());
            if !pause.is_zero() {
                due += pause.as_nanos() as u64;
                if !self.pause(due).await {
                    return Answer::none(End::Cut);
                }
            }
            let errand = Rc::new(Errand::new(self.request(step, &visit), &step.captures));
            let answer = step.flow.ask(due, Rc::clone(&errand)).await;
            match answer.end {
                End::Acceptable if decided.end == End::Degraded => {}
                End::Acceptable | End::Degraded => decided = answer,
                _ => return answer,
            }
            visit.learn(step, &errand);
            due = self.flow.since_start(answer.done);
        }
        decided
    }

    /// What a user asks in a step; None for what everybody asks.
    fn request(&self, step: &Step, visit: &Visit) -> Option<Template> {
        let asked = &step.flow.plan;
        let cookies = visit.cookies.of(&asked.authority);
        if step.is_plain && cookies.is_none() {
            return None;
        }
        self.written.set(self.written.get() + 1);
        let plan = filled(asked, &self.names, &visit.values, cookies);
        let template = Template::new(&plan, self.seed, self.written.get());
        let own_body = matches!(asked.body, Body::Text(_));
        Some(if own_body { template } else { template.with_body_of(step.flow.templates.of(0)) })
    }

    /// The values that a user brings along.
    fn row(&self, number: u64) -> Vec<String> {
        let rows = self.names.rows.len() as u64;
        let mut values = number.checked_rem(rows).map(|row| self.names.rows[row as usize].clone()).unwrap_or_default();
        values.resize(self.names.columns.len(), String::new());
        values
    }

    /// False if the load ends before.
    async fn pause(&self, until: u64) -> bool {
        tokio::select! {
            () = self.timer.sleep_until(self.flow.at(until)) => true,
            () = self.flow.until_stopped() => false,
        }
    }
}

impl Step {
    fn new(plan: &wire::Step, flow: Rc<Flow>, first_value: usize) -> Self {
        let nanos = |span: Duration| span.as_nanos() as f64;
        let differing = |text: &str| wire::names(text).next().is_some();
        let asked = &flow.plan;
        let is_plain = !differing(&asked.path)
            && !asked.headers.iter().any(|(_, value)| differing(value))
            && !matches!(&asked.body, Body::Text(text) if differing(text));
        Self {
            think: match plan.think {
                Think::Fixed(span) => Distribution::Fixed(nanos(span)),
                Think::Lognormal { p50, p99 } => Distribution::lognormal(nanos(p50), nanos(p99)),
                Think::Uniform { min, max } => Distribution::uniform(nanos(min), nanos(max)),
            },
            longest_think: plan.think.longest(),
            first_value,
            captures: plan.captures.iter().filter_map(|capture| Capture::new(&capture.from)).collect(),
            is_plain,
            flow,
        }
    }

    fn think(&self, rng: &mut ChaCha12Rng) -> Duration {
        Duration::from_nanos(self.think.draw(rng) as u64).min(self.longest_think)
    }
}

impl Visit {
    /// Remembers what an answer held.
    fn learn(&mut self, step: &Step, errand: &Errand) {
        let heard = errand.heard();
        let places = &mut self.values[step.first_value..];
        places.iter_mut().zip(heard.values).for_each(|(place, value)| *place = value);
        heard.cookies.iter().for_each(|cookie| self.cookies.set(&step.flow.plan.authority, cookie));
    }
}

/// A step's flow with the values of one user.
fn filled(flow: &FlowPlan, names: &Table, values: &[String], cookies: Option<String>) -> FlowPlan {
    let fill = |text: &str| names.fill(text, values);
    let mut headers: Vec<_> = flow.headers.iter().map(|(name, value)| (name.clone(), fill(value))).collect();
    if let Some(cookies) = cookies {
        match headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
            Some((_, own)) => *own = format!("{own}; {cookies}"),
            None => headers.push(("cookie".to_owned(), cookies)),
        }
    }
    let body = match &flow.body {
        Body::Text(text) => Body::Text(fill(text)),
        // The body of all is put in its place.
        _ => Body::Fixed(0),
    };
    FlowPlan { path: target(&fill(&flow.path)), headers, body, ..flow.clone() }
}

/// What is asked for. Where a whole address was captured its path is: whom a step asks stands in the step.
fn target(filled: &str) -> String {
    let address = filled.split_once("://").filter(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let path = address.map_or(filled, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
    if path.starts_with('/') { encoded(path) } else { format!("/{}", encoded(path)) }
}

/// A path with what cannot stand in one encoded; what can is left alone.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_captured_address_gives_its_path() {
        for (filled, expected) in [
            ("/orders/9", "/orders/9"),
            ("http://shop.example.com:8080/orders/9?a=1", "/orders/9?a=1"),
            ("https://shop.example.com", "/"),
            ("orders/9", "/orders/9"),
            ("", "/"),
            ("/go?to=http://a/b", "/go?to=http://a/b"),
        ] {
            assert_eq!(target(filled), expected, "{filled}");
        }
    }

    #[test]
    fn values_stand_in_path_fields_and_body_and_cookies_join_those_written() {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let names = Table { columns: words(&["user", "item"]), rows: Vec::new() };
        let flow = FlowPlan {
            path: "/cart/${item}?u=${user}".to_owned(),
            headers: vec![("X-User".to_owned(), "${user}".to_owned()), ("Cookie".to_owned(), "own=1".to_owned())],
            body: Body::Text("{\"item\": \"${item}\"}".to_owned()),
            ..FlowPlan::new("add", Vec::new(), "cart")
        };
        let plan = filled(&flow, &names, &words(&["ann", "a b/ü#"]), Some("s=2".to_owned()));
        assert_eq!(plan.path, "/cart/a%20b/%C3%BC%23?u=ann");
        assert_eq!(plan.headers[0].1, "ann");
        assert_eq!(plan.headers[1].1, "own=1; s=2");
        assert_eq!(plan.body, Body::Text("{\"item\": \"a b/ü#\"}".to_owned()));
    }
}
