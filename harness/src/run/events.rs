//! What happens in a run, as outputs see it. The runner does not print, and outputs do not run.

use squall_reports::record::{Cell, Event, Phase, Record, Verdict};
use std::path::PathBuf;
use std::time::Duration;

/// Something that happened in a run.
#[derive(Debug, Clone)]
pub enum RunEvent {
    /// Everything is planned; nothing is started yet.
    Begins {
        /// `<stamp>-<seed>`.
        id: String,
        /// The seed.
        seed: u64,
        /// The run's folder.
        folder: PathBuf,
        /// Titles, in the order of the files.
        scenarios: Vec<String>,
    },
    /// Something happened in an arm.
    Arm {
        /// Index of the scenario.
        scenario: usize,
        /// Which arm.
        arm: ArmId,
        /// What.
        what: ArmEvent,
    },
    /// A scenario is reported and stays up for a look.
    Kept {
        /// Its verdict, as far as it is known.
        verdict: Verdict,
        /// The first reason for it.
        reason: Option<String>,
        /// The report, if it could be written.
        report_file: Option<PathBuf>,
        /// Where everything listens, a line each.
        addresses: String,
    },
    /// A scenario is judged and its report written.
    Judged {
        /// Index of the scenario.
        scenario: usize,
        /// The record.
        record: Box<Record>,
        /// The record's file.
        record_file: PathBuf,
        /// The report's file.
        report_file: PathBuf,
    },
    /// A person asked to stop.
    Stopping,
    /// All is over.
    Ends {
        /// The worst verdict.
        worst: Verdict,
        /// `index.html` of the run.
        index_file: PathBuf,
        /// What could not be undone.
        dirty: Vec<String>,
        /// Seconds from begin to end.
        seconds: f64,
    },
}

/// Which arm of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmId {
    /// `run`, `control` or the cell.
    pub name: String,
    /// Coordinates, for a cell.
    pub cell: Option<Cell>,
    /// Try, from 1.
    pub try_number: u32,
}

/// Something that happened in an arm.
#[derive(Debug, Clone)]
pub enum ArmEvent {
    /// Processes are being started.
    Deploying {
        /// How long the load will last.
        lasting: Duration,
    },
    /// The load goes on; told each second.
    Under {
        /// Since its first request was due.
        elapsed: Duration,
    },
    /// A phase begins.
    Phase {
        /// The phase.
        phase: Phase,
    },
    /// Anything that also stands in the record.
    Happened(Event),
    /// The arm has ended and is judged by itself.
    Ended {
        /// Its verdict.
        verdict: Verdict,
        /// The first reason.
        reason: Option<String>,
    },
    /// The arm proved nothing for the machine's sake and is run again.
    Again {
        /// Why.
        reason: String,
    },
}
