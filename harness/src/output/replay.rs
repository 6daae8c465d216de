//! A record as the events of which it was made, so that it can be shown as it went: from its 100 ms series and its latencies by second.

use crate::run::events::{Allowed, ArmEvent, ArmId, Arrivals, Budget, Expected, Outline, PhaseCount, RunEvent, Tally};
use squall_reports::record::{
    Arm, ArmKind, Event, EventKind, Micros, Outcome, Phase, Process, Record, SECOND, SLOT, Verdict, Witness,
};
use squall_reports::stats::Histogram;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// From the word that an arm is deployed to its first request.
const DEPLOYING: Duration = Duration::from_millis(500);
/// From its last tally to its verdict.
const JUDGING: Duration = Duration::from_millis(500);
/// Time in which nothing ran, because others had their turn, is cut to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// An event of a record.
#[derive(Debug, Clone)]
pub struct Step {
    /// Since the beginning.
    pub at: Duration,
    /// What.
    pub event: RunEvent,
    /// After it, nothing is left to see.
    pub last: bool,
}

/// All events of a record, in order of time.
pub fn steps(record: &Record, file: &Path) -> Vec<Step> {
    let step = |at, event| Step { at, event, last: false };
    let begins = RunEvent::Begins {
        id: record.run.id.clone(),
        seed: record.run.seed,
        folder: file.to_owned(),
        scenarios: vec![record.scenario.title.clone()],
    };
    let mut steps = vec![step(Duration::ZERO, begins)];
    for (zero, arm) in zeros(&record.arms).into_iter().zip(&record.arms) {
        let id = id(arm);
        let events = of_arm(arm, record);
        let told =
            |(at, what): (Duration, ArmEvent)| step(zero + at, RunEvent::Arm { scenario: 0, arm: id.clone(), what });
        steps.extend(events.into_iter().map(told));
    }
    steps.sort_by_key(|step| step.at);
    let end = steps.last().map_or(Duration::ZERO, |step| step.at);
    let folder = if file.is_dir() { file } else { file.parent().unwrap_or(file) };
    let judged = RunEvent::Judged {
        scenario: 0,
        record: Box::new(record.clone()),
        record_file: file.to_owned(),
        report_file: folder.join("report.html"),
    };
    let ends = RunEvent::Ends {
        worst: record.verdict,
        index_file: folder.join("report.html"),
        dirty: record.dirty.clone(),
        seconds: record.run.seconds,
    };
    steps.push(step(end, judged));
    steps.push(Step { at: end, event: ends, last: true });
    steps
}

fn id(arm: &Arm) -> ArmId {
    let name = match (&arm.cell, arm.kind) {
        (Some(cell), _) => cell.to_string(),
        (None, ArmKind::Control) => "control".to_owned(),
        (None, _) => "run".to_owned(),
    };
    ArmId { name, cell: arm.cell.clone(), try_number: arm.try_number }
}

fn length(arm: &Arm) -> Duration {
    Duration::from_micros(arm.phases.last().map_or(0, |phase| phase.to).max(0) as u64)
}

/// When each arm begins: side by side as they ran, without the pauses in which others had their turn.
fn zeros(arms: &[Arm]) -> Vec<Duration> {
    let started = |arm: &Arm| arm.started.as_ref()?.parse::<jiff::Timestamp>().ok();
    let first = arms.iter().filter_map(started).min();
    let since = |arm: &Arm| {
        let (first, own) = (first?, started(arm)?);
        Duration::try_from(own.duration_since(first)).ok()
    };
    let mut order: Vec<(usize, Duration)> =
        arms.iter().enumerate().map(|(index, arm)| (index, since(arm).unwrap_or_default())).collect();
    order.sort_by_key(|(_, at)| *at);
    let mut zeros = vec![Duration::ZERO; arms.len()];
    let (mut cut, mut busy_until) = (Duration::ZERO, Duration::ZERO);
    for (index, at) in order {
        let at = at.saturating_sub(cut);
        let idle = at.saturating_sub(busy_until + LONGEST_PAUSE);
        cut += idle;
        zeros[index] = at.saturating_sub(idle);
        busy_until = busy_until.max(zeros[index] + DEPLOYING + length(&arms[index]) + JUDGING);
    }
    zeros
}

