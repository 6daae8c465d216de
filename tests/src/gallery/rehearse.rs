//! A load that was never sent: every request of a plan is played through a small model of balancing, faults, retries
//! and ejection, and booked as a real one would be. The figures of the record then agree with each other by themselves.

mod close;

use super::chance::Chance;
use super::kept::Kept;
use super::plan::{Harm, Plan, Rollout, seconds};
use super::tally::{Gone, Tally};
use squall_reports::record::{
    Arm, Event, EventKind, FaultSpan, Figure, Flow, Instance, Mark, Micros, Offer, Offers, Outcome, Outcomes, Phase,
    Process, SECOND, SLOT, Said, SaidKind, Single, Verdict, Witness,
};
use squall_reports::stats::Histogram;

/// An instance stays out for this long, times how often it was out.
const OUT: Micros = seconds(3);

/// The arm that comes of a plan; not yet judged.
pub(super) fn rehearse(plan: &Plan) -> Arm {
    let mut stage = Stage::new(plan);
    let mut next: Vec<(Micros, u64)> = plan.streams.iter().map(|_| (0, 0)).collect();
    let mut id = 0;
    while let Some((flow, due)) = earliest(&next, stage.end) {
        let number = next[flow].1 + 1;
        next[flow] = ((number as f64 * 1e6 / plan.streams[flow].rate) as Micros, number);
        stage.request(id, flow, due);
        id += 1;
    }
    stage.finish()
}

fn earliest(next: &[(Micros, u64)], end: Micros) -> Option<(usize, Micros)> {
    let due = next.iter().enumerate().map(|(flow, (due, _))| (flow, *due)).filter(|(_, due)| *due < end);
    due.min_by_key(|(_, due)| *due)
}

/// What one instance is going through.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    failures: u32,
    times_out: i64,
    out_until: Micros,
    out: bool,
}

/// How an attempt ended, and when.
struct Reply {
    outcome: Outcome,
    status: Option<u16>,
    after: Micros,
}

/// The second that is being played.
#[derive(Debug, Default)]
struct Now {
    at: Micros,
    by_flow: Vec<Histogram>,
    lags: Vec<u64>,
    served: Vec<u64>,
}

struct Stage<'a> {
    plan: &'a Plan,
    arm: Arm,
    chance: Chance,
    end: Micros,
    states: Vec<State>,
    tallies: Vec<Vec<Tally>>,
    kept: Kept,
    now: Now,
    lags: Histogram,
    release_answers: u64,
    release_lost: u64,
    released: bool,
    taken_back: bool,
}

impl<'a> Stage<'a> {
    fn new(plan: &'a Plan) -> Self {
        let spans = plan.spans();
        let end = spans.last().map_or(0, |(_, to)| *to);
        let slots = (end as u64).div_ceil(SLOT as u64) as usize;
        let mut arm = Arm::empty(plan.kind);
        arm.started = Some("2026-11-20T02:10:05.000000000Z".to_owned());
        arm.without.clone_from(&plan.without);
        arm.cell.clone_from(&plan.cell);
        arm.verdict = Verdict::Pass;
        arm.phases = (plan.phases.iter().zip(&spans))
            .map(|((name, _), (from, to))| Phase {
                name: name.clone(),
                from: *from,
                to: *to,
                judged: name != "warm-up",
                moved_in: 0,
            })
            .collect();
        arm.flows = (plan.streams.iter())
            .map(|stream| Flow {
                name: stream.name.clone(),
                to: stream.to.clone(),
                journey: false,
                rate: stream.rate,
                connections: plan.cell.as_ref().map_or("up to 4000".to_owned(), |cell| cell.connections.to_string()),
                time_out: stream.time_out,
            })
            .collect();
        arm.instances = (plan.places.iter().enumerate())
            .map(|(index, place)| Instance {
                name: place.name.clone(),
                service: place.service.clone(),
                version: place.version.clone(),
                address: format!("127.0.0.1:{}", 40_001 + index),
                faulty: plan.breaks.iter().any(|fault| fault.instance == index),
            })
            .collect();
        let zeros = || vec![0; slots];
        arm.outcomes = (0..plan.streams.len())
            .map(|flow| Outcomes { flow, planned: zeros(), sent: zeros(), ..Outcomes::default() })
            .collect();
        arm.offers = (0..plan.places.len())
            .map(|instance| Offers {
                instance,
                offered: zeros(),
                retries: zeros(),
                cut: zeros(),
                received: zeros(),
                inferred: zeros(),
                ..Offers::default()
            })
            .collect();
        arm.processes = (["proxy", "shim", "load"].into_iter().map(str::to_owned))
            .chain(plan.places.iter().map(|place| place.name.clone()))
            .map(|name| Process { name, ..Process::default() })
            .collect();
        let mut stage = Self {
            plan,
            arm,
            chance: Chance::new(plan.seed),
            end,
            states: vec![State::default(); plan.places.len()],
            tallies: vec![vec![Tally::default(); plan.streams.len()]; plan.phases.len()],
            kept: Kept::default(),
            now: Now::default(),
            lags: Histogram::default(),
            release_answers: 0,
            release_lost: 0,
            released: false,
            taken_back: false,
        };
        stage.begin_second(0);
        stage.set_up();
        stage
    }

