//! Routing objects that name the same host for the same sidecars.

use super::finding;
use crate::config::mesh::{Bound, seen};
use squall_yaml::Finding;

/// Of each two objects of a host, the one that comes second.
pub(super) fn findings(bound: &[Bound<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let of_mesh: Vec<_> =
        bound.iter().filter(|bound| bound.is_bound_to("mesh") && !bound.object.http.is_empty()).collect();
    for (at, later) in of_mesh.iter().enumerate() {
        for (number, host) in later.hosts.iter().enumerate() {
            let rival = of_mesh.iter().take(at).find(|other| other.hosts.contains(host) && meet(other, later));
            let Some(rival) = rival else { continue };
            let written = later.object.hosts.get(number).map_or(host.as_str(), String::as_str);
            let place = later.object.host_places.get(number).copied().unwrap_or_default();
            let message = format!("`{written}` is routed by `{}/{}` already", rival.namespace, rival.object.name);
            let help = "sidecars take one of them whole: put the rules into one VirtualService, or delegate".to_owned();
            findings.push(finding("SQ0404", &later.object.origin, place, written, message, help));
        }
    }
    findings
}

/// True if some namespace sees both.
fn meet(one: &Bound<'_>, other: &Bound<'_>) -> bool {
    let named = one.object.export_to.iter().chain(&other.object.export_to).map(String::as_str);
    let mut namespaces = named.filter(|name| !matches!(*name, "." | "~")).chain([one.namespace, other.namespace]);
    namespaces.any(|from| {
        let sees = |bound: &Bound<'_>| seen(&bound.object.export_to, bound.namespace, from).is_some();
        sees(one) && sees(other)
    })
}
