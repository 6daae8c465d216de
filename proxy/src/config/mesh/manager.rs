//! How requests are served in Istio, whatever the routes.

use super::{Mode, Site};
use crate::policy::{
    ClientAddress, ClientCertDetails, ForwardClientCert, Fraction, HttpFilter, HttpManager, HttpTimeouts, Inspection,
    PathRules, RouteTable, ServerHeader, Tracing,
};

/// Requests served as the proxy's side does it.
pub(super) fn manager(site: &Site, stat_prefix: &str, routes: RouteTable) -> HttpManager {
    let envoy = HttpManager::new(stat_prefix, routes);
    let is_caller = site.mode == Mode::Outbound;
    let is_edge = site.mode == Mode::Gateway;
    HttpManager {
        // A fault comes ahead of CORS, so that an answer made up here has no such fields.
        filters: vec![HttpFilter::Fault(None), HttpFilter::Cors],
        timeouts: HttpTimeouts { stream_idle: None, ..envoy.timeouts },
        paths: PathRules { normalize: true, ..envoy.paths },
        client_address: ClientAddress {
            use_remote: is_edge,
            internal: site.version.internal_addresses(),
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
        client_cert_details: ClientCertDetails {
            cert: site.mode == Mode::Gateway,
            chain: false,
            subject: true,
            uri: true,
            dns: true,
        },
        proxy_100_continue: true,
        http2: site.version.http2(),
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
