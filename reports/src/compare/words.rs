//! What a comparison says, in words.

use super::{Compared, Comparison, Unit, Verdict};
use crate::words;

/// A value in its unit.
pub fn value(unit: Unit, value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    match unit {
        Unit::Share => words::percent(value),
        Unit::ASecond => format!("{}/s", words::count(value.round() as u64)),
        Unit::Milliseconds => words::seconds(value / 1e3),
        Unit::MicrosecondsARequest => format!("{} us", words::number(value)),
        Unit::Bytes => format!("{} MiB", words::number(value / 1_048_576.0)),
    }
}

/// How much more or less: `+9.4 %`, `x2.1` from a doubling on, `x0.31` below a half.
pub fn change(ratio: f64) -> String {
    if (0.5..2.0).contains(&ratio) {
        let percent = (ratio - 1.0) * 100.0;
        let digits = usize::from(percent.abs() < 9.95);
        let text = format!("{percent:+.digits$}");
        // What rounds to nothing has no sign.
        if text.trim_start_matches(['+', '-', '0', '.']).is_empty() { "0 %".to_owned() } else { format!("{text} %") }
    } else {
        format!("x{}", words::number(ratio))
    }
}

/// What was found of a figure.
pub fn verdict(figure: &Compared) -> String {
    match (figure.verdict, figure.could_have_seen) {
        (Verdict::Better, _) => "better".to_owned(),
        (Verdict::Worse, _) => "worse".to_owned(),
        (Verdict::PerhapsBetter, _) => "perhaps better".to_owned(),
        (Verdict::PerhapsWorse, _) => "perhaps worse".to_owned(),
        (Verdict::NoDifference, Some(seen)) if seen > 0.0 => {
            format!("no difference (would see {})", change(1.0 + seen))
        }
        (Verdict::NoDifference, _) => "always the same".to_owned(),
        (Verdict::Undecided, _) => "cannot be said".to_owned(),
    }
}

/// The whole, in a sentence.
pub fn sentence(comparison: &Comparison) -> String {
    let named = |wanted: Verdict| -> Vec<&str> {
        comparison.figures.iter().filter(|one| one.verdict == wanted).map(|one| one.figure.name()).collect()
    };
    let (better, worse) = (named(Verdict::Better).join(", "), named(Verdict::Worse).join(", "));
    match comparison.verdict {
        Verdict::Worse if better.is_empty() => format!("B is worse: {worse}"),
        Verdict::Worse => format!("B is worse: {worse}; better: {better}"),
        Verdict::Better => format!("B is better: {better}"),
        Verdict::Undecided => format!("nothing can be said of {}", named(Verdict::Undecided).join(", ")),
        Verdict::PerhapsBetter | Verdict::PerhapsWorse | Verdict::NoDifference => {
            let perhaps = [named(Verdict::PerhapsWorse), named(Verdict::PerhapsBetter)].concat().join(", ");
            if perhaps.is_empty() {
                "no difference was found".to_owned()
            } else {
                format!("no difference was found for sure; more blocks would tell of {perhaps}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_read_as_people_say_them() {
        let told = [1.0, 1.094, 0.9, 1.25, 2.1, 0.31, 1.000_4].map(change);
        assert_eq!(told, ["0 %", "+9.4 %", "-10 %", "+25 %", "x2.10", "x0.31", "0 %"]);
    }

    #[test]
    fn values_are_in_their_units() {
        let told = [
            value(Unit::Share, 0.999),
            value(Unit::ASecond, 12_345.4),
            value(Unit::Milliseconds, 5.12),
            value(Unit::MicrosecondsARequest, 61.24),
            value(Unit::Bytes, 22_020_096.0),
            value(Unit::Bytes, f64::NAN),
        ];
        assert_eq!(told, ["99.9 %", "12,345/s", "5.12 ms", "61.2 us", "21.0 MiB", "–"]);
    }
}
