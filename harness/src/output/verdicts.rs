//! Verdicts for people on standard output: the word, the sentence, what was missed and where the report is.

use super::Output;
use crate::run::events::RunEvent;
use anstream::stdout;
use squall_reports::escape::visible;
use squall_reports::record::{ArmKind, Record, Verdict};
use std::fmt::Write as _;
use std::io::Write as _;

/// One block a scenario, in the order of the files.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    counts: std::collections::BTreeMap<Verdict, usize>,
}

impl Output for Verdicts {
    fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Judged { record, report_file, .. } => {
                *self.counts.entry(record.verdict).or_default() += 1;
                let _ = write!(stdout(), "{}", block(record, report_file));
            }
            RunEvent::Ends { worst, index_file, dirty, seconds } => {
                let counts: Vec<_> = self.counts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
                let _ = writeln!(
                    stdout(),
                    "\n{} {worst}: {} in {seconds:.0} s\nreport: {}",
                    sign(*worst),
                    counts.join(", "),
                    index_file.display()
                );
                for what in dirty {
                    let _ = writeln!(stdout(), "\x1b[1;31mDIRTY: {}\x1b[0m", visible(what));
                }
            }
            _ => {}
        }
    }
}

/// A sign beside the word, never alone, in the verdict's colour.
fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "\x1b[32m✓\x1b[0m",
        Verdict::Inconclusive => "\x1b[33m?\x1b[0m",
        Verdict::Invalid => "\x1b[35m!\x1b[0m",
        Verdict::Fail | Verdict::Error => "\x1b[31m✗\x1b[0m",
        Verdict::Aborted => "\x1b[31m■\x1b[0m",
    }
}

fn block(record: &Record, report: &std::path::Path) -> String {
    let mut text = String::new();
    let control = match record.control {
        Some(control) => format!(", control {control}"),
        None if record.run.quick => ", quick, control not run".to_owned(),
        None if record.arms.iter().any(|arm| arm.kind == ArmKind::Cell) => String::new(),
        None => ", control not run".to_owned(),
    };
    let _ = writeln!(
        text,
        "{} {} {} ({:.0} s{control})",
        sign(record.verdict),
        record.verdict,
        visible(&record.scenario.title),
        record.run.seconds
    );
    // What was missed is told below, with its place.
    for reason in record.reasons.iter().filter(|reason| reason.code != "missed") {
        let _ = writeln!(text, "    {}", visible(&reason.text));
    }
    if record.verdict == Verdict::Pass {
        return text;
    }
    for missed in record.expectations.iter().filter(|expectation| expectation.verdict != Verdict::Pass) {
        let _ = writeln!(
            text,
            "    {}:{}:{}: {}: {}",
            visible(&record.scenario.file),
            missed.line,
            missed.column,
            missed.id,
            visible(&missed.detail)
        );
    }
    let _ = writeln!(text, "    report: {}", report.display());
    text
}
