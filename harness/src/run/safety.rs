//! What undoes everything of a run, whoever dies: its journal, its place in the list of runs, and its guardian.

use crate::guardian;
use crate::journal::{Journal, Undo};
use crate::process::{Launch, Process, SpawnError, Spawner};
use crate::recover;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Why nothing may be started.
#[derive(Debug, thiserror::Error)]
#[error("safety could not be set up, so nothing was started: {0}")]
pub struct Error(String);

/// The run's journal and its guardian.
pub struct Safety {
    /// What was changed outside our own process, and how it is undone.
    pub(super) journal: Mutex<Journal>,
    guardian: guardian::Handle,
    folder: PathBuf,
    /// What every process of the run carries.
    pub(super) run: String,
}

impl Safety {
    /// Journal first, then the guardian, then anything else. The folder is the mark of the run: no other run of this machine has it.
    pub fn begin(folder: &Path, spawner: &Spawner) -> Result<Self, Error> {
        let run = folder.display().to_string();
        let not_begun = |error: &dyn std::fmt::Display| Error(error.to_string());
        let journal = Journal::create(folder, &run).map_err(|error| not_begun(&error))?;
        recover::enter(folder).map_err(|error| not_begun(&error))?;
        let guardian = guardian::start(spawner, folder, &run).map_err(|error| not_begun(&error))?;
        Ok(Self { journal: Mutex::new(journal), guardian, folder: folder.to_owned(), run })
    }

    /// Starts a process, and notes it in the journal. One that cannot be noted is ended.
    pub fn spawn(&self, spawner: &Spawner, launch: &Launch) -> Result<Process, SpawnError> {
        let process = spawner.spawn(launch)?;
        let undo = Undo::Kill { pid: process.pid, start_time: process.start_time };
        let noted = self.journal.lock().unwrap_or_else(PoisonError::into_inner).intend(undo);
        noted.map_err(|source| SpawnError { name: launch.name.clone(), source })?;
        Ok(process)
    }

    /// Tells the guardian that all is undone, and looks whether it is true. What is left comes back as sentences.
    pub fn end(self) -> Vec<String> {
        // What programs have started and left behind is ended here, like everything else.
        let mut left = recover::end_residue(&self.run);
        // Before the guardian goes: until then whoever kills us leaves somebody who does it.
        if left.is_empty() {
            // Unsaid, it is done again, which changes nothing.
            let _ = self.journal.into_inner().unwrap_or_else(PoisonError::into_inner).all_undone();
            let struck = recover::strike_off(&self.folder);
            left.extend(struck.err().map(|error| format!("the list of runs holds it still: {error}: squall recover")));
        }
        match self.guardian.finish() {
            Ok(guardian::End::Done) => {}
            Ok(guardian::End::Early(how)) => {
                anstream::eprintln!("the guardian of the run had ended early ({how}): nothing needed it");
            }
            Err(error) => left.push(error),
        }
        left
    }
}
