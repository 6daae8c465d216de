//! Durations as Istio writes them, by Go's rules: `250ms`, `1m30s`, `1h`, `1.5s`.

use serde::de::{Deserialize, Deserializer, Error};
use std::time::Duration;

/// A duration of Istio's YAML: at least a millisecond and whole milliseconds, or exactly zero, which each field judges for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GoDuration(pub(super) Duration);

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = parse(&text).ok_or_else(|| {
            D::Error::custom(format_args!("`{text}` is no duration: expected one like 250ms, 1m30s or 1h"))
        })?;
        if parsed.subsec_nanos() % 1_000_000 != 0 {
            return Err(D::Error::custom(format_args!("`{text}` is no whole number of milliseconds")));
        }
        Ok(Self(parsed))
    }
}

/// Reads a sequence of numbers with units; a bare `0` is allowed.
pub(super) fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = 0.0_f64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at(end);
        let number: f64 = number.parse().ok()?;
        let units = [("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6), ("ns", 1e-9), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];
        let (unit, seconds) = units.into_iter().find(|(unit, _)| after.starts_with(unit))?;
        total += number * seconds;
        rest = &after[unit.len()..];
    }
    // Rounded to the nanosecond, since 0.1 s and its like have no exact binary form.
    Duration::try_from_secs_f64(total).ok().map(|exact| {
        let nanos = (total * 1e9).round();
        if nanos < 1e18 { Duration::from_nanos(nanos as u64) } else { exact }
    })
}

#[cfg(test)]
mod tests {
    use super::parse;
    use std::time::Duration;

    #[test]
    fn durations_are_read_by_gos_rules() {
        for (text, millis) in [
            ("250ms", 250),
            ("1s", 1000),
            ("1m30s", 90_000),
            ("1h", 3_600_000),
            ("1.5s", 1500),
            ("0s", 0),
            ("0", 0),
            ("0.1s", 100),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "s", "-1s", "1 s", "1d", "1.2.3s", "99999999999999999999h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
