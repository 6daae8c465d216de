//! Progress on a terminal: a bar for each arm that is running.

use super::{Output, lines};
use crate::run::events::{ArmEvent, ArmId, RunEvent};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

/// One bar an arm on standard error, over the seconds of its timeline.
pub(super) struct Bars {
    all: MultiProgress,
    titles: Vec<String>,
    running: BTreeMap<(usize, String), ProgressBar>,
}

impl Default for Bars {
    fn default() -> Self {
        Self {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            titles: Vec::new(),
            running: BTreeMap::new(),
        }
    }
}

impl Bars {
    fn bar(&mut self, scenario: usize, arm: &ArmId) -> &ProgressBar {
        let title = self.titles.get(scenario).cloned().unwrap_or_default();
        let all = &self.all;
        self.running.entry((scenario, lines::name(arm))).or_insert_with(|| {
            let bar = all.add(ProgressBar::new_spinner());
            // The template is a literal that the tests below draw; a bad one would only lose the look.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix:.dim} {msg} {elapsed:>4}") {
                bar.set_style(style);
            }
            bar.set_prefix(format!("{title:.60} [{}]", lines::name(arm)));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        })
    }
}

impl Output for Bars {
    fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Begins { id, seed, scenarios, .. } => {
                self.titles.clone_from(scenarios);
                let _ = self.all.println(format!("run {id}, seed {seed}, {} scenarios", scenarios.len()));
            }
            RunEvent::Arm { scenario, arm, what } => match what {
                ArmEvent::Deploying => self.bar(*scenario, arm).set_message("deploying"),
                ArmEvent::Phase { phase } => self.bar(*scenario, arm).set_message(phase.name.clone()),
                ArmEvent::Happened(event) => self.bar(*scenario, arm).set_message(event.text.clone()),
                ArmEvent::Ended { .. } | ArmEvent::Again { .. } => {
                    if let Some(bar) = self.running.remove(&(*scenario, lines::name(arm))) {
                        bar.finish_and_clear();
                        self.all.remove(&bar);
                    }
                }
            },
            RunEvent::Stopping => {
                let _ = self.all.println("stopping: undoing every fault (Ctrl-C again to leave it to the guardian)");
            }
            RunEvent::Judged { .. } => {}
            RunEvent::Ends { .. } => {
                let _ = self.all.clear();
            }
        }
    }
}
