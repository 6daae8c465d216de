//! Rows of the page's tables, ready to be shown.

use super::story;
use crate::plot::{distance, healing, lag, marks, number};
use crate::record::{Arm, EventKind, Expectation, Interval, Record, SLOT, SaidKind, Verdict, Witness};

/// One expectation.
pub(super) struct Asked<'a> {
    pub(super) one: &'a Expectation,
    pub(super) name: String,
    pub(super) place: &'a str,
    pub(super) limit: String,
    pub(super) observed: &'a str,
    /// What stands in brackets behind the number.
    pub(super) remark: Option<&'a str>,
    pub(super) interval: String,
    pub(super) bar: Option<String>,
}

/// The rows of the expectations.
pub(super) fn asked(expectations: &[Expectation]) -> Vec<Asked<'_>> {
    expectations
        .iter()
        .enumerate()
        .map(|(number, one)| Asked {
            one,
            name: name(one),
            place: one
                .phase
                .as_deref()
                .unwrap_or_else(|| if one.id.starts_with("sweep.") { "worst cell" } else { "whole run" }),
            limit: limit(&one.limit_text),
            observed: one.observed.text.split_once(" (").map_or(one.observed.text.as_str(), |(number, _)| number),
            remark: one.observed.text.split_once(" (").map(|(_, remark)| remark.trim_end_matches(')')),
            interval: interval(one),
            bar: distance(one, number),
        })
        .collect()
}

/// The limit with the signs of a book.
fn limit(text: &str) -> String {
    let text = story::signs(text);
    text.strip_prefix("== ").map(str::to_owned).unwrap_or(text)
}

/// The id without the phase, which has a column of its own.
fn name(one: &Expectation) -> String {
    let rest = one.id.split_once('.').map_or(one.id.as_str(), |(_, rest)| rest);
    match rest.split_once('(') {
        Some((kind, subject)) => format!("{} {kind}", subject.trim_end_matches(')')),
        None => rest.to_owned(),
    }
}

/// What bounds the observation: an interval, the resolution of a clock, or that it was counted.
fn interval(one: &Expectation) -> String {
    let observed = &one.observed;
    if observed.value.is_none() {
        return "no data".to_owned();
    }
    if let Some(resolution) = observed.resolution {
        return format!("± {}", number::duration(resolution));
    }
    match observed.interval {
        Some(Interval { low, high }) if observed.text.ends_with('%') => number::percent_interval(low, high),
        Some(Interval { low, high }) if observed.text.ends_with('s') && !observed.text.ends_with("/s") => {
            format!("{} to {}", number::duration(low), number::duration(high))
        }
        Some(Interval { low, high }) => {
            format!("{} to {}", number::three(low), number::three(high))
        }
        None if observed.text.chars().all(|letter| letter.is_ascii_digit() || ".,".contains(letter)) => {
            "counted".to_owned()
        }
        None => "no interval".to_owned(),
    }
}

/// A line on whether this is evidence.
pub(super) struct Health {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) note: String,
    pub(super) state: State,
}

/// How a line bears on the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Sound,
    Exact,
    Differs,
    NotMeasured,
    Unsound,
}

impl State {
    /// The word beside the sign.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Exact => "exact",
            Self::Differs => "differs",
            Self::NotMeasured => "not measured",
            Self::Unsound => "not sound",
        }
    }

    /// The verdict whose sign it has.
    pub(super) fn sign(self) -> Verdict {
        match self {
            Self::Sound | Self::Exact => Verdict::Pass,
            Self::Differs => Verdict::Inconclusive,
            Self::NotMeasured => Verdict::Invalid,
            Self::Unsound => Verdict::Fail,
        }
    }

    fn held(self, holds: bool) -> Self {
        if holds { self } else { Self::Unsound }
    }
}

/// CPU of the pacing thread that makes a run INVALID.
const BUSY: f64 = 0.8;

