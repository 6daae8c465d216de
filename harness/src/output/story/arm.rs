//! One arm so far.

use super::Tone;
use super::budget;
use super::clean;
use super::instances::Watch;
use crate::run::events::{ArmEvent, ArmId, Outline, Tally};
use crate::slo::words::{count, seconds};
use squall_reports::record::{Event, EventKind, Micros, Phase, SECOND, Verdict};
use std::time::Duration;

/// What to tell: when, in the arm's own time, and in which words.
pub(super) type Telling = (Option<Micros>, String, Tone);

/// One arm so far.
#[derive(Debug, Clone)]
pub(in crate::output) struct ArmStory {
    pub(in crate::output) scenario: usize,
    pub(in crate::output) id: ArmId,
    /// How long the load will last.
    pub(in crate::output) lasting: Duration,
    /// When the load began, since the start of the command.
    pub(in crate::output) zero: Option<Duration>,
    pub(in crate::output) outline: Option<Outline>,
    /// One for each stretch, with all that was counted in it.
    pub(in crate::output) tallies: Vec<Tally>,
    pub(in crate::output) watch: Watch,
    /// Faults that are on.
    pub(in crate::output) open: Vec<Open>,
    /// What has happened, in order.
    pub(in crate::output) events: Vec<(Micros, String, Tone)>,
    /// The phase that was begun last.
    pub(in crate::output) phase: Option<usize>,
    pub(in crate::output) ended: Option<Ended>,
    summarised: usize,
    doomed: Vec<String>,
}

/// A fault that is on.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::output) struct Open {
    /// The instance.
    pub(in crate::output) on: String,
    /// As written.
    pub(in crate::output) what: String,
    pub(in crate::output) since: Micros,
    pub(in crate::output) effect: Option<Micros>,
}

impl Open {
    fn hits_the_process(&self) -> bool {
        ["kill", "pause"].iter().any(|word| self.what.starts_with(word))
    }
}

/// How an arm ended.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::output) struct Ended {
    pub(in crate::output) at: Duration,
    pub(in crate::output) verdict: Verdict,
    pub(in crate::output) reason: Option<String>,
}

impl ArmStory {
    pub(super) fn new(scenario: usize, id: ArmId) -> Self {
        Self {
            scenario,
            id,
            lasting: Duration::ZERO,
            zero: None,
            outline: None,
            tallies: Vec::new(),
            watch: Watch::default(),
            open: Vec::new(),
            events: Vec::new(),
            phase: None,
            ended: None,
            summarised: 0,
            doomed: Vec::new(),
        }
    }

    /// Empty for the arm as written, `control`, or the cell; with the try, from the second on.
    pub(in crate::output) fn label(&self) -> String {
        let name = if self.id.name == "run" { "" } else { self.id.name.as_str() };
        match (name, self.id.try_number) {
            (name, 1) => name.to_owned(),
            ("", number) => format!("try {number}"),
            (name, number) => format!("{name}, try {number}"),
        }
    }

    pub(in crate::output) fn is_control(&self) -> bool {
        self.id.name == "control"
    }

    pub(in crate::output) fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// Micros since its load began.
    pub(in crate::output) fn elapsed(&self, at: Duration) -> Micros {
        let end = self.ended.as_ref().map_or(at, |ended| ended.at.min(at));
        self.zero.map_or(0, |zero| end.saturating_sub(zero).as_micros() as Micros).min(self.length())
    }

    /// Micros from the first request to the end of the last phase.
    pub(in crate::output) fn length(&self) -> Micros {
        let planned = self.outline.as_ref().and_then(|outline| outline.phases.last()).map(|phase| phase.to);
        planned.unwrap_or(self.lasting.as_micros() as Micros)
    }

    pub(in crate::output) fn phases(&self) -> &[Phase] {
        self.outline.as_ref().map_or(&[], |outline| outline.phases.as_slice())
    }

    /// The last stretch.
    pub(in crate::output) fn last(&self) -> Option<&Tally> {
        self.tallies.last()
    }

    /// Requests lost so far.
    pub(in crate::output) fn lost(&self) -> u64 {
        self.last().map_or(0, |tally| tally.phases.iter().map(|phase| phase.lost).sum())
    }

