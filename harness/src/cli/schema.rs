//! `squall schema`.

use super::{Exit, tell};
use crate::scenario::schema;

/// Prints the JSON Schema of the scenario language.
pub(super) fn main() -> Exit {
    tell(&schema::text())
}
