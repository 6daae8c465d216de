//! The figures of two records beside each other, and whether they can be told apart.

use crate::html::rows;
use crate::plot::sweep::{Point, Sweep};
use crate::plot::{distance, number};
use crate::record::{Expectation, Record, Verdict};

/// An expectation of either.
pub(super) struct Asked<'a> {
    id: &'a str,
    pub(super) name: String,
    pub(super) place: &'a str,
    pub(super) limit: String,
    pub(super) a: Option<Seen<'a>>,
    pub(super) b: Option<Seen<'a>>,
    pub(super) change: Change,
}

/// What one of them observed.
pub(super) struct Seen<'a> {
    one: &'a Expectation,
    pub(super) verdict: Verdict,
    pub(super) observed: &'a str,
    pub(super) interval: String,
    pub(super) bar: Option<String>,
}

/// How B lies to A.
pub(super) struct Change {
    pub(super) text: String,
    /// Further than both intervals, or the verdict is another.
    pub(super) tells: bool,
}

/// All expectations: those of A in its order, then those that only B has.
pub(super) fn asked<'a>(a: &'a Record, b: &'a Record) -> Vec<Asked<'a>> {
    let find = |record: &'a Record, id: &str| record.expectations.iter().find(|one| one.id == id);
    let only_b = b.expectations.iter().filter(|one| find(a, &one.id).is_none());
    let row = |(number, first): (usize, &'a Expectation)| {
        let (a, b) = (find(a, &first.id), find(b, &first.id));
        let limits = [a, b].map(|one| one.map(|one| rows::limit(&one.limit_text)));
        let limit = match limits {
            [Some(one), Some(other)] if one != other => format!("{one}, then {other}"),
            [Some(one), _] => one,
            [None, other] => other.unwrap_or_default(),
        };
        Asked {
            id: &first.id,
            name: rows::name(first),
            place: rows::place(first),
            limit,
            a: a.map(|one| seen(one, &format!("a-{number}"))),
            b: b.map(|one| seen(one, &format!("b-{number}"))),
            change: change(a, b),
        }
    };
    a.expectations.iter().chain(only_b).enumerate().map(row).collect()
}

fn seen<'a>(one: &'a Expectation, id: &str) -> Seen<'a> {
    Seen {
        one,
        verdict: one.verdict,
        observed: &one.observed.text,
        interval: rows::interval(one),
        bar: distance(id, one),
    }
}

fn change(a: Option<&Expectation>, b: Option<&Expectation>) -> Change {
    let (Some(a), Some(b)) = (a, b) else {
        let only = if a.is_some() { "only A asks it" } else { "only B asks it" };
        return Change { text: only.to_owned(), tells: false };
    };
    let judged = a.verdict != b.verdict;
    let (Some(old), Some(new)) = (a.observed.value, b.observed.value) else {
        let text =
            if a.observed.value.is_some() || b.observed.value.is_some() { "seen in one only" } else { "no data" };
        return Change { text: text.to_owned(), tells: judged };
    };
    let bounds = |one: &Expectation, value: f64| match (one.observed.interval, one.observed.resolution) {
        (Some(interval), _) => (interval.low, interval.high),
        (None, Some(resolution)) => (value - resolution, value + resolution),
        (None, None) => (value, value),
    };
    let (before, after) = (bounds(a, old), bounds(b, new));
    let apart = before.1 < after.0 || after.1 < before.0;
    let text = if (old - new).abs() < 1e-12 {
        "the same".to_owned()
    } else if a.observed.text.contains('%') {
        format!("{:+.2} points", (new - old) * 100.0)
    } else if old > 0.0 && new > 0.0 {
        format!("× {}", number::three(new / old))
    } else {
        format!("{}{}", if new > old { "+" } else { "−" }, number::three((new - old).abs()))
    };
    let text = if apart || text == "the same" { text } else { format!("{text}, within the intervals") };
    Change { text, tells: judged || apart }
}

impl<'a> Asked<'a> {
    /// What each observed, with its letter.
    pub(super) fn seen(&self) -> [(&'static str, Option<&Seen<'a>>); 2] {
        [("A", self.a.as_ref()), ("B", self.b.as_ref())]
    }

    /// The sentence, if there is something to say.
    pub(super) fn finding(&self) -> Option<String> {
        let (a, b) = (self.a.as_ref()?, self.b.as_ref()?);
        let figures = format!("{} in A, {} in B", a.one.observed.text, b.one.observed.text);
        if a.verdict != b.verdict {
            return Some(format!("{}: {} in A, {} in B ({figures}).", self.id, a.verdict, b.verdict));
        }
        self.change.tells.then(|| format!("{}: {figures}, further apart than their intervals.", self.id))
    }
}

/// A cell of both sweeps.
pub(super) struct CellRow {
    pub(super) mode: String,
    pub(super) asked: String,
    pub(super) connections: u32,
    /// What is measured, of A and of B.
    pub(super) figures: Vec<(&'static str, String, String)>,
}

/// The cells that both have, or none.
pub(super) fn cells(a: &Record, b: &Record) -> Vec<CellRow> {
    let (Some(one), Some(other)) = (Sweep::of(a), Sweep::of(b)) else { return Vec::new() };
    let mut rows = Vec::new();
    for (mode, rate, at) in one.cells() {
        let Some(place) = other.place_of(&one, (mode, rate, at)) else { continue };
        let (Some(old), Some(new)) = (one.at(mode, rate, at), other.at(place.0, place.1, place.2)) else { continue };
        let millis =
            |value: Option<f64>| value.map_or_else(|| "no data".to_owned(), |value| number::duration(value / 1e3));
        let both = |name, of: &dyn Fn(&Point) -> String| (name, of(old), of(new));
        rows.push(CellRow {
            mode: one.mode_name(mode).to_owned(),
            asked: number::rate(one.rates[rate]),
            connections: one.connections[at],
            figures: vec![
                both("answered", &|point| number::rate(point.achieved)),
                both("lost", &|point| number::count(point.lost)),
                both("p50", &|point| millis(point.response[0])),
                both("p99", &|point| millis(point.response[2])),
                both("proxy CPU", &|point| point.cpu.map_or_else(|| "–".to_owned(), |cpu| number::duration(cpu / 1e6))),
            ],
        });
    }
    rows
}
