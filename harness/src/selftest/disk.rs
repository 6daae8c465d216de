//! A disk that is full.
//!
//! It is a small file system in memory, mounted where only one thread and what it starts can see it: with them it is gone, whoever is killed.

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::thread;

/// Does something in a thread to which `folder` is a disk of so many bytes.
pub(super) fn on_small<T: Send>(
    folder: &Path,
    bytes: u64,
    act: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    let mounted = || {
        unshare(CloneFlags::CLONE_NEWNS)?;
        let none: Option<&str> = None;
        // What is mounted here is not to be seen elsewhere.
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
        mount(Some("tmpfs"), folder, Some("tmpfs"), MsFlags::empty(), Some(format!("size={bytes}").as_str()))
    };
    let acted = thread::scope(|scope| scope.spawn(|| mounted().map_err(io::Error::from).and_then(|()| act())).join());
    acted.unwrap_or_else(|_| Err(io::Error::other("it panicked")))
}

/// The file that fills it.
const FILLER: &str = "filler";

/// Writes until nothing more fits in.
pub(super) fn fill(folder: &Path) {
    let filler = OpenOptions::new().create(true).append(true).open(folder.join(FILLER));
    let Ok(mut filler) = filler else { return };
    for size in [1 << 16, 1 << 8, 1] {
        while filler.write_all(&vec![0; size]).is_ok() {}
    }
    let _ = File::sync_all(&filler);
}

/// Takes away what filled it.
pub(super) fn empty(folder: &Path) -> io::Result<()> {
    std::fs::remove_file(folder.join(FILLER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_disk_is_full_soon_and_nobody_else_sees_it() {
        let folder = tempfile::tempdir().unwrap();
        let filled = on_small(folder.path(), 1 << 20, || {
            fill(folder.path());
            Ok(std::fs::write(folder.path().join("more"), "more"))
        });
        match filled {
            Ok(more) => assert_eq!(more.unwrap_err().kind(), io::ErrorKind::StorageFull),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}"),
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
