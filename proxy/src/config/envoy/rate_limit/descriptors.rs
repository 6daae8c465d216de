//! Buckets of requests that are described alike.

use super::bucket;
use crate::config::envoy::message::Message;
use crate::config::envoy::schema::{LIMIT_DESCRIPTOR, LIMIT_ENTRY};
use crate::policy::LimitDescriptor;

/// Those of a limit; no two for the same description.
pub(super) fn own(limit: &Message<'_>) -> Vec<LimitDescriptor> {
    let mut descriptors: Vec<LimitDescriptor> = Vec::new();
    for written in limit.messages("descriptors", &LIMIT_DESCRIPTOR) {
        let entries = written.messages("entries", &LIMIT_ENTRY);
        if entries.is_empty() {
            written.at.error("`entries` is missing: it says which requests this is for");
        }
        written.require("token_bucket");
        let entries: Vec<_> =
            entries.iter().map(|entry| (entry.required_text("key"), entry.text("value").unwrap_or_default())).collect();
        if descriptors.iter().any(|other| other.entries == entries) {
            written.at.error("another descriptor has the same entries");
        }
        descriptors.extend(bucket(&written).map(|bucket| LimitDescriptor { entries, bucket }));
    }
    descriptors
}
