//! Which of the units that match a fault takes: `30%`, `every 3rd`, `first 10`, `attempt 1`.

use crate::units::{BadText, Percent, Text, written_as_text};
use std::fmt;
use std::str::FromStr;

/// Which of the matching units are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pick {
    /// `30%`
    Percent(Percent),
    /// `every 3rd`
    Every(u64),
    /// `first 10`
    First(u64),
    /// `attempt 1`
    Attempt(u32),
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => percent.fmt(f),
            Self::Every(n) => write!(f, "every {n}{}", ordinal(*n)),
            Self::First(n) => write!(f, "first {n}"),
            Self::Attempt(n) => write!(f, "attempt {n}"),
        }
    }
}

/// The ending that makes a number an ordinal.
fn ordinal(n: u64) -> &'static str {
    match (n % 100, n % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}

impl FromStr for Pick {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let pick = match text.split_once(' ') {
            None => text.parse().ok().filter(|percent: &Percent| percent.0 > 0.0).map(Self::Percent),
            Some(("every", nth)) => {
                let digits = nth.trim_end_matches(|c: char| c.is_ascii_lowercase());
                let n = digits.parse().ok().filter(|n| *n > 0 && ordinal(*n) == &nth[digits.len()..]);
                n.map(Self::Every)
            }
            Some(("first", n)) => n.parse().ok().filter(|n| *n > 0).map(Self::First),
            Some(("attempt", n)) => n.parse().ok().filter(|n| *n > 0).map(Self::Attempt),
            Some(_) => None,
        };
        pick.ok_or_else(|| BadText::of::<Self>(text))
    }
}

impl Text for Pick {
    const NAME: &'static str = "Pick";
    const EXPECTED: &'static str = "`30%`, `every 3rd`, `first 10` or `attempt 1`";
    const PATTERN: &'static str = r"^([0-9]+(\.[0-9]+)?%|every [1-9][0-9]*(st|nd|rd|th)|(first|attempt) [1-9][0-9]*)$";
    const EXAMPLES: &'static [&'static str] = &["30%", "every 3rd", "first 10", "attempt 1"];
}

written_as_text!(Pick);

#[cfg(test)]
mod tests {
    use super::Pick;

    #[test]
    fn picks_are_read_and_printed_back() {
        for text in
            ["30%", "0.5%", "every 1st", "every 2nd", "every 3rd", "every 11th", "every 112th", "first 10", "attempt 1"]
        {
            assert_eq!(text.parse::<Pick>().map(|pick| pick.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "0%",
            "every",
            "every 3",
            "every 3th",
            "every 0th",
            "first",
            "first 0",
            "attempt 0",
            "last 3",
            "",
            "every é",
        ] {
            assert!(text.parse::<Pick>().is_err(), "{text}");
        }
    }
}
