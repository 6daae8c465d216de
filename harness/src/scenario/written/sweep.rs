use super::{Mode, Placed, Reserved};
use crate::units::{Rate, TimeSpan};
use schemars::JsonSchema;
use serde::Deserialize;

/// Lists to combine; each cell is a short run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sweep {
    /// Rates; the flow's own where it is not said.
    pub rate: Option<Vec<Placed<Rate>>>,
    /// Numbers of connections; the flow's own where it is not said.
    pub connections: Option<Vec<Placed<u32>>>,
    /// Where the proxy stands; the mesh's own where it is not said.
    pub mode: Option<Vec<Placed<Mode>>>,
    /// How long each cell runs.
    pub each: Option<Cell>,
    /// Not obeyed yet.
    pub payload: Option<Reserved>,
}

/// How long each cell of a sweep runs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cell {
    /// Before it is measured; 1 s where it is not said.
    pub warm_up: Option<TimeSpan>,
    /// Measured; 4 s where it is not said.
    pub measure: Option<Placed<TimeSpan>>,
}
