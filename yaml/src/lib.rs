//! Strict YAML with a place for every value, and every error at once.
//!
//! [`parse`] makes a tree of nodes of a text; [`Document::read`] makes a value of a tree, as often as it takes to find every
//! error: a node that fails is pruned, and the rest is read again.

mod de;
mod error;
mod finding;
mod node;
mod parse;
mod plain_file;
mod read;
mod spanned;

pub use finding::{Finding, Place, Severity, Source, suggest};
pub use node::{Document, Node, Value};
pub use parse::{parse, parse_value};
pub use plain_file::read_plain;
pub use read::Read;
pub use spanned::{Keyed, Spanned, Unsupported};

#[cfg(test)]
mod tests;
