//! Progress where there is no terminal: one line a phase, no carriage return, nothing that moves.

use super::Output;
use crate::run::events::{ArmEvent, ArmId, RunEvent};
use std::io::Write;

/// One line a phase on standard error.
#[derive(Debug)]
pub(super) struct Lines {
    titles: Vec<String>,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self { titles: Vec::new() }
    }

    fn say(&self, scenario: usize, arm: &ArmId, text: &str) {
        let title = self.titles.get(scenario).map_or("", String::as_str);
        // Progress that cannot be shown is no reason to end a run.
        let _ = writeln!(anstream::stderr(), "{title} [{}]: {text}", name(arm));
    }
}

pub(super) fn name(arm: &ArmId) -> String {
    let mut name = arm.name.clone();
    if arm.try_number > 1 {
        name.extend([", try ", &arm.try_number.to_string()]);
    }
    name
}

impl Output for Lines {
    fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Begins { id, seed, folder, scenarios } => {
                self.titles.clone_from(scenarios);
                let _ = writeln!(
                    anstream::stderr(),
                    "run {id}, seed {seed}, {} scenarios, into {}",
                    scenarios.len(),
                    folder.display()
                );
            }
            RunEvent::Arm { scenario, arm, what } => match what {
                ArmEvent::Deploying { .. } => self.say(*scenario, arm, "deploying"),
                ArmEvent::Phase { phase } => {
                    let seconds = (phase.to - phase.from) as f64 / 1e6;
                    self.say(*scenario, arm, &format!("{} for {seconds} s", phase.name));
                }
                ArmEvent::Ended { verdict, reason } => {
                    let verdict = verdict.to_string();
                    self.say(*scenario, arm, reason.as_ref().unwrap_or(&verdict));
                }
                ArmEvent::Again { reason } => self.say(*scenario, arm, &format!("will be run again: {reason}")),
                ArmEvent::Under { .. } | ArmEvent::Happened(_) => {}
            },
            RunEvent::Stopping => {
                let _ = writeln!(
                    anstream::stderr(),
                    "stopping: undoing every fault (Ctrl-C again to leave it to the guardian)"
                );
            }
            RunEvent::Judged { .. } | RunEvent::Ends { .. } => {}
        }
    }
}
