//! Where a rule sends its requests.

use super::filter::{WrittenFilter, changes};
use super::parent::host;
use crate::config::names::is_label;
use crate::config::number::{Count, Port};
use crate::config::objects::{Backend, HttpAction, PlaceInFile, WeightedBackend};
use crate::config::problems::Problems;
use crate::policy::DirectResponse;
use serde::Deserialize;
use squall_yaml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackendRef {
    group: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    namespace: Option<String>,
    name: Spanned<String>,
    port: Option<Port>,
    weight: Option<Count>,
    #[serde(default)]
    filters: Vec<Spanned<WrittenFilter>>,
}

/// The service that is meant; none where it is something else.
pub(super) fn backend(written: &BackendRef, namespace: &str, problems: &mut Problems<'_>) -> Option<Backend> {
    let group = written.group.as_ref().map_or("", |group| &group.value);
    let kind = written.kind.as_ref().map_or("Service", |kind| &kind.value);
    let name = &written.name;
    let host = match (group, kind) {
        ("" | "core", "Service") if is_label(&name.value) => {
            host(&name.value, written.namespace.as_deref().unwrap_or(namespace), namespace)
        }
        ("networking.istio.io", "Hostname") => name.value.to_ascii_lowercase(),
        ("" | "core", "Service") => {
            problems.error(
                name.place,
                format!("`{}` can be no name of a Service", name.value),
                "its name alone, as `cart`",
            );
            return None;
        }
        _ => {
            let place = written.kind.as_ref().or(written.group.as_ref()).map_or(name.place, |written| written.place);
            problems.unsupported_value(place, kind.len(), "spec.rules.backendRefs.kind", &kind);
            return None;
        }
    };
    if written.port.is_none() {
        problems.error(name.place, "a backend needs its port", "as in `{name: cart, port: 80}`");
    }
    let port = written.port.map(|port| port.0);
    Some(Backend { host, port, subset: None, origin: PlaceInFile(name.place) })
}

/// Backends by their weights, 1 each where none is written. Where nobody takes anything, the answer is 500.
pub(super) fn action(written: &[Spanned<BackendRef>], namespace: &str, problems: &mut Problems<'_>) -> HttpAction {
    let mut to = Vec::new();
    for one in written {
        let weight = one.value.weight.map_or(1, |weight| weight.0);
        let headers = changes(&one.value.filters, true, problems);
        if let Some(backend) = backend(&one.value, namespace, problems).filter(|_| weight > 0) {
            to.push(WeightedBackend { to: backend, weight, headers });
        }
    }
    if to.is_empty() {
        return HttpAction::Direct(DirectResponse { status: 500, body: Vec::new() });
    }
    HttpAction::Route(to)
}
