//! What has become of a run so far, made of its events and nothing else: the same for the live view, for plain lines and for a replay.
//!
//! Times here count from the start of the command; an arm has micros of its own, from when its load began.

pub(super) mod arm;
pub(super) mod budget;
pub(super) mod instances;

use crate::run::events::{ArmEvent, ArmId, RunEvent};
use arm::ArmStory;
use squall_reports::record::{Micros, Verdict};
use std::time::Duration;

/// A run so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Story {
    pub(super) run: String,
    pub(super) seed: u64,
    pub(super) folder: String,
    pub(super) scenarios: Vec<ScenarioStory>,
    /// In the order in which they began; another try of an arm is another arm.
    pub(super) arms: Vec<ArmStory>,
    /// A person has asked to stop.
    pub(super) stopping: bool,
}

/// One scenario so far.
#[derive(Debug, Clone)]
pub(super) struct ScenarioStory {
    pub(super) title: String,
    pub(super) verdict: Option<Verdict>,
}

/// A sentence that the run is worth.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// Since the start of the command.
    pub(super) at: Duration,
    /// Index of the arm that it is about.
    pub(super) arm: Option<usize>,
    pub(super) text: String,
    pub(super) tone: Tone,
}

/// How much a sentence matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// As planned.
    Plain,
    /// A fault, or what came of it.
    Fault,
    /// Healing.
    Good,
    /// Something was lost, or will be missed.
    Bad,
    /// The proxy says something else than what is seen.
    Said,
}

impl Story {
    /// Takes an event in, and gives the sentences that it is worth.
    pub(super) fn take(&mut self, at: Duration, event: &RunEvent) -> Vec<Told> {
        match event {
            RunEvent::Begins { id, seed, folder, scenarios } => {
                (self.run, self.seed, self.folder) = (id.clone(), *seed, folder.display().to_string());
                let begun = |title: &String| ScenarioStory { title: clean(title), verdict: None };
                self.scenarios = scenarios.iter().map(begun).collect();
                Vec::new()
            }
            RunEvent::Arm { scenario, arm, what } => self.arm(at, *scenario, arm, what),
            RunEvent::Judged { scenario, record, .. } => {
                if let Some(scenario) = self.scenarios.get_mut(*scenario) {
                    scenario.verdict = scenario.verdict.max(Some(record.verdict));
                }
                Vec::new()
            }
            RunEvent::Stopping => {
                self.stopping = true;
                let text = format!("stopping: {} (Ctrl-C again to leave it to the guardian)", self.undoing());
                vec![Told { at, arm: None, text, tone: Tone::Fault }]
            }
            RunEvent::Kept { verdict, reason, report_file, addresses } => {
                let verdict = reason.clone().unwrap_or_else(|| verdict.to_string());
                let report = report_file.as_ref().map(|file| format!("report {}", file.display()));
                let end = "everything is up; press Enter to end it".to_owned();
                let lines =
                    [verdict].into_iter().chain(report).chain(addresses.lines().map(str::to_owned)).chain([end]);
                lines.map(|text| Told { at, arm: None, text, tone: Tone::Plain }).collect()
            }
            RunEvent::Leaving => {
                let text = "left to the guardian, which undoes everything".to_owned();
                vec![Told { at, arm: None, text, tone: Tone::Fault }]
            }
            RunEvent::Ends { .. } => Vec::new(),
        }
    }

    fn arm(&mut self, at: Duration, scenario: usize, id: &ArmId, what: &ArmEvent) -> Vec<Told> {
        let is_it = |arm: &ArmStory| arm.scenario == scenario && arm.id == *id && !arm.is_over();
        let index = self.arms.iter().rposition(is_it);
        let index = match (index, what) {
            (Some(index), _) => index,
            // Another try is told after its arm has ended.
            (None, ArmEvent::Again { .. }) => {
                let Some(index) = self.arms.iter().rposition(|arm| arm.scenario == scenario && arm.id == *id) else {
                    return Vec::new();
                };
                index
            }
            (None, _) => {
                self.arms.push(ArmStory::new(scenario, id.clone()));
                self.arms.len() - 1
            }
        };
        let arm = &mut self.arms[index];
        let told = arm.take(at, what);
        let zero = arm.zero.unwrap_or(at);
        let place = |moment: Option<Micros>| match moment {
            Some(micros) if micros >= 0 => zero + Duration::from_micros(micros as u64),
            Some(micros) => zero.saturating_sub(Duration::from_micros(micros.unsigned_abs())),
            None => at,
        };
        told.into_iter().map(|(moment, text, tone)| Told { at: place(moment), arm: Some(index), text, tone }).collect()
    }

    /// `undoing 2 faults`.
    pub(super) fn undoing(&self) -> String {
        match self.open_faults() {
            0 => "no fault is on, ending the processes".to_owned(),
            1 => "undoing 1 fault".to_owned(),
            many => format!("undoing {many} faults"),
        }
    }

    /// Faults that are on, over all arms.
    pub(super) fn open_faults(&self) -> usize {
        self.running().map(|arm| arm.open.len()).sum()
    }

    /// Arms that have begun and not ended.
    pub(super) fn running(&self) -> impl Iterator<Item = &ArmStory> {
        self.arms.iter().filter(|arm| !arm.is_over())
    }

    /// Title of a scenario.
    pub(super) fn title(&self, scenario: usize) -> &str {
        self.scenarios.get(scenario).map_or("", |scenario| scenario.title.as_str())
    }

    /// Title and arm: `a title`, `a title, control`, `a title, none at 500/s, 16 connections, try 2`.
    pub(super) fn name(&self, arm: usize) -> String {
        let Some(arm) = self.arms.get(arm) else { return String::new() };
        match arm.label() {
            label if label.is_empty() => self.title(arm.scenario).to_owned(),
            label => format!("{}, {label}", self.title(arm.scenario)),
        }
    }
}

/// Texts that came from elsewhere (logs, answers, names) stay on one line, move no cursor and turn no letters around.
pub(super) fn clean(text: &str) -> String {
    let first = text.trim().lines().next().unwrap_or_default();
    let harmless = |letter: char| {
        let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if letter.is_control() || turns { '\u{fffd}' } else { letter }
    };
    first.chars().map(harmless).collect()
}