    /// Phases and faults, whose times are known before.
    fn set_up(&mut self) {
        for phase in self.arm.phases.clone() {
            let text = format!("{} begins", phase.name);
            self.event(phase.from, EventKind::Phase, &phase.name, Witness::Harness, text);
        }
        for fault in &self.plan.breaks {
            let (from, to) = (self.arm.phases[fault.phase].from, self.arm.phases[fault.phase].to);
            let (name, kind) = (self.plan.places[fault.instance].name.clone(), fault.harm.kind());
            let what = match fault.harm {
                Harm::Abort => format!("abort 503 on {name}"),
                Harm::Latency(more) => format!("latency {}ms on {name}", more / 1000),
                Harm::Hang | Harm::Kill => format!("{kind} on {name}"),
            };
            let what = if fault.share < 1.0 { format!("{what}, {:.0}%", fault.share * 100.0) } else { what };
            self.event(from + 2_100, EventKind::FaultAsked, &name, Witness::Harness, what.clone());
            self.event(to + 900, EventKind::FaultCleared, &name, Witness::Harness, format!("{kind} is cleared"));
            self.arm.faults.push(FaultSpan {
                kind: kind.to_owned(),
                what,
                instance: fault.instance,
                phase: fault.phase,
                asked: from + 2_100,
                effect: None,
                cleared: Some(to + 900),
                harmed: 0,
                victims: Vec::new(),
            });
        }
    }

    fn event(&mut self, at: Micros, kind: EventKind, subject: &str, witness: Witness, text: String) {
        self.arm.events.push(Event { at, kind, subject: subject.to_owned(), witness, text });
    }

    fn mark(&mut self, at: Micros, label: &str, subject: &str) {
        self.arm.marks.push(Mark { at, label: label.to_owned(), subject: subject.to_owned() });
        self.kept.mark(at);
    }

    fn phase_at(&self, at: Micros) -> usize {
        self.arm.phases.iter().position(|phase| at < phase.to).unwrap_or(self.arm.phases.len() - 1)
    }

    fn slot(at: Micros, slots: usize) -> usize {
        ((at.max(0) / SLOT) as usize).min(slots - 1)
    }

    fn request(&mut self, id: u64, flow: usize, due: Micros) {
        while due >= self.now.at + SECOND {
            self.end_second();
        }
        let time_out = self.plan.streams[flow].time_out;
        let late = if due > self.end / 2 { self.plan.late } else { 0 };
        let released = due + 30 + self.chance.below(90) as i64 + late;
        let sent = released + 5;
        let phase = self.phase_at(due);
        let first = self.pick(flow, due, None);
        let mut instance = first;
        let mut reply = self.attempt(id, flow, phase, first, sent + 60, 1);
        if self.plan.retries && reply.outcome.is_lost() && reply.after < time_out / 2 {
            let again = self.pick(flow, due, Some(first));
            let second = self.attempt(id, flow, phase, again, sent + reply.after + 300, 2);
            reply = Reply { after: reply.after + 300 + second.after, ..second };
            instance = again;
        }
        if let Some((_, after)) = self.plan.outliers.iter().find(|(outlier, _)| *outlier == id) {
            reply.after = *after;
        }
        if reply.after >= time_out {
            reply = Reply { outcome: Outcome::TimeOut, status: None, after: time_out - (sent - due) };
        }
        let done = sent + reply.after;
        let answered = reply.status.map(|_| instance);
        let gone = Gone { due, released, sent, done, time_out, outcome: reply.outcome.clone(), status: reply.status };
        self.book(id, flow, phase, answered, &gone);
    }