fn of_arm(arm: &Arm, record: &Record) -> Vec<(Duration, ArmEvent)> {
    let at = |micros: Micros| DEPLOYING + Duration::from_micros(micros.max(0) as u64);
    let mut events = vec![
        (Duration::ZERO, ArmEvent::Deploying { lasting: length(arm) }),
        (DEPLOYING, ArmEvent::Begun(Box::new(outline(arm, record)))),
    ];
    events.extend(arm.events.iter().map(|event| (at(event.at), ArmEvent::Happened(event.clone()))));
    let known = |phase: &Phase| arm.events.iter().any(|one| one.kind == EventKind::Phase && one.subject == phase.name);
    // What was cut in the middle may lack them.
    events.extend(arm.phases.iter().filter(|phase| !known(phase)).map(|phase| {
        let event = Event {
            at: phase.from,
            kind: EventKind::Phase,
            subject: phase.name.clone(),
            witness: Witness::Harness,
            text: format!("{} begins", phase.name),
        };
        (at(phase.from), ArmEvent::Happened(event))
    }));
    let tallies = tallies(arm);
    let end = tallies.last().map_or(0, |tally| tally.to);
    // A tally is told when its stretch is over, so that what happened within it comes first.
    events.extend(tallies.into_iter().map(|tally| (at(tally.to), ArmEvent::Progress(Box::new(tally)))));
    let (verdict, reason) = (arm.verdict, arm.reasons.first().map(|reason| reason.text.clone()));
    let verdict = if record.complete { verdict } else { verdict.max(Verdict::Aborted) };
    events.push((at(end) + JUDGING, ArmEvent::Ended { verdict, reason }));
    events
}

fn outline(arm: &Arm, record: &Record) -> Outline {
    let planned = |phase: &Phase| {
        let totals = arm.totals_of(&phase.name, None).map(|totals| totals.planned);
        totals.unwrap_or_else(|| (phase.from / SLOT..phase.to / SLOT).map(|slot| planned_in(arm, slot as usize)).sum())
    };
    let index = |name: &str| arm.phases.iter().position(|phase| phase.name == name);
    let judged: Vec<usize> = (0..arm.phases.len()).filter(|phase| arm.phases[*phase].judged).collect();
    let expectations = if arm.expectations.is_empty() { &record.expectations } else { &arm.expectations };
    let expected = expectations.iter().map(|one| Expected {
        id: one.id.clone(),
        written: one.written.clone(),
        budget: budget(&one.id, &one.written, one.limit, record).and_then(|(place, allowed, degraded)| {
            let phases = if place == "whole" { judged.clone() } else { vec![index(place)?] };
            Some(Budget { phases, allowed, degraded })
        }),
    });
    let mut faulty: Vec<usize> = arm.faults.iter().map(|fault| fault.phase).collect();
    faulty.dedup();
    Outline {
        lead: Duration::ZERO,
        planned: arm.phases.iter().map(planned).collect(),
        faulty,
        flows: arm.flows.clone(),
        instances: arm.instances.clone(),
        counted: arm.offers.iter().any(|offers| offers.offered.iter().any(|count| *count > 0)),
        expected: expected.collect(),
        phases: arm.phases.clone(),
    }
}

/// Phase, allowance, and whether degraded answers count against it: for limits that counts alone decide.
fn budget<'a>(id: &'a str, written: &str, limit: Option<f64>, record: &Record) -> Option<(&'a str, Allowed, bool)> {
    let (place, metric) = id.split_once('.')?;
    let limit = limit?;
    match metric {
        // A confidence is not recorded by itself: where one is asked for anywhere, counts alone decide nothing.
        "success" if written.contains(">=") && !record.scenario.source.contains("confidence") => {
            Some((place, Allowed::Share(1.0 - limit), true))
        }
        "lost" if written.contains("<=") || written.contains("==") => {
            Some((place, Allowed::Count(limit as u64), false))
        }
        _ => None,
    }
}

fn planned_in(arm: &Arm, slot: usize) -> u64 {
    arm.outcomes.iter().filter_map(|outcomes| outcomes.planned.get(slot)).map(|count| u64::from(*count)).sum()
}

/// One a second, and one for what ended later.
fn tallies(arm: &Arm) -> Vec<Tally> {
    let slots = arm.outcomes.iter().map(|outcomes| outcomes.planned.len()).max().unwrap_or(0);
    let seconds = slots.div_ceil((SECOND / SLOT) as usize);
    let mut all: Vec<Tally> = (0..seconds).map(|second| second_of(arm, second as Micros * SECOND, slots)).collect();
    let faulty: Vec<usize> = arm.faults.iter().map(|fault| fault.phase).collect();
    let mut counts = vec![PhaseCount::default(); arm.phases.len()];
    let ended = ended(arm);
    for (second, tally) in all.iter_mut().enumerate() {
        let last = second + 1 == seconds;
        let is_in = |slot: &Micros| *slot >= tally.from / SLOT && (*slot < tally.to / SLOT || last);
        for (done, due, outcome, count) in ended.iter().filter(|(done, ..)| is_in(done)) {
            *tally.ended.entry(outcome.clone()).or_default() += count;
            let phase = |slot: Micros| {
                let moment = slot * SLOT;
                arm.phases.iter().position(|phase| moment < phase.to).unwrap_or(arm.phases.len().saturating_sub(1))
            };
            PhaseCount::add(&mut counts, phase(*due), phase(*done), &faulty, outcome, *count);
        }
        tally.phases.clone_from(&counts);
    }
    all
}

