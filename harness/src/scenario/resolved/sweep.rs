//! The cells of a sweep.

use super::{Expectation, MeshMode};
use crate::load::wire::Protocol;
use crate::units::Rate;
use std::time::Duration;

/// Lists to combine; each cell is a short run.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// Rates; the lowest alone where the highest that holds is sought.
    pub rates: Vec<Rate>,
    /// In the place of rates.
    pub search: Option<Search>,
    /// Connections.
    pub connections: Vec<u32>,
    /// Mesh modes.
    pub modes: Vec<MeshMode>,
    /// What is spoken; None alone: as the flow does.
    pub protocols: Vec<Option<Protocol>>,
    /// Bytes of each request's body; None alone: as the flow has them.
    pub payloads: Vec<Option<u64>>,
    /// Rounds over all cells.
    pub blocks: u32,
    /// Before each cell is measured.
    pub warm_up: Duration,
    /// Measured in each cell.
    pub measure: Duration,
}

/// The highest rate that holds is sought.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// The highest rate that is tried; the lowest is that of the sweep.
    pub to: Rate,
    /// What must hold.
    pub limits: Vec<Expectation>,
    /// How long what was found is confirmed.
    pub confirm: Duration,
}

/// One combination.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Combination {
    /// Requests a second.
    pub rate: Rate,
    /// Connections.
    pub connections: u32,
    /// Mesh mode.
    pub mode: MeshMode,
    /// What is spoken, where the sweep says it.
    pub protocol: Option<Protocol>,
    /// Bytes of each request's body, where the sweep says it.
    pub payload: Option<u64>,
}

impl Sweep {
    /// Every combination once: what differs in its load alone stands together.
    pub fn combinations(&self) -> Vec<Combination> {
        let mut all = Vec::new();
        for protocol in &self.protocols {
            for payload in &self.payloads {
                for mode in &self.modes {
                    for connections in &self.connections {
                        for rate in &self.rates {
                            all.push(Combination {
                                rate: *rate,
                                connections: *connections,
                                mode: *mode,
                                protocol: *protocol,
                                payload: *payload,
                            });
                        }
                    }
                }
            }
        }
        all
    }

    /// About how many runs a search takes: to double, to halve, twice each, and to confirm.
    fn steps(&self) -> usize {
        let Some(search) = &self.search else { return 1 };
        let doublings = self.rates.first().map_or(0.0, |from| (search.to.0 / from.0).log2().clamp(0.0, 64.0));
        2 * (doublings.ceil() as usize + 5) + 1
    }

    /// Runs, over all blocks; of a search about so many.
    pub fn cells(&self) -> usize {
        self.rounds_of().saturating_mul(self.blocks as usize)
    }

    /// Runs of one block.
    fn rounds_of(&self) -> usize {
        let lists =
            [self.rates.len(), self.connections.len(), self.modes.len(), self.protocols.len(), self.payloads.len()];
        lists.into_iter().fold(self.steps(), usize::saturating_mul)
    }
}
