//! Does what a case says on one side, and notes what is seen.

use super::case::{Asked, Case, Step};
use super::request::{Ask, final_answer};
use super::script::Actor;
use super::seen::{Mask, Seen};
use super::{Side, differences};
use crate::http::{Connection, Message};
use crate::until;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Counters that are compared in every case. Those of the cluster `cart` begin with a dot.
const COUNTERS: [&str; 24] = [
    ".upstream_rq_total",
    ".upstream_rq_2xx",
    ".upstream_rq_4xx",
    ".upstream_rq_5xx",
    ".upstream_rq_retry",
    ".upstream_rq_retry_success",
    ".upstream_rq_retry_limit_exceeded",
    ".upstream_rq_retry_overflow",
    ".upstream_rq_pending_overflow",
    ".upstream_rq_timeout",
    ".upstream_rq_per_try_timeout",
    ".upstream_rq_rx_reset",
    ".upstream_rq_tx_reset",
    ".upstream_rq_maintenance_mode",
    ".upstream_cx_connect_fail",
    ".upstream_cx_connect_timeout",
    ".upstream_cx_none_healthy",
    ".retry_or_shadow_abandoned",
    "http.in.downstream_rq_total",
    "http.in.downstream_rq_2xx",
    "http.in.downstream_rq_3xx",
    "http.in.downstream_rq_4xx",
    "http.in.downstream_rq_5xx",
    "http.in.no_route",
];

/// One side's run of a case.
struct Run<'c> {
    side: &'c Side,
    actors: &'c [Actor],
    mask: Mask,
    seen: Seen,
    asked: usize,
    begun: Option<BTreeMap<String, i64>>,
    held: Vec<JoinHandle<Message>>,
}

pub(super) fn observe(case: &Case, side: &Side, actors: &[Actor], expected: Option<&Seen>) -> Seen {
    let listed = differences::listed();
    let mut addresses: Vec<_> =
        actors.iter().map(|actor| (actor.address().to_string(), format!("${}", actor.name))).collect();
    addresses.push((side.listen.to_string(), "$listen".to_owned()));
    for before in [":", "x-forwarded-port: "] {
        addresses.push((format!("{before}{}", side.listen.port()), format!("{before}$listen")));
    }
    // Envoy takes the machine's own address for a client on loopback; see docs/differences.md.
    if let Some(own) = own_address().filter(|_| listed.iter().any(|name| name == "own-address")) {
        addresses.push((own, "127.0.0.1".to_owned()));
    }
    let mask = Mask::new(addresses);
    let mut run = Run { side, actors, mask, seen: Seen::default(), asked: 0, begun: None, held: Vec::new() };
    for (number, step) in case.steps.iter().enumerate() {
        run.step(number + 1, step);
    }
    run.ended(case, expected);
    run.seen
}

