//! Figures for other tools.

use super::store::word;
use super::{Series, Value};
use crate::stats::paired::Direction;
use serde_json::{Map, Value as Json, json};
use std::fmt::Write;

/// As `name` stands in other tools, where scenarios share one space of names.
fn full(series: &Series) -> String {
    format!("{}/{}", series.scenario, series.name)
}

/// The last run of a series.
fn last(series: &Series) -> Option<&Value> {
    series.nights.last()
}

fn ends(value: &Value) -> (f64, f64) {
    let (least, most) = (value.repetitions.first(), value.repetitions.last());
    (least.copied().unwrap_or(f64::NAN), most.copied().unwrap_or(f64::NAN))
}

/// Bencher's metric format: the last run of every figure, with the least and the most of its repetitions.
pub fn bencher(all: &[Series]) -> Json {
    let mut benchmarks = Map::new();
    for (series, value) in all.iter().filter_map(|series| Some((series, last(series)?))) {
        let (least, most) = ends(value);
        let measure = json!({"value": value.median(), "lower_value": least, "upper_value": most});
        benchmarks.insert(full(series), json!({ word(series.unit): measure }));
    }
    Json::Object(benchmarks)
}

/// A list for github-action-benchmark, of the figures of which less is better, or of those of which more is: that tool takes one kind a file.
pub fn github(all: &[Series], wanted: Direction) -> Json {
    let wanted = all.iter().filter(|series| series.unit.direction() == wanted);
    let entry = |(series, value): (&Series, &Value)| {
        let (least, most) = ends(value);
        json!({"name": full(series), "unit": word(series.unit), "value": value.median(), "range": format!("{least} to {most}"), "extra": value.run})
    };
    Json::Array(wanted.filter_map(|series| Some((series, last(series)?))).map(entry).collect())
}

/// All runs of all figures, a line each.
pub fn csv(all: &[Series]) -> String {
    let mut text = "scenario,figure,unit,machine,run,started,value\n".to_owned();
    for series in all {
        for night in &series.nights {
            let cells: [&str; 6] =
                [&series.scenario, &series.name, word(series.unit), &series.machine, &night.run, &night.started];
            // Writing to a string never fails.
            let _ = writeln!(text, "{},{}", cells.map(quoted).join(","), night.median());
        }
    }
    text
}

/// As RFC 4180 has it.
fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Unit;

    /// Two runs, of which the second has two repetitions.
    fn series(name: &str, unit: Unit, [first, again, more]: [f64; 3]) -> Series {
        let mut series = Series::made("one", name, unit, &[first, again]);
        series.push("run-1".to_owned(), String::new(), more);
        series
    }

    #[test]
    fn other_tools_get_the_last_run_with_its_spread() {
        let all = [
            series("load.p99", Unit::Milliseconds, [4.0, 5.0, 7.0]),
            series("load.success", Unit::Share, [0.5, 1.0, 1.0]),
        ];
        assert_eq!(
            bencher(&all)["one/load.p99"],
            json!({"milliseconds": {"value": 6.0, "lower_value": 5.0, "upper_value": 7.0}})
        );
        let smaller = github(&all, Direction::LowerIsBetter);
        assert_eq!(smaller.as_array().map(Vec::len), Some(1));
        assert_eq!(
            (&smaller[0]["name"], &smaller[0]["value"], &smaller[0]["range"]),
            (&json!("one/load.p99"), &json!(6.0), &json!("5 to 7"))
        );
        assert_eq!(github(&all, Direction::HigherIsBetter)[0]["name"], "one/load.success");
    }

    #[test]
    fn every_run_is_a_line_and_commas_are_quoted() {
        let text = csv(&[series("load.p99", Unit::Milliseconds, [4.0, 5.0, 7.0])]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[2], "one,load.p99,milliseconds,\"2 x a, b\",run-1,2026-05-02T03:00:00Z,6");
    }
}
