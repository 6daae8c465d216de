//! The same as JSON, in Envoy's form.

use super::plain::{percent, rounded};
use super::{QUANTILES, Wanted};
use crate::telemetry::metrics::{Sample, Value};
use serde_json::json;
use std::collections::BTreeMap;

/// `{"stats": [{"name": …, "value": …}, …, {"histograms": …}]}`. What Envoy says of the last interval is null here.
pub(crate) fn json(samples: &[Sample], wanted: &Wanted) -> serde_json::Value {
    let mut numbers = BTreeMap::new();
    let mut histograms = BTreeMap::new();
    for sample in wanted.of(samples) {
        match &sample.value {
            Value::Counter(value) | Value::Gauge(value) => {
                numbers.insert(&sample.name, json!({"name": sample.name, "value": value}));
            }
            Value::Histogram(summary) => {
                let known = summary.count() > 0;
                let quantile = |share: &f64| {
                    let value = known.then(|| rounded(summary.quantile(*share)));
                    json!({"interval": null, "cumulative": value})
                };
                let values: Vec<_> = QUANTILES.iter().map(quantile).collect();
                histograms.insert(&sample.name, json!({"name": sample.name, "values": values}));
            }
        }
    }
    let mut stats: Vec<_> = numbers.into_values().collect();
    if !histograms.is_empty() {
        let computed: Vec<_> = histograms.into_values().collect();
        let supported = QUANTILES.map(percent);
        stats.push(json!({"histograms": {"supported_quantiles": supported, "computed_quantiles": computed}}));
    }
    json!({"stats": stats})
}
