//! Envoy's lines: a name and a value each, in order of names, histograms last.

use super::{QUANTILES, Wanted};
use crate::telemetry::metrics::{Sample, Value};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Numbers as `cluster.cart.upstream_rq_total: 5`, histograms as `P50(nan,12.5)`. What Envoy says of the last interval is `nan` here.
pub(crate) fn plain(samples: &[Sample], wanted: &Wanted) -> String {
    let mut numbers = BTreeMap::new();
    let mut histograms = BTreeMap::new();
    for sample in wanted.of(samples) {
        match &sample.value {
            Value::Counter(value) | Value::Gauge(value) => drop(numbers.insert(&sample.name, value.to_string())),
            Value::Histogram(summary) if summary.count() == 0 => {
                histograms.insert(&sample.name, "No recorded values".to_owned());
            }
            Value::Histogram(summary) => {
                let quantile = |share: &f64| format!("P{}(nan,{})", percent(*share), rounded(summary.quantile(*share)));
                let quantiles: Vec<_> = QUANTILES.iter().map(quantile).collect();
                histograms.insert(&sample.name, quantiles.join(" "));
            }
        }
    }
    let mut text = String::new();
    for (name, value) in numbers.into_iter().chain(histograms) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}: {value}");
    }
    text
}

/// 0.995 is 99.5.
pub(super) fn percent(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0
}

/// To thousandths.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
