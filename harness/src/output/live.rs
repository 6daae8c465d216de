//! The live view: what a run does now, drawn over and over on a terminal.
//!
//! [`super::story`] knows what has happened, [`view`] what the person wants to see of it, [`draw`] makes a picture of both; all three are
//! pure. [`screen`] owns the terminal and gives it back, however the program ends.

mod draw;
mod screen;
mod view;

pub(super) use screen::Input;
pub(super) use screen::leave;

use super::lines::{self, Lines};
use super::{Message, Options, Progress};
use crate::run::events::RunEvent;
use screen::Screen;
use std::sync::mpsc::Sender;
use std::time::Duration;
use view::{View, Wish};

/// How the live view looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// With the 16 colours of the terminal.
    pub colour: bool,
    /// With nothing but ASCII.
    pub ascii: bool,
}

/// The live view of one run.
pub(super) struct Live {
    /// They know the story, and take over if the terminal is lost.
    lines: Lines,
    view: View,
    screen: Option<Screen>,
    looks: Looks,
    replay: bool,
    quiet: bool,
    interrupt: Box<dyn Fn() + Send>,
}

impl Live {
    /// Takes the terminal; if it cannot be had, there are lines.
    pub(super) fn open(options: &Options, interrupt: Box<dyn Fn() + Send>, inputs: Sender<Message>) -> Self {
        let screen = Screen::enter(move |input| inputs.send(Message::Input(input)).is_ok());
        if let Err(error) = &screen {
            lines::print(&format!("the live view cannot be shown: {error}"));
        }
        Self {
            lines: Lines::new(options.replay),
            view: View::default(),
            screen: screen.ok(),
            looks: options.looks,
            replay: options.replay,
            quiet: false,
            interrupt,
        }
    }

    fn draw(&mut self, at: Duration) {
        let Some(screen) = &mut self.screen else { return };
        let scene = draw::Scene {
            story: self.view.frozen().unwrap_or(&self.lines.story),
            view: &self.view,
            at: self.view.frozen_at().unwrap_or(at),
            looks: self.looks,
            replay: self.replay,
        };
        // A terminal that is gone shows nothing, and the run goes on without it.
        let shown = screen.show(|buffer| draw::scene(buffer, &scene));
        if !matches!(shown, Ok(true)) {
            self.screen = None;
        }
    }
}

impl Progress for Live {
    fn event(&mut self, at: Duration, event: &RunEvent) {
        let told = self.lines.take(at, event);
        self.view.follow(&self.lines.story);
        if self.screen.is_none() && !self.quiet {
            told.iter().for_each(|line| lines::print(line));
        }
    }

    fn tick(&mut self, at: Duration) {
        self.view.is_now(at);
        if self.screen.is_some() {
            self.draw(at);
        } else if !self.quiet {
            self.lines.tick(at);
        }
    }

    fn input(&mut self, input: Input) {
        let Input::Key(key) = input else { return };
        match self.view.key(key, &self.lines.story) {
            Some(Wish::Stop) => (self.interrupt)(),
            Some(Wish::Quiet) if self.replay => (self.interrupt)(),
            Some(Wish::Quiet) => {
                self.quiet = true;
                self.screen = None;
                leave();
                lines::print("the run goes on and tells its result; Ctrl-C stops it");
            }
            None => {}
        }
    }

    fn close(&mut self) {
        if self.screen.take().is_some() {
            leave();
            if !self.replay {
                lines::print(&self.lines.header());
            }
        }
    }
}
