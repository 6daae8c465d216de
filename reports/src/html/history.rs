//! The page of the history: every figure of every scenario, run by run.

use super::parts::Pair;
use crate::artifacts::Error;
use crate::compare::words as told;
use crate::history::Series;
use crate::plot::{self, theme};
use crate::words::many;
use askama::Template;

#[derive(Template)]
#[template(path = "history.html")]
struct Page {
    theme: String,
    headline: String,
    scenarios: Vec<Scenario>,
}

struct Scenario {
    name: String,
    machine: String,
    figures: Vec<Figure>,
}

struct Figure {
    name: String,
    last: String,
    note: String,
    picture: Option<Pair>,
}

/// The page; what became worse within the last `recent` runs is its headline.
pub fn page(all: &[Series], recent: usize) -> Result<String, Error> {
    let worse = all.iter().filter(|series| series.regression(recent).is_some()).count();
    let mut scenarios: Vec<Scenario> = Vec::new();
    for (number, series) in all.iter().enumerate() {
        let figure = figure(number, series);
        match scenarios.last_mut().filter(|last| (&last.name, &last.machine) == (&series.scenario, &series.machine)) {
            Some(last) => last.figures.push(figure),
            None => scenarios.push(Scenario {
                name: series.scenario.clone(),
                machine: series.machine.clone(),
                figures: vec![figure],
            }),
        }
    }
    let headline = match worse {
        0 => format!(
            "{} of {}: none became worse in the last {}",
            many(all.len(), "figure"),
            many(scenarios.len(), "scenario"),
            many(recent, "run")
        ),
        worse => format!("{} became worse in the last {}", many(worse, "figure"), many(recent, "run")),
    };
    let page = Page { theme: format!("{}{}", theme::variables(), theme::classes()), headline, scenarios };
    Ok(page.render()?)
}

fn figure(number: usize, series: &Series) -> Figure {
    let value = |value: f64| told::value(series.unit, value);
    let since = |at: usize| series.nights.get(at).map_or(String::new(), |night| night.run.clone());
    let note = series.changes().last().map_or_else(
        || "no change".to_owned(),
        |change| {
            let word = if change.worse { "worse" } else { "better" };
            format!("{word} since {}: {} to {}", since(change.at), value(change.before), value(change.after))
        },
    );
    Figure {
        name: series.name.clone(),
        last: series.values().last().copied().map_or(String::new(), value),
        note: format!("{}, {note}", many(series.nights.len(), "run")),
        picture: Pair::drawn(|width| plot::nights(&number.to_string(), series, width)),
    }
}
