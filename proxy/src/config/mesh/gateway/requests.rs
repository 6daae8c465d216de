//! The route table of a gateway's servers.

use super::super::host::narrower;
use super::super::routes::{Entrance, matches_everything, routes};
use super::super::view::View;
use super::bound_to;
use super::servers::Server;
use crate::policy::{RouteTable, VirtualHost};
use std::collections::BTreeMap;

/// Routes of all objects that are bound to the servers. Those for one host stand behind each other, except that routes which match
/// everything come last. Without any host every request is answered 404.
pub(super) fn table(view: &View<'_>, port: u16, servers: &[&Server<'_>], name: &str) -> RouteTable {
    let mut hosts = BTreeMap::new();
    for server in servers {
        let entrance = Entrance { port, gateway: &server.gateway, tls: server.written.terminates_tls };
        let redirects = server.written.https_redirect;
        for bound in bound_to(view, server) {
            let routes = routes(view, bound, entrance);
            let mut shared: Vec<&str> = Vec::new();
            for open in server.hosts_for(bound.namespace) {
                shared.extend(bound.hosts.iter().filter_map(|host| narrower(open, host)));
            }
            shared.sort_unstable();
            shared.dedup();
            for domain in shared.into_iter().filter(|_| !routes.is_empty()) {
                let host = host_of(&mut hosts, domain, port);
                host.require_tls |= redirects;
                host.routes.extend(routes.iter().cloned());
                if host.origin.line == 0 {
                    host.origin = bound.object.origin.clone();
                }
            }
        }
        for (_, domain) in server.hosts.iter().filter(|_| redirects) {
            host_of(&mut hosts, domain, port).require_tls = true;
        }
    }
    for host in hosts.values_mut() {
        host.routes.sort_by_key(|route| matches_everything(&route.matches));
    }
    if hosts.is_empty() {
        host_of(&mut hosts, "*", port).name = format!("blackhole:{port}");
    }
    RouteTable { name: name.to_owned(), virtual_hosts: hosts.into_values().collect(), ignore_port_in_host: true }
}

fn host_of<'h>(hosts: &'h mut BTreeMap<String, VirtualHost>, domain: &str, port: u16) -> &'h mut VirtualHost {
    hosts.entry(domain.to_owned()).or_insert_with(|| VirtualHost {
        name: format!("{domain}:{port}"),
        domains: vec![domain.to_owned()],
        ..VirtualHost::default()
    })
}
