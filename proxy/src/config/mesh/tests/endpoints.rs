use super::support::*;
use crate::config::mesh::{Mode, Site, resolve};
use crate::config::objects::{AppProtocol, EndpointSlice, Objects, Resolution, ServiceEntry, TrafficPolicy, Workload};
use crate::policy::{Address, Cluster, Config, Discovery, Dns, Endpoint, EndpointHealth, Locality};
use std::time::Duration;

fn addresses(cluster: &Cluster) -> Vec<String> {
    cluster.endpoints().map(|endpoint| endpoint.address.to_string()).collect()
}

#[test]
fn a_port_has_the_endpoints_of_its_name() {
    let two = |one: &str, other: &str| {
        service_with("cart", vec![port(80, one, AppProtocol::Http), port(81, other, AppProtocol::Http)])
    };
    let named = |name: &str| EndpointSlice { port_name: name.to_owned(), ..endpoint("cart", 1, &[]) };
    for (service, slice, found) in [
        (two("http", "admin"), named("http"), true),
        (two("admin", "http"), named("http"), false),
        (service("cart", "default"), named("http"), true),
        (service("cart", "default"), named(""), true),
        (service("cart", "default"), named("other"), false),
        (service_with("cart", vec![port(80, "", AppProtocol::Http)]), named("http"), true),
    ] {
        let objects = Objects { services: vec![service], endpoints: vec![slice.clone()], ..Objects::default() };
        assert_eq!(addresses(cluster(&resolved(&objects), CART)).len() == 1, found, "{slice:?}");
    }
}

#[test]
fn a_subset_has_the_endpoints_that_carry_its_labels() {
    let mut objects = shop();
    objects.endpoints =
        vec![endpoint("cart", 1, &[("v", "1")]), endpoint("cart", 2, &[("v", "2")]), endpoint("pay", 3, &[])];
    let mut rule = destination_rule("cart", TrafficPolicy::default());
    rule.subsets = vec![subset("v1", &[("v", "1")]), subset("none", &[("v", "9")])];
    objects.destination_rules = vec![rule];
    let config = resolved(&objects);
    let of = |name: &str| addresses(cluster(&config, &format!("outbound|80|{name}|cart.default.svc.cluster.local")));
    assert_eq!(of(""), ["127.0.0.1:1", "127.0.0.1:2"]);
    assert_eq!(of("v1"), ["127.0.0.1:1"]);
    assert!(of("none").is_empty(), "there is a cluster, and nothing in it");
}

#[test]
fn endpoints_that_are_not_ready_are_sent_as_unhealthy_and_leaving_ones_not_at_all() {
    let with = |number, health| EndpointSlice { health, ..endpoint("cart", number, &[]) };
    let mut objects = shop();
    objects.endpoints =
        vec![with(1, EndpointHealth::Healthy), with(2, EndpointHealth::Unhealthy), with(3, EndpointHealth::Draining)];
    for (version, sent) in [("latest", &["127.0.0.1:1", "127.0.0.1:2"][..]), ("1.31", &["127.0.0.1:1"][..])] {
        let config = resolve(&objects, &Site { version: version.parse().unwrap(), ..caller() });
        assert_eq!(addresses(cluster(&config, CART)), sent);
    }
    let config = resolved(&objects);
    let health: Vec<_> = cluster(&config, CART).endpoints().map(|endpoint| endpoint.health).collect();
    assert_eq!(health, [EndpointHealth::Healthy, EndpointHealth::Unhealthy]);
}

#[test]
fn an_address_counts_once() {
    let objects = Objects { endpoints: vec![endpoint("cart", 1, &[]), endpoint("cart", 1, &[])], ..shop() };
    assert_eq!(addresses(cluster(&resolved(&objects), CART)), ["127.0.0.1:1"]);
}

fn example(resolution: Resolution, endpoints: Vec<Workload>) -> ServiceEntry {
    let ports = vec![port(80, "http", AppProtocol::Http)];
    ServiceEntry { resolution, endpoints, ..entry("example.com", ports) }
}

fn workload(address: &str) -> Workload {
    Workload { address: address.to_owned(), ..Workload::default() }
}

