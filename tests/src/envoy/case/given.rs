//! What both sides are given: the bootstrap and the backends.

use super::Case;
use crate::envoy::script::{How, Part};

impl Case {
    /// A file beside the bootstrap.
    #[must_use]
    pub fn file(mut self, name: &'static str, text: &str) -> Self {
        self.bootstrap.files.push((name, text.to_owned()));
        self
    }

    /// A line at the top of the file.
    #[must_use]
    pub fn top(mut self, line: &str) -> Self {
        self.bootstrap.top.push(line.to_owned());
        self
    }

    /// A field of the listener.
    #[must_use]
    pub fn listener(mut self, line: &str) -> Self {
        self.bootstrap.listener.push(line.to_owned());
        self
    }

    /// A field of the filter chain.
    #[must_use]
    pub fn chain(mut self, line: &str) -> Self {
        self.bootstrap.chain.push(line.to_owned());
        self
    }

    /// Fields of the router.
    #[must_use]
    pub fn router(mut self, fields: &str) -> Self {
        fields.clone_into(&mut self.bootstrap.router);
        self
    }

    /// A field of the HTTP connection manager.
    #[must_use]
    pub fn manager(mut self, line: &str) -> Self {
        self.bootstrap.manager.push(line.to_owned());
        self
    }

    /// An HTTP filter before the router: `fault`, `cors`, `local_ratelimit` or `health_check`.
    #[must_use]
    pub fn filter(mut self, name: &str, fields: &str) -> Self {
        self.bootstrap.filters.push((name.to_owned(), fields.to_owned()));
        self
    }

    /// A field of the route table.
    #[must_use]
    pub fn table(mut self, line: &str) -> Self {
        self.bootstrap.table.push(line.to_owned());
        self
    }

    /// A virtual host; those of the case stand in place of the one that takes every name.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.bootstrap.hosts.push(host.to_owned());
        self
    }

    /// A field of the virtual host of all names.
    #[must_use]
    pub fn host_field(mut self, line: &str) -> Self {
        self.bootstrap.host.push(line.to_owned());
        self
    }

    /// A route of the virtual host of all names.
    #[must_use]
    pub fn route(mut self, route: &str) -> Self {
        self.bootstrap.routes.push(route.to_owned());
        self
    }

    /// Fields of the one route to `cart`.
    #[must_use]
    pub fn action(mut self, fields: &str) -> Self {
        fields.clone_into(&mut self.bootstrap.action);
        self
    }

    /// Fields of the cluster `cart`.
    #[must_use]
    pub fn cart(mut self, fields: &str) -> Self {
        fields.clone_into(&mut self.bootstrap.cluster);
        self
    }

    /// A cluster of its own: its endpoints by name, or as Envoy has them, and its fields.
    #[must_use]
    pub fn cluster(mut self, name: &str, endpoints: &str, fields: &str) -> Self {
        self.bootstrap.clusters.push((name.to_owned(), endpoints.to_owned(), fields.to_owned()));
        self
    }

    /// The listener passes bytes on, by these fields of a TCP proxy.
    #[must_use]
    pub fn tcp(mut self, fields: &str) -> Self {
        self.bootstrap.tcp = Some(fields.to_owned());
        self
    }

    /// A backend, and what it answers, one after another; the last for ever. `503`, `200 a: b; c: d << body`, `-` for no
    /// body, ` ++ a: b` for trailers; `close`, `reset`, `silence`, `echo`, `raw ...`, `stall ...`, `held ...`.
    #[must_use]
    pub fn backend(mut self, name: &str, plays: &[&str]) -> Self {
        self.parts.push(part(name, How::Http1, plays));
        self
    }

    /// The same in HTTP/2; it can also `refuse`, `cancel` and say `goodbye`.
    #[must_use]
    pub fn backend2(mut self, name: &str, plays: &[&str]) -> Self {
        self.parts.push(part(name, How::Http2, plays));
        self
    }

    /// An endpoint at which connections are refused.
    #[must_use]
    pub fn refusing(mut self, name: &str) -> Self {
        self.parts.push(part(name, How::Refuses, &[]));
        self
    }

    /// An endpoint at which nobody answers a connection.
    #[must_use]
    pub fn hanging(mut self, name: &str) -> Self {
        self.parts.push(part(name, How::Hangs, &[]));
        self
    }
}

fn part(name: &str, how: How, plays: &[&str]) -> Part {
    Part { name: name.to_owned(), plays: plays.iter().map(|play| (*play).to_owned()).collect(), how }
}
