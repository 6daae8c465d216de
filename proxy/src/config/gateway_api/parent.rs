//! What a route belongs to: gateways, or services in the mesh.

use crate::config::names::check_host;
use crate::config::number::Port;
use crate::config::objects::{HttpRule, VirtualService};
use crate::config::problems::Problems;
use serde::Deserialize;
use squall_yaml::{Place, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ParentRef {
    group: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    namespace: Option<String>,
    name: Spanned<String>,
    section_name: Option<String>,
    port: Option<Port>,
}

/// What a parent is.
enum Parent {
    Gateway,
    Service,
}

/// The rules of a route for each of its parents. Hosts that are not said are all, and for a service its own.
pub(super) fn for_parents(
    route: &VirtualService,
    parents: &[Spanned<ParentRef>],
    hostnames: &[Spanned<String>],
    place: Place,
    problems: &mut Problems<'_>,
) -> Vec<VirtualService> {
    let mut hosts = Vec::new();
    for name in hostnames {
        if let Err(bad) = check_host(&name.value)
            .and_then(|()| if name.value == "*" { Err("`*` is no host name".to_owned()) } else { Ok(()) })
        {
            problems.error(name.place, bad, "a name, or `*.suffix`; leave `hostnames` out for all");
        }
        hosts.push(name.value.to_ascii_lowercase());
    }
    if parents.is_empty() {
        problems.warning(place, "a route without `parentRefs` belongs to nothing", "add `parentRefs: [{name: edge}]`");
    }
    let mut all = Vec::new();
    for written in parents {
        let parent = &written.value;
        let namespace = parent.namespace.as_deref().unwrap_or(&route.namespace);
        let Some(kind) = kind(parent, problems) else { continue };
        let own = match kind {
            Parent::Gateway => VirtualService {
                gateways: vec![format!("{namespace}/{}", parent.name.value)],
                hosts: if hosts.is_empty() { vec!["*".to_owned()] } else { hosts.clone() },
                section: parent.section_name.clone().unwrap_or_default(),
                ..route.clone()
            },
            Parent::Service => VirtualService {
                gateways: vec!["mesh".to_owned()],
                hosts: vec![host(&parent.name.value, namespace, &route.namespace)],
                ..route.clone()
            },
        };
        all.push(VirtualService { http: at_port(own.http, parent.port), ..own });
    }
    all
}

fn kind(parent: &ParentRef, problems: &mut Problems<'_>) -> Option<Parent> {
    let group = parent.group.as_ref().map_or("gateway.networking.k8s.io", |group| &group.value);
    let kind = parent.kind.as_ref().map_or("Gateway", |kind| &kind.value);
    match (group, kind) {
        ("gateway.networking.k8s.io", "Gateway") => Some(Parent::Gateway),
        ("" | "core", "Service") => Some(Parent::Service),
        _ => {
            let place =
                parent.kind.as_ref().or(parent.group.as_ref()).map_or(parent.name.place, |written| written.place);
            problems.unsupported_value(place, kind.len(), "spec.parentRefs.kind", &kind);
            None
        }
    }
}

/// The host of a service, seen from a namespace.
pub(super) fn host(service: &str, namespace: &str, from: &str) -> String {
    let service = service.to_ascii_lowercase();
    if namespace == from { service } else { format!("{service}.{namespace}.svc.cluster.local") }
}

/// Rules for one port of the parent.
fn at_port(mut rules: Vec<HttpRule>, port: Option<Port>) -> Vec<HttpRule> {
    if let Some(port) = port {
        for block in rules.iter_mut().flat_map(|rule| &mut rule.matches) {
            block.port = Some(port.0);
        }
    }
    rules
}
