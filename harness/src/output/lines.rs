//! Progress in lines: one an event with the time since the start and the scenario's name, nothing that moves; if nothing happens, one in 10 s.

use super::Progress;
use super::story::{Story, Told};
use crate::run::events::RunEvent;
use crate::slo::words::count;
use std::io::Write;
use std::time::Duration;

/// Nothing is silent for longer.
const SILENCE: Duration = Duration::from_secs(10);

/// Progress on standard error, line by line.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) story: Story,
    last: Duration,
    replay: bool,
}

impl Lines {
    pub(super) fn new(replay: bool) -> Self {
        Self { story: Story::default(), last: Duration::ZERO, replay }
    }

    /// Takes an event in, and gives the lines that it is worth.
    pub(super) fn take(&mut self, at: Duration, event: &RunEvent) -> Vec<String> {
        let told = self.story.take(at, event);
        let mut lines: Vec<String> = told.iter().map(|told| self.line(told)).collect();
        if matches!(event, RunEvent::Begins { .. }) {
            lines.insert(0, self.header());
        }
        if !lines.is_empty() {
            self.last = at;
        }
        lines
    }

    /// What to say after so long a silence.
    fn idle(&mut self, at: Duration) -> Option<String> {
        if at.saturating_sub(self.last) < SILENCE {
            return None;
        }
        self.last = at;
        let running: Vec<_> = self.story.running().collect();
        let rate: f64 =
            running.iter().filter_map(|arm| arm.last()).map(|tally| tally.sent as f64 / tally.seconds()).sum();
        let lost: u64 = running.iter().map(|arm| arm.lost()).sum();
        let text = match running.len() {
            0 => "no arm is running: reports are being written".to_owned(),
            1 => format!("1 arm runs, {rate:.0} requests/s, {} lost", count(lost)),
            many => format!("{many} arms run, {rate:.0} requests/s, {} lost", count(lost)),
        };
        Some(format!("{} {text}", stamp(at)))
    }

    /// What the run is, in one line.
    pub(super) fn header(&self) -> String {
        let number = self.story.scenarios.len();
        let plural = if number == 1 { "" } else { "s" };
        let Story { seed, folder, .. } = &self.story;
        let version = env!("CARGO_PKG_VERSION");
        if self.replay {
            return format!("squall {version}  replay of {folder}  seed {seed}");
        }
        format!("squall {version}  seed {seed}  {number} scenario{plural}  into {folder}")
    }

    fn line(&self, told: &Told) -> String {
        let text = &told.text;
        match told.arm.map(|arm| self.story.name(arm)) {
            Some(name) => format!("{} {name}: {text}", stamp(told.at)),
            None => format!("{} {text}", stamp(told.at)),
        }
    }
}

impl Progress for Lines {
    fn event(&mut self, at: Duration, event: &RunEvent) {
        self.take(at, event).iter().for_each(|line| print(line));
    }

    fn tick(&mut self, at: Duration) {
        self.idle(at).iter().for_each(|line| print(line));
    }
}

/// Progress that cannot be shown is no reason to end a run.
pub(super) fn print(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// `[ 00:08.3]`.
fn stamp(at: Duration) -> String {
    let tenths = at.as_millis() / 100;
    format!("[ {:02}:{:02}.{}]", tenths / 600, tenths / 10 % 60, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_the_start() {
        assert_eq!(stamp(Duration::from_millis(8_399)), "[ 00:08.3]");
        assert_eq!(stamp(Duration::from_secs(75)), "[ 01:15.0]");
        assert_eq!(stamp(Duration::from_secs(7_265)), "[ 121:05.0]");
    }

    #[test]
    fn nothing_is_silent_for_longer_than_ten_seconds() {
        let mut lines = Lines::new(false);
        assert_eq!(lines.idle(Duration::from_millis(9_900)), None);
        assert!(lines.idle(Duration::from_secs(10)).unwrap().starts_with("[ 00:10.0] no arm is running"));
        assert_eq!(lines.idle(Duration::from_secs(12)), None);
        lines.take(Duration::from_secs(19), &RunEvent::Stopping);
        assert_eq!(lines.idle(Duration::from_secs(21)), None);
        assert!(lines.idle(Duration::from_secs(29)).is_some());
    }
}
