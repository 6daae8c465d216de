//! Quantities: a number always has its unit, in the type and in the text.
//!
//! Each type has one spelling that it prints and reads back unchanged; what people write (`0.5s`, `500ms`) may be another
//! spelling of the same value.

mod bytes;
mod number;
mod percent;
mod rate;
mod text;
mod time;

pub use bytes::{ByteRate, Bytes};
pub use percent::Percent;
pub use rate::Rate;
pub(crate) use text::written_as_text;
pub use text::{BadText, Text};
pub use time::TimeSpan;

#[cfg(test)]
mod tests;
