//! Where strangers come in: a listener for each port of the gateways that select this proxy.

mod requests;
mod servers;

use super::manager::inspection;
use super::streams::{of_tcp, of_tls};
use super::view::View;
use super::virtual_services::Bound;
use crate::config::objects::GatewayServer;
use crate::policy::{ChainMatch, Direction, DownstreamTls, FilterChain, Handler, Listener, NameMatch, Origin};
use servers::{Kind, by_port, fits};

pub(super) use servers::Server;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Every listener of the gateways that select the proxy, in order of their ports.
pub(super) fn listeners(view: &View<'_>) -> Vec<Listener> {
    let ports = by_port(view).into_iter();
    ports.map(|(port, servers)| listener(view, port, &servers)).collect()
}

/// The servers of one port.
pub(super) fn servers_at<'o>(view: &View<'o>, port: u16) -> Vec<Server<'o>> {
    by_port(view).remove(&port).unwrap_or_default()
}

fn listener(view: &View<'_>, port: u16, servers: &[Server<'_>]) -> Listener {
    let mut chains = Vec::new();
    if servers.iter().any(|server| server.kind == Kind::Http) {
        let plain: Vec<_> = servers.iter().filter(|server| server.kind == Kind::Http).collect();
        chains.push(http_chain(view, port, &plain, &format!("http.{port}")));
    }
    for server in servers {
        match server.kind {
            Kind::Http => {}
            Kind::Https => {
                let name = format!("https.{port}.{}.{}", server.written.port_name, dotted(&server.gateway));
                chains.push(ending_tls(http_chain(view, port, &[server], &name), server));
            }
            Kind::Tcp => chains.extend(tcp_chain(view, port, server)),
            Kind::TlsToTcp => {
                chains.extend(tcp_chain(view, port, server).into_iter().map(|chain| ending_tls(chain, server)));
            }
            Kind::Passthrough => {
                let bound = bound_to(view, server).filter(|bound| fits(server, bound));
                chains.extend(bound.flat_map(|bound| of_tls(view, bound, port, &server.gateway)));
            }
        }
    }
    let address = view.site.ports.iter().find(|served| served.port == port).map(|served| served.bind);
    let anywhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
    let looks = servers.iter().any(|server| !matches!(server.kind, Kind::Http | Kind::Tcp));
    Listener {
        name: format!("0.0.0.0_{port}"),
        address: address.unwrap_or(anywhere),
        direction: Direction::Gateway,
        connection_buffer: 1 << 20,
        inspection: inspection(looks, false),
        chains,
        default_chain: None,
        tls_handshake: Listener::TLS_HANDSHAKE,
        max_connections: None,
        origin: servers.first().map(|server| server.written.origin.clone()).unwrap_or_default(),
    }
}

fn http_chain(view: &View<'_>, port: u16, servers: &[&Server<'_>], name: &str) -> FilterChain {
    let table = requests::table(view, port, servers, name);
    let manager = super::manager::manager(view.site, &format!("outbound_0.0.0.0_{port}"), table);
    FilterChain {
        name: String::new(),
        matches: ChainMatch::default(),
        tls: None,
        handler: Handler::Http(Box::new(manager)),
        origin: servers.first().map_or_else(Origin::default, |server| server.written.origin.clone()),
    }
}

/// The first chain for bytes that an object gives; a port cannot tell connections apart.
fn tcp_chain(view: &View<'_>, port: u16, server: &Server<'_>) -> Option<FilterChain> {
    let bound = bound_to(view, server).filter(|bound| fits(server, bound));
    bound.flat_map(|bound| of_tcp(view, bound, port, &server.gateway)).next()
}

/// Objects that name the server's gateway, and no other server of it.
fn bound_to<'v, 'o>(view: &'v View<'o>, server: &Server<'_>) -> impl Iterator<Item = &'v Bound<'o>> {
    let of_gateway = view.virtual_services.iter().filter(|bound| bound.is_bound_to(&server.gateway));
    of_gateway.filter(|bound| bound.object.section.is_empty() || bound.object.section == server.written.port_name)
}

/// A chain for the server's hosts, whose TLS ends here. A server for every host takes clients without a server name too.
fn ending_tls(chain: FilterChain, server: &Server<'_>) -> FilterChain {
    let hosts = server.hosts.iter().map(|(_, host)| host.clone());
    let server_names: Vec<_> =
        if server.hosts.iter().any(|(_, host)| host == "*") { Vec::new() } else { hosts.collect() };
    let matches = ChainMatch { server_names, ..chain.matches };
    let speaks_http = matches!(chain.handler, Handler::Http(_));
    FilterChain { matches, tls: Some(downstream_tls(server.written, speaks_http)), ..chain }
}

fn downstream_tls(server: &GatewayServer, speaks_http: bool) -> DownstreamTls {
    DownstreamTls {
        certificates: server.certificates.clone(),
        client_ca: server.client_ca.clone(),
        require_client: server.require_client,
        client_names: server.client_names.iter().map(|name| NameMatch::exact(name)).collect(),
        alpn: if speaks_http { vec!["h2".to_owned(), "http/1.1".to_owned()] } else { Vec::new() },
        versions: server.versions,
    }
}

fn dotted(gateway: &str) -> String {
    let (namespace, name) = gateway.split_once('/').unwrap_or(("", gateway));
    format!("{name}.{namespace}")
}
