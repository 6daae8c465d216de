//! Listeners.

use super::any::Extensions;
use super::message::Message;
use super::reading::Said;
use super::schema::{FILTER_CHAIN, HTTP_INSPECTOR, LISTENER, LISTENER_FILTER, PROXY_PROTOCOL, TLS_INSPECTOR};
use super::{address, filter_chain};
use crate::policy::{ChainMatch, Direction, Inspection, Listener};
use std::net::SocketAddr;

const LISTENER_FILTERS: Extensions = Extensions {
    known: &[&TLS_INSPECTOR, &HTTP_INSPECTOR, &PROXY_PROTOCOL],
    package: "envoy.extensions.filters.listener.",
    others: "dynamic_modules local_ratelimit original_dst original_src",
};

/// All listeners; no two have the same name or address.
pub(super) fn all(resources: &Message<'_>) -> Vec<Listener> {
    let messages = resources.messages("listeners", &LISTENER);
    let mut listeners: Vec<Listener> = Vec::new();
    for message in &messages {
        let Some(listener) = listener(message) else { continue };
        if listeners.iter().any(|other| other.name == listener.name) {
            message.at.error(format!("another listener is called `{}` too", listener.name));
        }
        let taken = |other: &&Listener| other.address.port() != 0 && other.address == listener.address;
        if let Some(other) = listeners.iter().find(taken) {
            message.at.error(format!("listener `{}` has the address {} already", other.name, listener.address));
        }
        listeners.push(listener);
    }
    listeners
}

fn listener(message: &Message<'_>) -> Option<Listener> {
    let name = message.text("name").filter(|name| !name.is_empty());
    message.require("address");
    let address: Option<SocketAddr> = message.value("address").and_then(address::socket);
    let directions = [
        ("UNSPECIFIED", 0, Some(Direction::Unspecified)),
        ("INBOUND", 1, Some(Direction::Inbound)),
        ("OUTBOUND", 2, Some(Direction::Outbound)),
    ];
    let direction = message.choice("traffic_direction", &directions).unwrap_or_default();
    let inspection = inspection(message);
    let chains: Vec<_> =
        message.messages("filter_chains", &FILTER_CHAIN).iter().filter_map(filter_chain::read).collect();
    for (number, chain) in chains.iter().enumerate() {
        if chains.iter().take(number).any(|other| overlap(&other.matches, &chain.matches)) {
            message.at.error(format!(
                "`filter_chains[{number}]` is for connections that one before it is for, by the same words"
            ));
        }
        if !chain.matches.server_names.is_empty() && !inspection.tls {
            let said = Said::from("`server_names` match nothing without a look at the client hello");
            message.at.warn(said.help("add `envoy.filters.listener.tls_inspector` to `listener_filters`"));
        }
    }
    let default_chain =
        message.message("default_filter_chain", &FILTER_CHAIN).and_then(|chain| filter_chain::read(&chain));
    if !message.has("filter_chains") && !message.has("default_filter_chain") {
        message.at.error("a listener needs `filter_chains` or a `default_filter_chain`");
    }
    let connection_buffer = message.count("per_connection_buffer_limit_bytes").unwrap_or(1 << 20);
    let address = address?;
    let name = name.unwrap_or_else(|| address.to_string());
    let key = format!("envoy.resource_limits.listener.{name}.connection_limit");
    let max_connections = message.at.reading.runtime.borrow_mut().count(&key);
    Some(Listener {
        name,
        address,
        direction,
        connection_buffer,
        inspection,
        chains,
        default_chain,
        tls_handshake: Listener::TLS_HANDSHAKE,
        max_connections,
        origin: message.origin(),
    })
}

/// Whether two chains say the same of some connection, so that neither is the more specific.
fn overlap(one: &ChainMatch, other: &ChainMatch) -> bool {
    fn share<T: PartialEq>(one: &[T], other: &[T]) -> bool {
        one.is_empty() && other.is_empty() || one.iter().any(|value| other.contains(value))
    }
    one.destination_port == other.destination_port
        && share(&one.destination_ranges, &other.destination_ranges)
        && share(&one.server_names, &other.server_names)
        && one.transport == other.transport
        && share(&one.application_protocols, &other.application_protocols)
        && share(&one.source_ranges, &other.source_ranges)
        && share(&one.source_ports, &other.source_ports)
}

fn inspection(message: &Message<'_>) -> Inspection {
    let mut inspection = Inspection {
        timeout: message.limit("listener_filters_timeout", Inspection::default().timeout),
        continue_on_timeout: message.flag("continue_on_listener_filters_timeout"),
        ..Inspection::default()
    };
    for filter in message.messages("listener_filters", &LISTENER_FILTER) {
        let Some(config) = filter.extension(&LISTENER_FILTERS) else { continue };
        inspection.tls |= config.is(&TLS_INSPECTOR);
        inspection.http |= config.is(&HTTP_INSPECTOR);
        inspection.proxy_protocol |= config.is(&PROXY_PROTOCOL);
    }
    inspection
}
