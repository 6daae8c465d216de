//! What was changed outside our own process, and how it is undone.
//!
//! First the undo is written and synced, then it is acted, then that is marked. The first entry is written before anything is started: to end
//! whatever carries the mark of the run. Each process is noted by its number as soon as it has one, since what it starts may lose the mark.
//!
//! A torn last line is what a crash leaves, and says nothing of anything that was begun. A damaged line before it is told, and everything else is
//! undone all the same. Of a journal that a later version has written nothing is undone.

mod line;
#[cfg(test)]
mod tests;

use line::Step;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Name of the journal in a run's folder.
pub const FILE: &str = "journal.jsonl";

/// One thing to be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "undo")]
pub enum Undo {
    /// End every process that carries the mark of the run.
    EndMarked {
        /// The mark.
        run: String,
    },
    /// End a process, and all of its session.
    Kill {
        /// Its number.
        pid: u32,
        /// When it was started: a later process of that number is somebody else's.
        start_time: u64,
    },
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "entry")]
enum Entry {
    /// Something is to be undone.
    Intent { id: u64, what: Undo },
    /// It is undone, or needs no undoing any more.
    Undone { id: u64 },
    /// So is everything.
    AllUndone,
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Of the last line, and of the last intent.
    sequence: u64,
    id: u64,
    /// A write or a sync has failed: what the file holds nobody knows, so nothing more is begun.
    broken: bool,
}

impl Journal {
    /// Begins the journal of a run: with the intent to end whatever carries its mark.
    pub fn create(folder: &Path, run: &str) -> io::Result<Self> {
        let path = folder.join(FILE);
        let file = File::options().create_new(true).append(true).open(&path)?;
        let mut journal = Self { file, path, sequence: 0, id: 0, broken: false };
        journal.intend(Undo::EndMarked { run: run.to_owned() })?;
        File::open(folder)?.sync_all()?;
        Ok(journal)
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Notes what is to be undone; gives the number under which that is told. After an error nothing may be begun, and nothing more will be noted.
    pub fn intend(&mut self, what: Undo) -> io::Result<u64> {
        self.id += 1;
        self.write(&Entry::Intent { id: self.id, what })?;
        Ok(self.id)
    }

    /// Notes that it is undone.
    pub fn undone(&mut self, id: u64) -> io::Result<()> {
        self.write(&Entry::Undone { id })
    }

    /// Notes that everything is.
    pub fn all_undone(&mut self) -> io::Result<()> {
        self.write(&Entry::AllUndone)
    }

    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        if self.broken {
            // After a failed sync the kernel may say of the next one that all is well.
            return Err(io::Error::other("the journal could not be written before, so nothing more is begun"));
        }
        self.sequence += 1;
        let line = line::write(self.sequence, entry)?;
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        self.broken = written.is_err();
        written.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.path.display())))
    }
}

/// What a journal still asks to be undone.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// Last first.
    pub undo: Vec<Undo>,
    /// What of it could not be read, as sentences.
    pub damaged: Vec<String>,
}

/// Why nothing may be undone by a journal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A later version has written it.
    #[error(
        "{path} is a journal of version {version}, and this squall reads version {known}: nothing was changed; undo it with \
         the squall that has written it, or a later one: squall recover",
        known = line::VERSION
    )]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}

/// What a journal still asks to be undone. One that was never begun asks for nothing, since nothing is started before.
pub fn pending(path: &Path) -> Result<Pending, Error> {
    match std::fs::read(path) {
        Ok(bytes) => pending_in(&bytes).map_err(|version| Error::Newer { path: path.to_owned(), version }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Pending::default()),
        Err(source) => Err(Error::File { path: path.to_owned(), source }),
    }
}

/// The version is the error, if it is a later one.
fn pending_in(bytes: &[u8]) -> Result<Pending, u32> {
    let (mut open, mut damaged) = (Vec::new(), Vec::new());
    let (mut at, mut number, mut expected) = (0, 0_usize, 1);
    while at < bytes.len() {
        number += 1;
        match line::read(&bytes[at..]) {
            Step::Sound { sequence, entry, length, ended } => {
                let not_as_written =
                    (sequence != expected).then(|| format!("it is the entry {sequence}, not {expected}"));
                let unended = (!ended).then(|| "it has no end".to_owned());
                let unknown = entry.is_none().then(|| "it says nothing that is known here".to_owned());
                let wrongs = not_as_written.into_iter().chain(unended).chain(unknown);
                damaged.extend(wrongs.map(|wrong| format!("line {number} of the journal: {wrong}")));
                expected = sequence.saturating_add(1);
                match entry {
                    Some(Entry::Intent { id, what }) => open.push((id, what)),
                    Some(Entry::Undone { id }) => open.retain(|(known, _)| *known != id),
                    Some(Entry::AllUndone) => open.clear(),
                    None => {}
                }
                at += length;
            }
            Step::Damaged { length } => {
                damaged.push(format!("line {number} of the journal is damaged"));
                expected += 1;
                at += length;
            }
            Step::Torn => break,
            Step::Newer(version) => return Err(version),
        }
    }
    Ok(Pending { undo: open.into_iter().rev().map(|(_, what)| what).collect(), damaged })
}
