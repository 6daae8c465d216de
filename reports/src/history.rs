//! Night after night: every run's figures, and from when on one of them is another.
//!
//! [`store`] keeps them in `SQLite`; [`figures`] is what is kept of a record; [`export`] writes them for other tools.

pub mod export;
pub mod figures;
pub mod store;

pub use store::{Night, Store};

use crate::compare::Unit;
use crate::stats::change_points::{ChangePoint, Settings, change_points};
use crate::stats::paired::Direction;
use crate::stats::ranks::median;

/// A figure over many runs of one scenario on one machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The scenario's name in files.
    pub scenario: String,
    /// Cores and processor.
    pub machine: String,
    /// As in [`figures::Figure`].
    pub name: String,
    /// What it is counted in.
    pub unit: Unit,
    /// Oldest first.
    pub nights: Vec<Value>,
}

/// What a figure was in one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// `<stamp>-<seed>`.
    pub run: String,
    /// Start, RFC 3339.
    pub started: String,
    /// Of every repetition, sorted.
    repetitions: Vec<f64>,
}

impl Value {
    /// The middle of all repetitions.
    pub fn median(&self) -> f64 {
        median(self.repetitions.iter().copied()).unwrap_or(f64::NAN)
    }
}

/// From some run on, a figure is another.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// First run that has the new value, by its place in the series.
    pub at: usize,
    /// Mean before.
    pub before: f64,
    /// Mean since.
    pub after: f64,
    /// True if what it is now is worse.
    pub worse: bool,
}

impl Series {
    /// With a run a value.
    #[cfg(test)]
    pub(crate) fn made(scenario: &str, name: &str, unit: Unit, values: &[f64]) -> Self {
        let mut series = Self {
            scenario: scenario.to_owned(),
            machine: "2 x a, b".to_owned(),
            name: name.to_owned(),
            unit,
            nights: Vec::new(),
        };
        for (at, value) in values.iter().enumerate() {
            series.push(format!("run-{at}"), format!("2026-05-{:02}T03:00:00Z", at + 1), *value);
        }
        series
    }

    /// Adds the next value; one of the same run is a repetition.
    fn push(&mut self, run: String, started: String, value: f64) {
        match self.nights.last_mut().filter(|last| last.run == run) {
            Some(last) => {
                last.repetitions.push(value);
                last.repetitions.sort_by(f64::total_cmp);
            }
            None => self.nights.push(Value { run, started, repetitions: vec![value] }),
        }
    }

    /// All values.
    pub fn values(&self) -> Vec<f64> {
        self.nights.iter().map(Value::median).collect()
    }

    /// Every change, oldest first.
    pub fn changes(&self) -> Vec<Change> {
        let higher_is_better = self.unit.direction() == Direction::HigherIsBetter;
        let points = change_points(&self.values(), Settings::default());
        let change = |point: ChangePoint| Change {
            at: point.at,
            before: point.before,
            after: point.after,
            worse: (point.after > point.before) != higher_is_better,
        };
        points.into_iter().map(change).collect()
    }

    /// The last change, if it began within the last `recent` runs and is for the worse: what a nightly job fails by.
    pub fn regression(&self, recent: usize) -> Option<Change> {
        let from = self.nights.len().saturating_sub(recent);
        self.changes().pop().filter(|change| change.worse && change.at >= from)
    }
}

#[cfg(test)]
mod tests;
