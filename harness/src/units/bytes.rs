//! Sizes, and sizes a second. `KB` is 1,000 bytes, `KiB` is 1,024.

use super::number::{scaled, split_unit};
use super::text::{BadText, Text};
use std::fmt;
use std::str::FromStr;

/// Bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// Bytes a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteRate(pub u64);

/// Units, the largest first, so that printing takes the largest that leaves no fraction.
const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, scale) =
            UNITS.into_iter().find(|(_, scale)| self.0 > 0 && self.0.is_multiple_of(*scale)).unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / scale)
    }
}

impl FromStr for Bytes {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let (number, unit) = split_unit(text);
        UNITS
            .into_iter()
            .find(|(name, _)| *name == unit)
            .and_then(|(_, scale)| scaled(number, scale))
            .map(Self)
            .ok_or_else(|| BadText::of::<Self>(text))
    }
}

impl fmt::Display for ByteRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", Bytes(self.0))
    }
}

impl FromStr for ByteRate {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let bytes = text.strip_suffix("/s").and_then(|bytes| bytes.parse::<Bytes>().ok());
        bytes.map(|bytes| Self(bytes.0)).ok_or_else(|| BadText::of::<Self>(text))
    }
}

impl Text for Bytes {
    const NAME: &'static str = "Bytes";
    const EXPECTED: &'static str = "a size such as `1KB` (1,000 bytes) or `1KiB` (1,024 bytes)";
    const PATTERN: &'static str = r"^[0-9]+(\.[0-9]+)?([KMG]i?)?B$";
    const EXAMPLES: &'static [&'static str] = &["1KB", "64KiB", "0B"];
}

impl Text for ByteRate {
    const NAME: &'static str = "ByteRate";
    const EXPECTED: &'static str = "a size a second, such as `64KB/s`";
    const PATTERN: &'static str = r"^[0-9]+(\.[0-9]+)?([KMG]i?)?B/s$";
    const EXAMPLES: &'static [&'static str] = &["64KB/s", "1MiB/s"];
}

super::written_as_text!(Bytes, ByteRate);
