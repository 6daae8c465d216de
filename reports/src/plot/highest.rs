//! The highest rates that held: a row for each search, with every rate that was tried.

use super::frame::Width;
use super::labels;
use super::number;
use super::svg::{Paint, Svg, Type};
use super::sweep::called;
use super::theme::Token;
use crate::record::search::{Outcome, Search, Step};

/// Pixels of a row, and of the name above it where there is no room beside it.
const ROW: f64 = 56.0;
const NAME: f64 = 36.0;
/// Between the dots of one rate.
const APART: f64 = 9.0;
/// Radius of a dot.
const DOT: f64 = 3.6;

/// The axis of all rows: rates, logarithmic.
struct Axis {
    left: f64,
    right: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn of(searches: &[Search], width: Width) -> Self {
        let (left, right) = if width.narrow() { (14.0, 346.0) } else { (300.0, 880.0) };
        let rates = || searches.iter().flat_map(|search| search.steps.iter().map(|step| step.rate));
        let from = searches.iter().map(|search| search.from).chain(rates()).fold(f64::INFINITY, f64::min).max(1e-3);
        let to = rates().fold(from * 2.0, f64::max);
        Self { left, right, from, to }
    }

    fn x(&self, rate: f64) -> f64 {
        let share = (rate.max(self.from) / self.from).ln() / (self.to / self.from).ln();
        self.left + share.clamp(0.0, 1.0) * (self.right - self.left)
    }

    /// Round rates, at most so many that their labels keep apart.
    fn ticks(&self) -> Vec<f64> {
        let of = |steps: &[f64]| -> Vec<f64> {
            let all = (-3..9).flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
            all.filter(|rate| (self.from..=self.to).contains(rate)).collect()
        };
        let rich = of(&[1.0, 2.0, 5.0]);
        if rich.len() <= 10 { rich } else { of(&[1.0]) }
    }
}

/// What was sought, as people call it: `client proxy, 16 connections, http2`.
pub fn name(search: &Search) -> String {
    let spoken = if search.spoken.is_empty() { String::new() } else { format!(", {}", search.spoken) };
    format!("{}, {} connections{spoken}", called(&search.mode), search.connections)
}

/// What was found, in a few words.
pub fn found(search: &Search) -> String {
    match search.highest {
        Some(highest) => number::rate(highest),
        None => format!("under {}", number::rate(search.from)),
    }
}

/// How sure that is.
pub fn certainty(search: &Search) -> String {
    let confirmed = search.confirmed.map(|rate| format!("confirmed at {}", number::rate(rate)));
    match (confirmed, search.highest) {
        _ if search.limited => "the generator was the limit".to_owned(),
        (Some(confirmed), _) => confirmed,
        (None, Some(_)) => "not confirmed".to_owned(),
        (None, None) => "not even that held".to_owned(),
    }
}

/// Draws the picture; None without a search that was begun.
pub fn highest(searches: &[Search], width: Width) -> Option<String> {
    if searches.iter().all(|search| search.steps.is_empty()) {
        return None;
    }
    let axis = Axis::of(searches, width);
    let row = ROW + if width.narrow() { NAME } else { 0.0 };
    let (top, base) = (8.0, 8.0 + row * searches.len() as f64);
    let about: Vec<String> =
        searches.iter().map(|search| format!("{}: {}, {}", name(search), found(search), certainty(search))).collect();
    let mut svg = Svg::new(
        &format!("highest-{}", width.letter()),
        (width.pixels(), base + 44.0),
        "The highest rate that held, for each combination",
        &about.join("; "),
    );
    let ticks: Vec<(f64, String)> = axis.ticks().into_iter().map(|rate| (axis.x(rate), number::rate(rate))).collect();
    let boxes: Vec<(f64, f64)> =
        ticks.iter().map(|(x, text)| (x - Type::SMALL.width(text) / 2.0, x + Type::SMALL.width(text) / 2.0)).collect();
    for ((x, text), free) in ticks.iter().zip(labels::in_line(&boxes, 6.0)) {
        svg.line((*x, top), (*x, base), Paint::stroke(Token::Grid, 1.0));
        let half = Type::SMALL.width(text) / 2.0;
        if free {
            svg.text(x.clamp(half, width.pixels() - half), base + 17.0, text, Type::SMALL.middle());
        }
    }
    svg.text(f64::midpoint(axis.left, axis.right), base + 36.0, "rate, log axis", Type::SMALL.middle());
    for (number, search) in searches.iter().enumerate() {
        let y = top + row * number as f64;
        svg.series(&name(search), |svg| one(svg, &axis, search, y, width));
    }
    Some(svg.finish())
}

