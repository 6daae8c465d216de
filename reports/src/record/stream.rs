//! The record while it is being made: one JSON line after the other, so that a run that is killed leaves all it knew.

use super::{ArmKind, Cell, Event, FaultSpan, Flow, Instance, Offers, Outcomes, Phase, Record, SecondLatency, Single};
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
        /// Files of the policies that it obeys in the place of the scenario's own.
        #[serde(default)]
        policies: Vec<String>,
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
    /// What a second has brought. Counts belong to slots by due time, so those of earlier slots may have grown since.
    Second {
        /// Number of the arm.
        arm: usize,
        /// First slot told here: from it on, these take the place of what was told before.
        from: usize,
        /// Counts by slot, one a flow.
        outcomes: Vec<Outcomes>,
        /// Counts by slot, one an instance.
        offers: Vec<Offers>,
        /// Latencies of the seconds that have changed, which take the place of those told before.
        latencies: Vec<SecondLatency>,
        /// Requests of which it became known that they are lost.
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
