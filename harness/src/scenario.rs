//! The scenario language: as written, then resolved.
//!
//! [`resolved`] is all that the rest of the harness knows of it.

pub mod resolved;
