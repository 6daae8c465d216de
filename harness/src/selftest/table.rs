//! What a selftest has shown: for people and for programs.

use super::Kills;
use super::event::Event;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write;

/// Letters of the longest word that stands in a cell.
const LONGEST_WORD: usize = 10;

/// What one event has shown of one kind.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cell {
    /// Word of the kind.
    pub kind: &'static str,
    /// What befell the run.
    pub event: &'static str,
    /// How that ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How a run ended.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Outcome {
    /// How the harness ended.
    pub exit: Option<String>,
    /// What the record says.
    pub verdict: Option<String>,
    /// Milliseconds from the kill until the last process of the run was gone.
    pub undone_ms: Option<f64>,
    /// Why it was not tried.
    pub skipped: Option<&'static str>,
    /// What did not hold.
    pub problems: Vec<String>,
}

impl Outcome {
    /// It could not be tried here.
    pub(super) fn skipped(why: &'static str) -> Self {
        Self { skipped: Some(why), ..Self::default() }
    }

    fn word(&self) -> &str {
        if self.problems.is_empty() { self.skipped.unwrap_or("held") } else { "NOT HELD" }
    }
}

/// What a selftest has shown.
#[derive(Debug, Clone)]
pub struct Report {
    /// From which moments were drawn.
    pub seed: u64,
    /// Each kind with each event.
    pub cells: Vec<Cell>,
    /// The kills at random moments.
    pub kills: Kills,
    /// Processes of any of the runs that were left at the end.
    pub left: Vec<String>,
}

impl Report {
    /// True if nothing was left and everything ended as it must.
    pub fn has_held(&self) -> bool {
        self.problems().is_empty()
    }

    /// Everything that did not hold.
    fn problems(&self) -> Vec<String> {
        let of_cell = |cell: &Cell| -> Vec<String> {
            cell.outcome.problems.iter().map(|problem| format!("{}, {}: {problem}", cell.kind, cell.event)).collect()
        };
        let left = self.left.iter().map(|left| format!("left at the end: {left}"));
        self.cells.iter().flat_map(of_cell).chain(self.kills.problems.iter().cloned()).chain(left).collect()
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let mut row = |head: &str, words: Vec<&str>| {
            let wide = Event::ALL.iter().map(|event| event.name().len().max(LONGEST_WORD)).zip(words);
            let words: Vec<String> = wide.map(|(width, word)| format!("{word:width$}")).collect();
            let _ = writeln!(text, "{}", format!("{head:16}  {}", words.join("  ")).trim_end());
        };
        row("", Event::ALL.iter().map(|event| event.name()).collect());
        for cells in self.cells.chunk_by(|one, other| one.kind == other.kind) {
            row(cells.first().map_or("", |cell| cell.kind), cells.iter().map(|cell| cell.outcome.word()).collect());
        }
        let kills = &self.kills;
        if kills.asked > 0 {
            let _ = writeln!(
                text,
                "\n{} kills of the harness at random moments (seed {}), {} of them amid its run, in {:.0} s: something was left after {}",
                kills.asked, self.seed, kills.killed, kills.seconds, kills.residue
            );
            let figure = |percent: f64| kills.percentile(percent).map_or("-".to_owned(), |ms| format!("{ms:.0} ms"));
            let _ = writeln!(
                text,
                "undone after (p50, p99, longest)  {}, {}, {}; before there was a guardian, so by `squall recover`: {}",
                figure(50.0),
                figure(99.0),
                figure(100.0),
                kills.recovered
            );
        }
        let problems = self.problems();
        for problem in &problems {
            let _ = writeln!(text, "\n{problem}");
        }
        let skipped = self.cells.iter().filter(|cell| cell.outcome.skipped.is_some()).count();
        let tried = self.cells.len() - skipped;
        let _ = match (problems.len(), skipped) {
            (0, 0) => writeln!(text, "\nall of {tried} held"),
            (0, skipped) => writeln!(text, "\nall of {tried} held, {skipped} could not be tried here"),
            (problems, _) => writeln!(text, "\n{problems} things did not hold"),
        };
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let kills = &self.kills;
        let mut told = json!(kills);
        for (name, percent) in [("undone-ms-p50", 50.0), ("undone-ms-p99", 99.0), ("undone-ms-max", 100.0)] {
            told[name] = json!(kills.percentile(percent));
        }
        json!({"held": self.has_held(), "seed": self.seed, "matrix": self.cells, "kills": told, "left": self.left})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let cells = Event::ALL.map(|event| {
            let outcome = match event {
                Event::DiskFull => Outcome::skipped("needs root"),
                _ => Outcome { exit: Some("exit 0".to_owned()), ..Outcome::default() },
            };
            Cell { kind: "abort", event: event.name(), outcome }
        });
        let undone_ms = (1..=200).map(f64::from).collect();
        let kills = Kills { asked: 200, killed: 199, recovered: 2, undone_ms, seconds: 41.0, ..Kills::default() };
        Report { seed: 7, cells: cells.to_vec(), kills, left: Vec::new() }
    }

    #[test]
    fn the_table_tells_what_has_held_and_what_could_not_be_tried() {
        insta::assert_snapshot!(report().table());
        assert!(report().has_held());
    }

    #[test]
    fn what_did_not_hold_is_told_with_its_place() {
        let mut report = report();
        report.cells[3].outcome.problems.push("process 7 is left: squall shim".to_owned());
        assert!(!report.has_held());
        let table = report.table();
        assert!(table.contains("NOT HELD"), "{table}");
        assert!(table.contains("abort, KILL harness: process 7 is left: squall shim"), "{table}");
        assert_eq!(report.json()["held"], false);
        assert_eq!(report.json()["kills"]["undone-ms-p99"], 198.0);
    }
}
