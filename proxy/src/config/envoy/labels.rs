//! Labels of endpoints: what stands under `envoy.lb` in metadata.

use super::message::Message;
use super::schema::METADATA;
use super::written::Written;
use std::collections::BTreeMap;

/// The labels in a field with metadata. Metadata for others than the balancer says nothing about where requests go.
pub(super) fn of_metadata(message: &Message<'_>, name: &str) -> BTreeMap<String, String> {
    let Some(metadata) = message.message(name, &METADATA) else { return BTreeMap::new() };
    let entries = metadata.entries("filter_metadata");
    let labels = entries.iter().find(|(filter, _)| *filter == "envoy.lb");
    labels.map(|(_, labels)| of_struct(labels)).unwrap_or_default()
}

/// A flat map of texts. Numbers and truth values are labels as they are written.
pub(super) fn of_struct(written: &Written<'_>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (key, value) in written.entries() {
        match value.node.scalar() {
            Some(text) => {
                labels.insert(key.to_owned(), text.to_owned());
            }
            None => value.refuse("a label that is a list or a map"),
        }
    }
    labels
}
