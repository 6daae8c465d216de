//! Opening a place for lines, which may be a pipe: never waiting for somebody to read it.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// Opens a file behind what it has, or one to be begun anew.
pub(crate) fn open(path: &Path, anew: bool) -> io::Result<File> {
    let mut how = OpenOptions::new();
    how.create(true).custom_flags(OFlag::O_NONBLOCK.bits());
    if anew {
        how.write(true).truncate(true)
    } else {
        how.append(true)
    };
    let file = how.open(path).map_err(|error| match error.raw_os_error() {
        Some(nix::libc::ENXIO) => io::Error::other(format!("{}: nobody reads this pipe", path.display())),
        _ => error,
    })?;
    if file.metadata()?.file_type().is_fifo() {
        // Its reader may be slow: the thread that writes may wait, and nobody else does.
        let flags = OFlag::from_bits_retain(fcntl(&file, FcntlArg::F_GETFL)?);
        fcntl(&file, FcntlArg::F_SETFL(flags - OFlag::O_NONBLOCK))?;
    }
    Ok(file)
}
