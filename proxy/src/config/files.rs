//! Which files a path stands for.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files of some paths, each once however often it is named or linked to.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// In the order of the paths; in folders in order of their names.
    pub(crate) found: Vec<PathBuf>,
    /// What could not be looked into, and why.
    pub(crate) failed: Vec<(PathBuf, io::Error)>,
    seen: HashSet<(u64, u64)>,
}

impl Files {
    /// Files themselves, and the YAML and JSON files of folders and of the folders in these.
    pub(crate) fn of(paths: &[PathBuf]) -> Self {
        let mut files = Self::default();
        for path in paths {
            match fs::metadata(path) {
                Ok(data) if data.is_dir() => files.enter(path, &data),
                data => files.add(path, data),
            }
        }
        files
    }

    fn enter(&mut self, folder: &Path, data: &Metadata) {
        // A link to a folder around it would be followed for ever.
        if !self.is_new(data) {
            return;
        }
        let mut inside = match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(inside) => inside,
            Err(error) => return self.failed.push((folder.to_owned(), error)),
        };
        inside.sort_by_key(fs::DirEntry::path);
        // Hidden are what editors leave beside a file, and the folders that the files of a mounted ConfigMap link into.
        for path in inside.iter().filter(|entry| !is_hidden(entry)).map(fs::DirEntry::path) {
            match fs::metadata(&path) {
                Ok(data) if data.is_dir() => self.enter(&path, &data),
                data if is_policy(&path) => self.add(&path, data),
                _ => {}
            }
        }
    }

    /// What cannot be looked at is read all the same, which says why.
    fn add(&mut self, path: &Path, data: io::Result<Metadata>) {
        if data.is_ok_and(|data| !self.is_new(&data)) {
            return;
        }
        self.found.push(path.to_owned());
    }

    fn is_new(&mut self, data: &Metadata) -> bool {
        self.seen.insert((data.dev(), data.ino()))
    }
}

fn is_hidden(entry: &fs::DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn is_policy(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
}

#[cfg(test)]
mod tests {
    use super::Files;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};

    fn found(paths: &[PathBuf], folder: &Path) -> Vec<String> {
        let files = Files::of(paths);
        assert!(files.failed.is_empty(), "{files:?}");
        files.found.iter().map(|path| path.strip_prefix(folder).unwrap().display().to_string()).collect()
    }

    #[test]
    fn folders_are_descended_into_and_each_file_is_found_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["b.yaml", "base/a.json", "base/notes.txt", "base/deep/c.yml", ".git/x.yaml", ".b.yaml.swp"] {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), "").unwrap();
        }
        symlink(folder.path(), at("base/round")).unwrap();
        symlink(at("b.yaml"), at("z.yaml")).unwrap();
        let all = ["b.yaml", "base/a.json", "base/deep/c.yml"];
        assert_eq!(found(&[folder.path().to_owned()], folder.path()), all);
        assert_eq!(found(&[at("base/a.json"), folder.path().to_owned()], folder.path()), [all[1], all[0], all[2]]);
    }

    #[test]
    fn a_mounted_config_map_is_read_once_by_its_own_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("..2026_1")).unwrap();
        fs::write(at("..2026_1/cart.yaml"), "").unwrap();
        symlink("..2026_1", at("..data")).unwrap();
        symlink("..data/cart.yaml", at("cart.yaml")).unwrap();
        assert_eq!(found(&[folder.path().to_owned()], folder.path()), ["cart.yaml"]);
    }

    #[test]
    fn a_folder_that_may_not_be_looked_into_is_told_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let shut = folder.path().join("base");
        fs::create_dir(&shut).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
        let whole = folder.path().to_owned();
        let look = move || {
            // As an ordinary user, in this thread alone: to root everything is open.
            nix::unistd::setfsuid(nix::unistd::Uid::from_raw(65534));
            crate::config::load(&[whole], &crate::config::LoadOptions::default()).map(drop)
        };
        let findings = std::thread::spawn(look).join().unwrap().unwrap_err();
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].file, shut);
        assert!(findings[0].message.contains("Permission denied"), "{findings:?}");
    }
}
