//! The servers of all gateways that select a proxy, by port.

use super::super::host::{covers, namespace};
use super::super::scope::subset_of;
use super::super::view::View;
use super::super::virtual_services::Bound;
use crate::config::objects::{Gateway, GatewayServer};
use std::collections::BTreeMap;

/// A server with its gateway's name and its hosts taken apart.
#[derive(Debug)]
pub(in crate::config::mesh) struct Server<'o> {
    /// As it stands.
    pub written: &'o GatewayServer,
    /// `namespace/name` of its gateway.
    pub gateway: String,
    /// What it does.
    pub kind: Kind,
    /// Namespace of the objects that may route a host, none for all, and the host.
    pub hosts: Vec<(Option<String>, String)>,
}

/// What a server does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config::mesh) enum Kind {
    /// Requests in clear.
    Http,
    /// Requests in TLS.
    Https,
    /// Bytes.
    Tcp,
    /// Bytes in TLS.
    TlsToTcp,
    /// TLS, passed on as it is.
    Passthrough,
}

impl Server<'_> {
    /// Hosts that objects of a namespace may route.
    pub(super) fn hosts_for(&self, routing: &str) -> impl Iterator<Item = &str> {
        let open = self.hosts.iter().filter(move |(of, _)| of.as_deref().is_none_or(|of| of == routing));
        open.map(|(_, host)| host.as_str())
    }
}

/// The servers of each port. One that cannot share its port with those ahead of it, or repeats a host of theirs, is left out.
pub(super) fn by_port<'o>(view: &View<'o>) -> BTreeMap<u16, Vec<Server<'o>>> {
    let mut ports: BTreeMap<u16, Vec<Server<'o>>> = BTreeMap::new();
    let gateways = view.objects.gateways.iter();
    for gateway in gateways.filter(|gateway| subset_of(&gateway.selector, &view.site.node.labels)) {
        for written in &gateway.servers {
            let server = server(gateway, written);
            let others = ports.entry(written.port).or_default();
            if others.iter().all(|other| can_share(other, &server)) {
                others.push(server);
            }
        }
    }
    ports.retain(|_, servers| !servers.is_empty());
    ports
}

/// True if an object routes some host of a server that is for bytes.
pub(super) fn fits(server: &Server<'_>, bound: &Bound<'_>) -> bool {
    server
        .hosts_for(bound.namespace)
        .any(|open| bound.hosts.iter().any(|host| covers(open, host) || covers(host, open)))
}

fn server<'o>(gateway: &Gateway, written: &'o GatewayServer) -> Server<'o> {
    let home = namespace(&gateway.namespace);
    let name = format!("{home}/{}", gateway.name);
    let hosts = written.hosts.iter().map(|host| match host.split_once('/') {
        Some(("*", host)) => (None, host.to_ascii_lowercase()),
        Some((".", host)) => (Some(home.to_owned()), host.to_ascii_lowercase()),
        Some((namespace, host)) => (Some(namespace.to_owned()), host.to_ascii_lowercase()),
        None => (None, host.to_ascii_lowercase()),
    });
    Server { kind: kind(written), written, hosts: hosts.collect(), gateway: name }
}

fn kind(written: &GatewayServer) -> Kind {
    match (written.passthrough, written.terminates_tls, written.protocol.is_http()) {
        (true, _, _) => Kind::Passthrough,
        (false, true, true) => Kind::Https,
        (false, true, false) => Kind::TlsToTcp,
        (false, false, true) => Kind::Http,
        (false, false, false) => Kind::Tcp,
    }
}

/// Requests in clear share a port with each other, TLS with TLS for other hosts; nothing else does.
fn can_share(one: &Server<'_>, other: &Server<'_>) -> bool {
    let is_tls = |kind| matches!(kind, Kind::Https | Kind::TlsToTcp | Kind::Passthrough);
    let repeats = one.hosts.iter().any(|(_, host)| other.hosts.iter().any(|(_, known)| known == host));
    match (one.kind, other.kind) {
        (Kind::Http, Kind::Http) => true,
        (one, other) => is_tls(one) && is_tls(other) && !repeats,
    }
}
