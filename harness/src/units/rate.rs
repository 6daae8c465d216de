//! Requests a second.

use super::number::{decimal, split_unit};
use super::text::{BadText, Text};
use std::fmt;
use std::str::FromStr;

/// Requests a second.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl FromStr for Rate {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let (number, unit) = split_unit(text);
        match (decimal(number), unit) {
            (Some(number), "/s") => Ok(Self(number)),
            _ => Err(BadText::of::<Self>(text)),
        }
    }
}

impl Text for Rate {
    const NAME: &'static str = "Rate";
    const EXPECTED: &'static str = "a rate in requests a second, such as `500/s`";
    const PATTERN: &'static str = r"^[0-9]+(\.[0-9]+)?/s$";
    const EXAMPLES: &'static [&'static str] = &["500/s", "0.5/s"];
}

super::written_as_text!(Rate);
