//! Sparklines and columns. They begin at the left with the load, never scroll, and their scales never change while an arm runs.

use crate::run::events::{Outline, Tally};
use squall_reports::record::Micros;

/// Eighths of a cell.
const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The largest of the values that hold in each of so many equal parts of `length`; none where nothing is known yet.
pub(super) fn spread(
    tallies: &[Tally],
    length: Micros,
    width: usize,
    value: impl Fn(&Tally) -> Option<f64>,
) -> Vec<Option<f64>> {
    let edge = |cell: usize| length * cell as Micros / width.max(1) as Micros;
    let mut from = 0;
    (0..width)
        .map(|cell| {
            let (begin, end) = (edge(cell), edge(cell + 1));
            from += tallies[from..].iter().take_while(|tally| tally.to <= begin).count();
            // A cell is drawn once it has begun, so that the newest value is seen at once.
            let within = tallies[from..].iter().take_while(|tally| tally.from < end);
            within.filter_map(&value).fold(None, |most: Option<f64>, one| Some(most.map_or(one, |most| most.max(one))))
        })
        .collect()
}

/// How high a value stands, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// From nothing to so much.
    Count(f64),
    /// From 0.1 ms up by so many decades, in microseconds.
    Time(u32),
}

/// The lowest time that is told apart, microseconds.
const SHORTEST: f64 = 100.0;

impl Scale {
    /// For response times: up to the first decade, of a second at least, that holds the longest time-out.
    pub(super) fn of_times(outline: &Outline) -> Self {
        let longest = outline.flows.iter().map(|flow| flow.time_out).max().unwrap_or(0) as f64;
        let decades = (longest / SHORTEST).max(1e4).log10().ceil() as u32;
        Self::Time(decades.min(8))
    }

    /// For what is counted a second, where so much at most is to be expected.
    pub(super) fn of_counts(most: f64) -> Self {
        let decade = 10_f64.powf(most.max(1.0).log10().floor());
        let round = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|step| step * decade).find(|round| *round >= most);
        Self::Count(round.unwrap_or(most))
    }

    /// `0 to 250`, `log, 0.1 ms to 10 s`.
    pub(super) fn words(self) -> String {
        match self {
            Self::Count(most) => format!("0 to {most:.0}"),
            Self::Time(decades) => format!("log, {} to {}", decade(0), decade(decades)),
        }
    }

    fn share(self, value: f64) -> f64 {
        match self {
            Self::Count(most) => value / most,
            Self::Time(decades) => (value.max(SHORTEST) / SHORTEST).log10() / f64::from(decades),
        }
        .clamp(0.0, 1.0)
    }

    /// Units of so many in all; something that is there is never drawn as nothing.
    pub(super) fn level(self, value: f64, of: usize) -> usize {
        let level = (self.share(value) * of as f64).round() as usize;
        let there = value > 0.0 || matches!(self, Self::Time(_));
        if there { level.max(1) } else { 0 }
    }
}

/// `0.1 ms`, `10 s`: the edge of a decade.
pub(super) fn decade(number: u32) -> String {
    match number {
        0 => "0.1 ms".to_owned(),
        number @ 1..=3 => format!("{} ms", 10_u32.pow(number - 1)),
        number => format!("{} s", 10_u32.pow(number - 4)),
    }
}

/// One row of bars, a cell each.
pub(super) fn spark(values: &[Option<f64>], scale: Scale, ascii: bool) -> String {
    let one = |value: &Option<f64>| match value {
        None => " ".to_owned(),
        Some(value) if ascii => match scale.level(*value, 9) {
            0 => ".".to_owned(),
            level => level.to_string(),
        },
        Some(value) => EIGHTHS[scale.level(*value, 8)].to_owned(),
    };
    values.iter().map(one).collect()
}

/// Columns over so many rows, the top one first.
pub(super) fn columns(values: &[Option<f64>], scale: Scale, rows: usize, ascii: bool) -> Vec<String> {
    let cell = |value: &Option<f64>, row: usize| {
        let level = value.map_or(0, |value| scale.level(value, rows * 8));
        let here = level.saturating_sub((rows - 1 - row) * 8).min(8);
        if ascii { if here > 3 { "#" } else { " " } } else { EIGHTHS[here] }
    };
    (0..rows).map(|row| values.iter().map(|value| cell(value, row)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: Micros, planned: u64) -> Tally {
        Tally { from: number * 1_000_000, to: (number + 1) * 1_000_000, planned, ..Tally::default() }
    }

    #[test]
    fn a_value_holds_for_its_stretch_and_the_rest_is_not_drawn() {
        let tallies = [second(0, 100), second(1, 0), second(2, 50)];
        let values = spread(&tallies, 4_000_000, 8, |tally| Some(tally.planned as f64));
        assert_eq!(spark(&values, Scale::Count(100.0), false), "██  ▄▄  ");
        assert_eq!(spark(&values, Scale::Count(100.0), true), "99..55  ");
        let values = spread(&tallies, 4_000_000, 2, |tally| Some(tally.planned as f64));
        assert_eq!(spark(&values, Scale::Count(100.0), false), "█▄", "the largest of a cell is drawn");
    }

    #[test]
    fn what_is_there_is_never_drawn_as_nothing() {
        assert_eq!(spark(&[Some(0.0), Some(0.1)], Scale::Count(250.0), false), " ▁");
        assert_eq!(spark(&[Some(1.0), Some(9e9)], Scale::Time(4), false), "▁█");
    }

    #[test]
    fn scales_are_round_and_say_what_they_are() {
        assert_eq!(Scale::of_counts(230.0).words(), "0 to 250");
        assert_eq!(Scale::of_counts(1.0).words(), "0 to 1");
        assert_eq!(Scale::Time(5).words(), "log, 0.1 ms to 10 s");
    }

    #[test]
    fn columns_fill_from_below() {
        assert_eq!(columns(&[Some(12.0), Some(4.0)], Scale::Count(16.0), 2, false), ["▄ ", "█▄"]);
    }
}
