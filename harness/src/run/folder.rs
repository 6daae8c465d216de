//! Where a run writes: `DIR/<stamp>-<seed>/<scenario>/`, and `DIR/latest` that points to it.

use jiff::Zoned;
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

/// The folder of one run.
#[derive(Debug, Clone)]
pub(super) struct RunFolder {
    /// `<stamp>-<seed>`.
    pub id: String,
    /// Its path.
    pub path: PathBuf,
}

impl RunFolder {
    /// Makes a new folder in `out`, readable by its owner only, and lets `latest` point to it.
    ///
    /// Two runs that begin in the same second with the same seed get names of their own.
    pub(super) fn create(out: &Path, now: &Zoned, seed: u64) -> io::Result<Self> {
        std::fs::create_dir_all(out)?;
        let out = out.canonicalize()?;
        let stamp = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut id = format!("{stamp}-{seed}");
        for again in 2..100 {
            let path = out.join(&id);
            match std::fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    point_latest(&out, &id)?;
                    return Ok(Self { id, path });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => id = format!("{stamp}-{seed}-{again}"),
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Makes the folder of one scenario.
    pub(super) fn scenario(&self, slug: &str) -> io::Result<PathBuf> {
        let path = self.path.join(slug);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(path)
    }
}

/// Swaps the link in one step, so that a reader never finds none.
fn point_latest(out: &Path, id: &str) -> io::Result<()> {
    // Whoever is killed in between leaves nothing outside the run's folder.
    let fresh = out.join(id).join(".latest");
    symlink(id, &fresh)?;
    std::fs::rename(&fresh, out.join("latest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_in_one_second_have_folders_of_their_own_and_latest_is_the_second() {
        let out = tempfile::tempdir().unwrap();
        let at: jiff::Timestamp = "2026-05-04T10:00:00Z".parse().unwrap();
        let now = at.to_zoned(jiff::tz::TimeZone::UTC);
        let first = RunFolder::create(out.path(), &now, 7).unwrap();
        let second = RunFolder::create(out.path(), &now, 7).unwrap();
        assert_eq!(first.id, "20260504T100000Z-7");
        assert_ne!(first.path, second.path);
        assert_eq!(out.path().join("latest").canonicalize().unwrap(), second.path);
        assert!(second.scenario("a").unwrap().is_dir());
    }
}
