use super::support::*;
use crate::config::mesh::{Mode, Site, resolve};
use crate::config::objects::{AppProtocol, ConnectionPool, DestinationRule, Objects, TrafficPolicy};
use crate::policy::{
    Address, ChainMatch, Config, Direction, ForwardClientCert, GrpcTimeout, Handler, Node, ProtocolChoice, RetryOn,
};

fn beside(objects: &Objects, version: &str) -> Config {
    let app = ([127, 0, 0, 1], 9000).into();
    let labels = labels(&[("a", "b")]);
    let site = Site {
        node: Node { namespace: "default".to_owned(), labels, ..Node::default() },
        mode: Mode::Inbound { app },
        version: version.parse().unwrap(),
        ..Site::outbound(vec![served_for(80, "cart")])
    };
    resolve(objects, &site)
}

fn speaking(spoken: AppProtocol) -> Objects {
    Objects { services: vec![service_with("cart", vec![port(80, "p", spoken)])], ..Objects::default() }
}

#[test]
fn everything_goes_to_the_application() {
    let config = beside(&shop(), "latest");
    let listener = listener(&config);
    assert_eq!((listener.name.as_str(), listener.direction), ("inbound_80", Direction::Inbound));
    let manager = manager(&listener.chains[0]);
    let [host] = manager.routes.virtual_hosts.as_slice() else { panic!() };
    assert_eq!((host.name.as_str(), host.domains.as_slice()), ("inbound|http|80", &strings(&["*"])[..]));
    assert_eq!(targets(&host.routes), [["inbound|80||"]]);
    assert_eq!((forward(&host.routes[0]).timeout, forward(&host.routes[0]).grpc_timeout), (None, GrpcTimeout::Obeyed));
    assert!(!host.routes[0].attempt_count_in_request, "what the caller counted stays");
    assert_eq!(manager.server_header.name, "istio-envoy");
    assert_eq!(manager.client_cert, ForwardClientCert::AppendForward);
    let [cluster] = config.clusters.as_slice() else { panic!() };
    assert_eq!(cluster.endpoints().next().unwrap().address, Address::Socket(([127, 0, 0, 1], 9000).into()));
    assert_eq!((cluster.service.name.as_str(), cluster.outlier.is_none()), ("cart", true));
}

#[test]
fn what_could_not_begin_to_be_sent_is_tried_twice_more_but_not_for_grpc_or_in_old_versions() {
    for (spoken, version, attempts) in [
        (AppProtocol::Http, "latest", 2),
        (AppProtocol::Http2, "latest", 2),
        (AppProtocol::Grpc, "latest", 0),
        (AppProtocol::GrpcWeb, "latest", 0),
        (AppProtocol::Http, "1.23", 0),
    ] {
        let config = beside(&speaking(spoken), version);
        let retry = &config.routes().next().unwrap().forward().unwrap().retry;
        assert_eq!(retry.attempts, attempts, "{spoken:?} {version}");
        if attempts > 0 {
            assert_eq!(retry.on, RetryOn { reset_before_request: true, ..RetryOn::default() });
            assert!(!retry.avoid_previous_hosts);
        }
    }
}

#[test]
fn of_the_services_rule_connections_alone_hold() {
    let pool = ConnectionPool { max_connections: Some(3), upgrade_to_http2: Some(true), ..ConnectionPool::default() };
    let policy = TrafficPolicy { connection_pool: Some(pool), ..detector() };
    let mut objects = shop();
    objects.destination_rules = vec![
        DestinationRule {
            workload_selector: labels(&[("a", "b")]),
            ..destination_rule("cart", TrafficPolicy::default())
        },
        destination_rule("cart", policy),
    ];
    let config = beside(&objects, "latest");
    let cluster = &config.clusters[0];
    assert_eq!((cluster.limits.connections, cluster.outlier.is_none()), (3, true));
    assert_eq!(cluster.protocol.choice, ProtocolChoice::Http1, "the caller's way of speaking is not this side's");
}

#[test]
fn bytes_are_passed_on_and_what_is_sniffed_is_told_apart() {
    for (spoken, chains, looks) in [
        (AppProtocol::Tcp, 1, false),
        (AppProtocol::Tls, 1, false),
        (AppProtocol::Sniffed, 2, true),
        (AppProtocol::Http, 1, false),
    ] {
        let config = beside(&speaking(spoken), "latest");
        let listener = listener(&config);
        let all: Vec<_> = listener.chains.iter().chain(&listener.default_chain).collect();
        assert_eq!((all.len(), listener.inspection.http), (chains, looks), "{spoken:?}");
        let last = all.last().unwrap();
        let is_bytes = matches!(&last.handler, Handler::Tcp(proxy) if proxy.to[0].name == "inbound|80||");
        assert_eq!((is_bytes, &last.matches), (spoken != AppProtocol::Http, &ChainMatch::default()));
    }
}
