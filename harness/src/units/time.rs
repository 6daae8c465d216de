//! Lengths of time.

use super::number::{scaled, split_unit};
use super::text::{BadText, Text};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time, to the nanosecond, at most about 584 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct TimeSpan(pub Duration);

/// Units in nanoseconds, the largest first, so that printing takes the largest that leaves no fraction.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let fits = |(_, scale): &(&str, u64)| nanos > 0 && nanos.is_multiple_of(u128::from(*scale));
        let (unit, scale) = UNITS.into_iter().find(fits).unwrap_or(("s", 1_000_000_000));
        write!(f, "{}{unit}", nanos / u128::from(scale))
    }
}

impl FromStr for TimeSpan {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let (number, unit) = split_unit(text);
        UNITS
            .into_iter()
            .find(|(name, _)| *name == unit)
            .and_then(|(_, scale)| scaled(number, scale))
            .map(|nanos| Self(Duration::from_nanos(nanos)))
            .ok_or_else(|| BadText::of::<Self>(text))
    }
}

impl Text for TimeSpan {
    const NAME: &'static str = "TimeSpan";
    const EXPECTED: &'static str = "a duration such as `5s`, `20ms` or `1.5s`";
    const PATTERN: &'static str = r"^[0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns)$";
    const EXAMPLES: &'static [&'static str] = &["5s", "20ms", "200us"];
}

super::written_as_text!(TimeSpan);
