//! Notices that files have changed, by looking at them.
//!
//! Files are replaced by renaming, linked, mounted and written in place; what all of these change is the identity, size or time of some file. Looking
//! at a handful of files twenty times a second costs less than the traps of notification queues.

use super::Options;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What identifies a state of a file: device, inode, size, seconds and nanoseconds of its last change.
type State = (PathBuf, u64, u64, u64, i64, i64);

/// The files of a configuration as they were last seen.
#[derive(Debug)]
pub(super) struct Watch {
    paths: Vec<PathBuf>,
    seen: Vec<State>,
    settled: bool,
}

impl Watch {
    /// Begins with how the files are now.
    pub(super) fn new(options: &Options) -> Self {
        let paths: Vec<_> = options.policies.iter().chain(&options.endpoints).cloned().collect();
        let seen = look(&paths);
        Self { paths, seen, settled: true }
    }

    /// True once the files have changed and have been the same in two looks, so that one half-written is not read.
    pub(super) fn has_changed(&mut self) -> bool {
        let now = look(&self.paths);
        if now != self.seen {
            self.seen = now;
            self.settled = false;
            return false;
        }
        !std::mem::replace(&mut self.settled, true)
    }
}

fn look(paths: &[PathBuf]) -> Vec<State> {
    let mut states = Vec::new();
    for path in paths {
        if path.is_dir() {
            let inside = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
            let mut inside: Vec<_> = inside.collect();
            inside.sort();
            states.extend(inside.iter().filter_map(|path| state(path)));
        } else {
            states.extend(state(path));
        }
    }
    states
}

fn state(path: &Path) -> Option<State> {
    let data = std::fs::metadata(path).ok()?;
    Some((path.to_owned(), data.dev(), data.ino(), data.size(), data.mtime(), data.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_noticed_once_it_has_settled() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, "one").unwrap();
        let paths = vec![folder.path().to_owned()];
        let mut watch = Watch { seen: look(&paths), paths, settled: true };
        assert!(!watch.has_changed());
        std::fs::write(folder.path().join("b"), "two").unwrap();
        std::fs::rename(folder.path().join("b"), &file).unwrap();
        assert!(!watch.has_changed(), "seen for the first time");
        assert!(watch.has_changed(), "and the same again");
        assert!(!watch.has_changed(), "told once");
        std::fs::remove_file(&file).unwrap();
        assert!(!watch.has_changed());
        assert!(watch.has_changed());
    }
}
