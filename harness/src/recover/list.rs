//! The list of runs that have not ended, a line for each: the only file outside a run's folder.
//!
//! Whoever changes it may be killed at any moment, and other runs stand in it. So no line is ever written a second time: one is added at the end, or
//! blanked where it stands, each by one write.

use crate::process::proc;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Why the list could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct Error {
    path: PathBuf,
    pub(super) source: io::Error,
}

/// A run that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) pid: u32,
    pub(super) start_time: u64,
    pub(super) folder: PathBuf,
}

impl Line {
    /// This process's run.
    pub(super) fn own(folder: &Path) -> Self {
        let pid = std::process::id();
        Self { pid, start_time: proc::start_time(pid).unwrap_or(0), folder: folder.to_owned() }
    }

    fn read(line: &str) -> Option<Self> {
        let mut fields = line.splitn(3, ' ');
        let (pid, start_time) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Self { pid, start_time, folder: fields.next()?.into() })
    }

    fn written(&self) -> String {
        format!("{} {} {}\n", self.pid, self.start_time, self.folder.display())
    }

    /// One that is dead and not waited for by its parent is dead.
    pub(super) fn is_alive(&self) -> bool {
        proc::start_time(self.pid) == Some(self.start_time) && !matches!(proc::state(self.pid), Some('Z' | 'X') | None)
    }
}

/// The list, locked.
pub(super) struct List {
    file: Flock<File>,
    text: Vec<u8>,
}

/// Does something with the list under its lock.
pub(super) fn with<T>(act: impl FnOnce(&mut List) -> io::Result<T>) -> Result<T, Error> {
    let path = state_folder().join("runs");
    let acted = List::open(&path).and_then(|mut list| {
        let acted = act(&mut list)?;
        list.close()?;
        Ok(acted)
    });
    acted.map_err(|source| Error { path, source })
}

impl List {
    fn open(path: &Path) -> io::Result<Self> {
        let fresh = !path.exists();
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        if fresh && let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        let mut file = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| error)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(Self { file, text })
    }

    /// All that can be read.
    pub(super) fn lines(&self) -> Vec<Line> {
        String::from_utf8_lossy(&self.text).lines().filter_map(Line::read).collect()
    }

    /// Adds a line.
    pub(super) fn add(&mut self, line: &Line) -> io::Result<()> {
        // The last one may be torn.
        let is_torn = self.text.last().is_some_and(|last| *last != b'\n');
        let written = format!("{}{}", if is_torn { "\n" } else { "" }, line.written());
        self.file.write_all_at(written.as_bytes(), self.text.len() as u64)?;
        self.text.extend(written.as_bytes());
        self.file.sync_all()
    }

    /// Strikes off every line of which `is_over` says so, and what nobody can make anything of: a line that is torn was of a run that had not begun.
    pub(super) fn strike(&mut self, mut is_over: impl FnMut(Line) -> bool) -> io::Result<()> {
        let mut begin = 0;
        while begin < self.text.len() {
            let rest = &self.text[begin..];
            let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let line = String::from_utf8_lossy(&rest[..length]).into_owned();
            if length > 0 && Line::read(&line).is_none_or(&mut is_over) {
                self.text[begin..begin + length].fill(b'\n');
                self.file.write_all_at(&self.text[begin..begin + length], begin as u64)?;
            }
            begin += length + 1;
        }
        Ok(())
    }

    /// What is blank at the end is cut off.
    fn close(self) -> io::Result<()> {
        let blank = self.text.iter().rev().take_while(|byte| **byte == b'\n').count();
        // The last line keeps its end.
        let kept = self.text.len() - blank + usize::from(blank > 0 && blank < self.text.len());
        if kept < self.text.len() {
            self.file.set_len(kept as u64)?;
        }
        self.file.sync_all()
    }
}

/// Where what outlives a run is kept: `SQUALL_STATE_DIR`, else `squall` in `XDG_STATE_HOME`, else in `~/.local/state`.
pub fn state_folder() -> PathBuf {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    of("SQUALL_STATE_DIR")
        .or_else(|| of("XDG_STATE_HOME").map(|folder| folder.join("squall")))
        .or_else(|| of("HOME").map(|folder| folder.join(".local/state/squall")))
        .unwrap_or_else(|| PathBuf::from("/tmp/squall-state"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(before: &str, change: impl FnOnce(&mut List)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs");
        fs::write(&path, before).unwrap();
        let mut list = List::open(&path).unwrap();
        change(&mut list);
        list.close().unwrap();
        fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn a_run_is_struck_off_where_it_stands_and_the_others_are_not_written_again() {
        let of_b = |line: Line| line.folder == Path::new("/b");
        let text = changed("1 1 /a\n2 2 /b\n3 3 /c\n", |list| list.strike(of_b).unwrap());
        assert_eq!(text, "1 1 /a\n\n\n\n\n\n\n\n3 3 /c\n");
        let text = changed("1 1 /a\n2 2 /b\n", |list| list.strike(of_b).unwrap());
        assert_eq!(text, "1 1 /a\n");
        let text = changed("2 2 /b\n", |list| list.strike(of_b).unwrap());
        assert_eq!(text, "");
    }

    #[test]
    fn a_torn_line_ends_before_the_next_begins_and_is_struck_off() {
        let line = Line { pid: 3, start_time: 4, folder: "/c d".into() };
        let text = changed("1 1 /a\n2 2", |list| list.add(&line).unwrap());
        assert_eq!(text, "1 1 /a\n2 2\n3 4 /c d\n");
        let text = changed(&text, |list| list.strike(|line| line.folder == Path::new("/a")).unwrap());
        assert_eq!(text.trim(), "3 4 /c d");
    }

    #[test]
    fn a_process_that_is_dead_and_not_waited_for_is_dead() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        let line = Line { pid, start_time: proc::start_time(pid).unwrap(), folder: PathBuf::new() };
        while proc::state(pid) != Some('Z') {
            std::thread::yield_now();
        }
        assert!(!line.is_alive());
        child.wait().unwrap();
        assert!(!line.is_alive());
        assert!(Line::own(Path::new("/")).is_alive());
    }
}
