//! What all Kubernetes objects begin with.

use super::problems::Problems;
use crate::policy::Origin;
use serde::Deserialize;
use squall_yaml::{Document, Place, suggest};
use std::collections::BTreeMap;

/// Kinds that are read, as group and kind.
const KINDS: [(&str, &str); 6] = [
    ("networking.istio.io", "VirtualService"),
    ("networking.istio.io", "DestinationRule"),
    ("", "Service"),
    ("apps", "Deployment"),
    ("discovery.k8s.io", "EndpointSlice"),
    ("squall.dev", "HealthCheck"),
];

/// `apiVersion` and `kind`.
pub(super) struct Header {
    pub(super) group: String,
    pub(super) kind: String,
    place: Place,
}

impl Header {
    /// Reads both; tells what is missing.
    pub(super) fn of(document: &Document, problems: &mut Problems<'_>) -> Option<Self> {
        let text = |name: &str| document.root.get(name).and_then(|node| Some((node.scalar()?.to_owned(), node.place)));
        let (Some((version, _)), Some((kind, place))) = (text("apiVersion"), text("kind")) else {
            problems.error(
                document.place(),
                "this is no object: `apiVersion` or `kind` is missing",
                "policies are Istio and Kubernetes objects, as in the cluster",
            );
            return None;
        };
        let group = version.rsplit_once('/').map_or("", |(group, _)| group).to_owned();
        Some(Self { group, kind, place })
    }

    /// Says that this kind is not read, and what is; unless it may stay without effect.
    pub(super) fn refuse_unless_accepted(&self, problems: &mut Problems<'_>) {
        if problems.accepts(&self.kind, self.place) {
            return;
        }
        let kinds: Vec<&str> = KINDS.iter().map(|(_, kind)| *kind).collect();
        let help = match suggest(&self.kind, &kinds) {
            Some(near) if near == self.kind => {
                let group = KINDS.iter().find(|(_, kind)| *kind == near).map_or("", |(group, _)| group);
                format!("`{near}` is of group `{}`", if group.is_empty() { "v1" } else { group })
            }
            Some(near) => format!("is `{near}` meant?"),
            None => format!(
                "these kinds are read: {}; list `{}` under `accept-unsupported:` if it may stay without effect",
                kinds.join(", "),
                self.kind
            ),
        };
        problems.error(self.place, format!("objects of kind `{}` are not read", self.kind), help);
    }
}

/// `metadata`, of which names and labels matter. Everything else there belongs to the cluster and says nothing about traffic.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Metadata {
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
}

impl Metadata {
    pub(super) fn name(&self) -> String {
        self.name.clone().unwrap_or_default()
    }
}

/// Where an object stands.
pub(super) fn origin(document: &Document, problems: &Problems<'_>) -> Origin {
    Origin { file: problems.file(), line: document.place().line }
}
