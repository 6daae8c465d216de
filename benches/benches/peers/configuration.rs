//! What each proxy is told: the same work, in its own words.

use std::fmt::Write;
use std::net::SocketAddr;

/// What a request to the proxy is spoken in; endpoints are always spoken to in HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Retries, outlier detection, limits and active checks, the same file for Envoy and Squall: so many routes in front of the one that is
/// taken, and so many clusters.
pub(crate) fn bootstrap(
    listen: SocketAddr,
    admin: SocketAddr,
    endpoints: &[SocketAddr],
    protocol: Protocol,
    routes: usize,
    clusters: usize,
) -> String {
    let codec = match protocol {
        Protocol::Http1 => "HTTP1",
        Protocol::Http2 => "HTTP2",
    };
    let mut file = entrance(listen, admin, codec);
    file.push_str(
        "              retry_policy:
                retry_on: connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes
                retriable_status_codes: [503]
                num_retries: 2
                retry_host_predicate:
                - name: previous
                  typed_config: {\"@type\": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate}
              routes:
",
    );
    let mut lines = || -> std::fmt::Result {
        for route in 1..routes {
            let to = route % clusters;
            writeln!(file, "              - {{match: {{prefix: /r/{route}/}}, route: {{cluster: c{to}}}}}")?;
        }
        writeln!(file, "              - {{match: {{prefix: /}}, route: {{cluster: c0}}}}\n  clusters:")?;
        for cluster in 0..clusters {
            writeln!(file, "{}", self::cluster(&format!("c{cluster}"), endpoints, cluster == 0))?;
        }
        Ok(())
    };
    lines().expect("writing to a text does not fail");
    file
}

/// What heals in a comparison of losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Healing {
    /// Three failures in a row eject for 5 s.
    pub(crate) outliers: bool,
    /// Two more tries elsewhere, on these conditions besides 503 and what never reached an endpoint; each try takes 250 ms at most.
    pub(crate) retries: Option<&'static str>,
    /// Endpoints are asked for `/health` twice a second.
    pub(crate) checks: bool,
    /// So many requests at a time for all endpoints together.
    pub(crate) most_requests: Option<u32>,
}

impl Healing {
    /// Nothing but a time-out of 2 s.
    pub(crate) const NONE: Self = Self { outliers: false, retries: None, checks: false, most_requests: None };
    /// Outlier detection.
    pub(crate) const OUTLIERS: Self = Self { outliers: true, ..Self::NONE };
    /// Both of what most people have.
    pub(crate) const BOTH: Self = Self { retries: Some(""), ..Self::OUTLIERS };
}

/// A short file for losses under faults.
pub(crate) fn healing(listen: SocketAddr, admin: SocketAddr, endpoints: &[SocketAddr], healing: Healing) -> String {
    let outliers =
        "outlier_detection: {consecutive_5xx: 3, interval: 1s, base_ejection_time: 5s, max_ejection_percent: 100}";
    let retries = |further: &str| {
        format!(
            "retry_policy: {{retry_on: \"connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes{further}\", \
             retriable_status_codes: [503], num_retries: 2, per_try_timeout: 0.25s, host_selection_retry_max_attempts: 5, \
             retry_host_predicate: [{{name: previous, typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate}}}}]}}"
        )
    };
    let checks = "health_checks: [{timeout: 0.25s, interval: 0.5s, unhealthy_threshold: 2, healthy_threshold: 1, http_health_check: {path: /health}}]";
    let most =
        |requests: u32| format!("circuit_breakers: {{thresholds: [{{max_requests: {requests}, max_retries: 100}}]}}");
    let lb = endpoints.iter().map(|endpoint| format!("{{endpoint: {{address: {}}}}}", socket(*endpoint)));
    let entrance = entrance(listen, admin, "AUTO");
    format!(
        "{entrance}              {retries}
              routes: [{{match: {{prefix: /}}, route: {{cluster: cart, timeout: 2s}}}}]
  clusters:
  - name: cart
    type: STATIC
    connect_timeout: 1s
    {outliers}
    {checks}
    {most}
    common_lb_config: {{healthy_panic_threshold: {{value: 0}}}}
    load_assignment: {{cluster_name: cart, endpoints: [{{lb_endpoints: [{lb}]}}]}}
",
        retries = healing.retries.map(retries).unwrap_or_default(),
        outliers = if healing.outliers { outliers } else { "" },
        checks = if healing.checks { checks } else { "" },
        most = healing.most_requests.map(most).unwrap_or_default(),
        lb = lb.collect::<Vec<_>>().join(", "),
    )
}

