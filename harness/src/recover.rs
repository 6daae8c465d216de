//! Undoing what an earlier run has left, and looking whether anything is left at all.
//!
//! [`finish`] undoes what one run has left, by its journal and its mark; [`run`] does so for every run of the list that is dead. Both may be done twice,
//! or at the same time: what is undone is undone.

mod list;
mod undo;

use crate::journal;
use list::Line;
pub use list::{Error, state_folder};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
pub use undo::end_residue;

/// What was done for one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Its folder.
    pub folder: PathBuf,
    /// Things undone.
    pub undone: usize,
    /// What of its journal could not be read; it may stand for something that is left.
    pub unread: Vec<String>,
    /// What could not be undone: sentences that end with the command which does it.
    pub left: Vec<String>,
}

impl Recovered {
    /// Everything is as it was before the run.
    pub fn is_clean(&self) -> bool {
        self.left.is_empty() && self.unread.is_empty()
    }
}

impl fmt::Display for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} undone", self.folder.display(), self.undone)?;
        self.unread.iter().try_for_each(|unread| write!(f, "; {unread}"))?;
        self.left.iter().try_for_each(|left| write!(f, "; left: {left}"))
    }
}

/// Undoes everything that runs whose harness is dead have left. Doing it twice changes nothing.
pub fn run() -> Result<Vec<Recovered>, Error> {
    let mut recovered = Vec::new();
    list::with(|list| {
        list.strike(|line| {
            if line.is_alive() {
                return false;
            }
            let done = finish(&line.folder);
            // What could not be read is told once: it will not become readable.
            let is_over = done.left.is_empty();
            recovered.push(done);
            is_over
        })
    })?;
    Ok(recovered)
}

/// Undoes everything that a run has left whose harness is dead.
pub fn finish(folder: &Path) -> Recovered {
    let mut done = Recovered { folder: folder.to_owned(), undone: 0, unread: Vec::new(), left: Vec::new() };
    let pending = match journal::pending(&folder.join(journal::FILE)) {
        Ok(pending) => pending,
        // Nothing is touched of a run that this version does not understand.
        Err(error) => {
            done.left.push(error.to_string());
            return done;
        }
    };
    done.unread = pending.damaged;
    done.left = undo::all(&pending.undo, undo::one);
    // The line with the mark may be among those that could not be read.
    let marked = end_residue(&folder.display().to_string());
    done.left.extend(marked.into_iter().filter(|sentence| !done.left.contains(sentence)).collect::<Vec<_>>());
    done.undone = pending.undo.len().saturating_sub(done.left.len());
    let folded = fold_records(folder).err();
    done.left
        .extend(folded.map(|error| format!("the records in {}: {error}; try again: squall recover", folder.display())));
    done
}

/// Makes a record of the lines that each scenario of a run that was cut has left.
fn fold_records(folder: &Path) -> io::Result<()> {
    let scenarios = match fs::read_dir(folder) {
        // Whoever has removed the folder wants no record.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        scenarios => scenarios?,
    };
    for scenario in scenarios.flatten().map(|entry| entry.path()) {
        let (lines, record) = (scenario.join("record.jsonl"), scenario.join("record.json"));
        if !lines.is_file() || record.is_file() {
            continue;
        }
        // A scenario that had not begun has nothing to tell.
        if let Ok(folded) = squall_reports::record::fold::fold_file(&lines) {
            squall_reports::record::write(&folded, &record)?;
        }
    }
    Ok(())
}

/// The folders of the runs that live, and who runs them.
pub fn living() -> Result<Vec<Living>, Error> {
    list::with(|list| Ok(list.lines().into_iter().filter(Line::is_alive).map(Living).collect()))
}

/// The folders of all runs that have not ended, dead ones that are not undone included.
pub fn listed() -> Result<Vec<PathBuf>, Error> {
    list::with(|list| Ok(list.lines().into_iter().map(|line| line.folder).collect()))
}

/// A run that lives.
#[derive(Debug)]
pub struct Living(Line);

impl Living {
    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Tells it to end, as Ctrl-C would.
    pub fn tell_to_end(&self) -> io::Result<()> {
        undo::tell_to_end(self.0.pid, self.0.start_time)
    }

    /// True as long as it does.
    pub fn is_alive(&self) -> bool {
        self.0.is_alive()
    }
}

/// Enters a run into the list.
pub fn enter(folder: &Path) -> Result<(), Error> {
    list::with(|list| list.add(&Line::own(folder)))
}

/// Strikes a run off the list.
pub fn strike_off(folder: &Path) -> Result<(), Error> {
    list::with(|list| list.strike(|line| line.folder == folder))
}