    fn book(&mut self, id: u64, flow: usize, phase: usize, instance: Option<usize>, gone: &Gone) {
        let lost = gone.outcome.is_lost();
        self.tallies[phase][flow].add(gone);
        let outcomes = &mut self.arm.outcomes[flow];
        let slots = outcomes.planned.len();
        outcomes.planned[Self::slot(gone.due, slots)] += 1;
        outcomes.sent[Self::slot(gone.sent, slots)] += 1;
        let counts = outcomes.by_outcome.entry(gone.outcome.clone()).or_insert_with(|| vec![0; slots]);
        counts[Self::slot(gone.due, slots)] += 1;
        let response = if lost { gone.time_out } else { gone.done - gone.due };
        self.now.by_flow[flow].record(response.unsigned_abs());
        self.now.lags.push((gone.released - gone.due).unsigned_abs());
        self.kept.request(Single {
            id,
            flow,
            due: gone.due,
            sent: Some(gone.sent),
            done: gone.done,
            outcome: gone.outcome.clone(),
            instance,
        });
        if let Some(instance) = instance.filter(|instance| self.is_release(*instance)) {
            self.release_answer(instance, gone);
        }
    }

    /// Who is asked: anyone of the service who is not out; by weight while a release lasts.
    fn pick(&mut self, flow: usize, at: Micros, not: Option<usize>) -> usize {
        for index in 0..self.states.len() {
            if self.states[index].out && at >= self.states[index].out_until {
                self.states[index].out = false;
                let name = self.plan.places[index].name.clone();
                self.arm.said.push(said(at, index, SaidKind::Readmitted, "time"));
                self.event(at, EventKind::Readmitted, &name, Witness::Relay, format!("{name} is asked again"));
            }
        }
        let to = &self.plan.streams[flow].to;
        let version = self.plan.rollout.as_ref().map(|rollout| {
            let share = if self.is_rolling(rollout, at) { rollout.share } else { 0.0 };
            (rollout.version, self.chance.share() < share)
        });
        let fits = |index: &usize| {
            let place = &self.plan.places[*index];
            let versioned = version.is_none_or(|(version, new)| (place.version.as_deref() == Some(version)) == new);
            place.service == *to && versioned && !self.states[*index].out && Some(*index) != not
        };
        let open: Vec<usize> = (0..self.plan.places.len()).filter(fits).collect();
        if open.is_empty() { not.unwrap_or(0) } else { open[self.chance.below(open.len())] }
    }

    fn is_rolling(&self, rollout: &Rollout, at: Micros) -> bool {
        at >= self.arm.phases[rollout.phase].from && !self.taken_back
    }

    fn is_release(&self, instance: usize) -> bool {
        let version = self.plan.rollout.as_ref().map(|rollout| rollout.version);
        version.is_some() && self.plan.places[instance].version.as_deref() == version
    }

    fn attempt(&mut self, id: u64, flow: usize, phase: usize, instance: usize, at: Micros, attempt: u32) -> Reply {
        let chance = self.chance.share();
        let hit = (self.plan.breaks.iter())
            .position(|fault| fault.phase == phase && fault.instance == instance && chance < fault.share);
        let harm = hit.map(|fault| (fault, self.plan.breaks[fault].harm));
        let (median, sigma) = self.plan.latency;
        let well = self.chance.latency(median, sigma);
        let reply = match harm.map(|(_, harm)| harm) {
            Some(Harm::Abort) => Reply { outcome: Outcome::Status(503), status: Some(503), after: 700 },
            Some(Harm::Kill) => Reply { outcome: Outcome::Status(503), status: Some(503), after: 300 },
            Some(Harm::Hang) => {
                Reply { outcome: Outcome::TimeOut, status: None, after: self.plan.streams[flow].time_out }
            }
            Some(Harm::Latency(more)) => Reply { outcome: Outcome::Acceptable, status: Some(200), after: well + more },
            None if self.is_release(instance) && self.plan.rollout.as_ref().is_some_and(|one| chance < one.bad) => {
                Reply { outcome: Outcome::Status(500), status: Some(500), after: well }
            }
            None => Reply { outcome: Outcome::Acceptable, status: Some(200), after: well },
        };
        let slots = self.arm.offers[instance].offered.len();
        let slot = Self::slot(at, slots);
        let offers = &mut self.arm.offers[instance];
        self.tallies[phase][flow].offer(instance);
        match harm {
            Some((_, Harm::Kill)) => offers.inferred[slot] += 1,
            Some((_, Harm::Abort | Harm::Hang)) => {
                offers.offered[slot] += 1;
                offers.retries[slot] += u32::from(attempt > 1);
                let kind = harm.map_or("", |(_, harm)| harm.kind()).to_owned();
                offers.withheld.entry(kind).or_insert_with(|| vec![0; slots])[slot] += 1;
            }
            _ => {
                offers.offered[slot] += 1;
                offers.retries[slot] += u32::from(attempt > 1);
                offers.received[slot] += 1;
                self.now.served[instance] += 1;
            }
        }
        if let Some((fault, harm)) = harm {
            self.harmed(fault, at);
            let withheld = matches!(harm, Harm::Abort | Harm::Hang).then(|| harm.kind().to_owned());
            self.kept.offer(Offer { at, instance, id: Some(id), attempt, withheld });
        } else {
            self.kept.offer(Offer { at, instance, id: Some(id), attempt, withheld: None });
        }
        self.observe(instance, at, reply.outcome.is_lost());
        reply
    }

