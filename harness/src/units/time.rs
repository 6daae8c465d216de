//! Lengths of time.

use super::number::{scaled, split_unit};
use super::text::{BadText, Text};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time, to the nanosecond, at most about 584 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct TimeSpan(pub Duration);

/// Units in nanoseconds, the largest first, so that printing takes the largest that leaves at most three decimals.
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
        if nanos == 0 {
            return f.write_str("0s");
        }
        for (unit, scale) in UNITS {
            let scale = u128::from(scale);
            let (whole, rest) = (nanos / scale, nanos % scale);
            if rest == 0 {
                return write!(f, "{whole}{unit}");
            }
            // `7.5s`, but neither `1.5m` nor `0.5s`.
            if whole > 0 && scale <= 1_000_000_000 && (rest * 1_000).is_multiple_of(scale) {
                let digits = format!("{:03}", rest * 1_000 / scale);
                return write!(f, "{whole}.{}{unit}", digits.trim_end_matches('0'));
            }
        }
        Ok(())
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
