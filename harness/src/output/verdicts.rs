//! Verdicts for people on standard output: the word, the sentence, every expectation, and where to read on.

use super::Results;
use super::story::clean;
use crate::run::events::RunEvent;
use crate::slo::words::{count, seconds};
use squall_reports::record::{Arm, ArmKind, Expectation, Record, Verdict};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

/// One block a scenario, in the order of the files.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    counts: BTreeMap<Verdict, usize>,
}

impl Results for Verdicts {
    fn event(&mut self, event: &RunEvent, out: &mut dyn Write) -> std::io::Result<()> {
        match event {
            RunEvent::Judged { record, report_file, .. } => {
                *self.counts.entry(record.verdict).or_default() += 1;
                write!(out, "{}", block(record, report_file))
            }
            RunEvent::Ends { index_file, dirty, seconds, .. } => {
                let number: usize = self.counts.values().sum();
                let counts: Vec<_> = self.counts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
                let plural = if number == 1 { "" } else { "s" };
                writeln!(out, "\n{number} scenario{plural} in {seconds:.0} s: {}", counts.join(", "))?;
                writeln!(out, "report: {}", index_file.display())?;
                // The very last lines, so that nobody misses them.
                dirty.iter().try_for_each(|what| writeln!(out, "\x1b[1;31mDIRTY: {}\x1b[0m", clean(what)))
            }
            _ => Ok(()),
        }
    }
}

/// The word in the verdict's colour, so wide.
fn word(verdict: Verdict, width: usize) -> String {
    let colour = match verdict {
        Verdict::Pass => "\x1b[32m",
        Verdict::Inconclusive => "\x1b[33m",
        Verdict::Invalid => "\x1b[35m",
        Verdict::Fail | Verdict::Error | Verdict::Aborted => "\x1b[31m",
    };
    format!("{colour}{verdict}\x1b[0m{}", " ".repeat(width.saturating_sub(verdict.to_string().len())))
}

fn block(record: &Record, report: &Path) -> String {
    let mut text = String::new();
    let control = match record.control {
        Some(control) => format!(", control {control}"),
        None if record.run.quick => ", quick, control not run".to_owned(),
        None if record.arms.iter().any(|arm| arm.kind == ArmKind::Cell) => String::new(),
        None => ", control not run".to_owned(),
    };
    let (title, took) = (clean(&record.scenario.title), record.run.seconds);
    let _ = writeln!(text, "{}\x1b[1m{title}\x1b[0m   {took:.1} s{control}", word(record.verdict, 14));
    // What was missed is told below, with its place.
    for reason in record.reasons.iter().filter(|reason| reason.code != "missed") {
        let said = reason.text.strip_prefix(&format!("{}: ", reason.verdict)).unwrap_or(&reason.text);
        for line in said.lines() {
            let _ = writeln!(text, "      {}", clean(line));
        }
    }
    if record.verdict == Verdict::Pass {
        return text;
    }
    text.push_str(&table(record));
    let _ = writeln!(text, "      report  {}\n      again   {}\n", report.display(), again(record));
    text
}

/// Each expectation as asked and as seen; those that did not hold with their place.
fn table(record: &Record) -> String {
    let mut text = String::new();
    let all = &record.expectations;
    let longest = |of: fn(&Expectation) -> &str| all.iter().map(|one| of(one).chars().count()).max().unwrap_or(0);
    let (id, limit) = (longest(|one| &one.id).max(9), longest(|one| &one.limit_text));
    let seen = all.iter().map(|one| observed(one).chars().count()).max().unwrap_or(0);
    for one in all {
        let (name, asked, got) = (clean(&one.id), clean(&one.limit_text), observed(one));
        let verdict = word(one.verdict, 0);
        let _ = writeln!(text, "      {name:id$}   {asked:limit$}   {got:seen$}   {verdict}");
        if one.verdict != Verdict::Pass {
            let (file, line, column) = (&record.scenario.file, one.line, one.column);
            let _ = writeln!(text, "        --> {file}:{line}:{column}  {}", clean(&one.detail));
        }
    }
    if let Some(arm) = record.arms.iter().find(|arm| arm.kind == ArmKind::Main && !arm.superseded) {
        let _ = writeln!(text, "      {:id$}   {}", "generator", generator(arm));
    }
    text
}

/// `95.73 % (95.19 to 96.23)` for shares, the value alone for everything else.
fn observed(one: &Expectation) -> String {
    let text = clean(&one.observed.text);
    match one.observed.interval {
        Some(interval) if text.ends_with('%') => {
            format!("{text} ({:.2} to {:.2})", interval.low * 100.0, interval.high * 100.0)
        }
        _ => text,
    }
}

fn generator(arm: &Arm) -> String {
    let health = &arm.generator;
    let lag = seconds(health.lag_p99 as f64 / 1e6);
    format!("sent {} of {}, lag p99 {lag}", count(health.offered), count(health.planned))
}

/// The command that gives the same run.
fn again(record: &Record) -> String {
    let file = &record.scenario.file;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+=@%:,".contains(letter);
    let quote = |text: &str| {
        if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
    };
    let mut command = format!("squall run {} --seed {}", quote(file), record.run.seed);
    for flag in ["--quick", "--no-control"] {
        if record.run.command.iter().any(|word| word == flag) {
            command.extend([" ", flag]);
        }
    }
    for one in &record.scenario.set {
        command.extend([" --set ", &quote(one)]);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::fixture;

    #[test]
    fn a_block_tells_every_expectation_and_where_those_stand_that_did_not_hold() {
        let block = block(&fixture::record(), Path::new("out/report.html"));
        insta::assert_snapshot!(anstream::adapter::strip_str(&block).to_string());
    }

    #[test]
    fn what_has_passed_takes_no_more_than_its_sentence() {
        let mut record = fixture::record();
        record.verdict = Verdict::Pass;
        record.reasons[0] = squall_reports::record::Reason {
            verdict: Verdict::Pass,
            code: "held".to_owned(),
            text: "PASS: 0 of 4,500 requests were lost".to_owned(),
        };
        insta::assert_snapshot!(
            anstream::adapter::strip_str(&block(&record, Path::new("out/report.html"))).to_string()
        );
    }

    #[test]
    fn the_command_to_run_it_again_can_be_pasted() {
        let mut record = fixture::record();
        record.scenario.file = "my scenarios/it's.yaml".to_owned();
        record.scenario.set = vec!["load.rate=800/s".to_owned()];
        assert_eq!(again(&record), r"squall run 'my scenarios/it'\''s.yaml' --seed 7 --set load.rate=800/s");
    }
}