fn one(svg: &mut Svg, axis: &Axis, search: &Search, y: f64, width: Width) {
    let (called, value, sure) = (name(search), found(search), certainty(search));
    let below = if width.narrow() {
        svg.backed(2.0, y + 14.0, &Type::BOLD.fitted(&called, width.pixels() - 6.0), Type::BOLD);
        svg.backed(2.0, y + 30.0, &format!("{value}, {sure}"), Type::SMALL);
        NAME
    } else {
        svg.text(0.0, y + 24.0, &Type::BOLD.fitted(&called, axis.left - 12.0), Type::BOLD);
        svg.text(axis.right + 16.0, y + 20.0, &value, Type::BOLD);
        svg.text(
            axis.right + 16.0,
            y + 37.0,
            &Type::SMALL.fitted(&sure, width.pixels() - axis.right - 16.0),
            Type::SMALL,
        );
        0.0
    };
    let (upper, lower) = (y + below + 8.0, y + below + ROW - 12.0);
    svg.line((axis.left, lower), (axis.right, lower), Paint::stroke(Token::Line, 1.0));
    if let Some((held, broken)) = search.highest.zip(search.broken) {
        let (from, to) = (axis.x(held), axis.x(broken));
        svg.rect(from, upper, ((to - from).max(1.0), lower - upper), Paint::fill(Token::Line).opacity(0.6));
    }
    if let Some(held) = search.highest {
        svg.line((axis.x(held), upper), (axis.x(held), lower), Paint::stroke(Token::Ink, 1.6));
    }
    for step in &search.steps {
        dot(svg, (axis.x(step.rate), lower - 7.0 - APART * f64::from(step.run.saturating_sub(1).min(3))), step);
    }
}

fn dot(svg: &mut Svg, at: (f64, f64), step: &Step) {
    match step.outcome {
        Outcome::Held if step.confirms => svg.circle(at, DOT + 1.2, Paint::fill(Token::Heal).outline(Token::Ink, 1.4)),
        Outcome::Held => svg.circle(at, DOT, Paint::fill(Token::Heal)),
        Outcome::Broken => svg.circle(at, DOT, Paint::fill(Token::Bg).outline(Token::Lost, 1.8)),
        Outcome::Limited => svg.rect(at.0 - DOT, at.1 - DOT, (2.0 * DOT, 2.0 * DOT), Paint::fill(Token::Said)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::overlap;

    fn search(mode: &str, connections: u32, capacity: f64) -> Search {
        let mut rate = 100.0;
        let mut steps = Vec::new();
        while rate <= 25_600.0 {
            let outcome = if rate <= capacity { Outcome::Held } else { Outcome::Broken };
            for run in 1..=2 {
                steps.push(Step { rate, run, confirms: false, outcome, why: None });
            }
            if outcome == Outcome::Broken {
                break;
            }
            rate *= 2.0;
        }
        let held = (capacity >= 100.0).then_some(rate / 2.0);
        if let Some(held) = held {
            steps.push(Step { rate: held * 0.9, run: 1, confirms: true, outcome: Outcome::Held, why: None });
        }
        Search {
            mode: mode.to_owned(),
            connections,
            spoken: if connections > 16 { "http2, bodies of 65536 B".to_owned() } else { String::new() },
            from: 100.0,
            to: 25_600.0,
            holds: vec!["p99 <= 20ms".to_owned()],
            highest: held,
            broken: (capacity < 25_600.0).then_some(rate),
            confirmed: held.map(|held| held * 0.9),
            limited: false,
            steps,
        }
    }

    #[test]
    fn texts_keep_clear_of_each_other_wherever_it_broke() {
        for capacity in [50.0, 100.0, 333.0, 4_000.0, 100_000.0] {
            let searches =
                [search("none", 16, capacity * 2.0), search("client", 16, capacity), search("both", 64, capacity)];
            for width in [Width::Wide, Width::Narrow] {
                let svg = highest(&searches, width).unwrap();
                overlap::none(&format!("{capacity}, {}", width.letter()), &svg);
            }
        }
    }

    #[test]
    fn what_was_found_is_said_in_words_too() {
        let found_none = search("client", 16, 50.0);
        assert_eq!(
            (found(&found_none), certainty(&found_none)),
            ("under 100/s".to_owned(), "not even that held".to_owned())
        );
        let limited = Search { limited: true, ..search("client", 16, 800.0) };
        assert_eq!(
            (found(&limited), certainty(&limited)),
            ("800/s".to_owned(), "the generator was the limit".to_owned())
        );
        assert_eq!(highest(&[], Width::Wide), None);
    }
}
