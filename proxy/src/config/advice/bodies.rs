//! Retries of requests whose bodies are not kept.

use super::Advice;
use super::codes::BODIES_NOT_RETRIED;
use super::view::{View, Way};
use super::words::{Dialect, RETRIES};
use crate::policy::Pattern;

/// Methods whose requests have bodies.
const WITH_BODY: [&str; 3] = ["POST", "PUT", "PATCH"];

/// Where a route is for such methods; of other routes nobody knows what bodies they carry.
pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    view.ways.iter().filter(|way| way.retries()).filter_map(|way| one(view, way)).collect()
}

/// Not told where the route says how much is kept.
fn one(view: &View<'_>, way: &Way<'_>) -> Option<Advice> {
    if way.forward.buffer_limit.is_some() {
        return None;
    }
    let conditions = way.route.matches.headers.iter().filter(|header| header.name == ":method" && !header.invert);
    let methods = conditions.filter_map(|header| match &header.value.pattern {
        Pattern::Exact(method) => WITH_BODY.iter().find(|known| method == **known),
        Pattern::Regex(regex) => WITH_BODY.iter().find(|known| regex.is_match(known)),
        _ => None,
    });
    let method = methods.copied().next()?;
    let kept = way.listener.connection_buffer;
    let what = format!(
        "a {method} to {} with more than {} is tried once, whatever the retries say",
        view.names(way),
        bytes(kept)
    );
    let fix = match way.written.dialect {
        Dialect::Envoy => "request_body_buffer_limit: 16777216 # on the route: as much as is to be kept",
        Dialect::Istio | Dialect::GatewayApi => {
            "# Istio has no word for it but Envoy's own:\nkind: EnvoyFilter\nspec:\n  configPatches:\n    - applyTo: LISTENER\n      match: {context: SIDECAR_OUTBOUND}\n      patch: {operation: MERGE, value: {per_connection_buffer_limit_bytes: 16777216}}"
        }
    };
    Some(way.written.advise_at(&BODIES_NOT_RETRIED, &way.written.path(RETRIES), what, fix.to_owned()))
}

fn bytes(number: u32) -> String {
    match number {
        mib if mib >= 1 << 20 && mib.is_multiple_of(1 << 20) => format!("{} MiB", mib >> 20),
        kib if kib >= 1 << 10 && kib.is_multiple_of(1 << 10) => format!("{} KiB", kib >> 10),
        bytes => format!("{bytes} bytes"),
    }
}
