//! Being told to stop: Ctrl-C, TERM, or an abort condition. The first asks for an undo and a report, the second shortens the waits.

use nix::sys::signal::{SigSet, Signal};
use std::io;
use std::thread;
use tokio::sync::watch;

/// How far the run has been told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    /// It has not.
    No,
    /// Undo, judge nothing, report.
    Stop,
    /// The same, without waiting for anything that can be left to the guardian.
    StopNow,
}

/// Where arms learn that they are to stop.
pub(super) type Stop = watch::Receiver<Asked>;

/// Blocks INT, TERM and HUP in this thread and all that it starts, and listens for them in a thread of its own.
///
/// To be called before any other thread exists. `told` hears of each signal.
pub(super) fn listen(told: impl Fn(Asked) + Send + 'static) -> io::Result<Stop> {
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
    signals.thread_block()?;
    let (sender, receiver) = watch::channel(Asked::No);
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        while signals.wait().is_ok() {
            let asked = if *sender.borrow() == Asked::No { Asked::Stop } else { Asked::StopNow };
            told(asked);
            if sender.send(asked).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}
