//! Leaving an arm up for a look, after its report. Relays and their lease go on meanwhile, the timeline and the probes do not.

use crate::run::stop::Stop;
use squall_reports::record::Arm;
use std::sync::mpsc;
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked whether the run was told to stop.
const LOOK: Duration = Duration::from_millis(50);

/// An arm that has ended and is still up.
pub(in crate::run) struct Kept {
    pub(in crate::run) arm: Arm,
    /// Where everything listens, for people.
    pub(in crate::run) addresses: String,
}

/// What an arm needs to stay up.
pub(in crate::run) struct Keep {
    kept: mpsc::Sender<Kept>,
    released: watch::Receiver<bool>,
}

/// The other end: who is told of the arm, and lets it go.
pub(in crate::run) struct Held {
    kept: mpsc::Receiver<Kept>,
    release: watch::Sender<bool>,
}

/// Both ends.
pub(in crate::run) fn keep() -> (Keep, Held) {
    let (told, kept) = mpsc::channel();
    let (release, released) = watch::channel(false);
    (Keep { kept: told, released }, Held { kept, release })
}

impl Keep {
    /// Tells of the arm and waits until it is let go.
    pub(super) async fn hold(&self, arm: Arm, addresses: String) {
        if self.kept.send(Kept { arm, addresses }).is_ok() {
            // Whoever would let it go may have gone.
            let _ = self.released.clone().wait_for(|released| *released).await;
        }
    }
}

impl Held {
    /// The arm once it has ended; nothing if it has failed.
    pub(in crate::run) fn ended(&self) -> Option<Kept> {
        self.kept.recv().ok()
    }

    /// Returns at Enter, at the end of standard input, or when told to stop; then the arm is let go.
    pub(in crate::run) fn until_enter(self, stop: &Stop) {
        let (entered, enter) = mpsc::channel();
        // Nothing can wake a thread that reads a terminal; it ends with the process.
        let reader = std::thread::Builder::new().name("enter".to_owned()).spawn(move || {
            // An input that is closed is an answer too.
            let _ = std::io::stdin().read_line(&mut String::new());
            let _ = entered.send(());
        });
        while reader.is_ok() && !stop.is_asked() && enter.recv_timeout(LOOK) == Err(mpsc::RecvTimeoutError::Timeout) {}
        self.release.send_replace(true);
    }
}
