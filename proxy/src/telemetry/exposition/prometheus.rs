//! Prometheus' text.

use super::Wanted;
use crate::telemetry::metrics::{Sample, Value};
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// Numbers under the names that Envoy and Istio give them; those of a name stand together.
pub(crate) fn prometheus(samples: &[Sample], wanted: &Wanted) -> String {
    let mut families = BTreeMap::<(u8, &str), Vec<&Sample>>::new();
    for sample in wanted.of(samples) {
        families.entry((rank(&sample.value), &sample.family)).or_default().push(sample);
    }
    let mut text = String::new();
    for ((rank, family), mut samples) in families {
        samples.sort_by_key(|sample| &sample.labels);
        // Writing to a string cannot fail.
        let _ = write_family(&mut text, family, ["counter", "gauge", "histogram"][usize::from(rank)], &samples);
    }
    text
}

/// Counters, then gauges, then histograms.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Counter(_) => 0,
        Value::Gauge(_) => 1,
        Value::Histogram(_) => 2,
    }
}

fn write_family(text: &mut String, family: &str, kind: &str, samples: &[&Sample]) -> fmt::Result {
    writeln!(text, "# TYPE {family} {kind}")?;
    for sample in samples {
        let labels = &sample.labels;
        match &sample.value {
            Value::Counter(value) | Value::Gauge(value) => writeln!(text, "{family}{{{labels}}} {value}")?,
            Value::Histogram(summary) => {
                for (bound, count) in summary.cumulative() {
                    writeln!(text, "{family}_bucket{{{labels},le=\"{bound}\"}} {count}")?;
                }
                let count = summary.count();
                writeln!(text, "{family}_bucket{{{labels},le=\"+Inf\"}} {count}")?;
                writeln!(text, "{family}_sum{{{labels}}} {}", summary.sum())?;
                writeln!(text, "{family}_count{{{labels}}} {count}")?;
            }
        }
    }
    Ok(())
}
