//! Two runs of several scenarios beside each other: a line each, what changed first.

use super::{One, figures};
use crate::artifacts::Error;
use crate::digest::Digest;
use crate::index::filters;
use crate::words;
use askama::Template;

#[derive(Template)]
#[template(path = "compared.html")]
struct Page<'a> {
    runs: [&'a str; 2],
    headline: String,
    rows: Vec<Row>,
    alone: &'a [String],
}

struct Row {
    link: String,
    a: Digest,
    b: Digest,
    /// Expectations whose verdict is another, or that lie further apart than their intervals.
    differ: usize,
}

impl Row {
    /// What is told of both: name, A's, B's.
    fn figures(&self) -> [(&'static str, String, String); 3] {
        let both = |name, of: fn(&Digest) -> String| (name, of(&self.a), of(&self.b));
        [
            both("lost", |one| one.lost.map_or("–".to_owned(), |lost| lost.text())),
            both("out", |one| one.out.text()),
            both("p99", Digest::p99_text),
        ]
    }

    fn changed(&self) -> bool {
        self.a.verdict != self.b.verdict
    }
}

/// The page over pairs, each with the address of its own page; `alone` are the scenarios that only one of the runs has.
pub fn overview(pairs: &[(One<'_>, One<'_>, String)], alone: &[String]) -> Result<String, Error> {
    let mut rows: Vec<Row> = pairs
        .iter()
        .map(|(a, b, link)| Row {
            link: crate::index::link(link),
            a: Digest::of(a.record),
            b: Digest::of(b.record),
            differ: figures::asked(a.record, b.record).iter().filter(|one| one.change.tells).count(),
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.changed(), row.differ > 0, row.b.verdict.max(row.a.verdict))));
    let changed = rows.iter().filter(|row| row.changed()).count();
    let headline = match changed {
        0 => format!("No verdict differs in {}", words::many(rows.len(), "scenario")),
        1 => format!("The verdict of 1 of {} differs", words::many(rows.len(), "scenario")),
        many => format!("The verdicts of {many} of {} differ", words::many(rows.len(), "scenario")),
    };
    let runs = pairs.first().map_or(["", ""], |(a, b, _)| [a.record.run.id.as_str(), b.record.run.id.as_str()]);
    Ok(Page { runs, headline, rows, alone }.render()?)
}
