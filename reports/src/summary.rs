//! `summary.json`: a run in a few kilobytes, for dashboards and scripts. Its keys are documented in `docs/outputs.md` and only
//! ever grow.

use crate::artifacts::{Recorded, shown};
use crate::digest::{Digest, Healed, Lost};
use crate::record::{Expectation, Interval, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The value of [`RunSummary::format`].
pub const FORMAT: &str = "squall/summary";

/// The version that this crate writes, as `major.minor`.
pub const VERSION: &str = "1.0";

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunSummary {
    /// Always [`FORMAT`], first in the file.
    pub format: &'static str,
    /// See [`VERSION`].
    pub version: &'static str,
    /// `<stamp>-<seed>`; the records of several runs: of the first.
    pub run: String,
    /// When its first scenario began, RFC 3339.
    pub started: String,
    /// The worst verdict; null without scenarios.
    pub verdict: Option<Verdict>,
    /// Scenarios by verdict.
    pub counts: BTreeMap<String, usize>,
    /// The seed.
    pub seed: Option<u64>,
    /// `squall 0.1.0`.
    pub squall: String,
    /// In the order of the files.
    pub scenarios: Vec<ScenarioSummary>,
}

/// One scenario of a [`RunSummary`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ScenarioSummary {
    /// The title.
    pub scenario: String,
    /// The title in letters that a file name can hold.
    pub slug: String,
    /// Its file.
    pub file: String,
    /// Line of its first key.
    pub line: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub headline: String,
    /// The verdict of the control; null if none ran.
    pub control: Option<Verdict>,
    /// Something is left behind.
    pub dirty: bool,
    /// Run with `--quick`.
    pub quick: bool,
    /// False if the run was cut.
    pub complete: bool,
    /// Seconds from start to verdict.
    pub seconds: f64,
    /// Requests lost while something was broken; over the whole run where nothing was.
    pub lost: Option<u64>,
    /// Of so many.
    pub planned: Option<u64>,
    /// Requests that the control lost.
    pub control_lost: Option<u64>,
    /// Seconds until the faulty instance was out; null if it never was.
    pub out: Option<f64>,
    /// Seconds until it was back after the fault; null if it never was.
    pub back: Option<f64>,
    /// 99th percentile of the response time, seconds, over the same requests.
    pub p99: Option<f64>,
    /// Number of expectations.
    pub expectations: usize,
    /// Those that did not hold.
    pub failed: Vec<FailedExpectation>,
    /// Path of the record.
    pub record: String,
    /// Path of the report.
    pub report: String,
}

/// An expectation that did not hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FailedExpectation {
    /// Its stable id.
    pub name: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Line in the scenario.
    pub line: usize,
    /// Column.
    pub column: usize,
    /// In base units; null without data.
    pub observed: Option<f64>,
    /// 95 % interval in the same unit.
    pub interval: Option<Interval>,
    /// In the same unit; null where there is none.
    pub limit: Option<f64>,
    /// Samples behind it.
    pub samples: u64,
    /// The sentence.
    pub detail: String,
}

impl RunSummary {
    /// Of the records of a run. Paths are relative to `root` where they lie in it.
    pub fn of(records: &[Recorded], root: &Path) -> Self {
        let mut counts = BTreeMap::new();
        for (record, _) in records {
            *counts.entry(record.verdict.to_string()).or_default() += 1;
        }
        let first = records.first().map(|(record, _)| &record.run);
        Self {
            format: FORMAT,
            version: VERSION,
            run: first.map_or(String::new(), |run| run.id.clone()),
            started: records.iter().map(|(record, _)| record.run.started.clone()).min().unwrap_or_default(),
            verdict: records.iter().map(|(record, _)| record.verdict).max(),
            counts,
            seed: first.map(|run| run.seed),
            squall: first.map_or(String::new(), |run| run.squall.clone()),
            scenarios: records
                .iter()
                .map(|(record, folder)| scenario(&Digest::of(record), &shown(folder, root)))
                .collect(),
        }
    }

    /// As the file holds it: indented, with a line end.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

fn scenario(digest: &Digest, folder: &str) -> ScenarioSummary {
    let control_lost = match digest.control {
        crate::digest::Control::Ran(_, lost) => lost,
        _ => None,
    };
    ScenarioSummary {
        scenario: digest.title.clone(),
        slug: digest.slug.clone(),
        file: digest.file.clone(),
        line: digest.line,
        verdict: digest.verdict,
        headline: digest.headline.clone(),
        control: digest.control_verdict(),
        dirty: digest.dirty,
        quick: digest.quick,
        complete: digest.complete,
        seconds: digest.seconds,
        lost: digest.lost.map(|lost: Lost| lost.lost),
        planned: digest.lost.map(|lost| lost.planned),
        control_lost: control_lost.map(|lost| lost.lost),
        out: Healed::seconds(&digest.out),
        back: digest.back.seconds(),
        p99: digest.p99,
        expectations: digest.expectations,
        failed: digest.failed.iter().map(failed).collect(),
        record: format!("{folder}/record.json"),
        report: format!("{folder}/report.html"),
    }
}

fn failed(expectation: &Expectation) -> FailedExpectation {
    FailedExpectation {
        name: expectation.id.clone(),
        verdict: expectation.verdict,
        line: expectation.line,
        column: expectation.column,
        observed: expectation.observed.value,
        interval: expectation.observed.interval,
        limit: expectation.limit,
        samples: expectation.samples,
        detail: expectation.detail.clone(),
    }
}
