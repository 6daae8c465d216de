//! Machine-readable summaries. Their keys are documented in `docs/outputs.md` and only ever grow.

use crate::record::{Expectation, Figures, GroundTruth, PhaseTotals, Record, Verdict};
use serde::Serialize;
use std::path::Path;

/// The line that a run prints for each scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The title.
    pub scenario: String,
    /// Its file.
    pub file: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The verdict of the control arm; null if none ran.
    pub control: Option<Verdict>,
    /// Something is left behind.
    pub dirty: bool,
    /// Run with `--quick`: without a control, never to be compared with others.
    pub quick: bool,
    /// Seconds from start to verdict.
    pub seconds: f64,
    /// Path of the record.
    pub record: String,
    /// Path of the report.
    pub report: String,
    /// Each expectation.
    pub expectations: Vec<ExpectationSummary>,
}

/// One expectation of a [`Summary`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpectationSummary {
    /// Its stable id.
    pub name: String,
    /// Did it hold?
    pub verdict: Verdict,
    /// In base units; null without data.
    pub observed: Option<f64>,
    /// In the same unit; null where there is none.
    pub limit: Option<f64>,
    /// The sentence.
    pub detail: String,
}

impl ExpectationSummary {
    /// Of an expectation that was judged.
    pub fn of(judged: &Expectation) -> Self {
        Self {
            name: judged.id.clone(),
            verdict: judged.verdict,
            observed: judged.observed.value,
            limit: judged.limit,
            detail: judged.detail.clone(),
        }
    }
}

impl Summary {
    /// Of a record and the files that hold it.
    pub fn of(record: &Record, record_file: &Path, report_file: &Path) -> Self {
        Self {
            scenario: record.scenario.title.clone(),
            file: record.scenario.file.clone(),
            verdict: record.verdict,
            control: record.control,
            dirty: !record.dirty.is_empty(),
            quick: record.run.quick,
            seconds: record.run.seconds,
            record: record_file.display().to_string(),
            report: report_file.display().to_string(),
            expectations: record.expectations.iter().map(ExpectationSummary::of).collect(),
        }
    }
}

/// What `squall report --json` prints: totals by phase and whole, and the healing figures, of every arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Totals<'a> {
    /// The title.
    pub scenario: &'a str,
    /// The verdict.
    pub verdict: Verdict,
    /// False if the run was cut.
    pub complete: bool,
    /// The seed.
    pub seed: u64,
    /// Each arm.
    pub arms: Vec<ArmTotals<'a>>,
    /// What a search has found.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub searches: &'a [crate::record::search::Search],
}

/// One arm of [`Totals`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArmTotals<'a> {
    /// `main`, `control` or `cell`.
    pub kind: crate::record::ArmKind,
    /// Coordinates of a cell.
    pub cell: Option<&'a crate::record::Cell>,
    /// Its verdict.
    pub verdict: Verdict,
    /// By phase and flow, and `whole`.
    pub totals: &'a [PhaseTotals],
    /// Healing, measured from outside.
    pub figures: &'a Figures,
    /// Do the counts of client, relay and instance explain each other?
    pub truth: &'a GroundTruth,
}

impl<'a> Totals<'a> {
    /// Of a record; arms that another try took the place of are left out.
    pub fn of(record: &'a Record) -> Self {
        let arm = |arm: &'a crate::record::Arm| ArmTotals {
            kind: arm.kind,
            cell: arm.cell.as_ref(),
            verdict: arm.verdict,
            totals: &arm.totals,
            figures: &arm.figures,
            truth: &arm.truth,
        };
        Self {
            scenario: &record.scenario.title,
            verdict: record.verdict,
            complete: record.complete,
            seed: record.run.seed,
            arms: record.arms.iter().filter(|arm| !arm.superseded).map(arm).collect(),
            searches: &record.searches,
        }
    }
}
