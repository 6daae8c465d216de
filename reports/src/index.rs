//! `index.html`: the overview of a run. What did not pass comes first, and all small pictures share one scale.

use crate::artifacts::{Error, Recorded, relative};
use crate::digest::{Control, Digest, main_arm};
use crate::glyph::{self, Scale};
use crate::record::{Record, Verdict};
use crate::spread::{Spread, spreads};
use crate::words;
use askama::Template;
use std::fmt::Write;
use std::path::Path;

#[derive(Template)]
#[template(path = "index.html")]
struct Page<'a> {
    /// The worst verdict, absent without scenarios.
    worst: Option<Verdict>,
    tally: String,
    facts: Vec<String>,
    findings: Vec<String>,
    dirty: Vec<&'a str>,
    scale: String,
    /// Some pictures have a scale in time of their own.
    unlike: bool,
    rows: Vec<Row>,
    spreads: Vec<Spread<'a>>,
    run: Option<&'a Record>,
    command: String,
}

struct Row {
    digest: Digest,
    link: String,
    glyph: Option<String>,
    /// How long it is, where its picture has a scale in time of its own.
    own: Option<String>,
    /// What to say of it where there is no picture.
    unpictured: String,
    more: usize,
}

/// The page. Its links lead from `folder` to where the records lie.
pub fn page(records: &[Recorded], folder: &Path) -> Result<String, Error> {
    let scale = Scale::of(records.iter().map(|(record, _)| record));
    let mut rows: Vec<Row> = records.iter().map(|(record, path)| row(record, path, folder, &scale)).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.digest.verdict));
    let digests: Vec<&Digest> = rows.iter().map(|row| &row.digest).collect();
    let run = records.first().map(|(record, _)| record);
    let page = Page {
        worst: digests.iter().map(|digest| digest.verdict).max(),
        tally: words::tally(digests.iter().map(|digest| digest.verdict)),
        facts: run.map_or(Vec::new(), |run| facts(run, &digests)),
        findings: findings(&digests),
        dirty: dirty(records),
        scale: scale.text(),
        unlike: rows.iter().any(|row| row.own.is_some()),
        spreads: spreads(records.iter().map(|(record, _)| record)),
        command: run.map_or_else(String::new, |record| record.run.again()),
        run,
        rows,
    };
    Ok(page.render()?)
}

fn row(record: &Record, path: &Path, folder: &Path, scale: &Scale) -> Row {
    let digest = Digest::of(record);
    let arm = main_arm(record);
    let unpictured = match digest.cells {
        0 => "nothing was counted".to_owned(),
        cells => format!("a sweep of {}", words::many(cells, "cell")),
    };
    Row {
        link: link(&relative(&path.join("report.html"), folder)),
        glyph: arm.and_then(|arm| glyph::scenario(arm, scale)),
        own: arm.and_then(|arm| scale.own(arm)),
        unpictured,
        more: digest.failed.len().saturating_sub(1),
        digest,
    }
}

/// A path as a relative address: what has a meaning in addresses is spelt out.
pub(crate) fn link(path: &str) -> String {
    let mut link = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => link.push(char::from(byte)),
            // Writing to a string cannot fail.
            byte => drop(write!(link, "%{byte:02X}")),
        }
    }
    link
}

/// What is true of the run as a whole.
fn facts(run: &Record, digests: &[&Digest]) -> Vec<String> {
    let started = digests.iter().map(|digest| digest.started.as_str()).min().unwrap_or_default();
    let day = started.get(..16).unwrap_or(started).replace('T', " ");
    let machine = &run.run.machine;
    let mut facts = vec![format!("{day} UTC"), format!("seed {}", run.run.seed), run.run.squall.clone()];
    facts.push(format!("{}, {}", words::many(machine.cores as usize, "core"), machine.cpu));
    facts.extend(machine.ci.clone());
    facts.extend(run.run.quick.then(|| "quick: no controls".to_owned()));
    facts
}

/// What the controls say about the run.
fn findings(digests: &[&Digest]) -> Vec<String> {
    let count = |wanted: fn(&Control) -> bool| digests.iter().filter(|digest| wanted(&digest.control)).count();
    let ran = count(|control| matches!(control, Control::Ran(..)));
    let failed = count(|control| matches!(control, Control::Ran(Verdict::Fail, _)));
    let not_run = count(|control| matches!(control, Control::NotRun(_)));
    let mut findings = Vec::new();
    match (ran, failed) {
        (0, _) => {}
        (1, 1) => findings.push("The control fails, as it must.".to_owned()),
        (ran, failed) if ran == failed => {
            findings.push(format!("All {ran} controls fail, as they must."));
        }
        (ran, failed) => findings
            .push(format!("{failed} of {} fail, as they must; the others prove nothing.", words::many(ran, "control"))),
    }
    if not_run > 0 {
        findings.push(format!("{} without a control, so not seen to fail.", words::many(not_run, "scenario")));
    }
    findings
}

fn dirty(records: &[Recorded]) -> Vec<&str> {
    let mut dirty: Vec<&str> = Vec::new();
    for what in records.iter().flat_map(|(record, _)| &record.dirty) {
        if !dirty.contains(&what.as_str()) {
            dirty.push(what);
        }
    }
    dirty
}

/// What the pages of overviews need to say of a value.
// What the macro makes of these functions is its own affair.
#[allow(
    unreachable_pub,
    clippy::inline_always,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    clippy::trivially_copy_pass_by_ref,
    clippy::ref_option
)]
pub(crate) mod filters {
    use crate::plot::theme::Token;
    use crate::record::Verdict;

    /// The class of a verdict, by which it has its colour and its sign.
    #[askama::filter_fn]
    pub fn class(verdict: &Verdict, _: &dyn askama::Values) -> askama::Result<&'static str> {
        Ok(match verdict {
            Verdict::Pass => "pass",
            Verdict::Inconclusive => "inc",
            Verdict::Invalid => "inv",
            Verdict::Fail | Verdict::Error => "fail",
            Verdict::Aborted => "abort",
        })
    }

    /// Its colour where styles are forbidden.
    #[askama::filter_fn]
    pub fn colour(verdict: &Verdict, _: &dyn askama::Values) -> askama::Result<&'static str> {
        Ok(Token::of(*verdict).light())
    }

    /// A text in which nothing is hidden; escaped afterwards like any other.
    #[askama::filter_fn]
    pub fn visible(text: impl std::fmt::Display, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(crate::escape::visible(&text.to_string()))
    }
}
