//! Reading a record back.

use super::{FORMAT, Record, VERSION};
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
    #[error(
        "the record is of version {found}, this squall reads up to {VERSION}: read it with the squall that wrote it"
    )]
    Newer {
        /// Its version.
        found: String,
    },
    /// Cut or damaged.
    #[error("the record is cut or damaged: {0}")]
    Damaged(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct Preamble {
    format: Option<String>,
    version: Option<String>,
}

/// Reads a record of this major version.
pub fn read(text: &str) -> Result<Record, ReadError> {
    let preamble: Preamble = serde_json::from_str(text)?;
    if preamble.format.as_deref() != Some(FORMAT) {
        let found = preamble.format.map_or_else(|| "no format".to_owned(), |format| format!("`{format}`"));
        return Err(ReadError::Foreign { found });
    }
    let version = preamble.version.unwrap_or_default();
    if major(&version) > major(VERSION) {
        return Err(ReadError::Newer { found: version });
    }
    Ok(serde_json::from_str(text)?)
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
