//! What changed from one Istio to the next.

use std::fmt;
use std::str::FromStr;

/// The Istio whose behaviour is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IstioVersion {
    major: u16,
    minor: u16,
}

impl IstioVersion {
    /// The newest that is known.
    pub const LATEST: Self = Self::one(32);

    const fn one(minor: u16) -> Self {
        Self { major: 1, minor }
    }

    /// 503 of the application is tried again by default; up to 1.23.
    pub fn retries_503(self) -> bool {
        self < Self::one(24)
    }

    /// A service's sidecar tries again what it could not begin to send; from 1.24.
    pub fn retries_inbound(self) -> bool {
        self >= Self::one(24)
    }

    /// Copies of requests ask for a host with `-shadow`; up to 1.27.
    pub fn marks_mirrored_host(self) -> bool {
        self < Self::one(28)
    }

    /// Endpoints that are not ready are sent as unhealthy, and panic is off for that; from 1.32. They were left out before.
    pub fn sends_unready(self) -> bool {
        self >= Self::one(32)
    }

    /// Callers at private addresses count as internal; up to 1.24, whose Envoy was 1.32.
    pub fn trusts_private_addresses(self) -> bool {
        self < Self::one(25)
    }

    /// HTTP/2 has 2³¹−1 streams and windows of 256 MiB instead of 1024 and 16 and 24 MiB; up to 1.27, whose Envoy was 1.35.
    pub fn has_wide_http2(self) -> bool {
        self < Self::one(28)
    }

    /// `outlierDetectionHttpErrorCodes` is a field of `outlierDetection`; from 1.32.
    pub fn knows_error_codes(self) -> bool {
        self >= Self::one(32)
    }

    /// Retries that a `retryBudget` without `percent` allows, in percent: 20, and by a mistake 0.2 up to 1.27. Patches of 1.28 and 1.29
    /// mended it.
    pub fn retry_budget_percent(self) -> f64 {
        if self < Self::one(28) { 0.2 } else { 20.0 }
    }

    /// Buckets of local rate limits are filled by steps, not evenly; up to 1.22, whose Envoy was 1.30.
    pub fn fills_buckets_by_steps(self) -> bool {
        self < Self::one(23)
    }

    /// One endpoint may be ejected whatever the percentage; up to 1.19, whose Envoy was 1.27.
    pub fn always_ejects_one(self) -> bool {
        self < Self::one(20)
    }
}

impl Default for IstioVersion {
    fn default() -> Self {
        Self::LATEST
    }
}

impl fmt::Display for IstioVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A text that names no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version of Istio: expected one such as 1.23, up to {latest}, or `latest`", latest = IstioVersion::LATEST)]
pub struct UnknownVersion(String);

impl FromStr for IstioVersion {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "latest" {
            return Ok(Self::LATEST);
        }
        let unknown = || UnknownVersion(text.to_owned());
        let mut numbers = text.split('.').map(str::parse::<u16>);
        let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return Err(unknown()) };
        let patch_is_number = numbers.next().is_none_or(|patch| patch.is_ok()) && numbers.next().is_none();
        let version = Self { major, minor };
        let known = (Self::one(0)..=Self::LATEST).contains(&version);
        if known && patch_is_number { Ok(version) } else { Err(unknown()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_two_numbers_a_third_or_the_word_latest() {
        for (text, shown) in [("1.23", "1.23"), ("1.23.4", "1.23"), ("latest", "1.32"), ("1.32", "1.32")] {
            assert_eq!(text.parse::<IstioVersion>().map(|version| version.to_string()), Ok(shown.to_owned()));
        }
        for text in ["", "1", "1.x", "1.33", "2.0", "0.8", "1.23.4.5", "1.23.x", "newest"] {
            assert_eq!(text.parse::<IstioVersion>(), Err(UnknownVersion(text.to_owned())));
        }
        assert_eq!(
            UnknownVersion("7".to_owned()).to_string(),
            "`7` is no version of Istio: expected one such as 1.23, up to 1.32, or `latest`"
        );
    }

    #[test]
    fn the_page_names_each_version_at_which_something_changes() {
        let page = include_str!("../../../../docs/versions.md");
        let of_page: Vec<&str> = page.lines().filter_map(|line| line.split('|').nth(4)).map(str::trim).collect();
        let of_page: Vec<&str> = of_page.into_iter().filter(|cell| cell.starts_with("1.")).collect();
        assert_eq!(of_page, ["1.20", "1.23", "1.24", "1.24", "1.25", "1.28", "1.28", "1.28", "1.32", "1.32"]);
    }

    #[test]
    fn each_switch_turns_at_its_version() {
        type Switch = fn(IstioVersion) -> bool;
        for (switch, last_old, before) in [
            (IstioVersion::retries_503 as Switch, 23, true),
            (IstioVersion::retries_inbound, 23, false),
            (IstioVersion::marks_mirrored_host, 27, true),
            (IstioVersion::sends_unready, 31, false),
            (IstioVersion::trusts_private_addresses, 24, true),
            (IstioVersion::has_wide_http2, 27, true),
            (IstioVersion::always_ejects_one, 19, true),
            (IstioVersion::knows_error_codes, 31, false),
            (IstioVersion::fills_buckets_by_steps, 22, true),
            (|version| version.retry_budget_percent() < 1.0, 27, true),
        ] {
            assert_eq!(switch(IstioVersion::one(last_old)), before, "1.{last_old}");
            assert_eq!(switch(IstioVersion::one(last_old + 1)), !before, "1.{}", last_old + 1);
        }
    }
}
