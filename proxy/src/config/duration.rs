//! Durations as Istio writes them, by Go's rules: `250ms`, `1m30s`, `1h`, `1.5s`.

use super::problems::Problems;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use squall_yaml::Keyed;
use std::time::Duration;

/// A duration of Istio's YAML: at least a millisecond and whole milliseconds, or exactly zero, which each field judges for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GoDuration(pub(super) Duration);

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_str(Written)?;
        let parsed = parse(&text).ok_or_else(|| {
            D::Error::custom(format_args!("`{text}` is no duration: expected one like 250ms, 1m30s or 1h"))
        })?;
        if parsed.subsec_nanos() % 1_000_000 != 0 {
            return Err(D::Error::custom(format_args!("`{text}` is no whole number of milliseconds")));
        }
        Ok(Self(parsed))
    }
}

/// The text of a duration; a number alone is refused with what it should have been.
struct Written;

impl Visitor<'_> for Written {
    type Value = String;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a duration such as 10s")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

/// A duration of a field that Istio refuses below 1 ms; `instead` says what to write.
pub(super) fn positive(
    written: Option<&Keyed<GoDuration>>,
    field: &str,
    instead: &str,
    problems: &mut Problems<'_>,
) -> Option<Duration> {
    let written = written?;
    if written.value.0.is_zero() {
        problems.error(written.key, format!("Istio refuses `{field}: 0s`"), instead);
        return None;
    }
    Some(written.value.0)
}

/// Reads a sequence of numbers with units; a bare `0` is allowed, and a plus sign.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
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
        let units = [
            ("ms", 1e-3),
            ("us", 1e-6),
            ("µs", 1e-6),
            ("μs", 1e-6),
            ("ns", 1e-9),
            ("h", 3600.0),
            ("m", 60.0),
            ("s", 1.0),
        ];
        let (unit, seconds) = units.into_iter().find(|(unit, _)| after.starts_with(unit))?;
        total += number * seconds;
        rest = &after[unit.len()..];
    }
    // Rounded to the nanosecond, since 0.1 s and its like have no exact binary form; Go counts them in 63 bits.
    let nanos = (total * 1e9).round();
    (nanos < i64::MAX as f64).then(|| Duration::from_nanos(nanos as u64))
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
            (".5s", 500),
            ("+2s", 2000),
            ("1000us", 1),
            ("1000\u{b5}s", 1),
            ("1000\u{3bc}s", 1),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in
            ["", "5", "s", "-1s", "1 s", "1d", "1.2.3s", ".s", "++1s", "1e3s", "99999999999999999999h", "9223372037s"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
