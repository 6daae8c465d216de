//! From an authority and a path to a route, over all virtual hosts of a table.

use super::{Hosts, Table};
use crate::filter::conditions::Asked;
use crate::policy::{RouteMatch, RouteTable};

/// A route table, ready for requests; its hosts and routes are known by their numbers.
#[derive(Debug)]
pub(crate) struct Directory {
    hosts: Hosts<usize>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    table: Table,
    require_tls: bool,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By this route of this host.
    Route {
        /// Of the table.
        host: usize,
        /// Of the host.
        route: usize,
    },
    /// It has to come again by TLS.
    ToTls,
}

impl Directory {
    /// Of a table.
    pub(crate) fn new(routes: &RouteTable) -> Self {
        let mut hosts = Hosts::new(routes.ignore_port_in_host);
        for (at, host) in routes.virtual_hosts.iter().enumerate() {
            host.domains.iter().for_each(|domain| hosts.add(domain, at));
        }
        let entry = |host: &crate::policy::VirtualHost| Entry {
            table: Table::new(host.routes.iter().map(|route| &route.matches)),
            require_tls: host.require_tls,
        };
        Self { hosts, entries: routes.virtual_hosts.iter().map(entry).collect() }
    }

    /// The virtual host that an authority means.
    pub(crate) fn host(&self, authority: &str) -> Option<usize> {
        self.hosts.find(authority).copied()
    }

    /// The way of a request; `conditions` are those of a route of a host. None: no host, or none of its routes, matches.
    pub(crate) fn find<'c>(
        &self,
        asked: &Asked<'_>,
        secure: bool,
        conditions: impl Fn(usize, usize) -> Option<&'c RouteMatch>,
    ) -> Option<Way> {
        let host = self.host(asked.authority)?;
        let entry = self.entries.get(host)?;
        if entry.require_tls && !secure {
            return Some(Way::ToTls);
        }
        let satisfied = |route| conditions(host, route).is_some_and(|conditions| asked.satisfies(conditions));
        let route = entry.table.find(asked.path, satisfied)?;
        Some(Way::Route { host, route })
    }
}
