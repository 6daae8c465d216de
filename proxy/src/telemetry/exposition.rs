//! Numbers as people and scripts ask for them: Prometheus' text, Envoy's lines, JSON.

mod json;
mod plain;
mod prometheus;
#[cfg(test)]
mod tests;

use super::metrics::Sample;
pub(crate) use json::json;
pub(crate) use plain::plain;
pub(crate) use prometheus::prometheus;
use regex::Regex;

/// Quantiles of histograms.
const QUANTILES: [f64; 10] = [0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1.0];

/// Which numbers are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Those whose name, in Envoy's words, has this in it.
    pub filter: Option<Regex>,
    /// Those that are not 0.
    pub used_only: bool,
}

impl Wanted {
    fn of<'a>(&self, samples: &'a [Sample]) -> impl Iterator<Item = &'a Sample> {
        samples.iter().filter(|sample| {
            (!self.used_only || sample.value.is_used())
                && self.filter.as_ref().is_none_or(|filter| filter.is_match(&sample.name))
        })
    }
}
