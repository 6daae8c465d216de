//! Pages: one self-contained file each, complete without script.

use crate::plot;
use crate::record::{Arm, ArmKind, Record, Verdict};
use askama::Template;

#[derive(Template)]
#[template(path = "report.html")]
struct Report<'a> {
    record: &'a Record,
    headline: &'a str,
    sections: Vec<Section<'a>>,
    sweep: Option<String>,
    cells: Vec<&'a Arm>,
    others: Vec<&'a Arm>,
    /// The command line that does it again.
    command: String,
}

/// An arm with its pictures.
struct Section<'a> {
    title: &'static str,
    arm: &'a Arm,
    healing: String,
    latency: String,
}

/// The report of one scenario.
pub fn report(record: &Record) -> Result<String, crate::artifacts::Error> {
    let mut sections = Vec::new();
    let current = || record.arms.iter().filter(|arm| !arm.superseded);
    for arm in current().filter(|arm| arm.kind != ArmKind::Cell) {
        let title = if arm.kind == ArmKind::Control { "Control: the same without healing" } else { "As written" };
        sections.push(Section { title, arm, healing: plot::healing(arm), latency: plot::latency(arm)? });
    }
    let cells: Vec<&Arm> = current().filter(|arm| arm.kind == ArmKind::Cell).collect();
    let page = Report {
        record,
        headline: record.reasons.first().map_or("", |reason| reason.text.as_str()),
        sections,
        sweep: (!cells.is_empty()).then(|| plot::sweep(record)).transpose()?,
        cells,
        command: again(record),
        others: record.arms.iter().filter(|arm| arm.superseded).collect(),
    };
    Ok(page.render()?)
}

/// The command line with its seed, which may have been drawn.
fn again(record: &Record) -> String {
    let mut words = record.run.command.clone();
    let has_seed = words.iter().any(|word| word == "--seed" || word.starts_with("--seed="));
    if !has_seed {
        words.extend(["--seed".to_owned(), record.run.seed.to_string()]);
    }
    words.join(" ")
}

/// What the pages need to say of a number.
// What the macro makes of these functions is its own affair.
#[allow(
    unreachable_pub,
    clippy::inline_always,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    clippy::trivially_copy_pass_by_ref,
    clippy::ref_option
)]
mod filters {
    use crate::record::Verdict;

    /// The sign beside a verdict's word.
    #[askama::filter_fn]
    pub fn sign(verdict: &Verdict, _: &dyn askama::Values) -> askama::Result<&'static str> {
        Ok(match verdict {
            Verdict::Pass => "✓",
            Verdict::Inconclusive => "?",
            Verdict::Invalid => "◇",
            Verdict::Fail | Verdict::Error => "✗",
            Verdict::Aborted => "■",
        })
    }

    /// The class of a verdict.
    #[askama::filter_fn]
    pub fn class(verdict: &Verdict, _: &dyn askama::Values) -> askama::Result<&'static str> {
        Ok(match verdict {
            Verdict::Pass => "heal",
            Verdict::Inconclusive => "warn",
            Verdict::Invalid => "said",
            Verdict::Fail | Verdict::Error | Verdict::Aborted => "lost",
        })
    }

    /// Microseconds as seconds.
    #[askama::filter_fn]
    pub fn seconds(micros: &i64, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(format!("{:.2} s", *micros as f64 / 1e6))
    }

    /// Milliseconds in the unit that reads best.
    #[askama::filter_fn]
    pub fn millis(value: Option<&f64>, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(match value {
            None => "-".to_owned(),
            Some(value) if *value < 1.0 => format!("{:.0} us", value * 1e3),
            Some(value) if *value < 100.0 => format!("{value:.1} ms"),
            Some(value) if *value < 1000.0 => format!("{value:.0} ms"),
            Some(value) => format!("{:.2} s", value / 1e3),
        })
    }
}
