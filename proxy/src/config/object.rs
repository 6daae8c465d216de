//! What all Kubernetes objects begin with.

use super::kinds::{self, Kind};
use super::problems::Problems;
use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use squall_yaml::{Document, Node, Place, suggest};
use std::collections::BTreeMap;

/// `apiVersion` and `kind`.
pub(super) struct Header {
    /// Its group; empty for Kubernetes' own.
    pub(super) group: String,
    version: String,
    /// Its kind.
    pub(super) kind: String,
    version_place: Place,
    kind_place: Place,
}

/// Groups that were renamed or are gone, and what their objects are called now.
const FORMER_GROUPS: [(&str, &str); 6] = [
    ("extensions", "apps"),
    ("networking.x-k8s.io", "gateway.networking.k8s.io"),
    ("config.istio.io", "networking.istio.io"),
    ("networking.istio.io.k8s.io", "networking.istio.io"),
    ("discovery", "discovery.k8s.io"),
    ("istio.io", "networking.istio.io"),
];

impl Header {
    /// Reads both; tells what is missing.
    pub(super) fn of(document: &Document, problems: &mut Problems<'_>) -> Option<Self> {
        let text = |name: &str| document.root.get(name).and_then(|node| Some((node.scalar()?.to_owned(), node.place)));
        let (Some((api_version, version_place)), Some((kind, kind_place))) = (text("apiVersion"), text("kind")) else {
            problems.error(
                document.place(),
                "this is no object: `apiVersion` or `kind` is missing",
                "policies are Istio and Kubernetes objects, as in the cluster",
            );
            return None;
        };
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", &api_version));
        Some(Self { group: group.to_owned(), version: version.to_owned(), kind, version_place, kind_place })
    }

    /// The kind, if it is one that is read, in a version that is read. Anything else is told, unless it may stay without effect.
    pub(super) fn known(&self, problems: &mut Problems<'_>) -> Option<&'static Kind> {
        match kinds::find(&self.group, &self.kind) {
            Some(kind) if kind.versions.contains(&self.version.as_str()) => Some(kind),
            Some(kind) => {
                self.wrong_version(kind, problems);
                None
            }
            None => {
                self.refuse_unless_accepted(problems);
                None
            }
        }
    }

    fn wrong_version(&self, kind: &Kind, problems: &mut Problems<'_>) {
        let written =
            if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) };
        let message = format!("`{written}` is no version of `{}`", kind.name);
        problems.error(self.version_place, message, format!("write `apiVersion: {}`", kind.api_version()));
    }

    /// Says that this kind is not read, and what is.
    fn refuse_unless_accepted(&self, problems: &mut Problems<'_>) {
        if problems.accepts(&self.kind, self.kind_place) {
            return;
        }
        let former =
            FORMER_GROUPS.iter().find(|(old, _)| *old == self.group).map_or(self.group.as_str(), |(_, new)| new);
        if let Some(kind) = kinds::find(former, &self.kind) {
            return self.wrong_version(kind, problems);
        }
        let names: Vec<&str> = kinds::ALL.iter().map(|kind| kind.name).collect();
        if let Some(kind) = kinds::ALL.iter().find(|kind| kind.name == self.kind) {
            let message = format!("objects of kind `{}` of group `{}` are not read", self.kind, self.group);
            return problems.error(self.version_place, message, format!("write `apiVersion: {}`", kind.api_version()));
        }
        let accept = format!("list `{}` under `accept-unsupported:` if it may stay without effect", self.kind);
        let help = match (kinds::instead_of(&self.kind), suggest(&self.kind, &names)) {
            (Some(""), _) => accept,
            (Some(instead), _) => format!("{instead}; or {accept}"),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => format!("these kinds are read: {}; {accept}", names.join(", ")),
        };
        problems.error(self.kind_place, format!("objects of kind `{}` are not read", self.kind), help);
    }

    /// The objects of a list, as `kubectl get -o yaml` prints it; none if this is no list.
    pub(super) fn items(&self, document: &Document) -> Option<Vec<Document>> {
        let of = self.kind.strip_suffix("List")?;
        let is_read = kinds::ALL.iter().any(|kind| kind.name == of) || kinds::instead_of(of).is_some();
        let items = document.root.get("items").filter(|_| of.is_empty() || is_read)?.list();
        Some(items.iter().map(|item| document.part(Self::completed(item, of, document))).collect())
    }

    /// Items of a list of one kind do not say again what they are.
    fn completed(item: &Node, of: &str, document: &Document) -> Node {
        let mut item = item.clone();
        if let squall_yaml::Value::Map(entries) = &mut item.value
            && !of.is_empty()
        {
            for (name, value) in
                [("kind", Some(of)), ("apiVersion", document.root.get("apiVersion").and_then(Node::scalar))]
            {
                if let Some(value) = value
                    && !entries.iter().any(|(key, _)| key.scalar() == Some(name))
                {
                    let text = |text: &str| Node {
                        place: item.place,
                        len: 1,
                        value: squall_yaml::Value::Text(text.to_owned()),
                    };
                    entries.push((text(name), text(value)));
                }
            }
        }
        item
    }
}

/// `metadata`, of which names, labels and a few annotations matter. Everything else there belongs to the cluster and says nothing about
/// traffic.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) name: String,
    namespace: Option<String>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
    creation_timestamp: Option<Created>,
}

impl Metadata {
    /// When a cluster took it in.
    pub(super) fn created(&self) -> Option<Timestamp> {
        self.creation_timestamp.map(|created| created.0)
    }

    /// Its namespace; `default` where it says none.
    pub(super) fn namespace(&self) -> String {
        self.namespace.clone().filter(|namespace| !namespace.is_empty()).unwrap_or_else(|| "default".to_owned())
    }
}

/// When a cluster took an object in, to the second.
#[derive(Debug, Clone, Copy)]
struct Created(Timestamp);

impl<'de> Deserialize<'de> for Created {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = text.parse().map(Self);
        read.map_err(|_| D::Error::custom(format_args!("`{text}` is no time: expected one like 2026-11-22T03:04:05Z")))
    }
}

/// An object: what all have, and what its kind has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Object<S> {
    #[serde(default)]
    pub(super) metadata: Metadata,
    pub(super) spec: S,
}

impl Metadata {
    /// Tells if the object has no name.
    pub(super) fn check(&self, document: &Document, problems: &mut Problems<'_>) {
        if self.name.is_empty() {
            problems.error(document.place(), "the object has no name", "add `metadata: {name: ...}`");
        }
    }
}