fn of_entry(entry: ServiceEntry) -> Config {
    resolved(&Objects { service_entries: vec![entry], ..Objects::default() })
}

const EXAMPLE: &str = "outbound|80||example.com";

#[test]
fn an_entrys_resolution_says_how_endpoints_are_found() {
    let one = || vec![workload("10.0.0.1")];
    for (resolution, endpoints, count) in [
        (Resolution::None, Vec::new(), 0),
        (Resolution::Static, one(), 1),
        (Resolution::Dns, one(), 1),
        (Resolution::DnsRoundRobin, one(), 1),
    ] {
        let config = of_entry(example(resolution, endpoints));
        let cluster = cluster(&config, EXAMPLE);
        assert_eq!(cluster.endpoints().count(), count);
        let fits = match (&cluster.discovery, resolution) {
            (Discovery::OriginalDestination, Resolution::None) | (Discovery::Static, Resolution::Static) => true,
            (Discovery::StrictDns(dns), Resolution::Dns) | (Discovery::LogicalDns(dns), Resolution::DnsRoundRobin) => {
                dns.refresh == Duration::from_secs(60)
            }
            _ => false,
        };
        assert!(fits, "{resolution:?}: {:?}", cluster.discovery);
    }
}

#[test]
fn a_gateway_cannot_go_where_its_clients_were_going() {
    let objects =
        Objects { service_entries: vec![example(Resolution::None, vec![workload("10.0.0.1")])], ..Objects::default() };
    let config = resolve(&objects, &Site { mode: Mode::Gateway, ..caller() });
    assert_eq!(cluster(&config, EXAMPLE).discovery, Discovery::Static);
    assert_eq!(addresses(cluster(&config, EXAMPLE)), ["10.0.0.1:80"]);
}

#[test]
fn an_entry_found_by_name_without_endpoints_is_looked_up_by_its_host() {
    let config = of_entry(example(Resolution::Dns, Vec::new()));
    let endpoint = cluster(&config, EXAMPLE).endpoints().next().unwrap();
    assert_eq!(endpoint.address, Address::Name("example.com".to_owned(), 80));
    assert_eq!(endpoint.hostname, "example.com");
}

#[test]
fn a_subset_of_names_that_selects_none_has_no_cluster() {
    let mut rule = destination_rule("example.com", TrafficPolicy::default());
    rule.subsets = vec![subset("v1", &[("v", "1")])];
    let objects = Objects {
        service_entries: vec![example(Resolution::Dns, Vec::new())],
        destination_rules: vec![rule],
        ..Objects::default()
    };
    assert!(resolved(&objects).clusters.iter().all(|cluster| cluster.service.subset.is_empty()));
}

#[test]
fn an_endpoints_port_is_its_own_else_the_target_else_the_services() {
    let own = Workload { ports: [("http".to_owned(), 9000)].into(), ..workload("10.0.0.1") };
    let pipe = workload("unix:///run/app.sock");
    for (endpoint, target, address) in [
        (own, Some(7000), "10.0.0.1:9000"),
        (workload("10.0.0.1"), Some(7000), "10.0.0.1:7000"),
        (workload("10.0.0.1"), None, "10.0.0.1:80"),
        (workload("db.local"), None, "db.local:80"),
        (pipe, None, "/run/app.sock"),
    ] {
        let mut entry = example(Resolution::Static, vec![endpoint]);
        entry.target_ports = target.map(|target| (80, target)).into_iter().collect();
        assert_eq!(addresses(cluster(&of_entry(entry), EXAMPLE)), [address]);
    }
}

#[test]
fn an_entry_selects_workloads_of_its_namespace_by_labels() {
    let of = |namespace: &str, app: &str, address: &str| Workload {
        namespace: namespace.to_owned(),
        labels: labels(&[("app", app)]),
        ..workload(address)
    };
    let entry = ServiceEntry { workload_selector: labels(&[("app", "vm")]), ..example(Resolution::Static, Vec::new()) };
    let objects = Objects {
        service_entries: vec![entry],
        workloads: vec![of("default", "vm", "10.0.0.1"), of("bank", "vm", "10.0.0.2"), of("default", "x", "10.0.0.3")],
        ..Objects::default()
    };
    assert_eq!(addresses(cluster(&resolved(&objects), EXAMPLE)), ["10.0.0.1:80"]);
}

