//! Notices that files have changed, by looking at them.
//!
//! Files are replaced by renaming, linked, mounted and written in place; what all of these change is the identity, size or time of some file. Looking
//! at a handful of files twenty times a second costs less than the traps of notification queues.

use super::Inputs;
use crate::config::files::Files;
use squall_yaml::{Finding, Place, Severity, Source};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What identifies a state of a file: device, inode, size, seconds and nanoseconds of the last change of its content or of itself.
type State = (PathBuf, u64, u64, u64, [i64; 4]);

/// The files of a configuration as they were last seen.
#[derive(Debug)]
pub(super) struct Watch {
    paths: Vec<PathBuf>,
    seen: Vec<State>,
    settled: bool,
    /// Files in which something stood when they were last obeyed.
    filled: BTreeSet<PathBuf>,
    /// Texts of the policies that are obeyed.
    policies: Vec<Source>,
}

impl Watch {
    /// Begins with how the files are now.
    pub(super) fn new(inputs: &Inputs) -> Self {
        let paths: Vec<_> = inputs.policies.iter().chain(&inputs.endpoints).cloned().collect();
        let seen = look(&paths);
        Self { paths, seen, settled: true, filled: BTreeSet::new(), policies: Vec::new() }
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

    /// True if the files have changed since they were last seen.
    pub(super) fn is_stale(&self) -> bool {
        look(&self.paths) != self.seen
    }

    /// These files are obeyed, and these policies.
    pub(super) fn obeyed(&mut self, filled: BTreeSet<PathBuf>, policies: Vec<Source>) {
        (self.filled, self.policies) = (filled, policies);
    }

    /// Texts of the policies that are obeyed.
    pub(super) fn policies(&self) -> &[Source] {
        &self.policies
    }

    /// A finding for each file that was obeyed and in which nothing stands any more. Whoever writes a file empties it first, and may take a
    /// while; who wants to be rid of what stood there deletes the file.
    pub(super) fn emptied(&self, filled: &BTreeSet<PathBuf>) -> Vec<Finding> {
        let emptied = self.filled.difference(filled).filter(|file| file.exists());
        let finding = |file: &PathBuf| Finding {
            severity: Severity::Error,
            file: file.clone(),
            place: Place::default(),
            span_len: 0,
            message: "nothing stands here any more".to_owned(),
            expected: None,
            help: Some("delete the file if nothing is to stand there".to_owned()),
            code: None,
        };
        emptied.map(finding).collect()
    }
}

fn look(paths: &[PathBuf]) -> Vec<State> {
    let Files { found, failed, .. } = Files::of(paths);
    // A folder that cannot be looked into is seen by its own state, and read for the reason.
    found.iter().chain(failed.iter().map(|(folder, _)| folder)).filter_map(|path| state(path)).collect()
}

fn state(path: &Path) -> Option<State> {
    let data = std::fs::metadata(path).ok()?;
    let times = [data.mtime(), data.mtime_nsec(), data.ctime(), data.ctime_nsec()];
    Some((path.to_owned(), data.dev(), data.ino(), data.size(), times))
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
        let mut watch =
            Watch { seen: look(&paths), paths, settled: true, filled: BTreeSet::new(), policies: Vec::new() };
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

    #[test]
    fn a_file_that_is_emptied_is_told_of_and_one_that_is_deleted_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let [emptied, deleted] = ["a.yaml", "b.yaml"].map(|name| folder.path().join(name));
        std::fs::write(&emptied, "").unwrap();
        let mut watch =
            Watch { paths: Vec::new(), seen: Vec::new(), settled: true, filled: BTreeSet::new(), policies: Vec::new() };
        watch.obeyed([emptied.clone(), deleted].into(), Vec::new());
        let told: Vec<_> = watch.emptied(&BTreeSet::new()).into_iter().map(|finding| finding.file).collect();
        assert_eq!(told, [emptied]);
    }
}
