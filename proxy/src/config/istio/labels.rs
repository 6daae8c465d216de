//! Labels of workloads, and selectors of them.

use crate::config::names::check_object_label;
use crate::config::pairs::Pairs;
use crate::config::problems::Problems;
use serde::Deserialize;
use squall_yaml::Keyed;
use std::collections::BTreeMap;

/// `workloadSelector` of an entry or a sidecar.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSelector {
    #[serde(default)]
    labels: Pairs<String>,
}

/// `workloadSelector` of a rule, which says the same by another word.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RuleSelector {
    #[serde(default)]
    match_labels: Pairs<String>,
}

impl AsRef<Pairs<String>> for WrittenSelector {
    fn as_ref(&self) -> &Pairs<String> {
        &self.labels
    }
}

impl AsRef<Pairs<String>> for RuleSelector {
    fn as_ref(&self) -> &Pairs<String> {
        &self.match_labels
    }
}

/// Labels whose keys and values can be such.
pub(super) fn labels(written: &Pairs<String>, problems: &mut Problems<'_>) -> BTreeMap<String, String> {
    for (key, value) in &written.0 {
        if let Err(bad) = check_object_label(&key.value, value) {
            problems.error(
                key.place,
                bad,
                "letters, digits and -_. inside, 63 at most; a key may have a domain and / ahead",
            );
        }
    }
    as_map(written)
}

fn as_map(written: &Pairs<String>) -> BTreeMap<String, String> {
    written.0.iter().map(|(key, value)| (key.value.clone(), value.clone())).collect()
}

/// The labels of a selector; one without any takes every workload of its namespace.
pub(super) fn selector<S: AsRef<Pairs<String>>>(
    written: Option<&Keyed<S>>,
    problems: &mut Problems<'_>,
) -> BTreeMap<String, String> {
    let Some(written) = written else { return BTreeMap::new() };
    let labels = written.value.as_ref();
    if labels.0.is_empty() {
        problems.warning(written.key, "a selector without labels takes every workload of the namespace", "");
    }
    for (key, value) in &labels.0 {
        if key.value.is_empty() || key.value.contains('*') || value.contains('*') {
            problems.error(key.place, "a selector has no empty keys and no wildcards", "write the label as it is");
        }
    }
    as_map(labels)
}
