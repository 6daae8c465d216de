//! What an instance has counted, in a file that is mapped shared: the counts survive the death of whoever wrote them.
//!
//! The file is a header and slots of [`SLOT`] since the file was made. A slot counts requests received by attempt, and answered by attempt and status.
//! The file is sparse: an hour of slots costs only those that were written.
#![allow(unsafe_code)]

use crate::clock::{Nanos, now};
use memmap2::{Mmap, MmapRaw};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Width of a slot.
pub const SLOT: Duration = Duration::from_millis(100);

/// Slots of an hour; what comes later is counted in the last.
const SLOTS: usize = 36_000;
/// Attempts 1 to 8; the last stands for all beyond.
const ATTEMPTS: usize = 8;
/// Statuses with a count of their own, and one for all others.
const STATUSES: [u16; 7] = [200, 204, 404, 500, 502, 503, 504];
const WORDS_A_SLOT: usize = ATTEMPTS + ATTEMPTS * (STATUSES.len() + 1);
/// Magic with version, the instant of slot 0, probes.
const HEADER: usize = 3;
const MAGIC: u64 = u64::from_le_bytes(*b"squallv1");
const BYTES: usize = (HEADER + SLOTS * WORDS_A_SLOT) * 8;

/// Why a ledger could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file could not be opened, sized or mapped.
    #[error("ledger {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else.
    #[error("ledger {0}: not a ledger of this version")]
    Foreign(PathBuf),
}

/// A ledger that is being written.
#[derive(Debug)]
pub struct Ledger {
    map: MmapRaw,
    start: Nanos,
}

impl Ledger {
    /// Makes a new ledger; one generation of an instance has one file.
    pub fn create(path: &Path) -> Result<Self, LedgerError> {
        let failed = |source| LedgerError::File { path: path.to_owned(), source };
        let file = File::options().read(true).write(true).create_new(true).open(path).map_err(failed)?;
        file.set_len(BYTES as u64).map_err(failed)?;
        let ledger = Self { map: MmapRaw::map_raw(&file).map_err(failed)?, start: now() };
        ledger.word(1).store(ledger.start.0, Ordering::Relaxed);
        ledger.word(0).store(MAGIC, Ordering::Release);
        Ok(ledger)
    }

    /// A request has arrived.
    pub fn received(&self, at: Nanos, attempt: u32) {
        self.count(at, attempt_index(attempt));
    }

    /// The request that arrived then has been answered.
    pub fn answered(&self, at: Nanos, attempt: u32, status: u16) {
        self.count(at, ATTEMPTS + attempt_index(attempt) * (STATUSES.len() + 1) + status_index(status));
    }

    /// A probe or check has been answered.
    pub fn probe(&self) {
        self.word(2).fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self, at: Nanos, word: usize) {
        let slot = slot_of(self.start, at);
        self.word(HEADER + slot * WORDS_A_SLOT + word).fetch_add(1, Ordering::Relaxed);
    }

    #[allow(clippy::cast_ptr_alignment, reason = "a mapping begins on a page")]
    fn word(&self, index: usize) -> &AtomicU64 {
        assert!(index < BYTES / 8);
        // SAFETY: the mapping is page-aligned, `BYTES` long, lives as long as `self`, and this process touches it through atomics alone; the
        // file is never made shorter.
        unsafe { AtomicU64::from_ptr(self.map.as_mut_ptr().cast::<u64>().add(index)) }
    }
}

/// What one generation of an instance has counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Instant of slot 0.
    pub start: Nanos,
    /// Requests received, by slot; as long as the last slot with any.
    pub received: Vec<u64>,
    /// Probes and checks.
    pub probes: u64,
    /// Answers by status; 0 stands for every status without a count of its own.
    pub answered: Vec<(u16, u64)>,
}

impl Counts {
    /// All requests received.
    pub fn total(&self) -> u64 {
        self.received.iter().sum()
    }
}

/// Reads what has been counted so far, by a living or a dead instance.
pub fn read(path: &Path) -> Result<Counts, LedgerError> {
    let failed = |source| LedgerError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    // SAFETY: the file is only ever written through its mapping by one instance; a count that changes while it is read is a count that
    // is being made, and words are read whole on every platform that Linux runs on with 64 bits.
    let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
    let word = |index: usize| {
        let bytes = map.get(index * 8..index * 8 + 8).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u64::from_ne_bytes)
    };
    if map.len() != BYTES || word(0) != MAGIC {
        return Err(LedgerError::Foreign(path.to_owned()));
    }
    let start = Nanos(word(1));
    let last = slot_of(start, now());
    let slot = |slot: usize| HEADER + slot * WORDS_A_SLOT;
    let received: Vec<u64> = (0..=last).map(|at| (0..ATTEMPTS).map(|attempt| word(slot(at) + attempt)).sum()).collect();
    let answered = (0..=STATUSES.len())
        .map(|status| {
            let of_attempt =
                |at: usize, attempt: usize| word(slot(at) + ATTEMPTS + attempt * (STATUSES.len() + 1) + status);
            let sum = (0..=last).map(|at| (0..ATTEMPTS).map(|attempt| of_attempt(at, attempt)).sum::<u64>()).sum();
            (STATUSES.get(status).copied().unwrap_or(0), sum)
        })
        .filter(|(_, sum)| *sum > 0)
        .collect();
    Ok(Counts { start, received, probes: word(2), answered })
}

fn slot_of(start: Nanos, at: Nanos) -> usize {
    ((at.since(start).as_nanos() / SLOT.as_nanos()) as usize).min(SLOTS - 1)
}

fn attempt_index(attempt: u32) -> usize {
    (attempt.max(1) as usize - 1).min(ATTEMPTS - 1)
}

fn status_index(status: u16) -> usize {
    STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_read_back_while_and_after_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cart-1.0");
        let ledger = Ledger::create(&path).unwrap();
        for attempt in [1, 2, 99] {
            ledger.received(now(), attempt);
        }
        ledger.answered(now(), 1, 200);
        ledger.answered(now(), 1, 418);
        ledger.probe();
        let counts = read(&path).unwrap();
        assert_eq!((counts.total(), counts.probes), (3, 1));
        assert_eq!(counts.answered, [(200, 1), (0, 1)]);
        drop(ledger);
        assert_eq!(read(&path).unwrap().total(), 3);
    }

    #[test]
    fn a_file_that_is_no_ledger_is_refused_and_one_that_exists_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other");
        std::fs::write(&path, "hello").unwrap();
        assert!(matches!(read(&path), Err(LedgerError::Foreign(_))));
        assert!(matches!(Ledger::create(&path), Err(LedgerError::File { .. })));
    }
}
