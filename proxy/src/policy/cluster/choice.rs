//! Which endpoint is picked.

use crate::policy::words::told;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Which endpoint is picked.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Balance {
    /// The one with the fewest requests under way of some that are drawn with replacement; by weight and load where weights differ.
    LeastRequest {
        /// How many are drawn; 2.
        choices: u32,
        /// How much load counts against weight; 1.0.
        active_bias: f64,
    },
    /// One after the other, from a random start, by weight.
    RoundRobin,
    /// Any, whatever the weights.
    Random,
    /// By hash, on a ring.
    RingHash {
        /// Entries at least; 1024.
        min_size: u64,
        /// And at most; 8,388,608.
        max_size: u64,
    },
    /// By hash, in a table.
    Maglev {
        /// Its size, a prime; 65,537.
        table_size: u64,
    },
}

impl Balance {
    /// Istio's default.
    pub const LEAST_REQUEST: Self = Self::LeastRequest { choices: 2, active_bias: 1.0 };

    /// True if it picks by hash.
    pub fn hashes(&self) -> bool {
        matches!(self, Self::RingHash { .. } | Self::Maglev { .. })
    }
}

/// Endpoints that have just come take less at first: weight times max(least, (age / window) ^ (1 / aggression)).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SlowStart {
    /// How long an endpoint is new.
    #[serde(serialize_with = "told::time")]
    pub window: Duration,
    /// 1.0 is a straight line.
    pub aggression: f64,
    /// Least share, in percent; 10.
    #[serde(serialize_with = "told::percent")]
    pub min_percent: f64,
}

/// Subsets that routes choose by labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LabelSubsets {
    /// Sets of keys that make subsets.
    pub selectors: Vec<SubsetSelector>,
    /// Where a route asks for one that there is not, and its selector does not say.
    pub fallback: SubsetFallback,
    /// Labels of the default subset.
    pub default_subset: BTreeMap<String, String>,
}

/// Keys of labels that make subsets together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SubsetSelector {
    /// The keys.
    pub keys: Vec<String>,
    /// Where there is no such subset.
    pub fallback: Option<SubsetFallback>,
}

/// What is used where there is no such subset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubsetFallback {
    /// Nothing: 503 UH.
    #[default]
    None,
    /// Any endpoint.
    Any,
    /// The default subset.
    Default,
}
