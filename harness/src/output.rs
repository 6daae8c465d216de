//! Events to what a person or a CI sees. An output knows events, never the runner.
//!
//! Results go to standard output, everything else to standard error; each is looked at by itself for being a terminal. What is shown under
//! way runs on a thread of its own, so that a terminal that does not take anything holds up no arm: [`story`] is what has become of the run
//! so far, [`lines`] and [`live`] show it.

#[cfg(test)]
mod fixture;
mod github;
mod json;
mod lines;
mod live;
pub mod replay;
mod story;
mod verdicts;

pub use github::in_repository;
pub use live::Looks;

use crate::clock::{Nanos, now};
use crate::run::events::RunEvent;
use std::io::Write;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two looks at what is to be shown.
const TICK: Duration = Duration::from_millis(250);

/// What standard output carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Verdicts with their reasons, for people.
    #[default]
    Human,
    /// One JSON object a line and scenario, nothing else.
    Jsonl,
}

/// How it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What standard output carries.
    pub format: Format,
    /// A view that is drawn over and over, instead of lines.
    pub live: bool,
    /// It is a record that is played.
    pub replay: bool,
    /// Colour on standard output.
    pub colour: bool,
    /// How the live view looks.
    pub looks: Looks,
    /// How fast the time of events goes.
    pub pace: Pace,
}

/// How fast the time of events goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// So many times as fast as the clock.
    Times(f64),
    /// As fast as events come.
    Unbounded,
}

/// What shows a run under way.
trait Progress: Send {
    /// Takes an event in.
    fn event(&mut self, at: Duration, event: &RunEvent);
    /// Time goes by.
    fn tick(&mut self, at: Duration);
    /// A key was pressed, or the terminal has another size.
    fn input(&mut self, _: live::Input) {}
    /// Gives the terminal back.
    fn close(&mut self) {}
}

/// What shows how a run ended.
trait Results: Send {
    /// Writes what the event is worth.
    fn event(&mut self, event: &RunEvent, out: &mut dyn Write) -> std::io::Result<()>;
}

/// The outputs of one run.
pub struct Outputs {
    options: Options,
    began: Nanos,
    interrupt: Mutex<Option<Box<dyn Fn() + Send>>>,
    stage: Mutex<Stage>,
    results: Mutex<Ends>,
}

/// What shows how runs ended, and what it has written that nobody has been given yet.
struct Ends {
    all: Vec<Box<dyn Results>>,
    held: Vec<u8>,
}

/// Where what is shown under way stands.
enum Stage {
    /// Nothing has happened yet.
    Waiting,
    On(Running),
    /// Nothing is shown any more.
    Over,
}

struct Running {
    sender: Sender<Message>,
    thread: JoinHandle<()>,
}

enum Message {
    Event(Duration, Box<RunEvent>),
    Input(live::Input),
    /// Says when everything before it has been shown.
    Shown(Sender<()>),
    Close,
}

impl Outputs {
    /// Nothing is started before the first event. `interrupt` is what Ctrl-C asks for in the live view, where it is a key like others.
    pub fn new(options: Options, interrupt: impl Fn() + Send + 'static) -> Self {
        let results: Box<dyn Results> = match options.format {
            Format::Human => Box::new(verdicts::Verdicts::default()),
            Format::Jsonl => Box::new(json::JsonLines),
        };
        let mut all = vec![results];
        all.extend(github::GitHub::asked_for(options.format).map(|github| Box::new(github) as Box<dyn Results>));
        Self {
            options,
            began: now(),
            interrupt: Mutex::new(Some(Box::new(interrupt))),
            stage: Mutex::new(Stage::Waiting),
            results: Mutex::new(Ends { all, held: Vec::new() }),
        }
    }

    /// Shows one event, now.
    pub fn event(&self, event: RunEvent) {
        self.event_at(now().since(self.began), event);
    }

    /// Shows one event of so long after the beginning.
    pub fn event_at(&self, at: Duration, event: RunEvent) {
        match event {
            // The process ends as soon as this returns.
            RunEvent::Leaving => {
                live::leave();
                lines::print("the rest is left to the guardian");
                return;
            }
            RunEvent::Judged { .. } if !self.options.live => self.wait_until_shown(),
            RunEvent::Ends { .. } => self.close(),
            _ => {}
        }
        {
            let mut results = lock(&self.results);
            let Ends { all, held } = &mut *results;
            // Writing to memory does not fail.
            all.iter_mut().for_each(|results| drop(results.event(&event, held)));
            if !self.options.live || matches!(event, RunEvent::Ends { .. }) {
                self.hand_out(held);
            }
        }
        let mut stage = lock(&self.stage);
        if matches!(*stage, Stage::Waiting) {
            *stage = Stage::On(self.start());
        }
        if let Stage::On(running) = &*stage {
            // A view that has broken down has said so, and the run goes on.
            let _ = running.sender.send(Message::Event(at, Box::new(event)));
        }
    }

    fn start(&self) -> Running {
        let (sender, receiver) = mpsc::channel();
        let (options, began, inputs) = (self.options, self.began, sender.clone());
        let interrupt = lock(&self.interrupt).take().unwrap_or_else(|| Box::new(|| ()));
        let thread = std::thread::spawn(move || {
            let mut progress: Box<dyn Progress> = if options.live {
                Box::new(live::Live::open(&options, interrupt, inputs))
            } else {
                drop(inputs);
                Box::new(lines::Lines::new(options.replay))
            };
            show(&receiver, progress.as_mut(), options.pace, began);
        });
        Running { sender, thread }
    }

    /// What led to a verdict stands before it, where both go to the same place.
    fn wait_until_shown(&self) {
        let (sender, shown) = mpsc::channel();
        let asked = match &*lock(&self.stage) {
            Stage::On(running) => running.sender.send(Message::Shown(sender)).is_ok(),
            Stage::Waiting | Stage::Over => false,
        };
        if asked {
            let _ = shown.recv();
        }
    }

    /// Gives the terminal back and hands out what was held back; for every way in which a run can end.
    pub fn close(&self) {
        let stage = std::mem::replace(&mut *lock(&self.stage), Stage::Over);
        if let Stage::On(Running { sender, thread }) = stage {
            let _ = sender.send(Message::Close);
            // If it panicked, the message of that is on the terminal.
            let _ = thread.join();
        }
        self.hand_out(&mut lock(&self.results).held);
    }

    /// A closed pipe ends quietly: the reader has seen enough.
    fn hand_out(&self, held: &mut Vec<u8>) {
        let choice = if self.options.colour { anstream::ColorChoice::Always } else { anstream::ColorChoice::Never };
        let mut out = anstream::AutoStream::new(std::io::stdout(), choice);
        let _ = out.write_all(held).and_then(|()| out.flush());
        held.clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread: events as they come, and a tick four times a second.
fn show(receiver: &Receiver<Message>, progress: &mut dyn Progress, pace: Pace, began: Nanos) {
    let mut latest = Duration::ZERO;
    let mut next = now().after(TICK);
    loop {
        match receiver.recv_timeout(next.since(now())) {
            Ok(Message::Event(at, event)) => {
                latest = latest.max(at);
                progress.event(at, &event);
            }
            Ok(Message::Input(input)) => progress.input(input),
            // Whoever asked may be gone.
            Ok(Message::Shown(reply)) => drop(reply.send(())),
            Ok(Message::Close) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if now() >= next {
            let at = match pace {
                Pace::Times(times) => now().since(began).mul_f64(times),
                Pace::Unbounded => latest,
            };
            progress.tick(at.max(latest));
            next = now().after(TICK);
        }
    }
    progress.close();
}
