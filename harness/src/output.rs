//! Events to what a person or a CI sees. An output knows events, never the runner.
//!
//! Results go to standard output, everything else to standard error; each is looked at by itself for being a terminal.

mod bar;
mod github;
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Verdicts with their reasons, for people.
    #[default]
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
            Box::new(lines::Lines::default())
        };
        let results: Box<dyn Output> = match format {
            Format::Human => Box::new(verdicts::Verdicts::default()),
            Format::Jsonl => Box::new(json::JsonLines),
        };
        let mut all = vec![progress, results];
        all.extend(github::GitHub::asked_for(format).map(|github| Box::new(github) as Box<dyn Output>));
        Self { all }
    }

    /// Shows one event on all of them.
    pub fn event(&mut self, event: &RunEvent) {
        self.all.iter_mut().for_each(|output| output.event(event));
    }
}
