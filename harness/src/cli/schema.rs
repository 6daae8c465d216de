//! `squall schema`.

use super::Exit;
use crate::scenario::schema;

/// Prints the JSON Schema of the scenario language.
pub(super) fn main() -> Exit {
    println!("{}", schema::text());
    Exit::Success
}