impl Run<'_> {
    fn actor(&self, name: &str) -> &Actor {
        self.actors.iter().find(|actor| actor.name == name).expect("a backend of the case")
    }

    fn note(&mut self, what: impl Into<String>, text: &str) {
        self.seen.texts.push((what.into(), self.mask.text(text)));
    }

    fn step(&mut self, number: usize, step: &Step) {
        if !matches!(step, Step::Align(_)) && self.begun.is_none() {
            self.begun = Some(self.settled());
        }
        let listen = self.side.listen;
        match step {
            Step::Ask(request) => {
                let answer = Ask::new(request).ask(listen);
                self.answered(format!("{number}. {}", short(request)), &answer);
            }
            Step::Together(requests) => {
                let mut connection = Connection::to(listen).expect("a connection");
                for request in requests {
                    let answer = Ask::new(request).ask_on(&mut connection);
                    self.answered(format!("{number}. {}", short(request)), &answer);
                }
            }
            Step::Raw(bytes) => {
                let (answer, after) = raw(listen, bytes);
                let what = format!("{number}. {:?}", short(&String::from_utf8_lossy(bytes)));
                self.answered(format!("{what}, the connection"), &answer);
                self.note(what, after);
            }
            Step::Align(backend) => self.align(backend),
            Step::Spread(times, request) => {
                let counts = spread(listen, *times, request);
                self.seen.spreads.push((format!("{number}. {request}"), counts));
            }
            Step::Hold(arrived, request) => {
                let ask = Ask::new(request);
                self.asked += 1;
                self.held.push(std::thread::spawn(move || ask.ask(listen)));
                let actors = self.actors;
                until("the request has come", || {
                    actors.iter().map(|actor| actor.asked().len()).sum::<usize>() >= *arrived
                });
            }
            Step::Release => {
                self.actors.iter().for_each(Actor::release);
                let answers: Vec<_> = self.held.drain(..).collect();
                for answer in answers {
                    let answer = answer.join().expect("the client does not panic");
                    let text = self.mask.message(&answer);
                    self.seen.texts.push((format!("{number}. what was held"), text));
                }
            }
            Step::Play(backend, plays) => self.actor(backend).play(plays),
            Step::UntilStat(stat, value) => {
                let (side, name) = (self.side, full(stat));
                until(&format!("{}: {name} is {value}", side.name), || side.stats().get(&name).unwrap_or(&0) == value);
            }
            Step::AskUntilStat(request, stat, value) => {
                let (side, name) = (self.side, full(stat));
                until(&format!("{}: {name} is {value}", side.name), || {
                    spread(listen, 50, request);
                    side.stats().get(&name).unwrap_or(&0) >= value
                });
            }
            Step::UntilAsked(backend, times) => {
                let (side, actor) = (self.side, self.actor(backend));
                until(&format!("{}: {backend} has been asked {times} times", side.name), || {
                    actor.asked().len() >= *times
                });
            }
            Step::FirstAsked(backend) => {
                let actor = self.actor(backend);
                until(&format!("{}: {backend} has been asked", self.side.name), || !actor.asked().is_empty());
                let asked = self.mask.message(&actor.asked()[0]);
                self.seen.texts.push((format!("{number}. what {backend} was asked first"), asked));
            }
            Step::UntilAnswer(request, answer, slack) => {
                let begin = now();
                let ask = Ask::new(request);
                until(&format!("{}: {request} is answered with {answer}", self.side.name), || {
                    let seen = ask.ask(listen);
                    format!("{} {}", seen.status(), seen.text()) == *answer
                });
                let taken = now().duration_since(begin);
                self.seen.times.push((format!("{number}. until {request} is answered with {answer}"), taken, *slack));
            }
            Step::Health => {
                let health = self.side.health().join("\n      ");
                self.note(format!("{number}. /clusters"), &health);
            }
            Step::Connections(backend) => {
                let connections = self.actor(backend).connections();
                self.note(format!("{number}. connections to {backend}"), &connections.to_string());
            }
            Step::Do(what, act) => {
                let text = act(self.side);
                self.note(format!("{number}. {what}"), &text);
            }
            Step::Table(what, read) => {
                let table = read(self.side).into_iter().map(|(name, value)| (self.mask.text(&name), value)).collect();
                self.seen.tables.push((format!("{number}. {what}"), table));
            }
        }
    }

    /// All counters, once nothing changes any more: what came before is counted a moment after its answer.
    fn settled(&self) -> BTreeMap<String, i64> {
        let requests = |stats: &BTreeMap<String, i64>| {
            let counted = stats.iter().filter(|(name, _)| name.contains("_rq_") && name.starts_with("http.in."));
            counted.map(|(_, value)| *value).collect::<Vec<_>>()
        };
        let mut stats = self.side.stats();
        within(Duration::from_secs(1), || {
            let before = std::mem::replace(&mut stats, self.side.stats());
            requests(&before) == requests(&stats)
        });
        stats
    }

    fn answered(&mut self, what: String, answer: &Message) {
        self.asked += 1;
        let text = self.mask.message(answer);
        self.seen.texts.push((what, text));
    }

    fn align(&self, backend: &str) {
        let ask = Ask::new("GET /align");
        until(&format!("{backend} has answered"), || ask.ask(self.side.listen).text() == backend);
    }

    /// Whatever is looked at when all has been done.
    fn ended(&mut self, case: &Case, expected: Option<&Seen>) {
        if case.logged {
            self.access_log(expected);
        }
        for actor in self.actors {
            let asked: Vec<_> = actor.asked().iter().map(|asked| self.mask.message(asked)).collect();
            let what = format!("what {} was asked", actor.name);
            match case.asked {
                Asked::Wholly => {
                    self.seen.texts.push((what, format!("{} times\n    {}", asked.len(), asked.join("\n    "))));
                }
                Asked::Number => self.seen.texts.push((what, format!("{} times", asked.len()))),
                Asked::Sum | Asked::Nothing => {}
            }
        }
        if case.asked == Asked::Sum {
            let sum: usize = self.actors.iter().map(|actor| actor.asked().len()).sum();
            self.seen.texts.push(("what backends were asked".to_owned(), format!("{sum} times")));
        }
        if case.logged {
            let names = COUNTERS.iter().map(ToString::to_string).chain(case.stats.clone());
            self.counters(&names.collect::<Vec<_>>(), expected);
        } else {
            self.counters(&case.stats, expected);
        }
    }

    fn access_log(&mut self, expected: Option<&Seen>) {
        let lines =
            || -> Vec<String> { self.side.log().into_iter().filter(|line| !line.contains(" /align")).collect() };
        let mut wanted = self.asked;
        if let Some((_, text)) = expected.and_then(|seen| seen.texts.iter().find(|(what, _)| what == "access log")) {
            wanted = text.lines().count();
        }
        within(Duration::from_secs(2), || lines().len() >= wanted);
        // What is written late is waited for: both write at least every 10 ms.
        let mut seen = lines().len();
        within(Duration::from_secs(2), || {
            std::thread::park_timeout(Duration::from_millis(30));
            seen == std::mem::replace(&mut seen, lines().len())
        });
        let text = lines().join("\n");
        self.note("access log", &text);
    }

    /// Counters as they grew since the first step. What is written late is waited for: on one side until nothing changes any more, on
    /// the other until it is what was expected.
    fn counters(&mut self, names: &[String], expected: Option<&Seen>) {
        let begun = self.begun.take().unwrap_or_default();
        let grown = || -> Vec<(String, String)> {
            let stats = self.side.stats();
            let of = |name: String| {
                let grown = stats.get(&name).unwrap_or(&0) - begun.get(&name).unwrap_or(&0);
                (format!("stat {name}"), grown.to_string())
            };
            names.iter().map(|name| of(full(name))).collect()
        };
        let mut seen = grown();
        within(Duration::from_secs(1), || {
            let before = std::mem::replace(&mut seen, grown());
            match expected {
                None => before == seen,
                Some(expected) => seen.iter().all(|counter| expected.texts.contains(counter)),
            }
        });
        self.seen.texts.extend(seen);
    }
}