/// The listener, down to its one virtual host.
fn entrance(listen: SocketAddr, admin: SocketAddr, codec: &str) -> String {
    format!(
        "admin: {{address: {admin}}}
static_resources:
  listeners:
  - name: in
    address: {listen}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          codec_type: {codec}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - name: all
              domains: [\"*\"]
",
        admin = socket(admin),
        listen = socket(listen),
    )
}

fn cluster(name: &str, endpoints: &[SocketAddr], checked: bool) -> String {
    let endpoints: Vec<_> =
        endpoints.iter().map(|endpoint| format!("{{endpoint: {{address: {}}}}}", socket(*endpoint))).collect();
    let checks = "health_checks: [{timeout: 1s, interval: 1s, unhealthy_threshold: 3, healthy_threshold: 1, http_health_check: {path: /}}]";
    format!(
        "  - name: {name}
    type: STATIC
    connect_timeout: 1s
    lb_policy: ROUND_ROBIN
    outlier_detection: {{consecutive_5xx: 5, interval: 1s, base_ejection_time: 5s, max_ejection_percent: 100}}
    circuit_breakers: {{thresholds: [{{max_connections: 10000, max_pending_requests: 10000, max_requests: 10000, max_retries: 1000}}]}}
    {checks}
    load_assignment: {{cluster_name: {name}, endpoints: [{{lb_endpoints: [{endpoints}]}}]}}",
        checks = if checked { checks } else { "" },
        endpoints = endpoints.join(", "),
    )
}

fn socket(address: SocketAddr) -> String {
    format!("{{socket_address: {{address: {}, port_value: {}}}}}", address.ip(), address.port())
}

/// The same in `HAProxy`'s words.
pub(crate) fn haproxy(listen: SocketAddr, endpoints: &[SocketAddr], protocol: Protocol) -> String {
    let proto = match protocol {
        Protocol::Http1 => "",
        Protocol::Http2 => " proto h2",
    };
    let mut file = format!(
        "global
  maxconn 4000
  nbthread 1
defaults
  mode http
  timeout connect 1s
  timeout client 1h
  timeout server 15s
  timeout http-keep-alive 1h
  retries 2
  retry-on conn-failure 503
  option redispatch
  http-reuse always
frontend in
  bind {listen}{proto}
  default_backend cart
backend cart
  balance roundrobin
  option httpchk GET /
"
    );
    for (at, endpoint) in endpoints.iter().enumerate() {
        writeln!(file, "  server s{at} {endpoint} check inter 1s observe layer7 error-limit 5 on-error mark-down")
            .expect("writing to a text does not fail");
    }
    file
}

/// `nginx` in front of the endpoints.
pub(crate) fn nginx(listen: SocketAddr, endpoints: &[SocketAddr], protocol: Protocol, folder: &str) -> String {
    let http2 = match protocol {
        Protocol::Http1 => "",
        Protocol::Http2 => " http2",
    };
    let servers = endpoints.iter().map(|endpoint| format!("    server {endpoint} max_fails=5 fail_timeout=5s;\n"));
    let servers = servers.collect::<Vec<_>>().concat();
    format!(
        "{}
http {{
  access_log off;
  keepalive_requests 1000000000;
  upstream cart {{
{servers}    keepalive 256;
    keepalive_requests 1000000000;
  }}
  server {{
    listen {listen}{http2};
    location / {{
      proxy_pass http://cart;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_set_header Host $http_host;
      proxy_next_upstream error timeout http_503;
      proxy_next_upstream_tries 3;
    }}
  }}
}}
",
        head(folder)
    )
}

/// `nginx` as the endpoints themselves: 1 KiB at once.
pub(crate) fn endpoints(listen: &[SocketAddr], folder: &str) -> String {
    let listen = listen.iter().map(|address| format!("    listen {address};\n")).collect::<Vec<_>>().concat();
    format!(
        "{}
http {{
  access_log off;
  keepalive_requests 1000000000;
  server {{
{listen}    location / {{ return 200 \"{}\"; }}
  }}
}}
",
        head(folder),
        "x".repeat(1024)
    )
}

fn head(folder: &str) -> String {
    format!(
        "daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 20000; }}"
    )
}
