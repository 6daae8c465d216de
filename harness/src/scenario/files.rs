//! Which files hold scenarios.

use super::code;
use super::problems::Problems;
use super::resolved::Place;
use squall_yaml::Finding;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folder whose files are never scenarios.
const POLICIES: &str = "policies";

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its path.
    pub path: PathBuf,
    /// Named by the user, rather than found in a folder: then it has to be a scenario.
    pub named: bool,
}

/// Files as given, and all `*.yaml` and `*.yml` of folders, sorted by path; files under `policies/` are left out.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<Found>, Vec<Finding>> {
    let mut found = Vec::new();
    let mut findings = Vec::new();
    for path in paths {
        if let Err((path, error)) = look(path, true, &mut found) {
            let mut problems = Problems::new(&path);
            problems.error(code::FILE, Place::default(), format!("cannot read {}: {error}", path.display()));
            findings.extend(problems.into_findings());
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|file: &Found| seen.insert(file.path.clone()));
    if findings.is_empty() { Ok(found) } else { Err(findings) }
}

fn look(path: &Path, named: bool, found: &mut Vec<Found>) -> Result<(), (PathBuf, io::Error)> {
    let at = |error| (path.to_owned(), error);
    if !fs::metadata(path).map_err(at)?.is_dir() {
        found.push(Found { path: path.to_owned(), named });
        return Ok(());
    }
    let mut entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(at)?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let inner = entry.path();
        // Links are not followed, so that a folder that links to itself ends.
        let kind = entry.file_type().map_err(|error| (inner.clone(), error))?;
        let yaml = inner.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if kind.is_dir() && entry.file_name() != POLICIES || kind.is_file() && yaml {
            look(&inner, false, found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Found, find};
    use std::fs;

    #[test]
    fn folders_are_searched_in_order_without_policies() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.yaml", "a/z.yml", "policies/cart.yaml", "a/policies/x.yaml", "notes.txt"] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let named = folder.path().join("policies/cart.yaml");
        let found = find(&[folder.path().to_owned(), named.clone()]).unwrap();
        let expected = [
            Found { path: folder.path().join("a/z.yml"), named: false },
            Found { path: folder.path().join("b.yaml"), named: false },
            Found { path: named, named: true },
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_path_that_is_not_there_is_named() {
        let findings = find(&["/does/not/exist.yaml".into()]).unwrap_err();
        assert!(findings[0].message.starts_with("cannot read /does/not/exist.yaml"), "{findings:?}");
    }
}
