//! Events to what a person or a CI sees. An output knows events, never the runner.
//!
//! Results go to standard output, everything else to standard error; each is looked at by itself for being a terminal.

mod bar;
mod json;
mod lines;
mod verdicts;

use crate::run::events::RunEvent;
use std::io::IsTerminal;

/// Something that shows events.
pub trait Output: Send {
    /// Shows one event.
    fn event(&mut self, event: &RunEvent);
}

/// The outputs of one run, in the order in which they see an event.
pub struct Outputs {
    all: Vec<Box<dyn Output>>,
}

/// What standard output carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Verdicts with their reasons, for people.
    Human,
    /// One JSON object a line and scenario, nothing else.
    Jsonl,
}

impl Outputs {
    /// Progress on standard error, results in `format` on standard output.
    pub fn new(format: Format) -> Self {
        let progress: Box<dyn Output> = if std::io::stderr().is_terminal() {
            Box::new(bar::Bars::default())
        } else {
            Box::new(lines::Lines::new())
        };
        let results: Box<dyn Output> = match format {
            Format::Human => Box::new(verdicts::Verdicts::default()),
            Format::Jsonl => Box::new(json::JsonLines::default()),
        };
        Self { all: vec![progress, results] }
    }

    /// Shows one event on all of them.
    pub fn event(&mut self, event: &RunEvent) {
        self.all.iter_mut().for_each(|output| output.event(event));
    }
}

/// Hands out what was judged in the order of the files, whatever the order in which scenarios end.
#[derive(Debug)]
struct InOrder<T> {
    next: usize,
    waiting: std::collections::BTreeMap<usize, T>,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self { next: 0, waiting: std::collections::BTreeMap::new() }
    }
}

impl<T> InOrder<T> {
    /// Takes one in, and gives back all whose turn it is now.
    fn push(&mut self, index: usize, item: T) -> Vec<T> {
        self.waiting.insert(index, item);
        let mut ready = Vec::new();
        while let Some(item) = self.waiting.remove(&self.next) {
            ready.push(item);
            self.next += 1;
        }
        ready
    }

    /// All that are left, in order, at the end of a run that was cut.
    fn rest(&mut self) -> Vec<T> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::InOrder;

    #[test]
    fn results_come_in_the_order_of_the_files() {
        let mut order = InOrder::default();
        assert_eq!(order.push(1, 'b'), []);
        assert_eq!(order.push(0, 'a'), ['a', 'b']);
        assert_eq!(order.push(3, 'd'), []);
        assert_eq!(order.rest(), ['d']);
    }
}
