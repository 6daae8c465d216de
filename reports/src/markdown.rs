//! `summary.md`: the verdicts of a run, for step summaries and chats.

use crate::record::{Record, Verdict};
use crate::spread::spreads;
use std::fmt::Write;

/// The summary of a run, what did not pass first.
pub fn summary<'a>(records: impl Iterator<Item = &'a Record>) -> String {
    let mut records: Vec<_> = records.collect();
    records.sort_by_key(|record| std::cmp::Reverse(record.verdict));
    let mut text = String::from("# Squall\n\n| verdict | scenario | control | seconds |\n|---|---|---|---|\n");
    for record in &records {
        let not_run = if record.run.quick { "not run (quick)" } else { "not run" };
        let control = record.control.map_or(not_run.to_owned(), |control| control.to_string());
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {control} | {:.0} |",
            record.verdict,
            cell(&record.scenario.title),
            record.run.seconds
        );
    }
    for record in records.iter().filter(|record| record.verdict != Verdict::Pass) {
        let _ = writeln!(text, "\n## {}: {}\n", record.verdict, cell(&record.scenario.title));
        for reason in &record.reasons {
            let _ = writeln!(text, "- {}", cell(&reason.text));
        }
    }
    for spread in spreads(records.iter().copied()) {
        let _ = writeln!(text, "\n## {} of {} passed: {}\n", spread.passed, spread.runs, cell(spread.title));
        text.push_str("| expectation | asked | held | least | median | most |\n|---|---|---|---|---|---|\n");
        for figure in &spread.figures {
            let shown = [figure.id, figure.limit].map(cell);
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} |",
                shown[0], shown[1], figure.passed, figure.least, figure.median, figure.most
            );
        }
    }
    text
}

/// A text that cannot break its table or become markup.
fn cell(text: &str) -> String {
    let mut safe = String::new();
    for letter in text.chars() {
        match letter {
            '|' | '<' | '>' | '*' | '_' | '`' | '[' | ']' | '\\' => safe.extend(['\\', letter]),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
