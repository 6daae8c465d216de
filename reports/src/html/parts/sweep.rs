//! How far the rate can go, and what the proxy costs.

use super::{Key, Pair, key};
use crate::html::filters;
use crate::plot::key::Sample;
use crate::plot::svg::Hatch;
use crate::plot::sweep::{self, Sweep};
use crate::plot::theme::Token;
use crate::plot::{Width, number};
use crate::record::Record;
use askama::Template;

#[derive(Template)]
#[template(path = "sweep.html")]
struct Section {
    title: String,
    lines: Pair,
    /// The connections of the only line of each mode, where one for each number of connections would be too many.
    only: Option<u32>,
    lines_key: Vec<Key>,
    heat: Pair,
    heat_key: Vec<Key>,
    compared: bool,
    rows: Vec<Row>,
}

/// A cell.
struct Row {
    mode: String,
    asked: String,
    connections: u32,
    /// None: the cell was not run.
    measured: Option<Measured>,
}

struct Measured {
    achieved: String,
    behind: bool,
    missed: bool,
    lost: u64,
    /// Percentiles, each with what is added to the same cell without a proxy.
    response: Vec<(&'static str, String, Option<String>)>,
    cpu: String,
    memory: String,
}

/// The section; None for a record without cells to compare.
pub(in crate::html) fn sweep(record: &Record) -> Result<Option<String>, askama::Error> {
    let Some(sweep) = Sweep::of(record) else { return Ok(None) };
    let section = Section {
        title: title(&sweep),
        lines: Pair::of(|width: Width| sweep::lines(&sweep, width)),
        only: (sweep::drawn(&sweep).start > 0).then(|| sweep.connections[sweep.connections.len() - 1]),
        lines_key: lines_key(&sweep),
        heat: Pair::of(|width: Width| sweep::heat(&sweep, width)),
        heat_key: heat_key(&sweep),
        compared: sweep.is_compared(),
        rows: rows(&sweep),
    };
    section.render().map(Some)
}

/// What was found: where each mode broke first, or that none did.
fn title(sweep: &Sweep) -> String {
    let knees: Vec<String> = (0..sweep.modes())
        .filter_map(|mode| {
            let first = (0..sweep.connections.len()).filter_map(|at| sweep.knee(mode, at)).min()?;
            let name = sweep.mode_name(mode);
            let name = name.split(',').next().unwrap_or("");
            let verb = if first == 0 { "breaks at once, at" } else { "breaks at" };
            Some(format!("{name} {verb} {}", number::rate(sweep.rates[first])))
        })
        .collect();
    if !knees.is_empty() {
        return crate::html::story::upper(&knees.join("; "));
    }
    let not_run = sweep.cells().filter(|(mode, rate, at)| sweep.at(*mode, *rate, *at).is_none()).count();
    let most = number::rate(sweep.rates[sweep.rates.len() - 1]);
    if not_run > 0 {
        return format!("No cell broke up to {most}, but {not_run} of {} were not run", sweep.size());
    }
    let added = largest_added(sweep).map_or_else(String::new, |added| {
        format!("; the proxy added at most {} to p50", number::duration(added.max(0.0) / 1e3))
    });
    format!("Every rate was achieved, up to {most}{added}")
}

fn largest_added(sweep: &Sweep) -> Option<f64> {
    sweep.cells().filter_map(|(mode, rate, at)| sweep.added(mode, rate, at)[0]).reduce(f64::max)
}

/// The key of the lines.
pub(in crate::html) fn lines_key(sweep: &Sweep) -> Vec<Key> {
    let mut entries: Vec<(Option<&'static str>, Sample, String)> = sweep::drawn(sweep)
        .map(|at| {
            let number = sweep.connections[at];
            let (token, width, dash) = sweep::stroke(sweep, at);
            (None, Sample::Line(token, width, dash), format!("{number} connections"))
        })
        .collect();
    entries.push((None, Sample::Line(Token::Ink3, 1.2, Some("2 3")), "ideal: every request answered".to_owned()));
    if sweep.cells().any(|(mode, _, at)| sweep::drawn(sweep).contains(&at) && sweep.knee(mode, at).is_some()) {
        let limit = if sweep.limited() { ", or a limit missed" } else { "" };
        entries.push((None, Sample::Ring, format!("knee: under 99 % of the asked rate{limit}")));
    }
    key("sweep", entries)
}

fn heat_key(sweep: &Sweep) -> Vec<Key> {
    let mut entries: Vec<(Option<&'static str>, Sample, String)> = sweep::classes(sweep)
        .into_iter()
        .map(|class| (None, Sample::Edged(class.token, Token::Line), class.text))
        .collect();
    let any =
        |wanted: &dyn Fn(usize, usize, usize) -> bool| sweep.cells().any(|(mode, rate, at)| wanted(mode, rate, at));
    if any(&|mode, rate, at| sweep.at(mode, rate, at).is_some_and(|point| !sweep.achieved(rate, point))) {
        entries.push((None, Sample::Framed(Hatch::Ink, Token::Line), "rate not achieved".to_owned()));
    }
    if any(&|mode, rate, at| sweep.missed(mode, rate, at)) {
        entries.push((None, Sample::Edged(Token::Bg, Token::Lost), "limit missed".to_owned()));
    }
    key("heat", entries)
}

fn rows(sweep: &Sweep) -> Vec<Row> {
    let millis = |value: f64| number::duration(value / 1e3);
    let missing = |mode| if sweep.is_direct(mode) { "no proxy" } else { "not measured" }.to_owned();
    sweep
        .cells()
        .map(|(mode, rate, at)| Row {
            mode: sweep.mode_name(mode).to_owned(),
            asked: number::rate(sweep.rates[rate]),
            connections: sweep.connections[at],
            measured: sweep.at(mode, rate, at).map(|point| {
                let added = sweep.added(mode, rate, at);
                let response = ["p50", "p90", "p99"].into_iter().zip(point.response).zip(added);
                Measured {
                    achieved: number::rate(point.achieved),
                    behind: !sweep.achieved(rate, point),
                    missed: sweep.missed(mode, rate, at),
                    lost: point.lost,
                    response: response
                        .map(|((name, value), added)| {
                            let added =
                                added.map(|added| format!("{}{}", if added < 0.0 { "" } else { "+" }, millis(added)));
                            (name, value.map_or_else(|| "no data".to_owned(), millis), added)
                        })
                        .collect(),
                    cpu: point.cpu.map_or_else(|| missing(mode), |micros| number::duration(micros / 1e6)),
                    memory: point.memory.map_or_else(|| missing(mode), number::bytes),
                }
            }),
        })
        .collect()
}
