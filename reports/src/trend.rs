//! The overview of many runs: for each scenario a mark a night and its key figures in steps, so that what is new stands out.

use crate::artifacts::Error;
use crate::digest::Digest;
use crate::glyph::{self, Night};
use crate::index::{filters, link};
use crate::record::Verdict;
use crate::words;
use askama::Template;
use std::collections::BTreeMap;

/// With fewer runs than this there is no trend.
const LEAST: usize = 3;

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// `<stamp>-<seed>`.
    pub id: String,
    /// Its scenarios, each with the path of its report from where the page will lie.
    pub scenarios: Vec<(Digest, String)>,
}

#[derive(Template)]
#[template(path = "trend.html")]
struct Page {
    worst: Option<Verdict>,
    tally: String,
    runs: Vec<Named>,
    rows: Vec<Row>,
    too_few: Vec<String>,
    quick: usize,
    failing: Option<String>,
    failing_text: String,
}

/// A run by the name that people read.
struct Named {
    name: String,
}

struct Row {
    title: String,
    file: String,
    link: String,
    latest: Option<Verdict>,
    news: String,
    strip: String,
    figures: Vec<Figure>,
}

struct Figure {
    name: &'static str,
    steps: String,
    latest: String,
    range: String,
}

/// The page. Quick runs are not comparable with others and are left out.
pub fn page(runs: &[Run]) -> Result<String, Error> {
    let mut runs: Vec<Run> = runs.to_vec();
    runs.sort_by_key(|run| (started(run), run.id.clone()));
    let quick = runs.iter().filter(|run| run.scenarios.iter().any(|(digest, _)| digest.quick)).count();
    for run in &mut runs {
        run.scenarios.retain(|(digest, _)| !digest.quick);
    }
    // A run of which nothing is left is a gap, unless it was quick.
    runs.retain(|run| !run.scenarios.is_empty());
    let named: Vec<Named> = runs.iter().map(|run| Named { name: name(run) }).collect();
    let mut too_few = Vec::new();
    let mut rows = Vec::new();
    for (slug, history) in histories(&runs) {
        let ran = history.iter().flatten().count();
        if ran < LEAST {
            too_few.push(format!("{slug} ({})", words::many(ran, "run")));
        } else {
            rows.push(row(&history, &named));
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.latest));
    let last = runs.last();
    let verdicts = || last.into_iter().flat_map(|run| &run.scenarios).map(|(digest, _)| digest.verdict);
    let page = Page {
        worst: verdicts().max(),
        tally: words::tally(verdicts()),
        failing: (runs.len() >= LEAST).then(|| failing(&runs)),
        failing_text: failing_text(&runs),
        runs: named,
        rows,
        too_few,
        quick,
    };
    Ok(page.render()?)
}

fn started(run: &Run) -> String {
    run.scenarios.iter().map(|(digest, _)| digest.started.clone()).min().unwrap_or_default()
}

fn name(run: &Run) -> String {
    let started = started(run);
    started.get(..16).map_or_else(|| run.id.clone(), |day| day.replace('T', " "))
}

/// One night of one scenario: the worst of its repetitions, and its page.
type Entry<'a> = Option<&'a (Digest, String)>;

/// By scenario, an entry a run.
fn histories(runs: &[Run]) -> BTreeMap<&str, Vec<Entry<'_>>> {
    let mut histories: BTreeMap<&str, Vec<Entry<'_>>> = BTreeMap::new();
    for (number, run) in runs.iter().enumerate() {
        for scenario in &run.scenarios {
            let entries = histories.entry(scenario.0.slug.as_str()).or_insert_with(|| vec![None; runs.len()]);
            let worse = entries[number].is_none_or(|known| known.0.verdict < scenario.0.verdict);
            if worse {
                entries[number] = Some(scenario);
            }
        }
    }
    histories
}

fn row(history: &[Entry<'_>], runs: &[Named]) -> Row {
    let nights: Vec<Night<'_>> = history
        .iter()
        .zip(runs)
        .map(|(entry, run)| Night {
            name: &run.name,
            verdict: entry.map(|(digest, path)| (digest.verdict, link(path))),
        })
        .collect();
    let last = history.iter().flatten().last().copied();
    Row {
        title: last.map_or(String::new(), |(digest, _)| digest.title.clone()),
        file: last.map_or(String::new(), |(digest, _)| digest.file.clone()),
        link: last.map_or(String::new(), |(_, path)| link(path)),
        latest: history.last().copied().flatten().map(|(digest, _)| digest.verdict),
        news: news(history, runs),
        strip: glyph::nights(&nights),
        figures: figures(history),
    }
}

/// Since when it is as it is.
fn news(history: &[Entry<'_>], runs: &[Named]) -> String {
    let verdicts: Vec<(usize, Verdict)> =
        history.iter().enumerate().filter_map(|(at, entry)| Some((at, (*entry)?.0.verdict))).collect();
    let Some((last, verdict)) = verdicts.last() else { return String::new() };
    let gone = runs.len() - 1 - last;
    let since = verdicts.iter().rev().take_while(|(_, before)| before == verdict).last().map_or(0, |(at, _)| *at);
    let first = verdicts.first().map_or(0, |(at, _)| *at);
    let text = if since == first {
        format!("{verdict} in all {} runs", verdicts.len())
    } else {
        let before =
            verdicts.iter().rev().find(|(_, before)| before != verdict).map_or(*verdict, |(_, before)| *before);
        format!("{verdict} since {}, {before} before", runs[since].name)
    };
    if gone > 0 { format!("{text}; not in the last {}", words::many(gone, "run")) } else { text }
}

/// What is read from a scenario's figures, and how it is written.
type Reading = (&'static str, fn(&Digest) -> Option<f64>, fn(f64) -> String);

fn figures(history: &[Entry<'_>]) -> Vec<Figure> {
    let readings: [Reading; 3] = [
        ("lost", |digest| digest.lost.map(|lost| lost.share()), words::percent),
        ("out", |digest| digest.out.seconds(), words::seconds),
        ("p99", |digest| digest.p99, words::seconds),
    ];
    readings
        .into_iter()
        .map(|(name, read, write)| {
            let values: Vec<Option<f64>> = history.iter().map(|entry| read(&(*entry)?.0)).collect();
            let seen = || values.iter().flatten().copied();
            let (Some(least), Some(most)) = (seen().reduce(f64::min), seen().reduce(f64::max)) else {
                return Figure { name, steps: String::new(), latest: "–".to_owned(), range: String::new() };
            };
            let range = format!("{} to {}", write(least), write(most));
            Figure {
                name,
                steps: glyph::steps(&values, &format!("{name} run by run, {range}")),
                latest: values.last().copied().flatten().map_or("–".to_owned(), write),
                range: if least < most { range } else { "always the same".to_owned() },
            }
        })
        .collect()
}

/// Scenarios that did not hold, run by run.
fn failing(runs: &[Run]) -> String {
    let counts: Vec<Option<f64>> = runs.iter().map(|run| Some(bad(run) as f64)).collect();
    glyph::steps(&counts, &failing_text(runs))
}

fn bad(run: &Run) -> usize {
    run.scenarios.iter().filter(|(digest, _)| digest.verdict >= Verdict::Fail).count()
}

fn failing_text(runs: &[Run]) -> String {
    let Some(last) = runs.last() else { return String::new() };
    let most = runs.iter().map(bad).max().unwrap_or(0);
    format!("{} of {} in the last run, at most {most} in any", bad(last), words::many(last.scenarios.len(), "scenario"))
}
