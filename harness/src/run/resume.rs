//! Cells of a sweep that an earlier run has measured, so that one that was cut is not begun anew.
//!
//! Each cell is written to its own folder when it has ended, whole or not at all. They are taken over only for the very same question:
//! the scenario, its policies, what was set, the seed and the program.

use crate::seed::fnv1a;
use serde::{Deserialize, Serialize};
use squall_reports::record::{self, Arm};
use std::io;
use std::path::{Path, PathBuf};

/// Stands in the folder of a sweep from its beginning.
const BEGUN: &str = "sweep.json";
/// Stands in the folder of a cell that has ended.
const CELL: &str = "cell.json";

/// What a sweep was begun with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Begun {
    /// The seed, which gives the order of the cells.
    pub(super) seed: u64,
    /// Of the scenario as it was, and of the program.
    asked: String,
}

/// Why a run cannot go on from an earlier one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing.
    #[error("{0} holds no sweep that was begun: --resume takes the folder of an earlier run")]
    Nothing(PathBuf),
    /// It cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// It was something else.
    #[error(
        "`{0}` is not what it was then, or it was another squall: cells of both cannot be compared; run it without --resume"
    )]
    Changed(String),
    /// Another seed.
    #[error("the earlier run had the seed {0}: leave --seed out, or give the same")]
    Seed(u64),
}

impl Begun {
    /// What is asked now.
    pub(super) fn new(seed: u64, scenario: &record::Scenario) -> Self {
        let source = serde_json::to_vec(scenario).unwrap_or_default();
        Self { seed, asked: format!("{:016x} squall {}", fnv1a(&source), env!("CARGO_PKG_VERSION")) }
    }

    /// Writes it into the folder of a sweep.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        write(&folder.join(BEGUN), self)
    }

    /// What a sweep in this folder was begun with.
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(BEGUN);
        let text = std::fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::Nothing(folder.to_owned()),
            _ => Error::Unreadable { path: path.clone(), source },
        })?;
        serde_json::from_slice(&text).map_err(|error| Error::Unreadable { path, source: error.into() })
    }

    /// Refuses what was begun with something else.
    pub(super) fn check(&self, now: &Self, title: &str) -> Result<(), Error> {
        if self.seed != now.seed {
            return Err(Error::Seed(self.seed));
        }
        if self.asked != now.asked {
            return Err(Error::Changed(title.to_owned()));
        }
        Ok(())
    }
}

/// Keeps a cell that has ended.
pub(super) fn keep(folder: &Path, arm: &Arm) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    write(&folder.join(CELL), arm)
}

/// A cell that has ended in this folder; one that was cut is not there.
pub(super) fn kept(folder: &Path) -> Option<Arm> {
    serde_json::from_slice(&std::fs::read(folder.join(CELL)).ok()?).ok()
}

/// The whole file or none.
fn write(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let unfinished = path.with_extension("json.part");
    std::fs::write(&unfinished, serde_json::to_vec(value)?)?;
    std::fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_reports::record::{ArmKind, Cell};

    fn scenario(source: &str) -> record::Scenario {
        record::Scenario {
            title: "a sweep".to_owned(),
            slug: "a-sweep".to_owned(),
            file: "a.yaml".to_owned(),
            line: 1,
            about: None,
            tags: Vec::new(),
            source: source.to_owned(),
            set: Vec::new(),
            policies: Vec::new(),
            unsupported: Vec::new(),
        }
    }

    #[test]
    fn a_cell_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let arm = Arm { cell: Some(Cell::new("client", 500.0, 16)), ..Arm::empty(ArmKind::Cell) };
        assert_eq!(kept(folder.path()), None);
        keep(folder.path(), &arm).unwrap();
        assert_eq!(kept(folder.path()), Some(arm));
        let text = std::fs::read(folder.path().join(CELL)).unwrap();
        std::fs::write(folder.path().join(CELL), &text[..text.len() / 2]).unwrap();
        assert_eq!(kept(folder.path()), None);
    }

    #[test]
    fn only_the_very_same_question_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Begun::read(folder.path()), Err(Error::Nothing(_))));
        let begun = Begun::new(7, &scenario("a: 1"));
        begun.write(folder.path()).unwrap();
        let begun = Begun::read(folder.path()).unwrap();
        begun.check(&Begun::new(7, &scenario("a: 1")), "one").unwrap();
        assert!(matches!(begun.check(&Begun::new(8, &scenario("a: 1")), "one"), Err(Error::Seed(7))));
        assert!(matches!(begun.check(&Begun::new(7, &scenario("a: 2")), "one"), Err(Error::Changed(_))));
    }
}