/// The first address of the machine that is not loopback.
fn own_address() -> Option<String> {
    let addresses = nix::ifaddrs::getifaddrs().ok()?;
    let ips = addresses.filter_map(|interface| Some(interface.address?.as_sockaddr_in()?.ip()));
    ips.into_iter().find(|ip| !ip.is_loopback()).map(|ip| ip.to_string())
}

fn full(stat: &str) -> String {
    stat.strip_prefix('.').map_or_else(|| stat.to_owned(), |rest| format!("cluster.cart.{rest}"))
}

fn short(text: &str) -> String {
    if text.chars().count() > 80 {
        format!("{}...", text.chars().take(80).collect::<String>())
    } else {
        text.to_owned()
    }
}

/// The answer to bytes, and what a further request on that connection meets.
fn raw(listen: SocketAddr, bytes: &[u8]) -> (Message, &'static str) {
    let mut connection = Connection::to(listen).expect("a connection");
    // What was refused before it was read is answered all the same.
    let _ = connection.send(bytes);
    let method = bytes.split(|byte| *byte == b' ').next().unwrap_or_default();
    let answer = final_answer(&mut connection, &String::from_utf8_lossy(method));
    let _ = connection.send("GET /align HTTP/1.1\r\nhost: cart\r\n\r\n");
    let after = match connection.answer() {
        Ok(Some(_)) => "is open",
        Ok(None) | Err(_) => "is closed",
    };
    (answer, after)
}

fn spread(listen: SocketAddr, times: usize, request: &str) -> BTreeMap<String, usize> {
    let ask = Ask::new(request);
    let mut connection = Connection::to(listen).expect("a connection");
    let mut counts = BTreeMap::new();
    for _ in 0..times {
        let answer = ask.ask_on(&mut connection);
        *counts.entry(format!("{} {}", answer.status(), answer.text())).or_default() += 1;
        if answer.field("connection") == "close" || answer.status() == 0 {
            connection = Connection::to(listen).expect("a connection");
        }
    }
    counts
}

#[allow(clippy::disallowed_methods, reason = "a test waits by the real clock")]
fn now() -> Instant {
    Instant::now()
}

/// Waits for a condition, but no longer than this.
fn within(patience: Duration, mut condition: impl FnMut() -> bool) {
    let begin = now();
    while !condition() && begin.elapsed() < patience {
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
