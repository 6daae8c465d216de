//! Envoy bootstraps for tests: one listener in front of the cluster `cart`, and what is special about it.

use std::net::SocketAddr;

/// What is special about a bootstrap, each a list of fields in YAML's flow style, without braces; empty where nothing is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bootstrap<'a> {
    /// Of the bootstrap itself.
    pub top: &'a str,
    /// Of the listener.
    pub listener: &'a str,
    /// Of its filter chain.
    pub chain: &'a str,
    /// Of the HTTP connection manager.
    pub manager: &'a str,
    /// Filters ahead of the router: entries of a list.
    pub filters: &'a str,
    /// Of the virtual host.
    pub host: &'a str,
    /// Of the route.
    pub route: &'a str,
    /// Of the route's action.
    pub action: &'a str,
    /// Of the cluster.
    pub cluster: &'a str,
    /// The whole list of chains, instead of the one.
    pub chains: &'a str,
}

impl Bootstrap<'_> {
    /// The whole file, with these endpoints of the cluster.
    #[must_use]
    pub fn text(&self, endpoints: &[SocketAddr]) -> String {
        let endpoints: Vec<String> = endpoints.iter().map(|at| endpoint(*at)).collect();
        let chain = format!("{{{}filters: [{}]}}", ended(self.chain), self.manager());
        let chains = if self.chains.is_empty() { &chain } else { self.chains };
        format!(
            "admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}}}\n{}\nstatic_resources:\n  listeners:\n  - {{name: in, address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}, {}filter_chains: [{chains}]}}\n  clusters:\n  - {{name: cart, {}connect_timeout: 5s, load_assignment: {{cluster_name: cart, endpoints: [{{lb_endpoints: [{}]}}]}}}}\n",
            self.top,
            ended(self.listener),
            ended(self.cluster),
            endpoints.join(", ")
        )
    }

    /// The manager alone, as an entry of a list of network filters.
    #[must_use]
    pub fn manager(&self) -> String {
        let route =
            format!("{{match: {{prefix: /}}, {}route: {{{}cluster: cart}}}}", ended(self.route), ended(self.action));
        format!(
            "{{name: http, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, stat_prefix: in, {}\
             route_config: {{virtual_hosts: [{{name: all, domains: [\"*\"], {}routes: [{route}]}}]}}, \
             http_filters: [{}{{name: router, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]}}}}",
            ended(self.manager),
            ended(self.host),
            ended(self.filters)
        )
    }
}

/// One endpoint.
#[must_use]
pub fn endpoint(at: SocketAddr) -> String {
    format!("{{endpoint: {{address: {{socket_address: {{address: {}, port_value: {}}}}}}}}}", at.ip(), at.port())
}

fn ended(fields: &str) -> String {
    if fields.is_empty() { String::new() } else { format!("{fields}, ") }
}
