//! What was changed outside our own process, and how it is undone: written and synced before it counts as done.
//!
//! A line is `checksum length entry`; a torn last line is what a crash leaves and is passed over, a bad one before it is told.

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
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    next: u64,
}

impl Journal {
    /// Begins the journal of a run.
    pub fn create(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        let file = File::options().create_new(true).append(true).open(&path)?;
        File::open(folder)?.sync_all()?;
        Ok(Self { file, path, next: 0 })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Notes what is to be undone; gives the number under which that is told.
    pub fn intend(&mut self, what: Undo) -> io::Result<u64> {
        self.next += 1;
        self.write(&Entry::Intent { id: self.next, what })?;
        Ok(self.next)
    }

    /// Notes that it is undone.
    pub fn undone(&mut self, id: u64) -> io::Result<()> {
        self.write(&Entry::Undone { id })
    }

    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        self.file.write_all(line(entry)?.as_bytes())?;
        self.file.sync_data()
    }
}

fn line(entry: &Entry) -> io::Result<String> {
    let text = serde_json::to_string(entry)?;
    Ok(format!("{:016x} {} {text}\n", checksum(text.as_bytes()), text.len()))
}

/// What a journal still asks to be undone, last first; and what of it could not be read.
pub fn pending(path: &Path) -> io::Result<(Vec<Undo>, Vec<String>)> {
    let text = std::fs::read(path)?;
    Ok(pending_in(&String::from_utf8_lossy(&text)))
}

fn pending_in(text: &str) -> (Vec<Undo>, Vec<String>) {
    let (mut open, mut damaged) = (Vec::new(), Vec::new());
    for (number, line) in text.split_inclusive('\n').enumerate() {
        match read(line) {
            Some(Entry::Intent { id, what }) => open.push((id, what)),
            Some(Entry::Undone { id }) => open.retain(|(known, _)| *known != id),
            // The last line may be torn: whatever it was to say had not begun.
            None if !line.ends_with('\n') => {}
            None => damaged.push(format!("line {} of the journal is damaged", number + 1)),
        }
    }
    (open.into_iter().rev().map(|(_, what)| what).collect(), damaged)
}

fn read(line: &str) -> Option<Entry> {
    let line = line.strip_suffix('\n')?;
    let (sum, rest) = line.split_once(' ')?;
    let (length, text) = rest.split_once(' ')?;
    let sound = u64::from_str_radix(sum, 16).ok()? == checksum(text.as_bytes()) && length.parse() == Ok(text.len());
    if sound { serde_json::from_str(text).ok() } else { None }
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kill(pid: u32) -> Undo {
        Undo::Kill { pid, start_time: 7 }
    }

    fn journal() -> String {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path()).unwrap();
        let first = journal.intend(kill(1)).unwrap();
        journal.intend(kill(2)).unwrap();
        journal.intend(kill(3)).unwrap();
        journal.undone(first).unwrap();
        std::fs::read_to_string(journal.path()).unwrap()
    }

    #[test]
    fn what_is_not_undone_comes_back_last_first() {
        assert_eq!(pending_in(&journal()), (vec![kill(3), kill(2)], vec![]));
    }

    #[test]
    fn a_journal_cut_at_any_byte_still_says_what_was_whole() {
        let text = journal();
        for cut in 0..text.len() {
            let whole = text[..cut].matches('\n').count();
            let (undo, damaged) = pending_in(&text[..cut]);
            assert!(damaged.is_empty(), "cut at {cut}");
            assert_eq!(undo.len(), whole.min(3), "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_byte_is_told_or_harmless_and_never_a_wrong_undo() {
        let text = journal();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let (undo, _) = pending_in(&String::from_utf8_lossy(&bytes));
            assert!(undo.iter().all(|undo| [kill(1), kill(2), kill(3)].contains(undo)), "flip at {at}");
        }
    }
}
