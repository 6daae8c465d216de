//! Filter chains: which connections, whether TLS is ended, and who serves them.

use super::any::Extensions;
use super::message::Message;
use super::reading::Said;
use super::schema::{FILTER_CHAIN_MATCH, HTTP_MANAGER, NETWORK_FILTER, TCP_PROXY};
use super::{address, http_manager, tcp_proxy, tls};
use crate::policy::{ChainMatch, FilterChain, Handler, TransportProtocol};

const NETWORK_FILTERS: Extensions = Extensions {
    known: &[&HTTP_MANAGER, &TCP_PROXY],
    package: "envoy.extensions.filters.network.",
    others: "connection_limit direct_response dubbo_proxy dynamic_modules echo ext_authz ext_proc generic_proxy geoip \
        local_ratelimit mongo_proxy ratelimit rbac redis_proxy reverse_tunnel set_filter_state sni_cluster \
        sni_dynamic_forward_proxy thrift_proxy wasm zookeeper_proxy",
};

/// A chain; none if nobody serves its connections.
pub(super) fn read(chain: &Message<'_>) -> Option<FilterChain> {
    let matches = chain.message("filter_chain_match", &FILTER_CHAIN_MATCH).map(|matches| chain_match(&matches));
    let tls = chain.message("transport_socket", &super::schema::TRANSPORT_SOCKET).and_then(|it| tls::downstream(&it));
    let handler = handler(chain);
    Some(FilterChain {
        name: chain.text("name").unwrap_or_default(),
        matches: matches.unwrap_or_default(),
        tls,
        handler: handler?,
        origin: chain.origin(),
    })
}

fn chain_match(matches: &Message<'_>) -> ChainMatch {
    let transport = matches.value("transport_protocol").and_then(|value| match value.text()? {
        "tls" => Some(TransportProtocol::Tls),
        "raw_buffer" => Some(TransportProtocol::RawBuffer),
        "" => None,
        other => {
            value.error(Said::from(format!("`{other}` is no transport protocol")).expected("`tls` or `raw_buffer`"));
            None
        }
    });
    let names = matches.values("server_names");
    let server_names = names.iter().filter_map(|value| {
        let name = value.text()?.to_ascii_lowercase();
        if name.strip_prefix("*.").unwrap_or(&name).contains('*') {
            let said = Said::from(format!("`{name}` has a `*` where none may stand"));
            value.error(said.expected("a full name, or `*.` and the rest of one"));
        }
        Some(name)
    });
    ChainMatch {
        destination_port: matches.within("destination_port", 1, 65_535),
        destination_ranges: address::ranges(matches, "prefix_ranges"),
        server_names: server_names.collect(),
        transport,
        application_protocols: matches.texts("application_protocols"),
        source_ranges: address::ranges(matches, "source_prefix_ranges"),
        source_ports: matches.values("source_ports").iter().filter_map(|port| port.within(1, 65_535)).collect(),
    }
}

fn handler(chain: &Message<'_>) -> Option<Handler> {
    let mut handler = None;
    let filters = chain.messages("filters", &NETWORK_FILTER);
    for filter in &filters {
        if handler.is_some() {
            filter.at.error("a filter ahead of this one serves the connection already: nothing comes behind it");
        }
        let Some(config) = filter.extension(&NETWORK_FILTERS) else { continue };
        handler = Some(if config.is(&HTTP_MANAGER) {
            Handler::Http(Box::new(http_manager::read(&config)))
        } else {
            Handler::Tcp(tcp_proxy::read(&config))
        });
    }
    if filters.is_empty() {
        let said = Said::from("`filters` is empty: nobody would serve these connections");
        chain.at.error(
            said.expected("`envoy.filters.network.http_connection_manager` or `envoy.filters.network.tcp_proxy`"),
        );
    }
    handler
}
