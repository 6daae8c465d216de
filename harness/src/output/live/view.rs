//! What the person wants to see: which arm, how much of it. Pure.

use super::screen::Key;
use crate::output::story::Story;
use crate::output::story::arm::ArmStory;
use std::time::Duration;

/// What the body of the screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Body {
    /// The arm at a glance.
    #[default]
    Overview,
    /// Phases, expectations, generator, processes.
    Details,
    /// All that has happened.
    Events,
}

/// What a key asks of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Undo everything and report.
    Stop,
    /// Leave the view.
    Quiet,
}

/// What the person wants to see.
#[derive(Debug, Default)]
pub(super) struct View {
    /// Index of the arm that is shown.
    focus: usize,
    /// Arms of the list, each in a row that it keeps until another takes its place.
    rows: Vec<usize>,
    body: Body,
    frozen: Option<(Duration, Box<Story>)>,
    latest: Duration,
    /// The arm that is shown was running when we last looked: when it ends, another is shown.
    watching: bool,
}

impl View {
    pub(super) fn focus(&self) -> usize {
        self.focus
    }

    pub(super) fn rows(&self) -> &[usize] {
        &self.rows
    }

    pub(super) fn body(&self) -> Body {
        self.body
    }

    /// What is shown while the screen is paused.
    pub(super) fn frozen(&self) -> Option<&Story> {
        self.frozen.as_ref().map(|(_, story)| story.as_ref())
    }

    /// When it was paused.
    pub(super) fn frozen_at(&self) -> Option<Duration> {
        self.frozen.as_ref().map(|(at, _)| *at)
    }

    /// Time goes by.
    pub(super) fn is_now(&mut self, at: Duration) {
        self.latest = at;
    }

    /// Arms begin and end: each keeps its row, one that begins takes the row of one that is over, and the focus goes on to one that runs.
    pub(super) fn follow(&mut self, story: &Story) {
        let over = |index: usize| story.arms.get(index).is_none_or(ArmStory::is_over);
        for index in 0..story.arms.len() {
            if self.rows.contains(&index) || over(index) {
                continue;
            }
            match self.rows.iter().position(|row| over(*row)) {
                Some(free) => self.rows[free] = index,
                None => self.rows.push(index),
            }
        }
        if over(self.focus) && (self.watching || self.focus >= story.arms.len()) {
            let scenario = story.arms.get(self.focus).map(|arm| arm.scenario);
            let running = || (0..story.arms.len()).filter(|index| !over(*index));
            let same = running().find(|index| Some(story.arms[*index].scenario) == scenario);
            self.focus = same.or_else(|| running().next()).unwrap_or(self.focus);
        }
        self.watching = !over(self.focus);
    }

    /// A key, and what it asks of the program.
    pub(super) fn key(&mut self, key: Key, story: &Story) -> Option<Wish> {
        let toggled = |body, wanted| if body == wanted { Body::Overview } else { wanted };
        match key {
            Key::Interrupt => return Some(Wish::Stop),
            Key::Letter('q') => return Some(Wish::Quiet),
            Key::Next => self.step(1),
            Key::Previous => self.step(self.rows.len().saturating_sub(1)),
            Key::Letter('d') => self.body = toggled(self.body, Body::Details),
            Key::Letter('e') => self.body = toggled(self.body, Body::Events),
            Key::Letter('p') => {
                self.frozen = match self.frozen {
                    Some(_) => None,
                    None => Some((self.latest, Box::new(story.clone()))),
                }
            }
            Key::Letter(_) => {}
        }
        None
    }

    /// So many rows down, and around.
    fn step(&mut self, by: usize) {
        if self.rows.is_empty() {
            return;
        }
        let at = self.rows.iter().position(|row| *row == self.focus).unwrap_or(0);
        self.focus = self.rows[(at + by) % self.rows.len()];
        // An arm that is over is looked at for as long as one likes.
        self.watching = false;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::run::events::{ArmEvent, ArmId, RunEvent};
    use squall_reports::record::Verdict;

    pub(in crate::output::live) fn press(view: &mut View, keys: &str, story: &Story) {
        for letter in keys.chars() {
            view.key(if letter == '\t' { Key::Next } else { Key::Letter(letter) }, story);
        }
    }

    fn tell(view: &mut View, story: &mut Story, name: &str, what: ArmEvent) {
        let arm = ArmId { name: name.to_owned(), cell: None, try_number: 1 };
        story.take(Duration::ZERO, &RunEvent::Arm { scenario: 0, arm, what });
        view.follow(story);
    }

    fn begun() -> ArmEvent {
        ArmEvent::Deploying { lasting: Duration::from_secs(1) }
    }

    fn ended() -> ArmEvent {
        ArmEvent::Ended { verdict: Verdict::Pass, reason: None }
    }

    #[test]
    fn an_arm_keeps_its_row_and_the_focus_moves_when_its_arm_ends() {
        let (mut view, mut story) = (View::default(), Story::default());
        ["run", "control", "third"].into_iter().for_each(|name| tell(&mut view, &mut story, name, begun()));
        assert_eq!((view.rows(), view.focus()), (&[0, 1, 2][..], 0));
        tell(&mut view, &mut story, "control", ended());
        assert_eq!((view.rows(), view.focus()), (&[0, 1, 2][..], 0));
        tell(&mut view, &mut story, "fourth", begun());
        assert_eq!(view.rows(), [0, 3, 2], "the row of what is over");
        tell(&mut view, &mut story, "run", ended());
        assert_eq!(view.focus(), 2);
    }

    #[test]
    fn an_arm_that_is_over_can_be_looked_at() {
        let (mut view, mut story) = (View::default(), Story::default());
        ["run", "control"].into_iter().for_each(|name| tell(&mut view, &mut story, name, begun()));
        tell(&mut view, &mut story, "control", ended());
        press(&mut view, "\t", &story);
        view.follow(&story);
        assert_eq!(view.focus(), 1);
        view.key(Key::Previous, &story);
        assert_eq!(view.focus(), 0);
    }

    #[test]
    fn a_paused_screen_shows_what_was() {
        let (mut view, mut story) = (View::default(), Story::default());
        tell(&mut view, &mut story, "run", begun());
        press(&mut view, "p", &story);
        tell(&mut view, &mut story, "control", begun());
        assert_eq!(view.frozen().map(|story| story.arms.len()), Some(1));
        press(&mut view, "p", &story);
        assert!(view.frozen().is_none());
    }

    #[test]
    fn keys_toggle_and_ask() {
        let (mut view, story) = (View::default(), Story::default());
        press(&mut view, "d", &story);
        assert_eq!(view.body(), Body::Details);
        press(&mut view, "e", &story);
        assert_eq!(view.body(), Body::Events);
        press(&mut view, "e", &story);
        assert_eq!(view.body(), Body::Overview);
        assert_eq!(view.key(Key::Interrupt, &story), Some(Wish::Stop));
        assert_eq!(view.key(Key::Letter('q'), &story), Some(Wish::Quiet));
        assert_eq!(view.key(Key::Next, &story), None);
    }
}
