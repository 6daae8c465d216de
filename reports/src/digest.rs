//! What every overview tells of a scenario: one set of figures, so that page, Markdown, JSON and picture never differ.

use crate::record::{Arm, ArmKind, Expectation, PhaseTotals, Record, Verdict};
use crate::words;

/// A scenario of a run in a few figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    /// `<stamp>-<seed>` of its run.
    pub run: String,
    /// Start in RFC 3339.
    pub started: String,
    /// Seconds from start to verdict.
    pub seconds: f64,
    /// Run with `--quick`.
    pub quick: bool,
    /// Number of this repetition from 1, and of how many.
    pub repetition: (u32, u32),
    /// The claim.
    pub title: String,
    /// The title in letters that a file name can hold.
    pub slug: String,
    /// The scenario's file.
    pub file: String,
    /// Line of its first key.
    pub line: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// The first reason, without the verdict's word in front.
    pub headline: String,
    /// What became of the control.
    pub control: Control,
    /// Requests lost where it mattered, of the scenario as written.
    pub lost: Option<Lost>,
    /// How long until the faulty instance was out, or the release taken back.
    pub out: Healed,
    /// How long until it was back after the fault.
    pub back: Healed,
    /// 99th percentile of the response time where it mattered, seconds; lost requests count as the time-out.
    pub p99: Option<f64>,
    /// Expectations that did not hold.
    pub failed: Vec<Expectation>,
    /// How many expectations there are.
    pub expectations: usize,
    /// Cells of a sweep.
    pub cells: usize,
    /// What is left behind.
    pub dirty: bool,
    /// False if the run was cut.
    pub complete: bool,
}

/// What became of the control of a scenario.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Control {
    /// It ran, with this verdict, and lost so many requests.
    Ran(Verdict, Option<Lost>),
    /// A sweep has none.
    None,
    /// It was not run, because of `--quick` if that is true.
    NotRun(bool),
}

impl Control {
    /// In words: a control that fails is as it must be.
    pub fn text(&self) -> String {
        match self {
            Self::Ran(Verdict::Fail, _) => "fails, as it must".to_owned(),
            Self::Ran(Verdict::Pass, _) => "passes too".to_owned(),
            Self::Ran(verdict, _) => verdict.to_string(),
            Self::None => "a sweep has none".to_owned(),
            Self::NotRun(true) => "not run (quick)".to_owned(),
            Self::NotRun(false) => "not run".to_owned(),
        }
    }
}

/// Requests lost, of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// So many were lost.
    pub lost: u64,
    /// So many were due.
    pub planned: u64,
}

impl Lost {
    /// `5 of 4,000`.
    pub fn text(&self) -> String {
        format!("{} of {}", words::count(self.lost), words::count(self.planned))
    }

    /// The first of the two, for people.
    pub fn lost_text(&self) -> String {
        words::count(self.lost)
    }

    /// The second.
    pub fn planned_text(&self) -> String {
        words::count(self.planned)
    }

    /// From 0 to 1.
    pub fn share(&self) -> f64 {
        self.lost as f64 / self.planned.max(1) as f64
    }
}

/// A healing, measured from outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Healed {
    /// After so many seconds.
    After(f64),
    /// It was looked for, and not seen.
    Never,
    /// There was nothing to heal in this way.
    NotAsked,
}

impl Healed {
    /// In words.
    pub fn text(&self) -> String {
        match self {
            Self::After(seconds) => words::seconds(*seconds),
            Self::Never => "not seen".to_owned(),
            Self::NotAsked => "–".to_owned(),
        }
    }

    /// Seconds, if it came to pass.
    pub fn seconds(&self) -> Option<f64> {
        match self {
            Self::After(seconds) => Some(*seconds),
            Self::Never | Self::NotAsked => None,
        }
    }
}