/// The lines of an arm.
pub(super) fn health(arm: &Arm) -> Vec<Health> {
    let generator = &arm.generator;
    let row =
        |name: &str, value: String, note: String, state: State| Health { name: name.to_owned(), value, note, state };
    let mut rows = Vec::new();
    if generator.planned == 0 {
        let missing = |name: &str| row(name, "not measured".to_owned(), String::new(), State::NotMeasured);
        return ["released in time", "sent late, p99", "generator CPU", "attempts at instances"].map(missing).into();
    }
    let share = generator.offered as f64 / generator.planned as f64;
    rows.push(row(
        "released in time",
        format!("{} of {}", number::count(generator.offered), number::count(generator.planned)),
        generator
            .saturated
            .as_ref()
            .map_or_else(|| "limit 99.9\u{202f}%".to_owned(), |side| format!("the {side} could not keep up")),
        State::Sound.held(share >= 0.999 || generator.saturated.as_deref() == Some("target")),
    ));
    let bare = generator.bare_timer_p99.map_or_else(|| "not measured".to_owned(), number::micros);
    rows.push(row(
        "sent late, p99",
        number::micros(generator.lag_p99),
        format!(
            "limit {}; largest {}; a bare timer just before: {bare}",
            number::limit(lag::ALLOWED),
            number::micros(generator.lag_max)
        ),
        State::Sound.held(generator.lag_p99 <= lag::ALLOWED),
    ));
    let steal = generator.steal_share.map_or_else(|| "not measured".to_owned(), number::percent);
    rows.push(row(
        "generator CPU",
        format!("{} of a core", number::percent(generator.cpu_share)),
        format!("busiest second; limit 80\u{202f}%; taken by the hypervisor: {steal}"),
        State::Sound.held(generator.cpu_share <= BUSY),
    ));
    for fault in &arm.faults {
        rows.push(match fault.effect {
            Some(at) => row(
                &fault.what,
                format!("{} harmed", number::count(fault.harmed)),
                format!("confirmed at {}", number::instant(at)),
                State::Sound,
            ),
            None => row(&fault.what, "no effect".to_owned(), "it never harmed anything".to_owned(), State::Unsound),
        });
    }
    rows.extend(outcomes(arm));
    let truth = &arm.truth;
    let refused = if truth.inferred > 0 {
        format!("; {} refused by the kernel", number::count(truth.inferred))
    } else {
        String::new()
    };
    rows.push(row(
        "attempts at instances",
        number::count(truth.offered),
        format!(
            "{} kept by a fault, {} counted by the instances, {} cut{refused}; unexplained: {}",
            number::count(truth.withheld),
            number::count(truth.received),
            number::count(truth.cut),
            truth.unexplained
        ),
        if truth.unexplained == 0 && truth.disagreements.is_empty() { State::Exact } else { State::Unsound },
    ));
    for sentence in &truth.disagreements {
        rows.push(row("does not add up", String::new(), sentence.clone(), State::Unsound));
    }
    rows.extend(late_returns(arm));
    rows.push(said(arm));
    rows
}

/// Instances of which it is told that they were back, but that were offered nothing until later.
fn late_returns(arm: &Arm) -> Vec<Health> {
    let late = |figure: &crate::record::Figure| {
        let at = figure.at.filter(|_| figure.kind == "readmitted")?;
        let instance = arm.instances.iter().position(|instance| instance.name == figure.subject)?;
        let offered = &arm.offers.iter().find(|offers| offers.instance == instance)?.offered;
        let from = (at / SLOT).max(0) as usize;
        let first = (from..offered.len()).find(|slot| offered[*slot] > 0)? as i64 * SLOT;
        (first - at > 2 * SLOT).then(|| Health {
            name: format!("{} back", figure.subject),
            value: number::instant(at),
            note: format!("but the first attempt it was offered then came at {}", number::instant(first)),
            state: State::Differs,
        })
    };
    arm.figures.healing.iter().filter_map(late).collect()
}

fn outcomes(arm: &Arm) -> Option<Health> {
    let planned: u64 = arm.outcomes.iter().flat_map(|one| &one.planned).map(|count| u64::from(*count)).sum();
    let ended: u64 =
        arm.outcomes.iter().flat_map(|one| one.by_outcome.values().flatten()).map(|count| u64::from(*count)).sum();
    let lost: u64 = story::lost(arm).iter().sum();
    (planned > 0).then(|| Health {
        name: "outcomes add up".to_owned(),
        value: format!("{} + {} = {}", number::count(ended - lost), number::count(lost), number::count(planned)),
        note: "answered + lost = planned".to_owned(),
        state: State::Exact.held(ended == planned),
    })
}

/// The proxy's own word beside what was measured.
fn said(arm: &Arm) -> Health {
    let said = arm.said.iter().filter(|word| word.what == SaidKind::Ejected).count();
    let row =
        |value: String, note: String, state| Health { name: "the proxy's own word".to_owned(), value, note, state };
    let measured: Vec<_> = arm.figures.healing.iter().filter(|one| one.kind == "ejected" && one.at.is_some()).collect();
    if said == 0 {
        let note =
            if measured.is_empty() { "nor was any seen" } else { "but an instance fell silent: for another reason" };
        return row("no ejection".to_owned(), note.to_owned(), State::Sound);
    }
    let near = |one: &&crate::record::Figure| {
        let instance = arm.instances.iter().position(|instance| instance.name == one.subject);
        arm.said.iter().any(|word| {
            Some(word.instance) == instance
                && word.what == SaidKind::Ejected
                && one.at.is_some_and(|at| (word.at - at).abs() <= 1_000_000)
        })
    };
    let ejections = if said == 1 { "1 ejection".to_owned() } else { format!("{said} ejections") };
    if !measured.is_empty() && measured.iter().all(near) {
        row(ejections, "agrees with what arrived, within a second".to_owned(), State::Sound)
    } else {
        row(ejections, "does not agree with what arrived".to_owned(), State::Differs)
    }
}

