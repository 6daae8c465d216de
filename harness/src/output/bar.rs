//! Progress on a terminal: a bar for each arm that is running.

use super::{Output, lines};
use crate::run::events::{ArmEvent, ArmId, RunEvent};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;

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
            let bar = all.add(ProgressBar::new(1));
            // The template is a literal; a bad one would only lose the look.
            if let Ok(style) =
                ProgressStyle::with_template("{bar:20.cyan/dim} {pos:>3} of {len} s  {prefix} {msg:.dim}")
            {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar.set_prefix(format!("{title:.60} [{}]", lines::name(arm)));
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
                ArmEvent::Deploying { lasting } => {
                    let bar = self.bar(*scenario, arm);
                    bar.set_length(lasting.as_secs());
                    bar.set_message("deploying");
                }
                ArmEvent::Under { elapsed } => self.bar(*scenario, arm).set_position(elapsed.as_secs()),
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
