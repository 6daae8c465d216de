//! Writing a record: whole or not at all, whoever is killed meanwhile.

use super::Record;
use std::io;
use std::path::Path;

/// Puts a record into a file in one step, so that whoever is killed leaves either none, or the one before, or this one.
pub fn write(record: &Record, file: &Path) -> io::Result<()> {
    let unfinished = file.with_extension(format!("json.{}", std::process::id()));
    let written = std::fs::write(&unfinished, serde_json::to_string(record)?);
    let written = written.and_then(|()| std::fs::rename(&unfinished, file));
    if written.is_err() {
        // Half of it helps nobody, and it may be the disk that is full.
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}
