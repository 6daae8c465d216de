//! `DestinationRule`.

use super::traffic_policy::{Blocks, WrittenPolicy};
use crate::config::object::{Metadata, origin};
use crate::config::problems::Problems;
use crate::policy::{DestinationRule, Subset};
use serde::Deserialize;
use squall_yaml::{Document, Spanned, Unsupported};
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Object {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    metadata: Metadata,
    spec: Spec,
    #[serde(rename = "status")]
    _status: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    host: Spanned<String>,
    traffic_policy: Option<WrittenPolicy>,
    #[serde(default)]
    subsets: Vec<WrittenSubset>,
    #[serde(rename = "exportTo")]
    _export_to: Option<Unsupported>,
    #[serde(rename = "workloadSelector")]
    _workload_selector: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenSubset {
    name: Spanned<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    traffic_policy: Option<WrittenPolicy>,
}

/// Reads one.
pub(in crate::config) fn destination_rule(document: &Document, problems: &mut Problems<'_>) -> Option<DestinationRule> {
    let object: Object = problems.read(document, "DestinationRule")?;
    let spec = object.spec;
    if spec.host.value.is_empty() || spec.host.value == "*" {
        problems.error(spec.host.place, "a rule needs a host of its own", "name the service, as in `host: cart`");
    }
    let written = spec.traffic_policy.unwrap_or_default();
    let blocks = Blocks::of(&written, problems);
    let port_policies = written
        .port_level_settings
        .iter()
        .map(|port| {
            // A port's settings replace the host's whole: blocks that it leaves out are the defaults.
            (port.port.number, Blocks::of_port(port, problems).resolve())
        })
        .collect();
    let mut subsets: Vec<Subset> = Vec::new();
    for written in spec.subsets {
        if subsets.iter().any(|subset| subset.name == written.name.value) {
            problems.error(written.name.place, format!("subset `{}` is defined twice", written.name.value), "");
            continue;
        }
        // Block by block: a block of the subset replaces the host's, never field by field.
        let own = written.traffic_policy.map(|policy| Blocks::of(&policy, problems)).unwrap_or_default();
        let policy = own.over(&blocks).resolve();
        subsets.push(Subset { name: written.name.value, labels: written.labels, policy });
    }
    Some(DestinationRule {
        name: object.metadata.name(),
        host: spec.host.value.to_ascii_lowercase(),
        policy: blocks.resolve(),
        port_policies,
        subsets,
        origin: origin(document, problems),
    })
}
