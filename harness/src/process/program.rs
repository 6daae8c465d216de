//! Where a program is that somebody has named.

use std::path::{Path, PathBuf};

/// A name with a slash is a path from this folder; one without is looked for where programs are.
pub fn program_at(name: &str, folder: &Path) -> PathBuf {
    if name.contains('/') {
        return folder.join(name);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| PathBuf::from(name))
}