/// A line of what happened.
pub(super) struct Happened {
    pub(super) at: i64,
    pub(super) number: Option<usize>,
    pub(super) text: String,
    pub(super) witness: &'static str,
    pub(super) evidence: String,
}

/// Most words of the proxy in the table.
const WORDS: usize = 40;

/// Everything that happened, with the numbers of the marks.
pub(super) fn happened(arm: &Arm) -> Vec<Happened> {
    let mut rows = Vec::new();
    let mut marks: Vec<(usize, &crate::record::Mark)> = arm.marks.iter().enumerate().collect();
    if !arm.events.iter().any(|event| event.kind == EventKind::Load) {
        let asked: Vec<String> =
            arm.flows.iter().map(|flow| format!("{} to {}", number::rate(flow.rate), flow.to)).collect();
        let planned: u64 = arm.outcomes.iter().flat_map(|one| &one.planned).map(|count| u64::from(*count)).sum();
        rows.push(Happened {
            at: 0,
            number: None,
            text: format!("the load begins: {}, open loop", asked.join(", ")),
            witness: "client",
            evidence: format!("{} planned", number::count(planned)),
        });
        let end = crate::plot::frame::counted(arm);
        rows.push(Happened {
            at: end,
            number: None,
            text: if arm.generator.planned > 0 {
                "the load ends".to_owned()
            } else {
                "nothing is known from here".to_owned()
            },
            witness: "client",
            evidence: format!("{} lost", number::count(story::lost(arm).iter().sum())),
        });
    }
    let mut numbers: Vec<Option<usize>> = vec![None; arm.events.len()];
    marks.retain(|(number, mark)| {
        let near = arm
            .events
            .iter()
            .enumerate()
            .filter(|(_, event)| event.subject == mark.subject && (mark.at - event.at).abs() <= 1_000);
        let nearest = near.min_by_key(|(_, event)| (mark.at - event.at).abs()).map(|(at, _)| at);
        let taken = nearest.filter(|at| numbers[*at].is_none());
        if let Some(at) = taken {
            numbers[at] = Some(number + 1);
        }
        taken.is_none()
    });
    for (event, number) in arm.events.iter().zip(numbers) {
        rows.push(Happened {
            at: event.at,
            number,
            text: event.text.clone(),
            witness: witness(event.witness),
            evidence: evidence(arm, event),
        });
    }
    for (number, mark) in marks {
        let witness = if mark.label.starts_with("rolled") { "controller" } else { "relay" };
        rows.push(Happened {
            at: mark.at,
            number: Some(number + 1),
            text: with_subject(&mark.subject, &marks::label(arm, mark)),
            witness,
            evidence: confirmed(arm, mark),
        });
    }
    for word in arm.said.iter().take(WORDS) {
        let name = arm.instances.get(word.instance).map_or("an instance", |instance| instance.name.as_str());
        let what = if word.what == SaidKind::Ejected { "out" } else { "back in" };
        rows.push(Happened {
            at: word.at,
            number: None,
            text: format!("the proxy says: {name} is {what}"),
            witness: "proxy",
            evidence: word.reason.clone(),
        });
    }
    rows.sort_by_key(|row| (row.at, row.number));
    rows
}

/// Words of the proxy that are not in the table.
pub(super) fn words_left_out(arm: &Arm) -> usize {
    arm.said.len().saturating_sub(WORDS)
}

fn with_subject(subject: &str, label: &str) -> String {
    if label.starts_with(subject) { label.to_owned() } else { format!("{subject}: {label}") }
}

fn witness(witness: Witness) -> &'static str {
    match witness {
        Witness::Harness => "run",
        Witness::Client => "client",
        Witness::Relay => "relay",
        Witness::Supervisor => "supervisor",
        Witness::Controller => "controller",
        Witness::Proxy => "proxy",
    }
}

fn evidence(arm: &Arm, event: &crate::record::Event) -> String {
    let instance = arm.instances.iter().position(|instance| instance.name == event.subject);
    let fault = arm.faults.iter().find(|fault| {
        Some(fault.instance) == instance && (fault.effect == Some(event.at) || fault.cleared == Some(event.at))
    });
    match (event.kind, fault) {
        (EventKind::FaultEffect, Some(fault)) => {
            format!("{} after it was asked for", number::micros((event.at - fault.asked).max(0).unsigned_abs()))
        }
        (EventKind::FaultCleared, Some(fault)) => format!("{} harmed in all", number::count(fault.harmed)),
        _ => String::new(),
    }
}

