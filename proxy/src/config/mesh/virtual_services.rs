//! Routing objects that a proxy obeys, in the order in which they win.

use super::delegation::without_delegates;
use super::export::{Seen, seen};
use super::host::{namespace, qualified};
use crate::config::objects::{HttpRule, Objects, VirtualService};

/// A routing object with its names made whole and its delegates' rules in place.
#[derive(Debug, Clone)]
pub(in crate::config) struct Bound<'o> {
    /// The object.
    pub object: &'o VirtualService,
    /// Its namespace.
    pub namespace: &'o str,
    /// Whole hosts.
    pub hosts: Vec<String>,
    /// Rules for requests, their hosts and gateways whole.
    pub rules: Vec<HttpRule>,
    gateways: Vec<String>,
}

impl<'o> Bound<'o> {
    /// An object, if it is no delegate.
    pub(in crate::config) fn of(object: &'o VirtualService, objects: &Objects) -> Option<Self> {
        if object.hosts.is_empty() {
            return None;
        }
        let namespace = namespace(&object.namespace);
        let gateways = if object.gateways.is_empty() {
            vec!["mesh".to_owned()]
        } else {
            object.gateways.iter().map(|name| whole_gateway(name, namespace)).collect()
        };
        let hosts = object.hosts.iter().map(|host| qualified(host, namespace)).collect();
        Some(Self { object, namespace, hosts, rules: without_delegates(object, objects), gateways })
    }

    /// `mesh`, and gateways as `namespace/name`.
    pub(super) fn gateways(&self) -> &[String] {
        &self.gateways
    }

    /// True if it is for this gateway, `mesh` or `namespace/name`.
    pub(in crate::config) fn is_bound_to(&self, gateway: &str) -> bool {
        self.gateways.iter().any(|name| name == gateway)
    }
}

/// The objects that a namespace sees: its own private ones, then those exported to it, then public ones; inside each the
/// oldest first.
pub(super) fn seen_from<'o>(objects: &'o Objects, from: &str) -> Vec<Bound<'o>> {
    let of = |group: Seen| {
        objects
            .virtual_services
            .iter()
            .filter(move |object| seen(&object.export_to, namespace(&object.namespace), from) == Some(group))
    };
    let ordered = of(Seen::Private).chain(of(Seen::Exported)).chain(of(Seen::Public));
    ordered.filter_map(|object| Bound::of(object, objects)).collect()
}

/// `mesh`, or a gateway with its namespace, which is the object's where none is written.
pub(in crate::config) fn whole_gateway(name: &str, in_namespace: &str) -> String {
    if name == "mesh" || name.contains('/') { name.to_owned() } else { format!("{in_namespace}/{name}") }
}
