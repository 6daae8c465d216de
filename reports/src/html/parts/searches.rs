//! The highest rates that hold.

use super::{Key, Pair, key};
use crate::html::filters;
use crate::plot::key::Sample;
use crate::plot::theme::Token;
use crate::plot::{self, Growth, Width, number};
use crate::record::Record;
use crate::record::search::{Outcome, Search};
use crate::stats::scalability::Knee;
use askama::Template;

#[derive(Template)]
#[template(path = "searches.html")]
struct Section {
    title: String,
    holds: String,
    picture: Option<Pair>,
    key: Vec<Key>,
    rows: Vec<Row>,
    growth: Option<Pair>,
    growth_key: Vec<Key>,
    laws: Vec<String>,
}

/// A search.
struct Row {
    name: String,
    highest: String,
    broken: String,
    why: String,
    certainty: String,
    tries: u64,
}

/// The section; None for a record without searches.
pub(in crate::html) fn searches(record: &Record) -> Result<Option<String>, askama::Error> {
    let searches = &record.searches;
    let Some(first) = searches.first() else { return Ok(None) };
    let section = Section {
        title: title(searches),
        holds: first.holds.join(", "),
        picture: Pair::drawn(|width: Width| plot::highest(searches, width)),
        key: keys(searches),
        rows: searches.iter().map(row).collect(),
        growth: Pair::drawn(|width: Width| plot::growth(searches, width)),
        growth_key: growth_key(searches),
        laws: Growth::all(searches).iter().map(law).collect(),
    };
    section.render().map(Some)
}

/// The best of them, and how much less the others bear.
fn title(searches: &[Search]) -> String {
    let best = searches.iter().filter(|search| search.highest.is_some());
    let Some(best) =
        best.max_by(|one, other| one.highest.partial_cmp(&other.highest).unwrap_or(std::cmp::Ordering::Equal))
    else {
        return "No rate held".to_owned();
    };
    let more = if best.limited { " and more: the generator was the limit" } else { "" };
    format!("Up to {} held: {}{more}", plot::highest::found(best), plot::highest::name(best))
}

fn row(search: &Search) -> Row {
    let broken = search.steps.iter().filter(|step| step.outcome == Outcome::Broken);
    let lowest = broken.min_by(|one, other| one.rate.total_cmp(&other.rate));
    Row {
        name: plot::highest::name(search),
        highest: plot::highest::found(search),
        broken: search.broken.map_or_else(|| "none".to_owned(), number::rate),
        why: lowest.and_then(|step| step.why.clone()).unwrap_or_default(),
        certainty: plot::highest::certainty(search),
        tries: search.steps.len() as u64,
    }
}

fn keys(searches: &[Search]) -> Vec<Key> {
    let any = |outcome| searches.iter().any(|search| search.steps.iter().any(|step| step.outcome == outcome));
    let mut entries: Vec<(Option<&'static str>, Sample, String)> = Vec::new();
    if any(Outcome::Held) {
        entries.push((None, Sample::Edged(Token::Heal, Token::Heal), "held; ringed: for longer".to_owned()));
    }
    if any(Outcome::Broken) {
        entries.push((None, Sample::Edged(Token::Bg, Token::Lost), "did not hold".to_owned()));
    }
    if any(Outcome::Limited) {
        entries.push((None, Sample::Edged(Token::Said, Token::Said), "the generator was the limit".to_owned()));
    }
    entries.push((None, Sample::Edged(Token::Line, Token::Line), "between: not known".to_owned()));
    key("highest", entries)
}

fn growth_key(searches: &[Search]) -> Vec<Key> {
    let all = Growth::all(searches);
    let mut entries: Vec<(Option<&'static str>, Sample, String)> = vec![
        (None, Sample::Edged(Token::Ink, Token::Ink), "measured: the highest rate that held".to_owned()),
        (None, Sample::Line(Token::Q90, 2.0, None), "the law as fitted".to_owned()),
        (None, Sample::Line(Token::Ink3, 1.2, Some("2 3")), "ideal: twice the connections, twice the rate".to_owned()),
    ];
    if all.iter().any(|growth| matches!(growth.law.knee, Knee::Measured(_))) {
        entries.push((None, Sample::Ring, "knee: the most that is borne".to_owned()));
    }
    key("growth", entries)
}

/// How a mode grows with connections, in words.
fn law(growth: &Growth) -> String {
    let law = &growth.law;
    let share = |value: f64| format!("{:.2} %", value * 100.0);
    format!(
        "{}: {} of the work waits for something shared, {} is agreement between connections (Universal Scalability Law); {}.",
        growth.name,
        share(law.alpha),
        share(law.beta),
        growth.knee()
    )
}