#[test]
fn an_entrys_addresses_and_all_of_its_hosts_are_asked_for() {
    let entry = ServiceEntry {
        hosts: strings(&["a.example.com", "b.example.com"]),
        addresses: strings(&["10.9.9.9", "10.8.0.0/16"]),
        ..example(Resolution::Static, Vec::new())
    };
    let config = of_entry(entry);
    assert_eq!(targets(&host(&config, "10.9.9.9").routes), [["outbound|80||a.example.com"]]);
    assert_eq!(targets(&host(&config, "b.example.com.").routes), [["outbound|80||b.example.com"]]);
    assert!(table(&config).virtual_hosts.iter().all(|host| !host.domains.contains(&"10.8.0.0/16".to_owned())));
}

#[test]
fn a_service_comes_before_an_entry_of_its_host_unless_the_entry_is_of_the_callers_namespace() {
    for (namespace, by_entry) in [("bank", false), ("default", true)] {
        let host = "till.shop.svc.cluster.local";
        let ports = vec![port(80, "http", AppProtocol::Http), port(81, "http-b", AppProtocol::Http)];
        let entry = ServiceEntry { namespace: namespace.to_owned(), ..entry(host, ports) };
        let objects =
            Objects { services: vec![service("till", "shop")], service_entries: vec![entry], ..Objects::default() };
        let ports = resolved(&objects).clusters.iter().filter(|cluster| cluster.service.host == host).count();
        assert_eq!(ports == 2, by_entry);
    }
}

#[test]
fn a_whole_configuration_stays_as_it_is_but_for_endpoints_that_are_given() {
    let mut bootstrap = Config { clusters: vec![Cluster::new("cart"), Cluster::new("other")], ..Config::default() };
    bootstrap.clusters[0].discovery = Discovery::OriginalDestination;
    bootstrap.clusters[1].discovery = Discovery::OriginalDestination;
    let mut objects = Objects { bootstrap: Some(Box::new(bootstrap.clone())), ..Objects::default() };
    assert_eq!(resolved(&objects), bootstrap);
    objects.endpoints = vec![endpoint("cart", 1, &[])];
    let config = resolved(&objects);
    assert_eq!(addresses(&config.clusters[0]), ["127.0.0.1:1"]);
    assert_eq!(config.clusters[0].discovery, Discovery::Static);
    assert_eq!(config.clusters[1], bootstrap.clusters[1]);
}

#[test]
fn endpoints_of_a_whole_configuration_that_name_a_service_are_its_instances_in_their_locality() {
    let named = |host: &str| Endpoint { address: Address::Name(host.to_owned(), 80), weight: 3, ..at(9) };
    let mut cluster = Cluster::new("backend");
    cluster.discovery = Discovery::StrictDns(Dns::default());
    cluster.localities = vec![
        Locality { priority: 0, endpoints: vec![named("cart")], ..Locality::default() },
        Locality { priority: 1, endpoints: vec![at(7), named("pay.default.svc.cluster.local")], ..Locality::default() },
    ];
    let mut objects = Objects {
        bootstrap: Some(Box::new(Config { clusters: vec![cluster], ..Config::default() })),
        endpoints: vec![endpoint("cart", 1, &[]), endpoint("cart", 2, &[])],
        ..Objects::default()
    };
    let config = resolved(&objects);
    assert!(matches!(config.clusters[0].discovery, Discovery::StrictDns(_)), "another name has yet to be looked up");
    objects.endpoints.push(endpoint("pay", 3, &[("version", "v1")]));
    let told = &resolved(&objects).clusters[0];
    assert_eq!(told.discovery, Discovery::Static);
    assert_eq!(addresses(told), ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:7", "127.0.0.1:3"]);
    assert!(told.localities[0].endpoints.iter().all(|endpoint| endpoint.weight == 3));
    assert_eq!(told.localities[1].priority, 1);
    assert_eq!(told.localities[1].endpoints[1].labels["version"], "v1");
}

fn at(port: u16) -> Endpoint {
    Endpoint::at(([127, 0, 0, 1], port).into())
}
