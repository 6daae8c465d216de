//! How requests are served in Istio, whatever the routes.

use super::connections::http2;
use super::{IstioVersion, Mode, Site};
use crate::policy::{
    Cidr, ClientAddress, ForwardClientCert, Fraction, HttpFilter, HttpManager, HttpTimeouts, Inspection, PathRules,
    RouteTable, ServerHeader, Tracing,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// How long a client may take over a head. Envoy waits without limit; here a slow client never holds a connection for ever.
const SLOW_HEAD: Duration = Duration::from_secs(10);

/// Requests served as the proxy's side does it.
pub(super) fn manager(site: &Site, stat_prefix: &str, routes: RouteTable) -> HttpManager {
    let envoy = HttpManager::new(stat_prefix, routes);
    let is_caller = site.mode == Mode::Outbound;
    let is_edge = site.mode == Mode::Gateway;
    HttpManager {
        // A fault comes ahead of CORS, so that an answer made up here has no such fields.
        filters: vec![HttpFilter::Fault(None), HttpFilter::Cors],
        timeouts: HttpTimeouts { stream_idle: None, head: Some(SLOW_HEAD), ..envoy.timeouts },
        paths: PathRules { normalize: true, ..envoy.paths },
        client_address: ClientAddress {
            use_remote: is_edge,
            internal: internal(site.version),
            ..ClientAddress::default()
        },
        server_header: if is_caller {
            envoy.server_header
        } else {
            ServerHeader { name: "istio-envoy".to_owned(), ..ServerHeader::default() }
        },
        client_cert: match site.mode {
            Mode::Outbound => ForwardClientCert::Sanitize,
            Mode::Inbound { .. } => ForwardClientCert::AppendForward,
            Mode::Gateway => ForwardClientCert::SanitizeSet,
        },
        proxy_100_continue: true,
        http2: http2(site.version),
        upgrades: vec!["websocket".to_owned()],
        tracing: Some(Tracing {
            random: Fraction::percent(1.0),
            client: Fraction::ALL,
            overall: Fraction::ALL,
            provider: None,
        }),
        ..envoy
    }
}

/// Connections are looked at for as long as it takes.
pub(super) fn inspection(tls: bool, http: bool) -> Inspection {
    Inspection { tls, http, proxy_protocol: false, timeout: None, continue_on_timeout: true }
}

/// Addresses whose control fields are obeyed: nobody's, or the private ones.
fn internal(version: IstioVersion) -> Vec<Cidr> {
    if !version.trusts_private_addresses() {
        return Vec::new();
    }
    let v4 = |a, b, prefix| Cidr { address: IpAddr::V4(Ipv4Addr::new(a, b, 0, 0)), prefix };
    let v6 = |first, prefix| Cidr { address: IpAddr::V6(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0)), prefix };
    let loopback = Cidr { address: IpAddr::V6(Ipv6Addr::LOCALHOST), prefix: 128 };
    vec![v4(10, 0, 8), v4(172, 16, 12), v4(192, 168, 16), v4(127, 0, 8), v6(0xfd00, 8), loopback]
}
