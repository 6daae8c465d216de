use super::support::*;
use crate::config::mesh::{Site, resolve};
use crate::config::objects::{
    AppProtocol, ConnectionMatch, ConnectionPool, LoadBalancer, Objects, TcpRule, TlsRule, TrafficPolicy,
    VirtualService, WeightedBackend,
};
use crate::policy::{ChainMatch, Cidr, FilterChain, Handler, HashOf, TcpProxy};
use std::time::Duration;

fn mesh(spoken: AppProtocol, change: impl FnOnce(&mut VirtualService)) -> Objects {
    let mut routing = virtual_service("v", &["db"], Vec::new());
    change(&mut routing);
    Objects {
        services: vec![service_with("db", vec![port(80, "p", spoken)])],
        virtual_services: vec![routing],
        ..Objects::default()
    }
}

fn chains(objects: &Objects) -> Vec<FilterChain> {
    resolve(objects, &Site::outbound(vec![served_for(80, "db")])).listeners.remove(0).chains
}

fn proxy(chain: &FilterChain) -> &TcpProxy {
    match &chain.handler {
        Handler::Tcp(proxy) => proxy,
        Handler::Http(_) => panic!("requests"),
    }
}

fn names(chain: &FilterChain) -> Vec<(&str, u32)> {
    proxy(chain).to.iter().map(|to| (to.name.as_str(), to.weight)).collect()
}

fn tcp(matches: Vec<ConnectionMatch>, to: Vec<WeightedBackend>) -> TcpRule {
    TcpRule { matches, to, origin: Default::default() }
}

fn tls(server_names: &[&str], to: &str) -> TlsRule {
    TlsRule {
        server_names: strings(server_names),
        matches: vec![ConnectionMatch::default()],
        to: vec![weighted(to, 0)],
        origin: Default::default(),
    }
}

#[test]
fn bytes_go_by_the_rules_of_an_object_with_their_shares() {
    let objects = mesh(AppProtocol::Tcp, |routing| {
        routing.tcp = vec![tcp(Vec::new(), vec![weighted("a:1", 3), weighted("b:2", 1), weighted("c:3", 0)])];
    });
    let [chain] = chains(&objects).try_into().unwrap();
    assert_eq!(
        names(&chain),
        [("outbound|1||a.default.svc.cluster.local", 3), ("outbound|2||b.default.svc.cluster.local", 1)]
    );
    assert_eq!(proxy(&chain).stat_prefix, "v.default");
}

#[test]
fn connections_are_told_apart_by_where_they_were_going_and_the_service_has_the_rest() {
    let range = Cidr { address: "10.0.0.0".parse().unwrap(), prefix: 8 };
    let to_range = ConnectionMatch { destinations: vec![range], ..ConnectionMatch::default() };
    let objects = mesh(AppProtocol::Tcp, |routing| routing.tcp = vec![tcp(vec![to_range], vec![weighted("a:1", 0)])]);
    let [first, rest] = chains(&objects).try_into().unwrap();
    assert_eq!(first.matches, ChainMatch { destination_ranges: vec![range], ..ChainMatch::default() });
    assert_eq!(
        (rest.matches.clone(), names(&rest)[0].0),
        (ChainMatch::default(), "outbound|80||db.default.svc.cluster.local")
    );
}

#[test]
fn rules_for_other_callers_ports_and_gateways_do_not_count() {
    let block = |change: &dyn Fn(&mut ConnectionMatch)| {
        let mut block = ConnectionMatch::default();
        change(&mut block);
        block
    };
    for (matches, counts) in [
        (block(&|_| {}), true),
        (block(&|block| block.port = Some(80)), true),
        (block(&|block| block.port = Some(81)), false),
        (block(&|block| block.source_labels = labels(&[("app", "web")])), false),
        (block(&|block| block.source_namespace = Some("default".to_owned())), true),
        (block(&|block| block.source_namespace = Some("bank".to_owned())), false),
        (block(&|block| block.gateways = strings(&["mesh"])), true),
        (block(&|block| block.gateways = strings(&["door"])), false),
    ] {
        let objects = mesh(AppProtocol::Tcp, |routing| {
            routing.tcp = vec![tcp(vec![matches.clone()], vec![weighted("a:1", 0)])];
        });
        let first = names(&chains(&objects)[0])[0].0.to_owned();
        assert_eq!(first.contains("|a."), counts, "{matches:?}");
    }
}

#[test]
fn tls_goes_by_server_name_and_each_set_of_names_once() {
    let objects = mesh(AppProtocol::Tls, |routing| {
        routing.tls =
            vec![tls(&["A.com", "*.b.com"], "a:1"), tls(&["a.com", "*.b.com"], "b:2"), tls(&["c.com"], "c:3")];
    });
    let made = chains(&objects);
    let by: Vec<_> =
        made.iter().map(|chain| (chain.matches.server_names.clone(), names(chain)[0].0.to_owned())).collect();
    let to = |port: &str, name: &str| format!("outbound|{port}||{name}.default.svc.cluster.local");
    assert_eq!(by, [(strings(&["a.com", "*.b.com"]), to("1", "a")), (strings(&["c.com"]), to("3", "c"))]);
}

#[test]
fn what_the_rule_says_of_connections_stands_at_the_listener() {
    let second = Duration::from_secs(1);
    let pool = |idle| ConnectionPool {
        tcp_idle_timeout: idle,
        max_connection_duration: Some(second),
        ..ConnectionPool::default()
    };
    for (idle, expected) in [(None, Some(second * 3600)), (Some(second), Some(second)), (Some(Duration::ZERO), None)] {
        let policy = TrafficPolicy {
            connection_pool: Some(pool(idle)),
            load_balancer: Some(LoadBalancer { hash: Some(HashOf::SourceIp), ..balancer() }),
            ..TrafficPolicy::default()
        };
        let mut objects = mesh(AppProtocol::Tcp, |_| {});
        objects.destination_rules = vec![destination_rule("db", policy)];
        let made = chains(&objects);
        assert_eq!(proxy(&made[0]).idle_timeout, expected);
        assert_eq!((proxy(&made[0]).max_duration, proxy(&made[0]).hash_source_ip), (Some(second), true));
    }
}

#[test]
fn a_subsets_hash_counts_for_a_single_destination_alone() {
    let mut rule = destination_rule("db", TrafficPolicy::default());
    rule.subsets = vec![subset("v1", &[])];
    rule.subsets[0].policy.load_balancer = Some(LoadBalancer { hash: Some(HashOf::SourceIp), ..balancer() });
    for (to, hashes) in [(vec![weighted("db/v1", 0)], true), (vec![weighted("db/v1", 1), weighted("db", 1)], false)] {
        let mut objects = mesh(AppProtocol::Tcp, |routing| routing.tcp = vec![tcp(Vec::new(), to)]);
        objects.destination_rules = vec![rule.clone()];
        assert_eq!(proxy(&chains(&objects)[0]).hash_source_ip, hashes);
    }
}
