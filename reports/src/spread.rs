//! Repetitions of a scenario beside each other: how many held, and how far each figure spreads.

use crate::record::{Expectation, Record, Verdict};

/// All repetitions of one scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread<'a> {
    /// The claim.
    pub title: &'a str,
    /// Repetitions.
    pub runs: usize,
    /// Of those, how many passed.
    pub passed: usize,
    /// One an expectation, in the order of the file.
    pub figures: Vec<Figure<'a>>,
}

/// One expectation over all repetitions.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure<'a> {
    /// As in the record.
    pub id: &'a str,
    /// The limit as it reads.
    pub limit: &'a str,
    /// In how many repetitions it held.
    pub passed: usize,
    /// The least that was observed, as it reads.
    pub least: &'a str,
    /// The middle.
    pub median: &'a str,
    /// The most.
    pub most: &'a str,
}

/// Scenarios that were run more than once, in the order of the records.
pub fn spreads<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<Spread<'a>> {
    let mut groups: Vec<Vec<&Record>> = Vec::new();
    for record in records.filter(|record| record.run.repetition.1 > 1) {
        match groups.iter_mut().find(|group| same(group[0], record)) {
            Some(group) => group.push(record),
            None => groups.push(vec![record]),
        }
    }
    groups.iter().map(|group| spread(group)).collect()
}

fn same(one: &Record, other: &Record) -> bool {
    one.scenario.file == other.scenario.file && one.scenario.line == other.scenario.line
}

fn spread<'a>(records: &[&'a Record]) -> Spread<'a> {
    let passed = |verdict: Verdict| usize::from(verdict == Verdict::Pass);
    let figure = |first: &'a Expectation| {
        let all = records.iter().flat_map(|record| &record.expectations).filter(|one| one.id == first.id);
        let mut all: Vec<&'a Expectation> = all.collect();
        // What was not observed comes last, as the worst.
        all.sort_by(|one, other| {
            let value = |expectation: &Expectation| expectation.observed.value.unwrap_or(f64::INFINITY);
            value(one).total_cmp(&value(other))
        });
        let text = |at: usize| all.get(at).map_or("-", |expectation| expectation.observed.text.as_str());
        Figure {
            id: &first.id,
            limit: &first.limit_text,
            passed: all.iter().map(|one| passed(one.verdict)).sum(),
            least: text(0),
            median: text(all.len().saturating_sub(1) / 2),
            most: text(all.len().saturating_sub(1)),
        }
    };
    Spread {
        title: &records[0].scenario.title,
        runs: records.len(),
        passed: records.iter().map(|record| passed(record.verdict)).sum(),
        figures: records[0].expectations.iter().map(figure).collect(),
    }
}
