//! Verdicts for people on standard output: the word, the sentence, what was missed and where the report is.

use super::{InOrder, Output};
use crate::run::events::RunEvent;
use anstream::stdout;
use squall_reports::record::{Record, Verdict};
use std::fmt::Write as _;
use std::io::Write as _;

/// One block a scenario, in the order of the files.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    order: InOrder<String>,
    counts: std::collections::BTreeMap<Verdict, usize>,
}

impl Output for Verdicts {
    fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Judged { scenario, record, report_file, .. } => {
                *self.counts.entry(record.verdict).or_default() += 1;
                for block in self.order.push(*scenario, block(record, report_file)) {
                    let _ = write!(stdout(), "{block}");
                }
            }
            RunEvent::Ends { worst, index_file, dirty, seconds } => {
                for block in self.order.rest() {
                    let _ = write!(stdout(), "{block}");
                }
                let counts: Vec<_> = self.counts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
                let _ = writeln!(
                    stdout(),
                    "\n{} {worst}: {} in {seconds:.0} s\nreport: {}",
                    sign(*worst),
                    counts.join(", "),
                    index_file.display()
                );
                for what in dirty {
                    let _ = writeln!(stdout(), "\x1b[1;31mDIRTY: {what}\x1b[0m");
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
        None => String::new(),
    };
    let _ = writeln!(
        text,
        "{} {} {} ({:.0} s{control})",
        sign(record.verdict),
        record.verdict,
        record.scenario.title,
        record.run.seconds
    );
    if let Some(reason) = record.reasons.first() {
        let _ = writeln!(text, "    {}", reason.text);
    }
    if record.verdict == Verdict::Pass {
        return text;
    }
    for missed in record.expectations.iter().filter(|expectation| expectation.verdict != Verdict::Pass) {
        let _ = writeln!(
            text,
            "    {}:{}:{}: {}: {} ({})",
            record.scenario.file, missed.line, missed.column, missed.id, missed.detail, missed.written
        );
    }
    for reason in record.reasons.iter().skip(1) {
        let _ = writeln!(text, "    {}", reason.text);
    }
    let _ = writeln!(text, "    report: {}", report.display());
    text
}
