//! Where a fault strikes, and what an expectation looks at.

use crate::units::{BadText, Text, written_as_text};
use std::fmt;
use std::str::FromStr;

/// `cart` (all instances), `cart/2`, `cart/1..3`, `cart@v2`, `cart@v2/1`; or the proxies beside them: `proxy of cart/2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The proxies beside the instances are meant.
    pub sidecar: bool,
    /// The service.
    pub service: String,
    /// Its version.
    pub version: Option<String>,
    /// First and last instance; absent: all.
    pub instances: Option<(u32, u32)>,
}

/// In front of instances whose proxies are meant.
const SIDECAR: &str = "proxy of ";

/// A text that is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// Known, but not obeyed.
    #[error("{0} as a target is not obeyed yet")]
    Reserved(&'static str),
    /// None at all.
    #[error(transparent)]
    Bad(BadText),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.sidecar { SIDECAR } else { "" })?;
        f.write_str(&self.service)?;
        if let Some(version) = &self.version {
            write!(f, "@{version}")?;
        }
        match self.instances {
            None => Ok(()),
            Some((first, last)) if first == last => write!(f, "/{first}"),
            Some((first, last)) => write!(f, "/{first}..{last}"),
        }
    }
}

impl FromStr for Target {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        if text.contains("->") {
            return Err(BadTarget::Reserved("an edge between two services"));
        }
        if text == "proxy" {
            return Err(BadTarget::Reserved("the proxy on the client's side"));
        }
        let bad = || BadTarget::Bad(BadText::of::<Self>(text));
        let of = text.strip_prefix(SIDECAR);
        let (name, instances) = match of.unwrap_or(text).split_once('/') {
            Some((name, numbers)) => (name, Some(span(numbers).ok_or_else(bad)?)),
            None => (of.unwrap_or(text), None),
        };
        let (service, version) = match name.split_once('@') {
            Some((service, version)) => (service, Some(version)),
            None => (name, None),
        };
        if !is_name(service) || version.is_some_and(|version| !is_name(version)) {
            return Err(bad());
        }
        Ok(Self { sidecar: of.is_some(), service: service.to_owned(), version: version.map(str::to_owned), instances })
    }
}

/// `2` or `1..3`, counted from 1.
fn span(text: &str) -> Option<(u32, u32)> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (1..=last).contains(&first).then_some((first, last))
}

/// True for a name that can be a host's label and part of a file's name: letters, digits and `-`, a letter or digit at both ends.
pub fn is_name(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && ends(text.chars().next())
        && ends(text.chars().next_back())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
}

impl Text for Target {
    const NAME: &'static str = "Target";
    const EXPECTED: &'static str =
        "a service or instances of it, counted from 1: `cart`, `cart/2`, `cart/1..3`, `cart@v2` or `cart@v2/1`";
    const PATTERN: &'static str =
        r"^(proxy of )?[A-Za-z0-9][A-Za-z0-9._-]*(@[A-Za-z0-9][A-Za-z0-9._-]*)?(/[0-9]+(\.\.[0-9]+)?)?$";
    const EXAMPLES: &'static [&'static str] = &["cart", "cart/2", "cart/1..3", "cart@v2", "proxy of cart/2"];
}

written_as_text!(Target);

/// What a fault strikes: instances, or all that are in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Struck {
    /// Of one service.
    Instances(Target),
    /// Of every service that has instances there.
    Zone(String),
}

/// In front of the name of a zone.
const ZONE: &str = "zone:";

impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instances(target) => target.fmt(f),
            Self::Zone(zone) => write!(f, "{ZONE}{zone}"),
        }
    }
}

impl FromStr for Struck {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        match text.strip_prefix(ZONE) {
            Some(zone) if is_name(zone) => Ok(Self::Zone(zone.to_owned())),
            Some(_) => Err(BadTarget::Bad(BadText::of::<Self>(text))),
            None => text.parse().map(Self::Instances),
        }
    }
}

impl Text for Struck {
    const NAME: &'static str = "Struck";
    const EXPECTED: &'static str =
        "a service or instances of it, counted from 1, or a zone: `cart`, `cart/2`, `cart/1..3`, `cart@v2` or `zone:a`";
    const PATTERN: &'static str = r"^(zone:[A-Za-z0-9][A-Za-z0-9._-]*|(proxy of )?[A-Za-z0-9][A-Za-z0-9._-]*(@[A-Za-z0-9][A-Za-z0-9._-]*)?(/[0-9]+(\.\.[0-9]+)?)?)$";
    const EXAMPLES: &'static [&'static str] = &["cart", "cart/2", "cart/1..3", "cart@v2", "proxy of cart/2", "zone:a"];
}

written_as_text!(Struck);

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn targets_are_read_and_printed_back() {
        for text in
            ["cart", "cart/2", "cart/1..3", "cart@v2", "cart@v2/1", "my-service/10", "proxy of cart/1", "proxy of cart"]
        {
            assert_eq!(text.parse::<Target>().map(|target| target.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for (text, expected) in [
            ("cart/0", "is not a service or instances of it"),
            ("cart/3..1", "is not a service or instances of it"),
            ("/1", "is not a service or instances of it"),
            ("cart@/1", "is not a service or instances of it"),
            ("", "is not a service or instances of it"),
            ("zone:a", "is not a service or instances of it"),
            ("a -> b", "an edge between two services as a target is not obeyed yet"),
            ("proxy", "the proxy on the client's side as a target is not obeyed yet"),
            ("proxy of ", "is not a service or instances of it"),
        ] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
