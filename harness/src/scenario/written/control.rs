use super::{Placed, Policy};
use schemars::JsonSchema;
use serde::Deserialize;

/// The same run with healing taken out, or under other policies.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Control {
    /// What is taken out: `retries`, `outlier-detection`, `active-checks`, `timeouts`, `breakers`, `restart`, `rollback`, `last-good`.
    pub without: Option<Placed<Vec<Placed<String>>>>,
    /// Policies that take the place of the scenario's own: files, folders, or objects in line.
    pub policies: Option<Placed<Vec<Placed<Policy>>>>,
    /// Expectations that it must miss, by id such as `outage.success`; every `success` and `lost` of a phase with a fault or
    /// an action where it is not said.
    pub fails: Option<Placed<Vec<Placed<String>>>>,
    /// How far it runs; to the end of the last phase with a fault or an action where it is not said.
    pub until: Option<Until>,
}

/// How far a control runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// To the end of the last phase with a fault or an action.
    Outage,
    /// To the end of the timeline.
    End,
}
