//! Where a cell of a sweep stands.

use serde::{Deserialize, Serialize};
use std::fmt::{self, Write};

/// The coordinates of a sweep's cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cell {
    /// Asked requests a second.
    pub rate: f64,
    /// Connections of the load.
    pub connections: u32,
    /// Mesh mode: `none`, `client`, `server`, `both`, `gateway`.
    pub mode: String,
    /// What is spoken, where the sweep varies that: `http1`, `http2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Bytes of each request's body, where the sweep varies them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<u64>,
    /// Which of the sweep's rounds over all cells, from 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub block: u32,
}

fn first() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_first(block: &u32) -> bool {
    *block == 1
}

impl Cell {
    /// A cell of a sweep that varies nothing else, in its first block.
    pub fn new(mode: &str, rate: f64, connections: u32) -> Self {
        Self { rate, connections, mode: mode.to_owned(), protocol: None, payload: None, block: 1 }
    }

    /// True for the same cell in another block.
    pub fn is_again(&self, other: &Self) -> bool {
        self.is_beside(other) && self.mode == other.mode
    }

    /// True for the same cell in another mode, whatever the blocks.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.rate.total_cmp(&other.rate).is_eq()
            && (self.connections, &self.protocol, self.payload) == (other.connections, &other.protocol, other.payload)
    }

    /// What the sweep varies besides mode, rate and connections: `http2, bodies of 1024 B`; empty where nothing is.
    pub fn spoken(&self) -> String {
        let payload = self.payload.map(|bytes| format!("bodies of {bytes} B"));
        let parts: Vec<String> = self.protocol.clone().into_iter().chain(payload).collect();
        parts.join(", ")
    }

    /// In letters that the name of a file can hold.
    pub fn file_name(&self) -> String {
        let mut name = format!("{}-{}-{}", self.mode, self.rate, self.connections);
        // Writing to a string never fails.
        let _ = self.protocol.iter().try_for_each(|protocol| write!(name, "-{protocol}"));
        let _ = self.payload.iter().try_for_each(|bytes| write!(name, "-{bytes}B"));
        if self.block > 1 {
            let _ = write!(name, "-block-{}", self.block);
        }
        name
    }
}

impl fmt::Display for Cell {
    /// `client at 500/s, 16 connections, http2, block 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}/s, {} connections", self.mode, self.rate, self.connections)?;
        let spoken = self.spoken();
        if !spoken.is_empty() {
            write!(f, ", {spoken}")?;
        }
        if self.block > 1 {
            write!(f, ", block {}", self.block)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_named_by_what_its_sweep_varies() {
        let plain = Cell::new("client", 500.0, 16);
        let whole = Cell { protocol: Some("http2".to_owned()), payload: Some(1024), block: 2, ..plain.clone() };
        assert_eq!(plain.to_string(), "client at 500/s, 16 connections");
        assert_eq!(whole.to_string(), "client at 500/s, 16 connections, http2, bodies of 1024 B, block 2");
        assert_eq!([plain.file_name(), whole.file_name()], ["client-500-16", "client-500-16-http2-1024B-block-2"]);
    }

    #[test]
    fn records_without_the_newer_coordinates_are_read_and_written_as_before() {
        let text = r#"{"rate":500.0,"connections":16,"mode":"client"}"#;
        let cell: Cell = serde_json::from_str(text).unwrap();
        assert_eq!(cell, Cell::new("client", 500.0, 16));
        assert_eq!(serde_json::to_string(&cell).unwrap(), text);
    }
}
