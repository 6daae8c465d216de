use super::{Placed, Policy, Reserved};
use crate::units::{BadText, Percent, Text, TimeSpan, written_as_text};
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// Something done on purpose that is no fault.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Shift traffic to another version in steps.
    Release(Release),
    /// Not obeyed yet.
    Scale(Reserved),
    /// Policies take the place of all that proxies were given: files, folders, or objects in line. They stay.
    Apply(Applied),
    /// Not obeyed yet.
    Restart(Reserved),
    /// Not obeyed yet.
    Drain(Reserved),
    /// Not obeyed yet.
    Run(Reserved),
}

/// Policies that are applied: one, or a list.
#[derive(Debug, Clone)]
pub enum Applied {
    /// A path, or an object in line.
    One(Policy),
    /// Several.
    Many(Vec<Placed<Policy>>),
}

/// A release: traffic moves to another version in steps, and back when the analysis fails.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Release {
    /// The service.
    pub service: Placed<String>,
    /// The version that is to take over.
    pub to: Placed<String>,
    /// Shares of the traffic that it gets, rising.
    pub steps: Placed<Vec<Percent>>,
    /// Time between steps.
    pub every: Placed<TimeSpan>,
    /// When it is taken back, such as `{success: "< 99%", over: 2s}`.
    pub roll_back_when: Option<Placed<RollBackWhen>>,
}

/// When a release is taken back: by the version's own answers, before retries, over a window.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RollBackWhen {
    /// Share of acceptable answers below which it is taken back, such as `< 99%`.
    pub success: Below,
    /// The window.
    pub over: TimeSpan,
}

/// A share that something falls below: `< 99%`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Below(pub Percent);

impl fmt::Display for Below {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "< {}", self.0)
    }
}

impl FromStr for Below {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let percent = text.strip_prefix('<').and_then(|rest| rest.trim_start().parse().ok());
        percent.map(Self).ok_or_else(|| BadText::of::<Self>(text))
    }
}

impl Text for Below {
    const NAME: &'static str = "Below";
    const EXPECTED: &'static str = "a share to stay above, such as `< 99%`";
    const PATTERN: &'static str = r"^<\s*[0-9]+(\.[0-9]+)?%$";
    const EXAMPLES: &'static [&'static str] = &["< 99%"];
}

written_as_text!(Below);