    /// Requests due and not ended.
    pub(in crate::output) fn waiting(&self) -> u64 {
        let planned: u64 = self.tallies.iter().map(|tally| tally.planned).sum();
        let ended: u64 = self.tallies.iter().flat_map(|tally| tally.ended.values()).sum();
        planned.saturating_sub(ended)
    }

    /// Ids of expectations that cannot be met any more.
    pub(in crate::output) fn doomed(&self) -> &[String] {
        &self.doomed
    }

    pub(super) fn take(&mut self, at: Duration, event: &ArmEvent) -> Vec<Telling> {
        match event {
            ArmEvent::Deploying { lasting } => {
                self.lasting = *lasting;
                vec![(None, "deploying".to_owned(), Tone::Plain)]
            }
            ArmEvent::Begun(outline) => {
                self.watch = Watch::new(outline);
                self.zero = Some(at + outline.lead);
                self.outline = Some(*outline.clone());
                Vec::new()
            }
            ArmEvent::Happened(event) => self.happened(event),
            ArmEvent::Progress(tally) => self.progress(tally),
            ArmEvent::Ended { verdict, reason } => {
                let told = self.over(*verdict, reason.as_deref());
                self.open.clear();
                self.ended = Some(Ended { at, verdict: *verdict, reason: reason.clone() });
                vec![told]
            }
            // The reason was told when it ended.
            ArmEvent::Again { .. } => vec![(None, "will be run again".to_owned(), Tone::Fault)],
        }
    }

    fn over(&self, verdict: Verdict, reason: Option<&str>) -> Telling {
        let lost = format!("{} lost", count(self.lost()));
        match verdict {
            Verdict::Fail if self.is_control() => (None, format!("FAIL as it must, {lost}"), Tone::Plain),
            Verdict::Pass if self.is_control() => (None, "PASS, which a control must not".to_owned(), Tone::Bad),
            Verdict::Pass => (None, format!("PASS, {lost}"), Tone::Good),
            _ => (None, reason.map_or_else(|| format!("{verdict}, {lost}"), clean), Tone::Bad),
        }
    }

    /// Remembers a sentence and passes it on.
    fn note(&mut self, at: Micros, text: String, tone: Tone) -> Telling {
        self.events.push((at, text.clone(), tone));
        (Some(at), text, tone)
    }

    fn happened(&mut self, event: &Event) -> Vec<Telling> {
        let event = Event { text: clean(&event.text), subject: clean(&event.subject), ..event.clone() };
        let (text, tone) = match event.kind {
            EventKind::Phase => {
                let index = self.phases().iter().position(|phase| phase.name == event.subject);
                self.phase = index.or(self.phase);
                return vec![(Some(event.at), self.phase_begins(index, &event), Tone::Plain)];
            }
            EventKind::FaultAsked => {
                self.open.push(Open {
                    on: event.subject.clone(),
                    what: event.text.clone(),
                    since: event.at,
                    effect: None,
                });
                (format!("fault on: {}", event.text), Tone::Fault)
            }
            EventKind::FaultEffect => {
                self.watch.fault_on(&event.subject, event.at, self.lost());
                let mut open = self.open.iter_mut().filter(|open| open.on == event.subject && open.effect.is_none());
                let Some(open) = open.next() else { return Vec::new() };
                open.effect = Some(event.at);
                let after = seconds((event.at - open.since).max(0) as f64 / 1e6);
                (format!("{}: {} after {after}", event.subject, event.text), Tone::Fault)
            }
            EventKind::FaultCleared => {
                if let Some(at) = self.open.iter().position(|open| open.on == event.subject) {
                    self.open.remove(at);
                }
                if !self.open.iter().any(|open| open.on == event.subject) {
                    self.watch.fault_off(&event.subject, event.at);
                }
                (format!("fault off: {}: {}", event.subject, event.text), Tone::Plain)
            }
            EventKind::Gone | EventKind::Aborted | EventKind::BadAnswer => (event.text.clone(), Tone::Fault),
            EventKind::Restarted => {
                // What was done to the process is gone with it.
                if self.open.iter().all(|open| open.on != event.subject || open.hits_the_process()) {
                    self.watch.restarted(&event.subject);
                }
                (event.text.clone(), Tone::Good)
            }
            EventKind::Release => {
                self.watch.release(event.subject.split('@').next().unwrap_or_default());
                (event.text.clone(), Tone::Plain)
            }
            EventKind::RolledBack | EventKind::Refused => (event.text.clone(), Tone::Good),
            _ => (event.text.clone(), Tone::Plain),
        };
        vec![self.note(event.at, text, tone)]
    }

