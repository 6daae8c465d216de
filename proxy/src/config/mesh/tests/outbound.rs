use super::support::*;
use crate::config::mesh::{OutboundTraffic, Site, resolve};
use crate::config::objects::{AppProtocol, Objects};
use crate::policy::{
    ChainMatch, Direction, ForwardClientCert, Fraction, Handler, HttpFilter, ServerTransformation, TransportProtocol,
};
use std::net::SocketAddr;

#[test]
fn requests_are_served_as_istio_does_it() {
    let config = resolved(&shop());
    let listener = listener(&config);
    assert_eq!((listener.name.as_str(), listener.direction), ("0.0.0.0_80", Direction::Outbound));
    assert!(!listener.inspection.http && !listener.inspection.tls);
    let manager = manager(&listener.chains[0]);
    assert_eq!(manager.stat_prefix, "outbound_0.0.0.0_80");
    assert_eq!(manager.filters, [HttpFilter::Fault(None), HttpFilter::Cors], "faults come ahead of CORS");
    assert_eq!(manager.timeouts.stream_idle, None);
    assert!(manager.timeouts.idle.is_some());
    assert!(manager.paths.normalize && !manager.paths.merge_slashes);
    assert!(manager.proxy_100_continue);
    assert_eq!(manager.upgrades, ["websocket"]);
    assert_eq!(manager.server_header.name, "envoy");
    assert_eq!(manager.server_header.transformation, ServerTransformation::Overwrite);
    assert!(!manager.client_address.use_remote && manager.client_address.internal.is_empty());
    assert_eq!(manager.client_cert, ForwardClientCert::Sanitize);
    assert_eq!(manager.tracing.as_ref().map(|tracing| tracing.random), Some(Fraction::percent(1.0)));
    assert!(!manager.router.suppress_envoy_headers);
}

#[test]
fn old_versions_trust_private_addresses() {
    let config = resolve(&shop(), &Site { version: "1.24".parse().unwrap(), ..caller() });
    let internal = &manager(&listener(&config).chains[0]).client_address.internal;
    let is_internal = |address: &str| internal.iter().any(|range| range.contains(address.parse().unwrap()));
    for (address, inside) in [("10.1.2.3", true), ("172.31.0.1", true), ("192.168.0.1", true), ("8.8.8.8", false)] {
        assert_eq!(is_internal(address), inside, "{address}");
    }
}

#[test]
fn each_served_port_is_a_listener_where_it_says() {
    let bind = |text: &str| text.parse::<SocketAddr>().unwrap();
    let at = |port, text| super::super::ServedPort { bind: bind(text), ..served(port) };
    let config = resolve(&shop(), &Site::outbound(vec![at(80, "127.0.0.1:15001"), at(8080, "127.0.0.2:0")]));
    let made: Vec<_> = config.listeners.iter().map(|listener| (listener.name.clone(), listener.address)).collect();
    assert_eq!(
        made,
        [("0.0.0.0_80".to_owned(), bind("127.0.0.1:15001")), ("0.0.0.0_8080".to_owned(), bind("127.0.0.2:0"))]
    );
}

fn of(spoken: AppProtocol) -> Objects {
    Objects { services: vec![service_with("db", vec![port(80, "p", spoken)])], ..Objects::default() }
}

const DB: &str = "outbound|80||db.default.svc.cluster.local";

#[test]
fn bytes_go_to_the_one_service_that_is_meant() {
    for served in [served(80), served_for(80, "db")] {
        let config = resolve(&of(AppProtocol::Tcp), &Site::outbound(vec![served]));
        let [chain] = listener(&config).chains.as_slice() else { panic!() };
        let Handler::Tcp(proxy) = &chain.handler else { panic!() };
        assert_eq!(proxy.to.iter().map(|to| to.name.as_str()).collect::<Vec<_>>(), [DB]);
        assert_eq!((&chain.matches, proxy.stat_prefix.as_str()), (&ChainMatch::default(), DB));
    }
}