impl Digest {
    /// Of a record.
    pub fn of(record: &Record) -> Self {
        let main = main_arm(record);
        let control = record.arms.iter().find(|arm| arm.kind == ArmKind::Control && !arm.superseded);
        let cells = record.arms.iter().filter(|arm| arm.kind == ArmKind::Cell && !arm.superseded).count();
        Self {
            run: record.run.id.clone(),
            started: record.run.started.clone(),
            seconds: record.run.seconds,
            quick: record.run.quick,
            repetition: record.run.repetition,
            title: record.scenario.title.clone(),
            slug: record.scenario.slug.clone(),
            file: record.scenario.file.clone(),
            line: record.scenario.line,
            verdict: record.verdict,
            headline: headline(record),
            control: match (record.control, cells) {
                (Some(verdict), _) => Control::Ran(verdict, control.and_then(lost)),
                (None, 0) => Control::NotRun(record.run.quick),
                (None, _) => Control::None,
            },
            lost: main.and_then(lost),
            out: main.map_or(Healed::NotAsked, out),
            back: main.map_or(Healed::NotAsked, back),
            p99: main.and_then(p99),
            failed: record.expectations.iter().filter(|one| one.verdict != Verdict::Pass).cloned().collect(),
            expectations: record.expectations.len(),
            cells,
            dirty: !record.dirty.is_empty(),
            complete: record.complete,
        }
    }

    /// The percentile for people.
    pub fn p99_text(&self) -> String {
        self.p99.map_or("–".to_owned(), words::seconds)
    }

    /// The control's verdict, if it ran.
    pub fn control_verdict(&self) -> Option<Verdict> {
        match self.control {
            Control::Ran(verdict, _) => Some(verdict),
            Control::None | Control::NotRun(_) => None,
        }
    }
}

/// The scenario as written, in its last try.
pub fn main_arm(record: &Record) -> Option<&Arm> {
    record.arms.iter().find(|arm| arm.kind == ArmKind::Main && !arm.superseded)
}

/// The first reason without its word, which every output shows beside it.
pub fn headline(record: &Record) -> String {
    let Some(reason) = record.reasons.first() else { return String::new() };
    let word = format!("{}: ", reason.verdict);
    reason.text.strip_prefix(&word).unwrap_or(&reason.text).to_owned()
}

/// The phases in which something was broken or released; all that are judged where there are none.
fn decisive(arm: &Arm) -> Vec<&PhaseTotals> {
    let broken: Vec<&PhaseTotals> = (0..arm.phases.len())
        .filter(|phase| arm.faults.iter().any(|fault| fault.phase == *phase))
        .filter_map(|phase| arm.totals_of(&arm.phases[phase].name, None))
        .collect();
    if broken.is_empty() { arm.totals_of("whole", None).into_iter().collect() } else { broken }
}

fn lost(arm: &Arm) -> Option<Lost> {
    let phases = decisive(arm);
    let sum = |of: fn(&PhaseTotals) -> u64| phases.iter().map(|totals| of(totals)).sum();
    (!phases.is_empty()).then(|| Lost { lost: sum(|totals| totals.lost), planned: sum(|totals| totals.planned) })
}

fn p99(arm: &Arm) -> Option<f64> {
    decisive(arm).iter().filter_map(|totals| totals.response.get("p99").copied()).reduce(f64::max).map(|ms| ms / 1e3)
}

fn out(arm: &Arm) -> Healed {
    let figure = arm.figures.healing.iter().find(|figure| matches!(figure.kind.as_str(), "ejected" | "rolled-back"));
    figure.map_or(Healed::NotAsked, |figure| figure.seconds.map_or(Healed::Never, Healed::After))
}

/// An instance that was never out cannot come back.
fn back(arm: &Arm) -> Healed {
    let Healed::After(_) = out(arm) else { return Healed::NotAsked };
    let figure = arm.figures.healing.iter().find(|figure| figure.kind == "readmitted");
    match figure {
        Some(figure) => match (figure.seconds, &figure.note) {
            (Some(seconds), _) => Healed::After(seconds),
            (None, Some(_)) => Healed::NotAsked,
            (None, None) => Healed::Never,
        },
        None => Healed::NotAsked,
    }
}
