//! A caller's sidecar: one listener for each port that it serves.

use super::ServedPort;
use super::manager::{inspection, manager};
use super::registry::Known;
use super::streams::{chains, rest};
use super::view::View;
use super::virtual_hosts::{service_of, speaks_http, table, table_of};
use crate::config::objects::AppProtocol;
use crate::policy::{
    ChainMatch, Direction, FilterChain, Handler, Inspection, Listener, Origin, RouteTable, TransportProtocol,
};

/// What requests in clear look like to an inspection.
const CLEAR_HTTP: [&str; 3] = ["http/1.0", "http/1.1", "h2c"];

/// The listener of a served port.
pub(super) fn listener(view: &View<'_>, served: &ServedPort) -> Listener {
    let port = served.port;
    let meant = service_of(view, served.host.as_ref()).filter(|service| service.port(port).is_some());
    let name = format!("{}_{port}", meant.map_or("0.0.0.0", |service| &service.host));
    let protocol = |service: &Known<'_>| service.port(port).map_or(AppProtocol::Http, |port| port.protocol);
    let candidates: Vec<_> = match meant {
        Some(service) => vec![service],
        None => view.services_at(port).collect(),
    };
    // Bytes do not say which of several services they are for: the first is meant.
    let stream = candidates.iter().copied().find(|service| !protocol(service).is_http());
    let requests = candidates.is_empty() || candidates.iter().any(|service| speaks_http(service, port));
    let listener = |inspection, chains, default_chain| Listener {
        name: name.clone(),
        address: served.bind,
        direction: Direction::Outbound,
        connection_buffer: 1 << 20,
        inspection,
        chains,
        default_chain,
        tls_handshake: Listener::TLS_HANDSHAKE,
        max_connections: None,
        origin: Origin::default(),
    };
    let handler = |routes: RouteTable| {
        let manager = manager(view.site, &format!("outbound_{name}"), routes);
        FilterChain {
            name: String::new(),
            matches: ChainMatch::default(),
            tls: None,
            handler: Handler::Http(Box::new(manager)),
            origin: Origin::default(),
        }
    };
    let Some(stream) = stream else {
        return listener(Inspection { timeout: None, ..Inspection::default() }, vec![handler(table(view, port))], None);
    };
    let tls = protocol(stream) == AppProtocol::Tls;
    let mut streams = chains(view, stream, port, tls);
    // Where bytes for anybody arrive, their server name must say that they are for this service.
    let by_name = tls && meant.is_none();
    if by_name {
        streams.iter_mut().for_each(|chain| named(chain, stream));
    }
    let rest = by_name.then(|| rest(view.unknown_hosts()));
    if !requests {
        return listener(inspection(tls, false), streams, rest);
    }
    let is_sniffed = protocol(stream) == AppProtocol::Sniffed;
    let routes = match meant {
        Some(service) if is_sniffed => table_of(view, service, port),
        _ => table(view, port),
    };
    let mut http = handler(routes);
    http.matches.transport = Some(TransportProtocol::RawBuffer);
    http.matches.application_protocols = CLEAR_HTTP.map(str::to_owned).to_vec();
    // What is no HTTP is left to a chain that asks for nothing: beside one that asks for plain bytes it would never be chosen.
    let (mut chains, mut anything): (Vec<_>, Vec<_>) =
        streams.into_iter().partition(|chain| chain.matches != ChainMatch::default());
    chains.push(http);
    listener(inspection(true, true), chains, anything.pop().or(rest))
}

fn named(chain: &mut FilterChain, service: &Known<'_>) {
    if chain.matches == ChainMatch::default() {
        chain.matches.server_names = vec![service.host.clone()];
    }
}
