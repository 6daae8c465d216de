use super::Placed;
use crate::units::{Rate, TimeSpan};
use schemars::JsonSchema;
use serde::Deserialize;

/// A rate that changes. Times are counted from the first phase after the warm-up.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// The same all the time, at even distances.
    Constant(Placed<Rate>),
    /// Another rate for a while.
    Step(Step),
    /// From one rate evenly to another.
    Ramp(Ramp),
    /// Up and down around a mean.
    Sine(Sine),
    /// Another rate again and again.
    Burst(Burst),
    /// The same all the time, at random distances: as independent users come.
    Poisson(Placed<Rate>),
    /// A CSV file: a line a second, with the second and its rate, or its rate alone.
    Replay(Placed<String>),
}

/// Another rate for a while; before and after it the flow's `rate`, or nothing.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Step {
    /// When.
    pub at: TimeSpan,
    /// The rate then.
    pub to: Placed<Rate>,
    /// How long.
    pub r#for: Placed<TimeSpan>,
}

/// From one rate evenly to another, which stays.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ramp {
    /// The rate at first.
    pub from: Placed<Rate>,
    /// The rate at last.
    pub to: Placed<Rate>,
    /// How long it takes.
    pub over: Placed<TimeSpan>,
    /// When it begins; at once where it is not said.
    pub at: Option<TimeSpan>,
}

/// Up and down around a mean, upwards first.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sine {
    /// In the middle.
    pub mean: Placed<Rate>,
    /// Above and below it, at most the mean.
    pub amplitude: Placed<Rate>,
    /// From one height to the next.
    pub period: Placed<TimeSpan>,
}

/// Another rate again and again; in between the flow's `rate`, or nothing.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Burst {
    /// The rate of a burst.
    pub to: Placed<Rate>,
    /// How long each lasts.
    pub r#for: Placed<TimeSpan>,
    /// From the beginning of one to that of the next.
    pub every: Placed<TimeSpan>,
    /// When the first begins; at once where it is not said.
    pub at: Option<TimeSpan>,
}

/// A load that waits for its answers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Closed {
    /// Connections, each with one request under way.
    pub connections: Placed<u32>,
}
