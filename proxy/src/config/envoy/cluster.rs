//! Clusters.

use super::message::Message;
use super::reading::Said;
use super::schema::{CLUSTER, CONNECTION_OPTIONS, LB_SUBSET_SELECTOR, LB_SUBSETS, TCP_KEEPALIVE, TRANSPORT_SOCKET};
use super::{balance, breakers, discovery, endpoints, health_check, labels, outlier, tls, upstream_protocol};
use crate::policy::{
    Cluster, ConnectionOptions, Discovery, HealthProbe, LabelSubsets, OutlierDetection, ProtocolChoice, ServerNames,
    Sni, SubsetFallback, SubsetSelector, TcpKeepalive, UpstreamTls,
};
use std::time::Duration;

/// All clusters; no two have the same name.
pub(super) fn all(resources: &Message<'_>) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = Vec::new();
    for message in resources.messages("clusters", &CLUSTER) {
        let cluster = cluster(&message);
        if !cluster.name.is_empty() && clusters.iter().any(|other| other.name == cluster.name) {
            message.at.error(format!("another cluster is called `{}` too", cluster.name));
        }
        clusters.push(cluster);
    }
    clusters
}

fn cluster(message: &Message<'_>) -> Cluster {
    let name = message.required_text("name");
    let discovery = discovery::read(message);
    let assignment = endpoints::read(message, &discovery);
    let balancing = balance::read(message, &discovery);
    let mut connections = connections(message);
    let upstream = upstream_protocol::read(message, &mut connections);
    let tls = message.message("transport_socket", &TRANSPORT_SOCKET).and_then(|socket| tls::upstream(&socket));
    let (limits, high_limits) = breakers::read(message, &name);
    let health_checks = health_check::all(message);
    let by_grpc = health_checks.iter().any(|check| matches!(check.probe, HealthProbe::Grpc { .. }));
    if by_grpc && upstream.policy.choice == ProtocolChoice::Http1 {
        let said = Said::from("a check by gRPC needs HTTP/2");
        message
            .at
            .error(said.help("add `HttpProtocolOptions` with `explicit_http_config: {http2_protocol_options: {}}`"));
    }
    if upstream.policy.choice == ProtocolChoice::Alpn && tls.is_none() {
        message.at.error("`auto_config` chooses by ALPN, and there is no TLS to ask by: `transport_socket` is missing");
    }
    Cluster {
        localities: assignment.localities,
        overprovisioning: assignment.overprovisioning,
        // Endpoints that stand in a file are listed by nobody else: another file is another cluster.
        drop_unlisted_at_once: message.flag("ignore_health_on_host_removal") || discovery == Discovery::Static,
        discovery,
        balance: balancing.balance,
        locality_weighted: balancing.locality_weighted,
        panic_percent: balancing.panic_percent,
        slow_start: balancing.slow_start,
        subsets: message.message("lb_subset_config", &LB_SUBSETS).map(|subsets| label_subsets(&subsets)),
        merge_window: balancing.merge_window,
        ignore_unchecked: balancing.ignore_unchecked,
        close_on_change: balancing.close_on_change,
        limits,
        high_limits,
        connections,
        tls: tls.map(|tls| by_request(tls, &upstream)),
        protocol: upstream.policy,
        outlier: outlier::read(message).map(|outlier| OutlierDetection {
            error_statuses: OutlierDetection::failures(&upstream.failures),
            ..outlier
        }),
        health_checks,
        close_on_failed_check: message.flag("close_connections_on_host_health_failure"),
        origin: message.origin_with_fields(),
        ..Cluster::new(&name)
    }
}

/// `auto_sni` and `auto_san_validation`, which stand beside the protocol.
fn by_request(tls: UpstreamTls, upstream: &upstream_protocol::Upstream) -> UpstreamTls {
    UpstreamTls {
        sni: if upstream.auto_sni { Sni::FromHost } else { tls.sni },
        names: if upstream.auto_names { ServerNames::Sni } else { tls.names },
        ..tls
    }
}

fn connections(message: &Message<'_>) -> ConnectionOptions {
    let default = ConnectionOptions::default();
    let options = message.message("upstream_connection_options", &CONNECTION_OPTIONS);
    let keepalive = options.and_then(|options| options.message("tcp_keepalive", &TCP_KEEPALIVE));
    ConnectionOptions {
        connect_timeout: message.positive("connect_timeout").unwrap_or(default.connect_timeout),
        max_requests: message.count("max_requests_per_connection").filter(|most| *most > 0),
        tcp_keepalive: keepalive.map(|keepalive| {
            let seconds = |name| keepalive.count(name).map(|seconds| Duration::from_secs(u64::from(seconds)));
            TcpKeepalive {
                probes: keepalive.count("keepalive_probes"),
                time: seconds("keepalive_time"),
                interval: seconds("keepalive_interval"),
            }
        }),
        ..default
    }
}

fn label_subsets(subsets: &Message<'_>) -> LabelSubsets {
    let fallbacks = [
        ("NO_FALLBACK", 0, Some(SubsetFallback::None)),
        ("ANY_ENDPOINT", 1, Some(SubsetFallback::Any)),
        ("DEFAULT_SUBSET", 2, Some(SubsetFallback::Default)),
    ];
    let own = [
        ("NOT_DEFINED", 0, Some(None)),
        ("NO_FALLBACK", 1, Some(Some(SubsetFallback::None))),
        ("ANY_ENDPOINT", 2, Some(Some(SubsetFallback::Any))),
        ("DEFAULT_SUBSET", 3, Some(Some(SubsetFallback::Default))),
        ("KEYS_SUBSET", 4, None),
    ];
    let selectors = subsets.messages("subset_selectors", &LB_SUBSET_SELECTOR);
    let selector = |selector: &Message<'_>| SubsetSelector {
        keys: selector.texts("keys"),
        fallback: selector.choice("fallback_policy", &own).flatten(),
    };
    LabelSubsets {
        selectors: selectors.iter().map(selector).collect(),
        fallback: subsets.choice("fallback_policy", &fallbacks).unwrap_or_default(),
        default_subset: subsets.value("default_subset").map(labels::of_struct).unwrap_or_default(),
    }
}

/// True if endpoints may be names.
pub(super) fn by_name(discovery: &Discovery) -> bool {
    matches!(discovery, Discovery::StrictDns(_) | Discovery::LogicalDns(_))
}