    fn phase_begins(&self, index: Option<usize>, event: &Event) -> String {
        let Some((index, outline)) = index.zip(self.outline.as_ref()) else { return event.text.clone() };
        let phase = &outline.phases[index];
        let long = (phase.to - phase.from) as f64 / 1e6;
        let planned = outline.planned.get(index).copied().unwrap_or(0);
        if planned == 0 {
            // How many there will be is known when they have been sent.
            return format!("{} {} s", phase.name, plain(long));
        }
        format!("{} {} s, {} requests at {:.0}/s", phase.name, plain(long), count(planned), planned as f64 / long)
    }

    fn progress(&mut self, tally: &Tally) -> Vec<Telling> {
        let Some(outline) = self.outline.clone() else { return Vec::new() };
        let phase = outline.phases.iter().position(|phase| tally.to <= phase.to);
        let baseline = outline.phases.iter().position(|phase| phase.judged);
        let in_baseline =
            phase.is_some() && phase == baseline && tally.from >= outline.phases[baseline.unwrap_or(0)].from;
        self.tallies.push(tally.clone());
        let lost = self.lost();
        let mut told = Vec::new();
        for (at, text, tone) in self.watch.look(tally, in_baseline, lost) {
            told.push(self.note(at, text, tone));
        }
        for expected in &outline.expected {
            let Some(state) = budget::state(expected, &outline, tally) else { continue };
            if state.is_lost() && !self.doomed.contains(&expected.id) {
                self.doomed.push(expected.id.clone());
                let must = if self.is_control() { ", as it must" } else { "" };
                let text = format!("{} cannot hold any more{must}: {}", expected.id, state.words());
                let tone = if self.is_control() { Tone::Plain } else { Tone::Bad };
                told.push(self.note(tally.to, text, tone));
            }
        }
        told.extend(self.summaries(&outline, tally));
        told
    }

    /// A sentence for each phase that is over, once all its requests have ended or a second has gone by.
    fn summaries(&mut self, outline: &Outline, tally: &Tally) -> Vec<Telling> {
        let mut told = Vec::new();
        while let Some(phase) = outline.phases.get(self.summarised) {
            let (counts, planned) = (tally.phases[self.summarised], outline.planned[self.summarised]);
            let complete = tally.to >= phase.to && counts.ended >= planned;
            if !complete && tally.to < phase.to + SECOND {
                break;
            }
            self.summarised += 1;
            if !phase.judged {
                continue;
            }
            let within = |tally: &&Tally| tally.from >= phase.from && tally.to <= phase.to + SECOND / 2;
            let slowest = self.tallies.iter().filter(within).filter_map(|tally| tally.p99).max();
            let mut text = format!(
                "{}: {} of {} answered",
                phase.name,
                count(counts.ended - counts.lost),
                count(planned.max(counts.ended))
            );
            if counts.lost > 0 {
                text.extend([", ", &count(counts.lost), " lost"]);
            }
            let open = planned.saturating_sub(counts.ended);
            if open > 0 {
                text.extend([", ", &count(open), " not ended"]);
            }
            if let Some(slowest) = slowest {
                text.extend([", p99 at most ", &seconds(slowest as f64 / 1e6), " in any second"]);
            }
            let tone = if counts.lost > 0 { Tone::Bad } else { Tone::Plain };
            told.push((Some(tally.to), text, tone));
        }
        told
    }
}

/// `8`, `2.5`.
pub(in crate::output) fn plain(value: f64) -> String {
    let text = format!("{value:.1}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
