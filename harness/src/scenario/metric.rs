//! The names of what is measured, and the unit that a limit on each takes.

use super::limit::Quantity;
use super::resolved::Metric;
use std::fmt;
use std::str::FromStr;

/// The names, for suggestions; any percentile (`p95`) and any status may stand in the place of those given.
pub const NAMES: &[&str] = &[
    "success",
    "degraded",
    "lost",
    "p50",
    "p90",
    "p99",
    "p99.9",
    "max",
    "rate",
    "time-outs",
    "resets",
    "status 503",
    "attempts-per-request",
    "false-ejections",
    "cpu of proxy",
    "memory of proxy",
    "highest-rate",
];

/// A text that names no metric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no metric")]
pub struct BadMetric(String);

impl FromStr for Metric {
    type Err = BadMetric;

    fn from_str(text: &str) -> Result<Self, BadMetric> {
        let bad = || BadMetric(text.to_owned());
        Ok(match text {
            "success" => Self::Success,
            "degraded" => Self::Degraded,
            "lost" => Self::Lost,
            "max" => Self::Response { quantile: 1.0, name: text.to_owned() },
            "rate" => Self::Rate,
            "time-outs" => Self::TimeOuts,
            "resets" => Self::Resets,
            "attempts-per-request" => Self::AttemptsPerRequest,
            "false-ejections" => Self::FalseEjections,
            "cpu of proxy" => Self::CpuOfProxy,
            "memory of proxy" => Self::MemoryOfProxy,
            "highest-rate" => Self::HighestRate,
            _ => {
                if let Some(status) = text.strip_prefix("status ") {
                    let status = status.parse().ok().filter(|status| (100..600).contains(status));
                    return status.map(Self::Status).ok_or_else(bad);
                }
                let digits = text.strip_prefix('p').ok_or_else(bad)?;
                let plain = digits.starts_with(|c: char| c.is_ascii_digit())
                    && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                let percent = plain.then(|| digits.parse::<f64>().ok()).flatten();
                let percent = percent.filter(|percent| *percent > 0.0 && *percent < 100.0).ok_or_else(bad)?;
                Self::Response { quantile: percent / 100.0, name: text.to_owned() }
            }
        })
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "success",
            Self::Degraded => "degraded",
            Self::Lost => "lost",
            Self::Response { name, .. } => name,
            Self::Rate => "rate",
            Self::TimeOuts => "time-outs",
            Self::Resets => "resets",
            Self::Status(status) => return write!(f, "status {status}"),
            Self::AttemptsPerRequest => "attempts-per-request",
            Self::FalseEjections => "false-ejections",
            Self::CpuOfProxy => "cpu of proxy",
            Self::MemoryOfProxy => "memory of proxy",
            Self::HighestRate => "highest-rate",
        })
    }
}

impl Metric {
    /// True if a limit on this metric can be written with that unit.
    pub fn takes(&self, quantity: Quantity) -> bool {
        match (self, quantity) {
            (Self::Success | Self::Degraded, Quantity::Percent(_))
            | (Self::Response { .. }, Quantity::Time(_))
            | (Self::Rate | Self::HighestRate, Quantity::Rate(_))
            | (Self::AttemptsPerRequest, Quantity::Number(_))
            | (Self::CpuOfProxy, Quantity::TimeARequest(_))
            | (Self::MemoryOfProxy, Quantity::Bytes(_)) => true,
            (
                Self::Lost | Self::TimeOuts | Self::Resets | Self::Status(_) | Self::FalseEjections,
                Quantity::Number(number),
            ) => number.fract() == 0.0,
            _ => false,
        }
    }

    /// What a limit on it looks like.
    pub fn example(&self) -> &'static str {
        match self {
            Self::Success => "a percentage, such as `>= 99.9%`",
            Self::Degraded => "a percentage, such as `<= 5%`",
            Self::Lost | Self::TimeOuts | Self::Resets | Self::Status(_) | Self::FalseEjections => {
                "a whole number of them, such as `== 0`"
            }
            Self::Response { .. } => "a duration, such as `<= 20ms`, or `<= 1.5x baseline`",
            Self::Rate | Self::HighestRate => "a rate, such as `>= 495/s`",
            Self::AttemptsPerRequest => "a number, such as `<= 1.05`",
            Self::CpuOfProxy => "processor time, such as `<= 60us a request`",
            Self::MemoryOfProxy => "a size, such as `<= 64MiB`",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Metric, NAMES};

    #[test]
    fn every_name_is_read_and_printed_back() {
        for name in NAMES.iter().copied().chain(["p95", "p99.99", "status 404"]) {
            assert_eq!(name.parse::<Metric>().map(|metric| metric.to_string()).as_deref(), Ok(name));
        }
    }

    #[test]
    fn what_is_no_metric_is_refused() {
        for name in ["failed", "p0", "p100", "p", "p-1", "p9e1", "status", "status 99", "p.5", "pinf"] {
            assert!(name.parse::<Metric>().is_err(), "{name}");
        }
    }
}
