//! When a run is cut short.

use super::{Below, Placed};
use crate::units::{BadText, Text, TimeSpan, written_as_text};
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// A condition under which everything is undone at once, and nothing judged. One of `success`, `p99`, `probe` and `command`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AbortWhen {
    /// Fewer of the clients' requests were acceptable: `< 50%`.
    pub success: Option<Placed<Below>>,
    /// More than one in a hundred took longer: `> 2s`.
    pub p99: Option<Placed<Longer>>,
    /// A URL that does not answer 200 to 399: `http://127.0.0.1:9000/health`.
    pub probe: Option<Placed<String>>,
    /// A program and its arguments that does not end well; needs `--allow-commands`. It is begun anew once a second.
    pub command: Option<Placed<Vec<String>>>,
    /// For so long; 1s where it is not said.
    pub over: Option<Placed<TimeSpan>>,
}

/// A time that something exceeds: `> 2s`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Longer(pub TimeSpan);

impl fmt::Display for Longer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "> {}", self.0)
    }
}

impl FromStr for Longer {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let time = text.strip_prefix('>').and_then(|rest| rest.trim_start().parse().ok());
        time.map(Self).ok_or_else(|| BadText::of::<Self>(text))
    }
}

impl Text for Longer {
    const NAME: &'static str = "Longer";
    const EXPECTED: &'static str = "a time to stay below, such as `> 2s`";
    const PATTERN: &'static str = r"^>\s*[0-9]+(\.[0-9]+)?(us|ms|s|m|h)$";
    const EXAMPLES: &'static [&'static str] = &["> 2s"];
}

written_as_text!(Longer);