/// Slot of the end, slot of the due time, outcome, how many. What timed out ended a time-out later, all else at once.
fn ended(arm: &Arm) -> Vec<(Micros, Micros, Outcome, u64)> {
    let mut all = Vec::new();
    for outcomes in &arm.outcomes {
        let time_out = arm.flows.get(outcomes.flow).map_or(0, |flow| flow.time_out / SLOT);
        for (outcome, counts) in &outcomes.by_outcome {
            let later = if *outcome == Outcome::TimeOut { time_out } else { 0 };
            for (due, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                all.push((due as Micros + later, due as Micros, outcome.clone(), u64::from(*count)));
            }
        }
    }
    all
}

fn second_of(arm: &Arm, from: Micros, slots: usize) -> Tally {
    let to = (from + SECOND).min(slots as Micros * SLOT);
    let range = (from / SLOT) as usize..(to / SLOT) as usize;
    let sum = |series: &[u32]| -> u64 {
        series.get(range.start..range.end.min(series.len())).unwrap_or(&[]).iter().map(|count| u64::from(*count)).sum()
    };
    let mut latencies = Histogram::default();
    for second in arm.seconds.iter().filter(|second| second.at == from) {
        // What cannot be read is as if it were not there.
        let _ = Histogram::decode(&second.histogram).map(|one| latencies.add(&one));
    }
    let known = latencies.count() > 0;
    let health = arm.generator.seconds.iter().find(|second| second.at == from);
    let of_proxy = |process: &Process| {
        let index = usize::try_from((from - process.from) / SECOND).ok()?;
        Some((*process.cpu.get(index)? as f64 / SECOND as f64, *process.memory.get(index)?))
    };
    let proxies = arm.processes.iter().filter(|process| process.is_proxy()).filter_map(of_proxy);
    let proxy = proxies.reduce(|(cpu, memory), more| (cpu + more.0, memory + more.1));
    Tally {
        from,
        to,
        planned: arm.outcomes.iter().map(|outcomes| sum(&outcomes.planned)).sum::<u64>(),
        sent: arm.outcomes.iter().map(|outcomes| sum(&outcomes.sent)).sum::<u64>(),
        ended: BTreeMap::new(),
        p50: known.then(|| latencies.quantile(0.5)),
        p99: (latencies.count() >= 100).then(|| latencies.quantile(0.99)),
        arrivals: (0..arm.instances.len()).map(|instance| arrivals(arm, instance, from, to)).collect(),
        phases: Vec::new(),
        lag_p99: health.map(|health| health.lag_p99),
        generator_cpu: health.map(|health| health.cpu_share),
        steal: None,
        proxy,
        said: arm.said.iter().filter(|said| (from..to).contains(&said.at)).cloned().collect(),
    }
}

/// What an instance was offered; the moment of the last one is known to a slot, or exactly where the healing was measured by it.
fn arrivals(arm: &Arm, instance: usize, from: Micros, to: Micros) -> Arrivals {
    let Some(offers) = arm.offers.iter().find(|offers| offers.instance == instance) else { return Arrivals::default() };
    let upto = |end: Micros| &offers.offered[..offers.offered.len().min((end / SLOT) as usize)];
    let here = upto(to).iter().enumerate().skip((from / SLOT) as usize).filter(|(_, count)| **count > 0);
    let last = upto(to).iter().rposition(|count| *count > 0).map(|slot| {
        let (begin, end) = (slot as Micros * SLOT, (slot as Micros + 1) * SLOT);
        let name = &arm.instances[instance].name;
        let mut figures =
            arm.figures.healing.iter().filter(|figure| figure.kind == "ejected" && figure.subject == *name);
        let exact = figures.find_map(|figure| figure.at.filter(|at| (begin..end).contains(at)));
        exact.unwrap_or(end)
    });
    Arrivals {
        count: here.clone().map(|(_, count)| u64::from(*count)).sum(),
        first: here.map(|(slot, _)| slot as Micros * SLOT).next(),
        last,
    }
}

#[cfg(test)]
mod tests;
