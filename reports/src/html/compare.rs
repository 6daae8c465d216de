//! Two records of a scenario beside each other: what differs between them, and what became of it, at equal scales.

mod differences;
mod figures;
mod overview;
#[cfg(test)]
mod tests;

pub use overview::overview;

use super::parts::{Key, Pair, key, lines_key};
use super::{filters, rows, story};
use crate::artifacts::{Error, relative};
use crate::digest::main_arm;
use crate::plot::key::Sample;
use crate::plot::phases::curves;
use crate::plot::sweep::{self, Sweep};
use crate::plot::{self, Side, Width, number, theme};
use crate::record::{Arm, Record, Verdict};
use askama::Template;
use differences::{Changed, Fact};
use figures::Asked;
use std::path::Path;

/// A record, and the folder that its files lie in.
#[derive(Debug, Clone, Copy)]
pub struct One<'a> {
    /// What is compared.
    pub record: &'a Record,
    /// Where its own report lies.
    pub folder: &'a Path,
}

impl One<'_> {
    fn link(&self, from: &Path) -> String {
        crate::index::link(&relative(&self.folder.join("report.html"), from))
    }
}

/// Why a record is never compared: phases that were cut short measure something else.
pub fn refused(record: &Record) -> Option<&'static str> {
    record.run.quick.then_some("a run with --quick is never compared: its phases are shorter; run it again without")
}

#[derive(Template)]
#[template(path = "compare.html")]
struct Page<'a> {
    a: &'a Record,
    b: &'a Record,
    links: [String; 2],
    theme: String,
    headline: String,
    findings: Vec<String>,
    facts: Vec<Fact>,
    changed: Vec<Changed<'a>>,
    asked: Vec<Asked<'a>>,
    figures: Vec<rows::Beside>,
    pictures: Option<Pair>,
    phases: Option<Pair>,
    phases_key: Vec<Key>,
    sweep: Option<Pair>,
    sweep_key: Vec<Key>,
    cells: Vec<figures::CellRow>,
}

impl<'a> Page<'a> {
    fn both(&self) -> [&'a Record; 2] {
        [self.a, self.b]
    }
}

/// The page of two records; its links lead from `place`.
pub fn page(a: One<'_>, b: One<'_>, place: &Path) -> Result<String, Error> {
    let links = [a.link(place), b.link(place)];
    let (a, b) = (a.record, b.record);
    let arms = main_arm(a).zip(main_arm(b));
    let asked = figures::asked(a, b);
    let facts = differences::facts(a, b);
    let changed = differences::changed(a, b);
    let sweep = Sweep::beside(&[("A", a), ("B", b)]).filter(|_| arms.is_none());
    let page = Page {
        a,
        b,
        links,
        theme: format!("{}{}", theme::variables(), theme::classes()),
        headline: headline(a, b),
        findings: findings(reason("A", a).into_iter().chain(reason("B", b)).collect(), &asked, &facts, &changed),
        figures: arms.map(|(one, other)| rows::beside(one, other)).unwrap_or_default(),
        pictures: arms.map(|(one, other)| {
            let sides =
                [Side { arm: one, name: "A", note: &a.run.id }, Side { arm: other, name: "B", note: &b.run.id }];
            Pair::of(|width| plot::beside("compare", "Both runs at the same scales", sides, width))
        }),
        phases: arms.and_then(|(one, other)| Pair::drawn(|width| plot::phases(one, Some((OTHERS, other)), width))),
        phases_key: arms.map(|(one, other)| phases_key(one, other)).unwrap_or_default(),
        sweep: sweep.as_ref().map(|sweep| Pair::of(|width: Width| sweep::lines(sweep, width))),
        sweep_key: sweep.as_ref().map(lines_key).unwrap_or_default(),
        cells: figures::cells(a, b),
        asked,
        facts,
        changed,
    };
    Ok(page.render()?)
}

/// Whose curve it is, beside those of A.
const OTHERS: &str = "B's";

fn phases_key(a: &Arm, b: &Arm) -> Vec<Key> {
    let drawn = curves(a, Some((OTHERS, b))).into_iter().filter_map(|curve| {
        Some((None, Sample::Stroke(curve.stroke?), format!("{}, {}", curve.name, number::count(curve.count))))
    });
    key("phases", drawn.collect())
}

fn headline(a: &Record, b: &Record) -> String {
    match (a.verdict, b.verdict) {
        (Verdict::Pass, Verdict::Pass) => "both hold".to_owned(),
        (one, other) if one == other => format!("both are {one}"),
        (one, other) => format!("{one} in A, {other} in B"),
    }
}

/// Why one of them is what it is, where no expectation says so.
fn reason(letter: &str, record: &Record) -> Option<String> {
    let first = record.reasons.first().filter(|reason| reason.code != "missed" && record.verdict != Verdict::Pass)?;
    Some(format!("{letter}: {}", story::signs(&first.text)))
}

/// Most findings above the table that has them all.
const FINDINGS: usize = 6;

fn findings(reasons: Vec<String>, asked: &[Asked<'_>], facts: &[Fact], changed: &[Changed<'_>]) -> Vec<String> {
    let mut findings = reasons;
    findings.extend(asked.iter().filter_map(Asked::finding));
    let more = findings.len().saturating_sub(FINDINGS);
    findings.truncate(FINDINGS);
    if more > 0 {
        findings.push(format!("{more} more differ; the table below has them."));
    }
    if findings.is_empty() {
        findings.push("No verdict differs, and no two figures are further apart than their intervals.".to_owned());
    }
    let differing: Vec<&str> = facts
        .iter()
        .filter(|fact| fact.matters())
        .map(|fact| fact.name)
        .chain(changed.iter().map(|one| one.path))
        .collect();
    findings.push(if differing.is_empty() {
        "They were asked the same with the same program on such a machine: what differs is the machine's doing, or chance.".to_owned()
    } else {
        format!("What they were given differs in: {}.", differing.join(", "))
    });
    findings
}
