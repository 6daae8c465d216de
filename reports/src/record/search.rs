//! How the highest rate that holds was sought.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A search: in one mode, over one number of connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Search {
    /// Mesh mode.
    pub mode: String,
    /// Connections of the load.
    pub connections: u32,
    /// What the sweep varies besides: `http2, bodies of 1024 B`; empty where nothing is.
    pub spoken: String,
    /// The lowest rate that was to be tried, requests a second.
    pub from: f64,
    /// The highest.
    pub to: f64,
    /// What had to hold, as written.
    pub holds: Vec<String>,
    /// The highest rate that held; none if not even the lowest did.
    pub highest: Option<f64>,
    /// The lowest rate that did not hold; none if all did.
    pub broken: Option<f64>,
    /// The rate that held for longer, a little below.
    pub confirmed: Option<f64>,
    /// The generator could do no more, so that the target may.
    pub limited: bool,
    /// Everything that was tried, in order.
    pub steps: Vec<Step>,
}

impl fmt::Display for Search {
    /// `client, 16 connections, http2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} connections", self.mode, self.connections)?;
        if self.spoken.is_empty() { Ok(()) } else { write!(f, ", {}", self.spoken) }
    }
}

/// A rate that was tried once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// Requests a second.
    pub rate: f64,
    /// Which run at this rate, from 1.
    pub run: u32,
    /// It confirms what was found, for longer.
    pub confirms: bool,
    /// How it went.
    pub outcome: Outcome,
    /// What did not hold, or why nothing can be said.
    pub why: Option<String>,
}

/// How a try at a rate went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything held.
    Held,
    /// A limit was missed.
    Broken,
    /// The generator could not send as it was asked to.
    Limited,
}
