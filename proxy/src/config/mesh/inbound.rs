//! A service's sidecar: everything that arrives goes to the application beside it.

use super::clusters;
use super::connections::{connections, limits, protocol};
use super::effective::at_port;
use super::manager::{inspection, manager};
use super::registry::Known;
use super::routes::{timed, to};
use super::rules::{Caller, rule_for};
use super::streams::chain;
use super::view::View;
use super::virtual_hosts::service_of;
use super::{ServedPort, Site};
use crate::config::objects::{AppProtocol, TrafficPolicy};
use crate::policy::{
    Balance, ChainMatch, Cluster, Direction, Endpoint, FilterChain, Forward, Handler, HttpManager, Listener, Locality,
    Origin, RetryOn, RetryPolicy, Route, RouteTable, ServiceIdentity, TcpProxy, TransportProtocol, VirtualHost,
};
use std::net::SocketAddr;
use std::sync::Arc;

/// The listener of a served port, and the cluster of the application.
pub(super) fn serve(view: &View<'_>, served: &ServedPort, app: SocketAddr) -> (Listener, Cluster) {
    let service = service_of(view, served.host.as_ref());
    let spoken = service.and_then(|service| service.port(served.port)).map_or(AppProtocol::Http, |port| port.protocol);
    let cluster = cluster(view, served, service, spoken, app);
    let http = || {
        let route = route(view.site, &cluster.name, spoken);
        let host = VirtualHost {
            name: format!("inbound|http|{}", served.port),
            domains: vec!["*".to_owned()],
            routes: vec![Arc::new(route)],
            ..VirtualHost::default()
        };
        let table = RouteTable { name: cluster.name.clone(), virtual_hosts: vec![host], ignore_port_in_host: false };
        manager(view.site, &format!("inbound_0.0.0.0_{}", served.port), table)
    };
    let stream = || chain(ChainMatch::default(), TcpProxy::to(&cluster.name, &cluster.name), &Origin::default());
    let looks = spoken == AppProtocol::Sniffed;
    let (chains, default_chain) = match spoken {
        // Beside a chain that asks for plain bytes, one that asks for nothing would never be chosen.
        AppProtocol::Sniffed => (vec![sniffed(http())], Some(stream())),
        AppProtocol::Tls | AppProtocol::Tcp | AppProtocol::Udp => (vec![stream()], None),
        AppProtocol::Http | AppProtocol::Http2 | AppProtocol::Grpc | AppProtocol::GrpcWeb => {
            (vec![requests(http())], None)
        }
    };
    let listener = Listener {
        name: format!("inbound_{}", served.port),
        address: served.bind,
        direction: Direction::Inbound,
        connection_buffer: 1 << 20,
        inspection: inspection(looks, looks),
        chains,
        default_chain,
        tls_handshake: Listener::TLS_HANDSHAKE,
        max_connections: None,
        origin: Origin::default(),
    };
    (listener, cluster)
}

fn requests(manager: HttpManager) -> FilterChain {
    FilterChain {
        name: String::new(),
        matches: ChainMatch::default(),
        tls: None,
        handler: Handler::Http(Box::new(manager)),
        origin: Origin::default(),
    }
}

fn sniffed(manager: HttpManager) -> FilterChain {
    let matches = ChainMatch {
        transport: Some(TransportProtocol::RawBuffer),
        application_protocols: ["http/1.0", "http/1.1", "h2c"].map(str::to_owned).to_vec(),
        ..ChainMatch::default()
    };
    FilterChain { matches, ..requests(manager) }
}

/// Every request, tried again while nothing of it was sent. A stream of gRPC would be cut by that, so that it is not.
fn route(site: &Site, cluster: &str, spoken: AppProtocol) -> Route {
    let is_grpc = matches!(spoken, AppProtocol::Grpc | AppProtocol::GrpcWeb);
    let tries = site.version.retries_inbound() && !is_grpc;
    let on = RetryOn { reset_before_request: true, ..RetryOn::default() };
    let retry = if tries { RetryPolicy { attempts: 2, on, ..RetryPolicy::none() } } else { RetryPolicy::none() };
    let forward = Forward { retry, ..timed(Forward::to(cluster), None) };
    Route { name: "default".to_owned(), ..to(forward) }
}

/// The application. Of the rule for its service, connections alone are for this side.
fn cluster(
    view: &View<'_>,
    served: &ServedPort,
    service: Option<&Known<'_>>,
    spoken: AppProtocol,
    app: SocketAddr,
) -> Cluster {
    let caller = Caller::Inbound(&view.site.node);
    let rule = service.and_then(|service| rule_for(view.objects, caller, &service.host, &service.namespace));
    let whole = rule.as_ref().map_or_else(TrafficPolicy::default, |rule| at_port(rule, served.port));
    let connection_pool = whole.connection_pool.clone();
    let upgraded =
        connection_pool.clone().map(|pool| crate::config::objects::ConnectionPool { upgrade_to_http2: None, ..pool });
    let policy = TrafficPolicy { connection_pool: upgraded, retry_budget: whole.retry_budget, ..Default::default() };
    let endpoint = Endpoint::at(app);
    Cluster {
        balance: Balance::LEAST_REQUEST,
        localities: vec![Locality { weight: Some(1), endpoints: vec![endpoint], ..Locality::default() }],
        limits: limits(&policy),
        connections: connections(policy.connection_pool.as_ref()),
        protocol: protocol(spoken, &policy, view.site),
        service: service.map_or_else(ServiceIdentity::default, |service| ServiceIdentity {
            host: service.host.clone(),
            name: service.name().to_owned(),
            namespace: service.namespace.clone(),
            subset: String::new(),
            port: served.port,
        }),
        origin: rule.map(|rule| rule.origin).unwrap_or_default(),
        ..Cluster::new(&inbound_name(served.port))
    }
}

/// `inbound|port||`: the service's port, which stays the same wherever the application listens.
fn inbound_name(port: u16) -> String {
    clusters::name(port, None, "").replacen("outbound", "inbound", 1)
}
