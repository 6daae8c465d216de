//! `WorkloadEntry`, and the endpoints of a `ServiceEntry`, which are the same.

use super::labels::labels;
use super::place::{place, place_of_labels};
use crate::config::kinds;
use crate::config::names::{check_name, is_label};
use crate::config::number::Port;
use crate::config::object::Object;
use crate::config::objects::Workload;
use crate::config::pairs::Pairs;
use crate::config::problems::Problems;
use serde::Deserialize;
use squall_yaml::{Document, Keyed, Place, Spanned};
use std::net::IpAddr;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenWorkload {
    pub(super) address: Option<Keyed<String>>,
    #[serde(default)]
    pub(super) ports: Pairs<Port>,
    #[serde(default)]
    labels: Pairs<String>,
    #[serde(default)]
    locality: String,
    weight: Option<u32>,
    /// An identity, which says nothing about where traffic goes.
    #[serde(rename = "serviceAccount")]
    _service_account: Option<String>,
}

/// Reads a `WorkloadEntry`.
pub(in crate::config) fn workload_entry(document: &Document, problems: &mut Problems<'_>) -> Option<Workload> {
    let Object { metadata, spec } = problems.read::<Object<WrittenWorkload>>(document, &kinds::WORKLOAD_ENTRY)?;
    metadata.check(document, problems);
    // Of another network, through whose gateway it is reached; the field is told.
    let elsewhere = document.root.get("spec").is_some_and(|spec| spec.get("network").is_some());
    if elsewhere && spec.address.is_none() {
        return None;
    }
    let mut read = workload(&spec, document.place(), "spec.address", true, problems)?;
    for (key, value) in &metadata.labels {
        read.labels.entry(key.clone()).or_insert_with(|| value.clone());
    }
    Some(Workload { namespace: metadata.namespace(), name: metadata.name, ..read })
}

/// Reads one; `field` names its address, and `may_be_name` allows one that must be looked up.
pub(super) fn workload(
    written: &WrittenWorkload,
    at: Place,
    field: &str,
    may_be_name: bool,
    problems: &mut Problems<'_>,
) -> Option<Workload> {
    let Some(address) = written.address.as_ref().filter(|address| !address.value.is_empty()) else {
        problems.error(at, "`address` is missing", "add `address: 10.0.0.7`");
        return None;
    };
    if address.value.starts_with("unix://") {
        problems.unsupported_value(address.key, "address".len(), field, &address.value);
        return None;
    }
    if address.value.parse::<IpAddr>().is_err() {
        let bad = check_name(&address.value).err();
        if !may_be_name {
            let help = "with `resolution: STATIC` endpoints are addresses; `DNS` looks names up";
            problems.error(address.key, format!("`{}` is no IP address", address.value), help);
        } else if let Some(bad) = bad {
            problems.error(address.key, bad, "an IP address, or a whole name");
        }
    }
    for (name, _) in written.ports.0.iter().filter(|(name, _)| !is_label(&name.value)) {
        problems.error(
            name.place,
            format!("`{}` can be no name of a port", name.value),
            "letters, digits and dashes inside",
        );
    }
    let labels = labels(&written.labels, problems);
    Some(Workload {
        address: address.value.clone(),
        ports: written.ports.0.iter().map(|(name, port)| (name.value.clone(), port.0)).collect(),
        weight: written.weight.filter(|weight| *weight > 0).unwrap_or(1),
        place: if written.locality.is_empty() { place_of_labels(&labels) } else { place(&written.locality) },
        labels,
        origin: problems.origin(at),
        ..Workload::default()
    })
}

/// Ports of an endpoint are those of its service.
pub(super) fn check_ports(written: &Spanned<WrittenWorkload>, names: &[&str], problems: &mut Problems<'_>) {
    for (name, _) in written.value.ports.0.iter().filter(|(name, _)| !names.contains(&name.value.as_str())) {
        let help = format!("its ports are {}", names.join(", "));
        problems.error(name.place, format!("`{}` is no port of the entry", name.value), help);
    }
}