/// What else speaks for a mark.
fn confirmed(arm: &Arm, mark: &crate::record::Mark) -> String {
    let instance = arm.instances.iter().position(|instance| instance.name == mark.subject);
    let spans = instance.map(|instance| healing::said_spans(arm, instance)).unwrap_or_default();
    let near = spans.iter().flat_map(|(from, to)| [*from, *to]).min_by_key(|at| (at - mark.at).abs());
    let resolution = arm.figures.healing.iter().find(|one| one.at == Some(mark.at) && one.subject == mark.subject);
    let resolution = resolution.map(|figure| format!("to {}", number::duration(figure.resolution)));
    let said = near
        .filter(|at| (at - mark.at).abs() < 1_000_000)
        .map(|at| format!("the proxy says so at {}", number::instant(at)));
    [resolution, said].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// A line of the control beside the run.
pub(super) struct Beside {
    pub(super) name: String,
    pub(super) main: String,
    pub(super) control: String,
}

/// The figures of both arms.
pub(super) fn beside(main: &Arm, control: &Arm) -> Vec<Beside> {
    let phase = main.faults.first().and_then(|fault| main.phases.get(fault.phase));
    let judged = || main.phases.iter().filter(|phase| phase.judged).nth(1);
    let phase = phase.or_else(judged).map_or("whole", |phase| phase.name.as_str());
    let of = |arm: &Arm, show: &dyn Fn(&crate::record::PhaseTotals) -> Option<String>| {
        arm.totals_of(phase, None).and_then(show).unwrap_or_else(|| "no data".to_owned())
    };
    let row = |name: String, show: &dyn Fn(&crate::record::PhaseTotals) -> Option<String>| Beside {
        name,
        main: of(main, show),
        control: of(control, show),
    };
    let mut rows = vec![
        row(format!("requests lost in {phase}"), &|totals| {
            Some(format!("{} of {}", number::count(totals.lost), number::count(totals.planned)))
        }),
        row("95\u{202f}% interval of the loss".to_owned(), &|totals| {
            let interval = crate::stats::clopper_pearson(totals.lost, totals.planned, 0.95);
            Some(number::percent_interval(interval.low, interval.high))
        }),
        row(format!("p99 in {phase}"), &|totals| {
            totals.response.get("p99").map(|millis| number::duration(millis / 1e3))
        }),
        row(format!("attempts in {phase}"), &|totals| Some(number::count(totals.attempts))),
    ];
    for figure in &main.figures.healing {
        let time = |arm: &Arm| {
            let same = arm.figures.healing.iter().find(|one| one.kind == figure.kind && one.subject == figure.subject);
            same.map_or_else(
                || "no data".to_owned(),
                |one| match (one.seconds, &one.note) {
                    (Some(_), Some(note)) if note == "never missed" => note.clone(),
                    (Some(seconds), _) => number::duration(seconds),
                    (None, Some(note)) if note.starts_with("was not") => note.clone(),
                    (None, _) => "never".to_owned(),
                },
            )
        };
        rows.push(Beside {
            name: format!("{} {}", figure.subject, figure.kind),
            main: time(main),
            control: time(control),
        });
    }
    rows
}

/// The control as the last row of the expectations.
pub(super) struct ControlRow {
    pub(super) place: String,
    pub(super) observed: String,
    pub(super) interval: String,
    pub(super) samples: String,
    pub(super) sign: Verdict,
    pub(super) word: String,
}

/// None for sweeps, which have no control.
pub(super) fn control(record: &Record, control: Option<&Arm>) -> Option<ControlRow> {
    let has_main = record.arms.is_empty() || story::main_arm(record).is_some();
    if !has_main {
        return None;
    }
    let missed = control.and_then(|arm| arm.expectations.iter().find(|one| one.verdict == Verdict::Fail));
    let none = || "no data".to_owned();
    Some(ControlRow {
        place: missed.map_or_else(|| "whole run".to_owned(), |one| one.phase.clone().unwrap_or_else(|| name(one))),
        observed: missed.map_or_else(
            || if control.is_some() { none() } else { "not run".to_owned() },
            |one| one.observed.text.clone(),
        ),
        interval: missed.map_or_else(none, interval),
        samples: missed.map_or_else(none, |one| number::count(one.samples)),
        sign: if record.control == Some(Verdict::Fail) { Verdict::Pass } else { Verdict::Invalid },
        word: match record.control {
            Some(Verdict::Fail) => "FAILS, as it must".to_owned(),
            Some(verdict) => verdict.to_string(),
            None if control.is_some() => "not judged".to_owned(),
            None if record.run.quick => "not run (quick)".to_owned(),
            None => "not run".to_owned(),
        },
    })
}
