//! Shares of a hundred.

use super::number::{decimal, split_unit};
use super::text::{BadText, Text};
use std::fmt;
use std::str::FromStr;

/// A share of a hundred, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Percent(pub f64);

impl Percent {
    /// As a share of one, 0 to 1.
    pub fn share(self) -> f64 {
        // Moving the point in the text gives the double nearest to 0.999, where a division gives its neighbour.
        format!("{}e-2", self.0).parse().unwrap_or(self.0 / 100.0)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl FromStr for Percent {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let (number, unit) = split_unit(text);
        match (decimal(number), unit) {
            (Some(number), "%") if number <= 100.0 => Ok(Self(number)),
            _ => Err(BadText::of::<Self>(text)),
        }
    }
}

impl Text for Percent {
    const NAME: &'static str = "Percent";
    const EXPECTED: &'static str = "a percentage from `0%` to `100%`, such as `99.9%`";
    const PATTERN: &'static str = r"^(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?)%$";
    const EXAMPLES: &'static [&'static str] = &["30%", "99.9%"];
}

super::written_as_text!(Percent);
