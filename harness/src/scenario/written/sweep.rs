use super::{Metrics, Mode, Placed, Protocol};
use crate::units::{Bytes, Rate, TimeSpan};
use schemars::JsonSchema;
use serde::Deserialize;

/// Lists to combine; each cell is a short run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sweep {
    /// Rates; the flow's own where it is not said.
    pub rate: Option<Vec<Placed<Rate>>>,
    /// In the place of rates: the highest one that holds is sought, for every combination of the rest.
    pub search: Option<Placed<Search>>,
    /// Numbers of connections; the flow's own where it is not said.
    pub connections: Option<Vec<Placed<u32>>>,
    /// Where the proxy stands; the mesh's own where it is not said.
    pub mode: Option<Vec<Placed<Mode>>>,
    /// Sizes of each request's body; the flow's own where it is not said.
    pub payload: Option<Vec<Placed<Bytes>>>,
    /// What is spoken, `http1` or `http2`; the flow's own where it is not said.
    pub protocol: Option<Vec<Placed<Protocol>>>,
    /// How long each cell runs.
    pub each: Option<Cell>,
    /// How often all cells are run, each time in an order of its own; once where it is not said.
    pub blocks: Option<Placed<u32>>,
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

/// The highest rate that holds.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Search {
    /// The lowest rate that is tried.
    pub from: Placed<Rate>,
    /// The highest.
    pub to: Placed<Rate>,
    /// What must hold, as in `{p99: "<= 20ms", success: ">= 99%"}`.
    #[serde(rename = "while")]
    pub holds: Placed<Metrics>,
    /// How long what was found is confirmed, a little below; four times as long as it is measured where it is not said.
    pub confirm: Option<Placed<TimeSpan>>,
}
