//! The process in which relays stand, for faults by hand.

use super::Error;
use crate::control::relays::{self, Relays};
use crate::process::{Launch, Process, Spawner};
use crate::run::safety::Safety;
use crate::shim::wire::{Relay, Report, Start};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// How long the process may take to end.
const GRACE: Duration = Duration::from_secs(2);

/// A process with relays in it.
pub(super) struct Station {
    process: Process,
    pub(super) relays: Relays,
    /// Where each listens, by its doors.
    pub(super) listen: Vec<Vec<SocketAddr>>,
}

impl Station {
    /// Starts it, noted in the journal; it listens once this returns.
    pub(super) fn start(
        safety: &Safety,
        spawner: &Spawner,
        folder: &Path,
        relays: Vec<Relay>,
        seed: u64,
        tell: impl FnMut(Report) -> bool + 'static,
    ) -> Result<Self, Error> {
        let launch = Launch {
            name: "relay".to_owned(),
            program: None,
            arguments: vec!["shim".to_owned()],
            folder: folder.to_owned(),
            environment: Vec::new(),
            log: folder.join("relay.log"),
            piped: true,
            survives: false,
            run: folder.display().to_string(),
        };
        let mut process = safety.spawn(spawner, &launch)?;
        let (relays, listen) = relays::begin::<Error>(&mut process, &Start { relays, seed }, tell)?;
        Ok(Self { process, relays, listen })
    }

    /// How the process ended, in words.
    pub(super) async fn how_it_ended(&self) -> String {
        self.process.ended().await
    }

    /// Ends it.
    pub(super) async fn end(self) {
        let Self { process, relays, .. } = self;
        // Its input closes with the last sender: it resets what is open, and ends.
        drop(relays);
        process.stop(GRACE).await;
    }
}
