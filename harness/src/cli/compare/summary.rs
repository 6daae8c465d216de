//! How a comparison ended, for people.

use squall_reports::compare::{Comparison, Verdict, words};
use squall_reports::words::many;
use std::fmt::Write;

/// The figures, with colours where they are wanted.
pub(super) fn text(comparison: &Comparison, colour: bool) -> String {
    let mut text = String::new();
    // Writing to a string never fails.
    let _ = write(&mut text, comparison, colour);
    text
}

fn write(text: &mut String, comparison: &Comparison, colour: bool) -> std::fmt::Result {
    let paint = |code: &str, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    writeln!(text, "A  {}\nB  {}", comparison.a, comparison.b)?;
    let again = match comparison.repeated {
        0 => String::new(),
        times => format!(", {} measured anew", many(times, "block")),
    };
    writeln!(text, "{}{again}, seed {}\n", many(comparison.blocks, "block"), comparison.seed)?;
    let head = ["", "A", "B", "B by A", "95 % interval", "A by itself"];
    writeln!(text, "{}", paint("1", row(&head.map(str::to_owned), "").trim_end()))?;
    for one in &comparison.figures {
        let interval =
            one.interval.map(|interval| format!("{} to {}", words::change(interval.low), words::change(interval.high)));
        let cells = [
            one.figure.name().to_owned(),
            words::value(one.unit, one.a),
            words::value(one.unit, one.b),
            one.ratio.map_or("–".to_owned(), words::change),
            interval.unwrap_or("–".to_owned()),
            format!("within {}", words::change(1.0 + one.floor).trim_start_matches('+')),
        ];
        let verdict = words::verdict(one);
        writeln!(text, "{}", row(&cells, &code(one.verdict).map_or(verdict.clone(), |code| paint(code, &verdict))))?;
    }
    let sentence = words::sentence(comparison);
    writeln!(text, "\n{}", code(comparison.verdict).map_or(sentence.clone(), |code| paint(code, &sentence)))
}

fn code(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Better => Some("1;32"),
        Verdict::Worse => Some("1;31"),
        Verdict::PerhapsBetter | Verdict::PerhapsWorse | Verdict::Undecided => Some("1;33"),
        Verdict::NoDifference => None,
    }
}

/// Cells, each in its column.
fn row(cells: &[String; 6], verdict: &str) -> String {
    let [name, a, b, ratio, interval, floor] = cells;
    format!("{name:<16}{a:>11}{b:>11}{ratio:>9}{interval:>20}{floor:>15}  {verdict}")
}