#[test]
fn what_is_sniffed_has_a_chain_for_requests_in_clear_and_one_for_the_rest() {
    let config = resolve(&of(AppProtocol::Sniffed), &Site::outbound(vec![served_for(80, "db")]));
    let listener = listener(&config);
    assert!(listener.inspection.http && listener.inspection.tls && listener.inspection.continue_on_timeout);
    assert_eq!(listener.inspection.timeout, None);
    let ([requests], Some(bytes)) = (listener.chains.as_slice(), &listener.default_chain) else { panic!() };
    assert_eq!(bytes.matches, ChainMatch::default());
    assert!(matches!(&bytes.handler, Handler::Tcp(proxy) if proxy.to[0].name == DB));
    assert_eq!(requests.matches.transport, Some(TransportProtocol::RawBuffer));
    assert_eq!(requests.matches.application_protocols, ["http/1.0", "http/1.1", "h2c"]);
    let routes = &manager(requests).routes;
    assert_eq!(routes.name, "db.default.svc.cluster.local:80");
    let [host] = routes.virtual_hosts.as_slice() else { panic!() };
    assert_eq!((host.domains.as_slice(), targets(&host.routes)), (&strings(&["*"])[..], vec![vec![DB]]));
}

#[test]
fn a_port_of_requests_and_bytes_tells_them_apart() {
    let mut objects = shop();
    objects.services.push(service_with("db", vec![port(80, "tcp", AppProtocol::Tcp)]));
    let config = resolved(&objects);
    let ([requests], Some(bytes)) = (listener(&config).chains.as_slice(), &listener(&config).default_chain) else {
        panic!()
    };
    assert!(matches!(&bytes.handler, Handler::Tcp(proxy) if proxy.to[0].name == DB));
    assert_eq!(manager(requests).routes.virtual_hosts.len(), 3);
    assert!(listener(&config).inspection.http);
}

#[test]
fn tls_is_passed_on_by_its_server_name_where_no_service_is_meant() {
    let config = resolved(&of(AppProtocol::Tls));
    let inspected = listener(&config);
    assert!(inspected.inspection.tls && !inspected.inspection.http);
    assert_eq!(inspected.chains[0].matches.server_names, ["db.default.svc.cluster.local"]);
    let rest = |config: &crate::policy::Config| match &listener(config).default_chain.as_ref().unwrap().handler {
        Handler::Tcp(proxy) => proxy.to[0].name.clone(),
        Handler::Http(_) => panic!(),
    };
    assert_eq!(rest(&config), "PassthroughCluster");
    let site = Site { unknown_hosts: OutboundTraffic::RegistryOnly, ..caller() };
    assert_eq!(rest(&resolve(&of(AppProtocol::Tls), &site)), "BlackHoleCluster");

    let config = resolve(&of(AppProtocol::Tls), &Site::outbound(vec![served_for(80, "db")]));
    assert_eq!(listener(&config).chains[0].matches, ChainMatch::default());
    assert_eq!(listener(&config).default_chain, None);
}

#[test]
fn servers_that_speak_first_are_never_sniffed() {
    for number in [25, 53, 3306, 27017] {
        let objects = Objects {
            services: vec![service_with("db", vec![port(number, "", AppProtocol::Sniffed)])],
            ..Objects::default()
        };
        let config = resolve(&objects, &Site::outbound(vec![served(number)]));
        assert_eq!(listener(&config).chains.len(), 1, "{number}");
        assert!(!listener(&config).inspection.http);
    }
}

#[test]
fn tls_beside_requests_is_still_told_by_its_server_name() {
    let mut objects = shop();
    objects.services.push(service_with("db", vec![port(80, "tls", AppProtocol::Tls)]));
    let config = resolved(&objects);
    let [bytes, requests] = listener(&config).chains.as_slice() else { panic!() };
    assert_eq!(bytes.matches.server_names, ["db.default.svc.cluster.local"]);
    assert_eq!(manager(requests).routes.virtual_hosts.len(), 3);
    assert!(listener(&config).default_chain.is_some());
}
