//! The run record: what was asked, what happened, how it was judged.
//!
//! One record is one scenario of one run. Its [`Arm`]s are the scenario as written, its control, and earlier tries of
//! either that proved nothing. All times are microseconds since the load of their arm began ([`Micros`]); counts
//! over time are in [`SLOT`] wide slots, latencies in [`SECOND`] wide ones.
//!
//! Readers accept unknown fields of the same major version and refuse a newer major.

mod arm;
mod cell;
mod evidence;
pub mod fold;
mod read;
pub mod search;
mod series;
pub mod stream;
mod texts;
mod verdict;
mod write;

pub use arm::{Arm, ArmKind, Event, EventKind, FaultSpan, Flow, Instance, Mark, Phase, Said, SaidKind, Witness};
pub use cell::Cell;
pub use evidence::{
    GeneratorHealth, GroundTruth, HealthSecond, Latency, LatencyKind, Population, Process, SecondLatency, Thread,
};
pub use read::{ReadError, read, read_file, salvage, salvage_file};
pub use series::{Offer, Offers, Outcome, Outcomes, Single, Singles};
pub use verdict::{Expectation, Figure, Figures, Interval, Observed, PhaseTotals, Reason, Verdict};
pub use write::write;

use serde::{Deserialize, Serialize};

/// Microseconds since the load of the arm began; negative before it.
pub type Micros = i64;

/// Width of a slot of every count over time.
pub const SLOT: Micros = 100_000;

/// Width of a slot of every latency over time.
pub const SECOND: Micros = 1_000_000;

/// The value of [`Record::format`].
pub const FORMAT: &str = "squall/record";

/// The version that this crate writes, as `major.minor`.
pub const VERSION: &str = "1.0";

/// One scenario of one run, from which every report is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    /// Always [`FORMAT`]; first in the file, so that any reader knows what it holds.
    pub format: String,
    /// `major.minor`; see [`VERSION`].
    pub version: String,
    /// False if the run was cut before its end; such a record is never PASS.
    pub complete: bool,
    /// The verdict over all arms.
    pub verdict: Verdict,
    /// Why, most important first; the first is the headline of every report.
    pub reasons: Vec<Reason>,
    /// Verdict of the control arm by itself; absent where none ran. A sound scenario has FAIL here.
    pub control: Option<Verdict>,
    /// Something could not be undone: what, and the command that cleans up.
    pub dirty: Vec<String>,
    /// Every expectation of the scenario as judged on the arm as written, in the order of the file.
    pub expectations: Vec<Expectation>,
    /// The scenario as written.
    pub scenario: Scenario,
    /// How, where and with what it was run.
    pub run: Run,
    /// The scenario as written first, then its control, then the cells of a sweep; see [`Arm::superseded`].
    pub arms: Vec<Arm>,
    /// Where a sweep sought the highest rate that holds: what was found, for each combination.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub searches: Vec<search::Search>,
}

/// The scenario file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Scenario {
    /// The claim that the run is to prove.
    pub title: String,
    /// The title in letters that a file name can hold.
    pub slug: String,
    /// Path as given on the command line.
    pub file: String,
    /// Line of the scenario's first key, from 1.
    pub line: usize,
    /// Prose for the report.
    pub about: Option<String>,
    /// Words for `--filter`.
    pub tags: Vec<String>,
    /// The file's text.
    pub source: String,
    /// `--set PATH=VALUE` as given.
    pub set: Vec<String>,
    /// The policies as given, before anything was taken out.
    pub policies: Vec<SourceFile>,
    /// Accepted fields that the data plane does not obey, as `file:line: path`.
    pub unsupported: Vec<String>,
}

/// A text that the run was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SourceFile {
    /// Path as given.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// How, where and with what the scenario was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Run {
    /// `<stamp>-<seed>`, as in the name of the run's folder.
    pub id: String,
    /// Start in RFC 3339, UTC.
    pub started: String,
    /// Seconds from start to verdict.
    pub seconds: f64,
    /// The seed; the same seed draws the same victims.
    pub seed: u64,
    /// The command line, secrets taken out.
    pub command: Vec<String>,
    /// `squall 0.1.0`.
    pub squall: String,
    /// `local`.
    pub platform: String,
    /// Run with `--quick`: no control, recovery cut short; never compared with others.
    pub quick: bool,
    /// Number of this repetition from 1, and of how many.
    pub repetition: (u32, u32),
    /// The machine.
    pub machine: Machine,
}

impl Run {
    /// The command line with its seed, which may have been drawn.
    pub fn again(&self) -> String {
        let mut words = self.command.clone();
        // Where the program lay is nobody's business, and elsewhere it lies elsewhere.
        if let Some(name) = words.first().and_then(|program| program.rsplit('/').next()).map(str::to_owned) {
            words[0] = name;
        }
        if !words.iter().any(|word| word == "--seed" || word.starts_with("--seed=")) {
            words.extend(["--seed".to_owned(), self.seed.to_string()]);
        }
        words.join(" ")
    }
}

/// The machine, as far as it bears on the figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Machine {
    /// Logical processors that this run may use.
    pub cores: u32,
    /// Processor model.
    pub cpu: String,
    /// Kernel release.
    pub kernel: String,
    /// Bytes of memory.
    pub memory: u64,
    /// The CI service, where one was recognised.
    pub ci: Option<String>,
}
