//! Progress in lines: one a phase, no carriage return, nothing that moves.

use super::Output;
use crate::run::events::{ArmEvent, ArmId, RunEvent};
use squall_reports::escape::log_line;
use std::io::Write;

/// The lines of a run, to be printed by whoever owns the screen.
#[derive(Debug, Default)]
pub(super) struct Wording {
    titles: Vec<String>,
}

impl Wording {
    /// The line that an event is worth, if it is worth one.
    pub(super) fn line(&mut self, event: &RunEvent) -> Option<String> {
        match event {
            RunEvent::Begins { id, seed, folder, scenarios } => {
                self.titles.clone_from(scenarios);
                let number = scenarios.len();
                let plural = if number == 1 { "" } else { "s" };
                Some(format!("run {id}, seed {seed}, {number} scenario{plural}, into {}", folder.display()))
            }
            RunEvent::Arm { scenario, arm, what } => {
                let text = match what {
                    ArmEvent::Deploying { .. } => "deploying".to_owned(),
                    ArmEvent::Phase { phase } => {
                        format!("{} for {} s", phase.name, (phase.to - phase.from) as f64 / 1e6)
                    }
                    ArmEvent::Ended { verdict, reason } => reason.clone().unwrap_or_else(|| verdict.to_string()),
                    ArmEvent::Again { reason } => format!("will be run again: {reason}"),
                    ArmEvent::Under { .. } | ArmEvent::Happened(_) => return None,
                };
                Some(format!("{} [{}]: {text}", self.title(*scenario), name(arm)))
            }
            RunEvent::Stopping => {
                Some("stopping: undoing every fault (Ctrl-C again to leave it to the guardian)".to_owned())
            }
            RunEvent::Kept { verdict, reason, report_file, addresses } => {
                let verdict = reason.clone().unwrap_or_else(|| verdict.to_string());
                let report = report_file.as_ref().map(|file| format!("report {}\n", file.display()));
                let report = report.unwrap_or_default();
                Some(format!("{verdict}\n{report}{addresses}everything is up; press Enter to end it"))
            }
            RunEvent::Judged { .. } | RunEvent::Ends { .. } => None,
        }
    }

    pub(super) fn title(&self, scenario: usize) -> &str {
        self.titles.get(scenario).map_or("", String::as_str)
    }
}

pub(super) fn name(arm: &ArmId) -> String {
    let mut name = arm.name.clone();
    if arm.try_number > 1 {
        name.extend([", try ", &arm.try_number.to_string()]);
    }
    name
}

/// Progress where there is no terminal: the lines on standard error.
#[derive(Debug, Default)]
pub(super) struct Lines {
    wording: Wording,
}

impl Output for Lines {
    fn event(&mut self, event: &RunEvent) {
        if let Some(line) = self.wording.line(event) {
            // Progress that cannot be shown is no reason to end a run.
            let _ = writeln!(anstream::stderr(), "{}", log_line(&line));
        }
    }
}
