//! Being told to stop: by Ctrl-C or TERM. The first asks for an undo and a report; the second ends the process at once, and leaves the undo to the guardian.

use crate::run::ABORTED;
use nix::sys::signal::{SigSet, Signal};
use std::io;
use std::thread;
use tokio::sync::watch;

/// Where it is learnt that all is to stop: undo, judge nothing, report.
pub type Stop = watch::Receiver<bool>;

/// Blocks INT, TERM and HUP in this thread and all that it starts, and listens for them in a thread of its own.
///
/// To be called before any other thread exists. `told` hears of the first signal, and (true) of the second.
pub fn listen(told: impl Fn(bool) + Send + 'static) -> io::Result<Stop> {
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
    signals.thread_block()?;
    let (sender, receiver) = watch::channel(false);
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        while signals.wait().is_ok() {
            let again = sender.send_replace(true);
            told(again);
            if again {
                // Children die with us, and the guardian undoes the rest.
                std::process::exit(ABORTED);
            }
        }
    })?;
    Ok(receiver)
}