    fn harmed(&mut self, index: usize, at: Micros) {
        let fault = &mut self.arm.faults[index];
        fault.harmed += 1;
        if fault.victims.len() < 1_000 {
            fault.victims.push(fault.harmed);
        }
        if fault.effect.is_some() {
            return;
        }
        fault.effect = Some(at);
        let (kind, name) = (fault.kind.clone(), self.plan.places[fault.instance].name.clone());
        self.event(at, EventKind::FaultEffect, &name, Witness::Relay, format!("{kind} takes effect"));
        self.mark(at, &format!("{kind} on"), &name);
    }

    /// Outlier detection.
    fn observe(&mut self, instance: usize, at: Micros, failed: bool) {
        let state = &mut self.states[instance];
        state.failures = if failed { state.failures + 1 } else { 0 };
        let Some(limit) = self.plan.eject_after else { return };
        if state.out || state.failures < limit {
            return;
        }
        state.times_out += 1;
        *state = State { failures: 0, out: true, out_until: at + OUT * state.times_out, ..*state };
        let (first, name) = (state.times_out == 1, self.plan.places[instance].name.clone());
        self.arm.said.push(said(at, instance, SaidKind::Ejected, "consecutive-5xx"));
        if first {
            self.event(at, EventKind::Ejected, &name, Witness::Relay, format!("{name} is asked no more"));
            self.mark(at, "out", &name);
        }
    }

    fn release_answer(&mut self, instance: usize, gone: &Gone) {
        let Some(rollout) = &self.plan.rollout else { return };
        let (version, back_after, share) = (rollout.version, rollout.back_after, rollout.share);
        let subject = format!("{}@{version}", self.plan.places[instance].service);
        if !self.released {
            self.released = true;
            let text = format!("{subject} is given {:.0}% of the traffic", share * 100.0);
            self.event(gone.due, EventKind::Release, &subject, Witness::Controller, text);
        }
        self.release_answers += 1;
        if gone.outcome.is_lost() {
            self.release_lost += 1;
            if self.release_lost == 1 {
                let text = format!("first bad answer of {subject}: 500");
                self.event(gone.done, EventKind::BadAnswer, &subject, Witness::Relay, text);
                self.mark(gone.done, "bad answer", &subject);
            }
        }
        if back_after == Some(self.release_answers) {
            self.taken_back = true;
            let good = self.release_answers - self.release_lost;
            let text = format!("{good} of {} answers were good: {subject} is taken back", self.release_answers);
            self.event(gone.done, EventKind::RolledBack, &subject, Witness::Controller, text);
            self.mark(gone.done, "rolled back", &subject);
            let seconds =
                (gone.done - self.arm.phases[self.plan.rollout.as_ref().map_or(0, |one| one.phase)].from) as f64 / 1e6;
            self.arm.figures.healing.push(Figure {
                kind: "rolled-back".to_owned(),
                subject,
                from: Some(gone.done - (seconds * 1e6) as i64),
                at: Some(gone.done),
                seconds: Some(seconds),
                resolution: 0.001,
                note: Some(format!("{} requests were lost while it was out", self.release_lost)),
            });
        }
    }
}

fn said(at: Micros, instance: usize, what: SaidKind, reason: &str) -> Said {
    Said { at, instance, what, reason: reason.to_owned() }
}
