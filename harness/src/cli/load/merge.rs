//! `squall load merge`: the loads of several generators as one, judged anew.

use super::summary;
use crate::cli::{Exit, color, complain};
use crate::slo;
use squall_reports::hlog;
use squall_reports::load::Load;
use squall_reports::load::merge::merged;
use squall_reports::record::{self, ReadError, Record};
use std::path::PathBuf;

/// Arguments of `squall load merge`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall load merge a.json b.json c.json\n  squall load merge a.json b.json --json --hlog all.hlog"
)]
pub(super) struct Args {
    /// Records of the same load, each written by `squall load URL --record FILE`
    #[arg(value_name = "RECORD", required = true, num_args = 2..)]
    records: Vec<PathBuf>,

    /// One JSON object on standard output, its keys as in docs/load.md
    #[arg(long)]
    json: bool,

    /// Also write all latencies here, as a histogram log
    #[arg(long, value_name = "FILE")]
    hlog: Option<PathBuf>,
}

/// Reads, merges, judges, tells.
pub(super) fn main(args: &Args, color: color::When) -> Exit {
    match args.merge(color) {
        Ok((text, exit)) => match crate::cli::print(text.as_bytes()) {
            Exit::Success => exit,
            failed => failed,
        },
        Err(problems) => {
            problems.iter().for_each(|problem| complain(problem));
            Exit::BadInput
        }
    }
}

impl Args {
    /// What is to be told; or everything that is wrong.
    fn merge(&self, color: color::When) -> Result<(String, Exit), Vec<String>> {
        let (mut records, mut problems) = (Vec::new(), Vec::new());
        for file in &self.records {
            match record::read_file(file) {
                Ok(record) => records.push(record),
                Err(error @ ReadError::File { .. }) => problems.push(error.to_string()),
                Err(error) => problems.push(format!("{}: {error}", file.display())),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let record = self.judged(&records).map_err(|problem| vec![problem])?;
        if let (Some(path), Some(arm)) = (&self.hlog, record.arms.first()) {
            let log = hlog::write(arm).map_err(|error| vec![error.to_string()])?;
            std::fs::write(path, log).map_err(|error| vec![format!("{}: {error}", path.display())])?;
        }
        let load = Load { generators: records.len(), ..Load::of(&record) };
        let text = if self.json {
            serde_json::to_string(&load).map_err(|error| vec![error.to_string()])? + "\n"
        } else {
            summary::text(&load, color::stdout(color))
        };
        Ok((text, Exit::of(record.verdict, false)))
    }

    /// All of them as the record of one load, held against what was expected of each.
    fn judged(&self, records: &[Record]) -> Result<Record, String> {
        let mut arm = merged(records).map_err(|mismatch| {
            let file = self.records.get(mismatch.at).map(|file| format!("{}: ", file.display())).unwrap_or_default();
            format!("{file}{mismatch}")
        })?;
        let first = records.first().ok_or("there is no record to merge")?;
        let scenario = super::scenario::read(&first.scenario.source).map_err(|errors| errors.join("; "))?;
        slo::judge_arm(&scenario, &mut arm);
        let judged = slo::judge(&scenario, std::slice::from_ref(&arm), &[], false, None);
        Ok(Record {
            verdict: judged.verdict,
            reasons: judged.reasons,
            expectations: judged.expectations,
            arms: vec![arm],
            searches: Vec::new(),
            ..first.clone()
        })
    }
}
