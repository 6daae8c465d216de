//! What happens in a run, as outputs see it. The runner does not print, and outputs do not run.

pub use crate::observe::{Arrivals, PhaseCount, Tally};
use squall_reports::record::{Cell, Event, Flow, Instance, Phase, Record, Verdict};
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
    /// A person asked to stop: faults are being undone.
    Stopping,
    /// A person asked again: the process ends at once, and the guardian undoes the rest.
    Leaving,
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
    /// Everything is up, and the load begins.
    Begun(Box<Outline>),
    /// What was done since the last time; told about once a second.
    Progress(Box<Tally>),
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

/// What is known of an arm when its load begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// How long from now until the first request is due.
    pub lead: Duration,
    /// Its phases, the warm-up first.
    pub phases: Vec<Phase>,
    /// Requests planned in each.
    pub planned: Vec<u64>,
    /// Phases with a fault.
    pub faulty: Vec<usize>,
    /// Its flows.
    pub flows: Vec<Flow>,
    /// Its instances.
    pub instances: Vec<Instance>,
    /// What they are offered is counted under way; otherwise nothing is known of it until the end.
    pub counted: bool,
    /// What is expected, in the order of the file.
    pub expected: Vec<Expected>,
}

/// An expectation, as it can be watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// Its stable id.
    pub id: String,
    /// As written.
    pub written: String,
    /// How many requests it allows to go wrong, where it is judged by nothing but their count.
    pub budget: Option<Budget>,
}

impl Expected {
    /// `failing.success >= 99.9%`: where, and as written.
    pub fn written_in_full(&self) -> String {
        match self.id.split_once('.') {
            Some((place, _)) if place != "healing" => format!("{place}.{}", self.written),
            _ => self.written.clone(),
        }
    }
}

/// How many requests of some phases may go wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// Indices of the phases.
    pub phases: Vec<usize>,
    /// Share of planned ones, or their number.
    pub allowed: Allowed,
    /// A degraded answer is one of them.
    pub degraded: bool,
}

/// How many requests may go wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Allowed {
    /// A share of those planned, from 0 to 1.
    Share(f64),
    /// So many.
    Count(u64),
}
