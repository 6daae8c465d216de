//! The record while it is being made: one JSON line after the other, so that a run that is killed leaves all it knew.

use super::{
    Arm, ArmKind, Cell, Event, FaultSpan, Flow, Instance, Offers, Outcomes, Phase, Reason, Record, SecondLatency,
    Single, Verdict,
};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "line")]
pub enum Line {
    /// Everything that is known before the first arm.
    Begin {
        /// Without arms.
        record: Box<Record>,
    },
    /// An arm's load is about to begin.
    Arm {
        /// Number of the arm in this file.
        arm: usize,
        /// What it is for.
        kind: ArmKind,
        /// Its try.
        try_number: u32,
        /// Healing taken out.
        without: Vec<String>,
        /// Coordinates of a sweep's cell.
        cell: Option<Cell>,
        /// Its phases.
        phases: Vec<Phase>,
        /// Its flows.
        flows: Vec<Flow>,
        /// Its instances.
        instances: Vec<Instance>,
    },
    /// Something happened.
    Event {
        /// Number of the arm.
        arm: usize,
        /// What.
        event: Event,
    },
    /// A second of an arm.
    Second {
        /// Number of the arm.
        arm: usize,
        /// Counts of the second's slots, one a flow.
        outcomes: Vec<Outcomes>,
        /// Counts of the second's slots, one an instance.
        offers: Vec<Offers>,
        /// Latencies, one a flow.
        latencies: Vec<SecondLatency>,
        /// Requests that were lost in it.
        lost: Vec<Single>,
    },
    /// A fault has ended, or its arm has.
    Fault {
        /// Number of the arm.
        arm: usize,
        /// As asked and seen.
        fault: FaultSpan,
    },
}

/// What every text goes through before it is written: secrets are taken out here.
pub type Cleaner = Box<dyn Fn(&mut String) + Send>;

/// Writes lines.
pub struct Writer {
    file: BufWriter<File>,
    arms: usize,
    clean: Cleaner,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("arms", &self.arms).finish_non_exhaustive()
    }
}

impl Writer {
    /// Begins a file. The record is written as it is; the texts of all further lines are cleaned.
    pub fn create(path: &Path, record: &Record, clean: Cleaner) -> io::Result<Self> {
        let mut writer = Self { file: BufWriter::new(File::create_new(path)?), arms: 0, clean };
        writer.put(&Line::Begin { record: Box::new(record.clone()) })?;
        writer.flush()?;
        Ok(writer)
    }

    /// A number for the next arm.
    pub fn next_arm(&mut self) -> usize {
        self.arms += 1;
        self.arms - 1
    }

    /// Writes a line.
    pub fn write(&mut self, line: &Line) -> io::Result<()> {
        match line {
            Line::Event { arm, event } => {
                let mut event = event.clone();
                event.change_texts(&mut |text| (self.clean)(text));
                self.put(&Line::Event { arm: *arm, event })
            }
            Line::Fault { arm, fault } => {
                let mut fault = fault.clone();
                fault.change_texts(&mut |text| (self.clean)(text));
                self.put(&Line::Fault { arm: *arm, fault })
            }
            Line::Begin { .. } | Line::Arm { .. } | Line::Second { .. } => self.put(line),
        }
    }

    fn put(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, line)?;
        self.file.write_all(b"\n")
    }

    /// Hands everything to the system, which keeps it whatever becomes of us.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Why lines could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] io::Error),
    /// It does not begin as a record does.
    #[error("this is no record of a run: its first line is missing or damaged")]
    NoBeginning,
    /// It is of another format or a later version.
    #[error(transparent)]
    Foreign(#[from] super::ReadError),
}

/// Makes a record of what a run that was cut has left: never complete, never PASS.
pub fn fold_file(path: &Path) -> Result<Record, FoldError> {
    let text = std::fs::read(path)?;
    fold(&String::from_utf8_lossy(&text))
}

/// Folds lines. A torn last line, and lines that are damaged, are passed over.
pub fn fold(text: &str) -> Result<Record, FoldError> {
    check_first(text)?;
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    let Some(Line::Begin { record }) = lines.next() else { return Err(FoldError::NoBeginning) };
    let mut record = *record;
    for line in lines {
        take(&mut record.arms, line);
    }
    let end = record.arms.iter().filter_map(last_moment).max().unwrap_or(0);
    let text = format!(
        "ABORTED: the run was cut {:.1} s after its load began; what was written until then follows.",
        end as f64 / 1e6
    );
    record.complete = false;
    record.verdict = Verdict::Aborted;
    record.reasons = vec![Reason { verdict: Verdict::Aborted, code: "aborted".to_owned(), text }];
    Ok(record)
}

/// A later version may have a first line that this one cannot read, but it says what it is.
fn check_first(text: &str) -> Result<(), FoldError> {
    let first: Option<serde_json::Value> = text.lines().next().and_then(|line| serde_json::from_str(line).ok());
    match first.as_ref().and_then(|line| line.get("record")) {
        Some(record) => Ok(super::read::check_value(record)?),
        None => Err(FoldError::NoBeginning),
    }
}

fn take(arms: &mut Vec<Arm>, line: Line) {
    match line {
        Line::Begin { .. } => {}
        Line::Arm { arm, kind, try_number, without, cell, phases, flows, instances } => {
            if arm == arms.len() {
                arms.push(Arm { try_number, without, cell, phases, flows, instances, ..Arm::empty(kind) });
            }
        }
        Line::Event { arm, event } => with(arms, arm, |arm| arm.events.push(event)),
        Line::Fault { arm, fault } => with(arms, arm, |arm| arm.faults.push(fault)),
        Line::Second { arm, outcomes, offers, latencies, lost } => with(arms, arm, |arm| {
            join(&mut arm.outcomes, outcomes, Outcomes::append);
            join(&mut arm.offers, offers, Offers::append);
            arm.seconds.extend(latencies);
            arm.singles.requests.extend(lost);
        }),
    }
}

fn with(arms: &mut [Arm], arm: usize, change: impl FnOnce(&mut Arm)) {
    if let Some(arm) = arms.get_mut(arm) {
        change(arm);
    }
}

fn join<T>(series: &mut Vec<T>, more: Vec<T>, append: fn(&mut T, T)) {
    if series.is_empty() {
        *series = more;
    } else {
        series.iter_mut().zip(more).for_each(|(series, more)| append(series, more));
    }
}

fn last_moment(arm: &Arm) -> Option<i64> {
    arm.outcomes.first().map(|outcomes| outcomes.planned.len() as i64 * super::SLOT)
}
