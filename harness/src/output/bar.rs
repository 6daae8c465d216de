//! Progress on a terminal: the lines, and below them a bar for each arm that is running.

use super::Output;
use super::lines::{self, Wording};
use crate::run::events::{ArmEvent, ArmId, RunEvent};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;

/// One bar an arm on standard error, over the seconds of its timeline.
pub(super) struct Bars {
    all: MultiProgress,
    wording: Wording,
    running: BTreeMap<(usize, String), ProgressBar>,
}

impl Default for Bars {
    fn default() -> Self {
        Self {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            wording: Wording::default(),
            running: BTreeMap::new(),
        }
    }
}

impl Bars {
    fn bar(&mut self, scenario: usize, arm: &ArmId) -> &ProgressBar {
        let prefix = format!("{:.60} [{}]", self.wording.title(scenario), lines::name(arm));
        let all = &self.all;
        self.running.entry((scenario, lines::name(arm))).or_insert_with(|| {
            let bar = all.add(ProgressBar::new(1));
            // The template is a literal; a bad one would only lose the look.
            if let Ok(style) =
                ProgressStyle::with_template("{bar:20.cyan/dim} {pos:>3} of {len} s  {prefix} {msg:.dim}")
            {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar.set_prefix(prefix);
            bar
        })
    }
}

impl Output for Bars {
    fn event(&mut self, event: &RunEvent) {
        if let Some(line) = self.wording.line(event) {
            let _ = self.all.println(line);
        }
        match event {
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
            RunEvent::Ends { .. } => {
                let _ = self.all.clear();
            }
            RunEvent::Begins { .. } | RunEvent::Stopping | RunEvent::Kept { .. } | RunEvent::Judged { .. } => {}
        }
    }
}
