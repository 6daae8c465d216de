//! A bootstrap file: what every case shares, and the lines that one of them adds.

use std::fmt::Write;
use std::net::SocketAddr;

/// What a line of the access log says, in both.
const LOG: &str = "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL% %RESPONSE_CODE% flags=%RESPONSE_FLAGS% \
details=%RESPONSE_CODE_DETAILS% cluster=%UPSTREAM_CLUSTER% host=%UPSTREAM_HOST% route=%ROUTE_NAME% \
attempts=%UPSTREAM_REQUEST_ATTEMPT_COUNT% received=%BYTES_RECEIVED% sent=%BYTES_SENT% failure=%UPSTREAM_TRANSPORT_FAILURE_REASON%\\n";

/// Lines of a bootstrap, each in YAML's flow style.
#[derive(Debug, Clone, Default)]
pub(super) struct Bootstrap {
    pub(super) files: Vec<(&'static str, String)>,
    pub(super) top: Vec<String>,
    pub(super) listener: Vec<String>,
    pub(super) chain: Vec<String>,
    pub(super) manager: Vec<String>,
    pub(super) filters: Vec<(String, String)>,
    pub(super) router: String,
    pub(super) table: Vec<String>,
    pub(super) hosts: Vec<String>,
    pub(super) host: Vec<String>,
    pub(super) routes: Vec<String>,
    pub(super) action: String,
    pub(super) cluster: String,
    pub(super) clusters: Vec<(String, String, String)>,
    pub(super) tcp: Option<String>,
}

/// The short names of the HTTP filters, and their messages.
const FILTERS: [(&str, &str); 4] = [
    ("fault", "fault.v3.HTTPFault"),
    ("cors", "cors.v3.Cors"),
    ("local_ratelimit", "local_ratelimit.v3.LocalRateLimit"),
    ("health_check", "health_check.v3.HealthCheck"),
];

fn log() -> String {
    format!(
        "access_log: [{{name: file, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, \
         path: access.log, log_format: {{text_format_source: {{inline_string: \"{LOG}\"}}}}}}}}]"
    )
}

impl Bootstrap {
    /// The whole file. `backends`: names that stand for addresses, behind a `$`.
    pub(super) fn write(&self, backends: &[(String, SocketAddr)]) -> String {
        let mut text = self.lines(backends).expect("writing to a text does not fail");
        // Longer names first, so that no name is taken for the beginning of another.
        let mut backends = backends.to_vec();
        backends.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, address) in &backends {
            let socket = format!("{{socket_address: {{address: {}, port_value: {}}}}}", address.ip(), address.port());
            text = text.replace(&format!("${name}"), &socket);
        }
        text
    }

    fn lines(&self, backends: &[(String, SocketAddr)]) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        let anywhere = "{socket_address: {address: 127.0.0.1, port_value: 0}}";
        writeln!(text, "admin: {{address: {anywhere}}}")?;
        self.top.iter().try_for_each(|line| writeln!(text, "{line}"))?;
        writeln!(text, "static_resources:\n  listeners:\n  - name: in\n    address: {anywhere}")?;
        self.listener.iter().try_for_each(|line| writeln!(text, "    {line}"))?;
        writeln!(text, "    filter_chains:\n    - filters:")?;
        let message = "\"@type\": type.googleapis.com/envoy.extensions.filters";
        if let Some(tcp) = &self.tcp {
            writeln!(text, "      - name: envoy.filters.network.tcp_proxy\n        typed_config:")?;
            writeln!(text, "          {message}.network.tcp_proxy.v3.TcpProxy\n          stat_prefix: in")?;
            writeln!(text, "          {}\n          {tcp}", log())?;
        } else {
            writeln!(text, "      - name: envoy.filters.network.http_connection_manager\n        typed_config:")?;
            writeln!(text, "          {message}.network.http_connection_manager.v3.HttpConnectionManager")?;
            writeln!(text, "          stat_prefix: in\n          {}", log())?;
            self.manager.iter().try_for_each(|line| writeln!(text, "          {line}"))?;
            writeln!(text, "          http_filters:")?;
            for (name, fields) in &self.filters {
                let kind = FILTERS.iter().find(|(known, _)| known == name).expect("a filter that is known").1;
                writeln!(text, "          - name: envoy.filters.http.{name}")?;
                writeln!(text, "            typed_config: {{{message}.http.{kind}, {fields}}}")?;
            }
            writeln!(text, "          - name: envoy.filters.http.router")?;
            let router = if self.router.is_empty() { String::new() } else { format!(", {}", self.router) };
            writeln!(text, "            typed_config: {{{message}.http.router.v3.Router{router}}}")?;
            writeln!(text, "          route_config:\n            name: routes")?;
            self.table.iter().try_for_each(|line| writeln!(text, "            {line}"))?;
            writeln!(text, "            virtual_hosts:")?;
            self.hosts.iter().try_for_each(|host| writeln!(text, "            - {host}"))?;
            self.default_host(&mut text)?;
        }
        self.chain.iter().try_for_each(|line| writeln!(text, "      {line}"))?;
        if !backends.is_empty() {
            writeln!(text, "  clusters:")?;
        }
        let addresses: Vec<_> = backends.iter().map(|(name, _)| endpoint(name)).collect();
        if !backends.is_empty() && !self.clusters.iter().any(|(name, ..)| name == "cart") {
            let hosts = format!("[{{lb_endpoints: [{}]}}]", addresses.join(", "));
            cluster(&mut text, "cart", &hosts, &self.cluster)?;
        }
        for (name, hosts, fields) in &self.clusters {
            let hosts = if hosts.starts_with('[') {
                hosts.clone()
            } else {
                let addresses: Vec<_> = hosts.split_whitespace().map(endpoint).collect();
                format!("[{{lb_endpoints: [{}]}}]", addresses.join(", "))
            };
            cluster(&mut text, name, &hosts, fields)?;
        }
        Ok(text)
    }

    /// The host of all names, unless the case has hosts of its own.
    fn default_host(&self, text: &mut String) -> std::fmt::Result {
        if !self.hosts.is_empty() {
            return Ok(());
        }
        writeln!(text, "            - name: all\n              domains: [\"*\"]")?;
        self.host.iter().try_for_each(|line| writeln!(text, "              {line}"))?;
        writeln!(text, "              routes:")?;
        self.routes.iter().try_for_each(|route| writeln!(text, "              - {route}"))?;
        if self.routes.is_empty() {
            let action = if self.action.is_empty() { String::new() } else { format!(", {}", self.action) };
            writeln!(text, "              - {{match: {{prefix: /}}, route: {{cluster: cart{action}}}}}")?;
        }
        Ok(())
    }
}

fn endpoint(name: &str) -> String {
    format!("{{endpoint: {{address: ${name}}}}}")
}

fn cluster(text: &mut String, name: &str, hosts: &str, fields: &str) -> std::fmt::Result {
    let timeout = if fields.contains("connect_timeout") { "" } else { ", connect_timeout: 1s" };
    let fields = if fields.is_empty() { String::new() } else { format!(", {fields}") };
    // Where a client was going is an endpoint that nobody lists.
    let listed = if fields.contains("ORIGINAL_DST") {
        String::new()
    } else {
        format!(", load_assignment: {{cluster_name: {name}, endpoints: {hosts}}}")
    };
    writeln!(text, "  - {{name: {name}{timeout}{fields}{listed}}}")
}
