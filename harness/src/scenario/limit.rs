//! What must hold, as written: `<= 20ms`, `>= 99.9%`, `== 0`, `<= 1.5x baseline`.

use crate::units::{BadText, Bytes, Percent, Rate, Text, TimeSpan, written_as_text};
use std::fmt;
use std::str::FromStr;

/// A limit.
#[derive(Debug, Clone, PartialEq)]
pub enum Limit {
    /// `<=`
    AtMost(Quantity),
    /// `>=`
    AtLeast(Quantity),
    /// `==`
    Exactly(Quantity),
    /// `<= 1.5x baseline`; without a name it is the cell that the expectation is `over`.
    AtMostTimes {
        /// How many times.
        factor: f64,
        /// Name of the phase compared with.
        phase: Option<String>,
    },
}

/// A number with its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// `0`, `1.05`
    Number(f64),
    /// `99.9%`
    Percent(Percent),
    /// `20ms`
    Time(TimeSpan),
    /// `500/s`
    Rate(Rate),
    /// `64MiB`
    Bytes(Bytes),
    /// `60us a request`
    TimeARequest(TimeSpan),
}

impl Quantity {
    /// The number in the base unit: seconds, share of one, requests a second, bytes; microseconds for processor time a request.
    pub fn base(self) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Percent(percent) => percent.share(),
            Self::Time(span) => span.0.as_secs_f64(),
            Self::Rate(rate) => rate.0,
            Self::Bytes(bytes) => bytes.0 as f64,
            Self::TimeARequest(span) => span.0.as_secs_f64() * 1e6,
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Percent(percent) => percent.fmt(f),
            Self::Time(span) => span.fmt(f),
            Self::Rate(rate) => rate.fmt(f),
            Self::Bytes(bytes) => bytes.fmt(f),
            Self::TimeARequest(span) => write!(f, "{span} a request"),
        }
    }
}

impl FromStr for Quantity {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        if let Some(span) = text.strip_suffix(" a request") {
            return span.parse().map(Self::TimeARequest);
        }
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if plain {
            let number = text.parse().ok().filter(|number: &f64| number.is_finite());
            return number.map(Self::Number).ok_or_else(|| BadText::of::<Limit>(text));
        }
        text.parse()
            .map(Self::Time)
            .or_else(|_| text.parse().map(Self::Percent))
            .or_else(|_| text.parse().map(Self::Rate))
            .or_else(|_| text.parse().map(Self::Bytes))
            .map_err(|_: BadText| BadText { text: text.to_owned(), expected: "a number with its unit".to_owned() })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(quantity) => write!(f, "<= {quantity}"),
            Self::AtLeast(quantity) => write!(f, ">= {quantity}"),
            Self::Exactly(quantity) => write!(f, "== {quantity}"),
            Self::AtMostTimes { factor, phase: Some(phase) } => write!(f, "<= {factor}x {phase}"),
            Self::AtMostTimes { factor, phase: None } => write!(f, "<= {factor}x"),
        }
    }
}

impl FromStr for Limit {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let bad = || BadText::of::<Self>(text);
        let trimmed = text.trim();
        let (sign, rest) = trimmed.split_at_checked(2).ok_or_else(bad)?;
        let rest = rest.trim_start();
        if sign == "<=" {
            let (times, phase) =
                rest.split_once(char::is_whitespace).map_or((rest, None), |(t, p)| (t, Some(p.trim())));
            if let Some(factor) = times.strip_suffix('x') {
                let factor = factor.parse::<f64>().ok().filter(|factor| factor.is_finite() && *factor > 0.0);
                let phase = phase.map(str::to_owned);
                return factor.map(|factor| Self::AtMostTimes { factor, phase }).ok_or_else(bad);
            }
        }
        match sign {
            "<=" => Ok(Self::AtMost(rest.parse().map_err(|_| bad())?)),
            ">=" => Ok(Self::AtLeast(rest.parse().map_err(|_| bad())?)),
            "==" => Ok(Self::Exactly(rest.parse().map_err(|_| bad())?)),
            _ => Err(bad()),
        }
    }
}

impl Text for Limit {
    const NAME: &'static str = "Limit";
    const EXPECTED: &'static str = "a limit such as `<= 20ms`, `>= 99.9%`, `== 0` or `<= 1.5x baseline`";
    const PATTERN: &'static str = r"^\s*(<=|>=|==)\s*[0-9]+(\.[0-9]+)?\S*( .*)?$";
    const EXAMPLES: &'static [&'static str] = &["<= 20ms", ">= 99.9%", "== 0", "<= 1.5x baseline", "<= 60us a request"];
}

written_as_text!(Limit);

#[cfg(test)]
mod tests {
    use super::Limit;
    use proptest::prelude::*;

    #[test]
    fn limits_are_read_and_printed_back() {
        for text in [
            "<= 20ms",
            ">= 99.9%",
            "== 0",
            "<= 1.05",
            "<= 1.5x baseline",
            "<= 2x",
            "<= 60us a request",
            "<= 64MiB",
            ">= 500/s",
        ] {
            assert_eq!(text.parse::<Limit>().map(|limit| limit.to_string()).as_deref(), Ok(text));
        }
        assert_eq!("<=20ms".parse::<Limit>(), "<= 20ms".parse());
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for text in [
            "20ms",
            "< 20ms",
            "<= fast",
            "<= ",
            "==",
            "",
            "<= -1",
            "<= x baseline",
            ">= 2x baseline",
            "<= 1..2",
            "µ<= 1",
        ] {
            assert!(text.parse::<Limit>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_limit_panic(text in "\\PC*") {
            let _ = text.parse::<Limit>();
        }
    }
}
