//! Being told to stop: by Ctrl-C or TERM, or by a condition of a scenario. A second signal ends the process at once, and leaves the undo to the guardian.

use crate::run::ABORTED;
use nix::sys::signal::{SigSet, Signal};
use std::io;
use std::sync::Arc;
use std::thread;
use tokio::sync::watch;

/// Where everybody learns that all is to stop: undo, judge nothing, report. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Why, once it is asked for.
    asked: Arc<watch::Sender<Option<Arc<str>>>>,
}

impl Stop {
    /// True once all is to stop.
    pub fn is_asked(&self) -> bool {
        self.asked.borrow().is_some()
    }

    /// Why all is to stop.
    pub fn why(&self) -> Option<Arc<str>> {
        self.asked.borrow().clone()
    }

    /// Asks that all stop; the first reason is the one that is told.
    pub fn ask(&self, why: &str) {
        self.asked.send_if_modified(|asked| {
            let is_first = asked.is_none();
            asked.get_or_insert_with(|| why.into());
            is_first
        });
    }

    /// Returns once all is to stop.
    pub async fn asked(&self) {
        // The sender is ours, so it cannot have gone.
        let _ = self.asked.subscribe().wait_for(Option::is_some).await;
    }
}

/// Blocks INT, TERM and HUP in this thread and all that it starts, and listens for them in a thread of its own.
///
/// To be called before any other thread exists. `told` hears of the first signal, and (true) of the second.
pub fn listen(told: impl Fn(bool) + Send + 'static) -> io::Result<Stop> {
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
    signals.thread_block()?;
    let stop = Stop::default();
    let asks = stop.clone();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut again = false;
        while signals.wait().is_ok() {
            asks.ask("stopped by a signal");
            told(again);
            if again {
                // Children die with us, and the guardian undoes the rest.
                std::process::exit(ABORTED);
            }
            again = true;
        }
    })?;
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_is_told() {
        let stop = Stop::default();
        let other = stop.clone();
        assert!(!other.is_asked());
        stop.ask("too much was lost");
        other.ask("stopped by a signal");
        assert_eq!(stop.why().as_deref(), Some("too much was lost"));
    }
}
