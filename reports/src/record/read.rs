//! Reading a record back.

use super::{FORMAT, Reason, Record, VERSION, Verdict};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be opened or read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not a record at all.
    #[error("this is not a run record: expected `\"format\": \"{FORMAT}\"` first, found {found}")]
    Foreign {
        /// What stands there instead.
        found: String,
    },
    /// Written by a later major version.
    #[error("the record is of version {found}, and {own} reads up to {VERSION}: read it with {writer} or later", own = concat!("squall ", env!("CARGO_PKG_VERSION")))]
    Newer {
        /// Its version.
        found: String,
        /// The program that wrote it.
        writer: String,
    },
    /// Cut or damaged.
    #[error("the record is cut or damaged: {0}")]
    Damaged(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct Preamble {
    format: Option<String>,
    version: Option<String>,
    run: Option<Writer>,
}

#[derive(Deserialize)]
struct Writer {
    squall: Option<String>,
}

/// Reads a record of this major version.
pub fn read(text: &str) -> Result<Record, ReadError> {
    check(&serde_json::from_str(text)?)?;
    Ok(serde_json::from_str(text)?)
}

/// True for what a squall of this version can read.
pub(super) fn check_value(record: &serde_json::Value) -> Result<(), ReadError> {
    check(&Preamble::deserialize(record)?)
}

fn check(preamble: &Preamble) -> Result<(), ReadError> {
    if preamble.format.as_deref() != Some(FORMAT) {
        let found = preamble.format.as_ref().map_or_else(|| "no format".to_owned(), |format| format!("`{format}`"));
        return Err(ReadError::Foreign { found });
    }
    let found = preamble.version.clone().unwrap_or_default();
    if major(&found) > major(VERSION) {
        let writer = preamble.run.as_ref().and_then(|run| run.squall.clone());
        return Err(ReadError::Newer {
            found,
            writer: writer.unwrap_or_else(|| "the squall that wrote it".to_owned()),
        });
    }
    Ok(())
}

/// What can be had of a record whose end is missing: all arms that are whole, never complete, never PASS.
pub fn salvage(text: &str) -> Option<Record> {
    let ends = ends_of_arms(text);
    let record = ends.iter().rev().find_map(|end| read(&format!("{}]}}", &text[..*end])).ok())?;
    let whole = record.arms.len();
    let text = format!(
        "ABORTED: the record ends after {} bytes; what it says of {whole} arm{} follows, the rest is missing.",
        text.len(),
        if whole == 1 { "" } else { "s" }
    );
    let reason = Reason { verdict: Verdict::Aborted, code: "aborted".to_owned(), text };
    let reasons = vec![reason];
    Some(Record { complete: false, verdict: Verdict::Aborted, reasons, ..record })
}

/// The same of a file.
pub fn salvage_file(path: &Path) -> Option<Record> {
    salvage(&String::from_utf8_lossy(&std::fs::read(path).ok()?))
}

/// Where each entry of a list ends that stands directly in the record: the last of its lists are the arms.
fn ends_of_arms(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 2 && byte == b'}' {
                    ends.push(at + 1);
                }
            }
            _ => {}
        }
    }
    ends
}

/// Reads a record from a file, or from `record.json` in a folder.
pub fn read_file(path: &Path) -> Result<Record, ReadError> {
    let file = if path.is_dir() { path.join("record.json") } else { path.to_owned() };
    let text = std::fs::read_to_string(&file).map_err(|source| ReadError::File { path: file, source })?;
    read(&text)
}

fn major(version: &str) -> u32 {
    version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_record_names_the_program_that_reads_it() {
        let text = r#"{"format": "squall/record", "version": "2.0", "run": {"squall": "squall 0.9.0"}, "future": 1}"#;
        let told = read(text).unwrap_err().to_string();
        assert!(told.contains("version 2.0") && told.contains("read it with squall 0.9.0 or later"), "{told}");
        let told = read(r#"{"format": "k6/summary"}"#).unwrap_err().to_string();
        assert!(told.contains("not a run record") && told.contains("`k6/summary`"), "{told}");
    }
}
