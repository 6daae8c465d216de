use super::{Action, Fault, Placed};
use crate::units::TimeSpan;
use schemars::JsonSchema;
use serde::Deserialize;

/// A stretch of the timeline.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Phase {
    /// Its name, by which `expect` knows it.
    pub phase: Placed<String>,
    /// How long.
    pub r#for: Placed<TimeSpan>,
    /// What breaks in it; several act together.
    #[serde(default)]
    pub faults: Vec<Placed<Fault>>,
    /// What is done in it on purpose.
    #[serde(default)]
    pub r#do: Vec<Placed<Action>>,
}
