use super::support::*;
use crate::config::mesh::{OutboundTraffic, Site, resolve};
use crate::config::objects::{AppProtocol, Objects, Service, Sidecar, SidecarEgress, VirtualService};
use crate::policy::{Action, GrpcTimeout, Node, RetryPolicy};

#[test]
fn every_service_with_the_port_has_a_host_by_all_its_names_and_the_rest_comes_last() {
    let objects = Objects {
        services: vec![
            service("cart", "default"),
            service("pay", "bank"),
            service_with("db", vec![port(3306, "mysql", AppProtocol::Tcp)]),
        ],
        ..Objects::default()
    };
    let config = resolved(&objects);
    let domains: Vec<_> = table(&config).virtual_hosts.iter().map(|host| host.domains.clone()).collect();
    assert_eq!(
        domains,
        [
            strings(&[
                "cart.default.svc.cluster.local",
                "cart.default.svc.cluster.local.",
                "cart",
                "cart.default.svc",
                "cart.default"
            ]),
            strings(&["pay.bank.svc.cluster.local", "pay.bank.svc.cluster.local.", "pay.bank.svc", "pay.bank"]),
            strings(&["*"]),
        ]
    );
    assert!(table(&config).ignore_port_in_host);
}

#[test]
fn names_alone_and_endpoints_alone_make_services_of_http_at_80() {
    let objects = Objects { endpoints: vec![endpoint("cart", 9000, &[])], ..Objects::default() };
    let config = resolve(&objects, &Site { services: strings(&["pay", "x.bank.svc.cluster.local"]), ..caller() });
    assert_eq!(targets(cart(&config)), [[CART]]);
    assert_eq!(targets(&host(&config, "pay").routes), [[PAY]]);
    assert_eq!(targets(&host(&config, "x.bank").routes), [["outbound|80||x.bank.svc.cluster.local"]]);
    assert_eq!(cluster(&config, CART).endpoints().count(), 1);
}

#[test]
fn headless_services_are_asked_for_by_pod_too() {
    let objects =
        Objects { services: vec![Service { headless: true, ..service("cart", "default") }], ..Objects::default() };
    let config = resolved(&objects);
    for domain in ["*.cart", "*.cart.default.svc.cluster.local", "*.cart.default"] {
        assert_eq!(targets(&host(&config, domain).routes), [[CART]]);
    }
}

#[test]
fn a_service_that_nobody_routes_has_the_meshs_retries_and_no_timeout() {
    let config = resolved(&shop());
    let [route] = cart(&config) else { panic!() };
    let forward = forward(route);
    assert_eq!(route.name, "default");
    assert_eq!(forward.retry, RetryPolicy::mesh_default());
    assert_eq!((forward.timeout, forward.grpc_timeout), (None, GrpcTimeout::Obeyed));
    assert!(route.attempt_count_in_request && !route.attempt_count_in_response);
}

#[test]
fn hosts_that_nobody_knows_go_where_the_caller_was_going_or_are_refused() {
    let config = resolved(&shop());
    let [route] = host(&config, "*").routes.as_slice() else { panic!() };
    assert_eq!(targets(std::slice::from_ref(route)), [["PassthroughCluster"]]);
    assert_eq!((route.name.as_str(), forward(route).retry.attempts, forward(route).timeout), ("allow_any", 0, None));

    let config = resolve(&shop(), &Site { unknown_hosts: OutboundTraffic::RegistryOnly, ..caller() });
    let [route] = host(&config, "*").routes.as_slice() else { panic!() };
    assert!(matches!(&route.action, Action::Direct(response) if response.status == 502 && response.body.is_empty()));
    assert_eq!(route.name, "block_all");
}

#[test]
fn a_sidecar_says_what_becomes_of_unknown_hosts_whatever_the_mesh_says() {
    let mesh = |unknown_hosts| Site { unknown_hosts, ..caller() };
    let route = |registry_only, site: &Site| {
        let mut objects = shop();
        let egress = vec![SidecarEgress { port: None, hosts: strings(&["*/*"]) }];
        objects.sidecars = vec![Sidecar { egress, registry_only, ..Sidecar::default() }];
        host(&resolve(&objects, site), "*").routes[0].name.clone()
    };
    assert_eq!(route(Some(true), &mesh(OutboundTraffic::AllowAny)), "block_all");
    assert_eq!(route(Some(false), &mesh(OutboundTraffic::RegistryOnly)), "allow_any");
    assert_eq!(route(None, &mesh(OutboundTraffic::RegistryOnly)), "block_all");
}

#[test]
fn an_object_replaces_the_default_route_so_that_what_it_does_not_match_is_404() {
    let mut objects = shop();
    objects.virtual_services = vec![virtual_service("v", &["cart"], vec![prefix_to("/a", "pay")])];
    assert_eq!(targets(cart(&resolved(&objects))), [[PAY]]);
}

#[test]
fn an_object_without_a_route_for_the_caller_leaves_the_default() {
    let mut objects = shop();
    let mut other = prefix_to("/a", "pay");
    other.matches[0].port = Some(81);
    objects.virtual_services = vec![virtual_service("v", &["cart"], vec![other])];
    assert_eq!(targets(cart(&resolved(&objects))), [[CART]]);
}

#[test]
fn of_two_objects_for_a_host_the_first_wins_and_they_are_not_merged() {
    let mut objects = shop();
    objects.virtual_services = vec![
        virtual_service("first", &["cart"], vec![prefix_to("/a", "pay")]),
        virtual_service("second", &["cart", "pay"], vec![all_to("cart")]),
    ];
    let config = resolved(&objects);
    assert_eq!(targets(cart(&config)), [[PAY]]);
    assert_eq!(targets(&host(&config, "pay").routes), [[CART]]);
}

#[test]
fn private_objects_win_over_exported_ones_and_those_over_public_ones() {
    let of = |name: &str, namespace: &str, export_to: &[&str]| VirtualService {
        namespace: namespace.to_owned(),
        export_to: strings(export_to),
        ..virtual_service(name, &["cart.default.svc.cluster.local"], vec![all_to(&format!("{name}.x"))])
    };
    let (public, exported, private, hidden) = (
        of("public", "bank", &["*"]),
        of("exported", "bank", &["default"]),
        of("private", "default", &["."]),
        of("hidden", "bank", &["."]),
    );
    for (objects, winner) in [
        (vec![hidden.clone(), public.clone()], "public"),
        (vec![public.clone(), exported.clone()], "exported"),
        (vec![public, exported, private], "private"),
    ] {
        let config = resolved(&Objects { virtual_services: objects, ..shop() });
        assert_eq!(targets(cart(&config)), [[format!("outbound|80||{winner}.x")]]);
    }
    let config = resolved(&Objects { virtual_services: vec![hidden], ..shop() });
    assert_eq!(targets(cart(&config)), [[CART]]);
}

#[test]
fn a_wildcard_covers_services_unless_another_object_is_more_specific() {
    let mut objects = shop();
    objects.virtual_services = vec![
        virtual_service("wide", &["*.svc.cluster.local"], vec![all_to("wide.x")]),
        virtual_service("narrow", &["*.default.svc.cluster.local"], vec![all_to("narrow.x")]),
        virtual_service("exact", &["cart"], vec![all_to("exact.x")]),
    ];
    let config = resolved(&objects);
    assert_eq!(targets(cart(&config)), [["outbound|80||exact.x"]]);
    assert_eq!(targets(&host(&config, "pay").routes), [["outbound|80||narrow.x"]]);
    assert!(table(&config).virtual_hosts.iter().all(|host| !host.domains[0].starts_with("*.")), "covered by services");
}

#[test]
fn hosts_that_are_no_services_are_routed_at_port_80_alone() {
    let mut objects = shop();
    objects.virtual_services = vec![virtual_service("v", &["example.com", "*.example.org"], vec![all_to("pay")])];
    let config = resolved(&objects);
    assert_eq!(targets(&host(&config, "example.com").routes), [[PAY]]);
    assert_eq!(targets(&host(&config, "*.example.org").routes), [[PAY]]);
    let other = Site::outbound(vec![served(8080)]);
    assert_eq!(table(&resolve(&objects, &other)).virtual_hosts.len(), 1);
    // Beside a service of the port they come with it.
    objects.services.push(service_with("till", vec![port(8080, "http", AppProtocol::Http)]));
    objects.virtual_services[0].hosts.push("till".to_owned());
    assert_eq!(targets(&host(&resolve(&objects, &other), "example.com").routes), [[PAY]]);
}

#[test]
fn a_domain_is_of_the_first_that_names_it() {
    let mut objects = shop();
    objects.virtual_services = vec![
        virtual_service("v", &["example.com"], vec![all_to("pay")]),
        virtual_service("w", &["example.com", "other.com"], vec![all_to("cart")]),
    ];
    let config = resolved(&objects);
    assert_eq!(targets(&host(&config, "example.com").routes), [[PAY]]);
    assert_eq!(targets(&host(&config, "other.com").routes), [[CART]]);
    let mut domains: Vec<_> = table(&config).virtual_hosts.iter().flat_map(|host| &host.domains).collect();
    let all = domains.len();
    domains.sort();
    domains.dedup();
    assert_eq!(domains.len(), all);
}

#[test]
fn a_service_that_is_not_exported_is_not_seen() {
    let hidden = Service { export_to: strings(&["."]), ..service("pay", "bank") };
    let objects = Objects { services: vec![service("cart", "default"), hidden], ..Objects::default() };
    let config = resolved(&objects);
    assert_eq!(table(&config).virtual_hosts.len(), 2);
    assert_eq!(config.clusters.len(), 2);
    let site = Site { node: Node { namespace: "bank".to_owned(), ..Node::default() }, ..caller() };
    assert_eq!(table(&resolve(&objects, &site)).virtual_hosts.len(), 3);
}

#[test]
fn a_sidecar_restricts_what_is_seen() {
    let egress = |hosts: &[&str]| SidecarEgress { port: None, hosts: strings(hosts) };
    for (hosts, seen) in [
        (&["./cart.default.svc.cluster.local"][..], &["cart"][..]),
        (&["*/pay.default.svc.cluster.local"][..], &["pay"][..]),
        (&["./*"][..], &["cart", "pay"][..]),
        (&["bank/*"][..], &["till.bank"][..]),
        (&["~/*"][..], &[][..]),
    ] {
        let mut objects = shop();
        objects.services.push(service("till", "bank"));
        objects.sidecars = vec![Sidecar { egress: vec![egress(hosts)], ..Sidecar::default() }];
        let config = resolved(&objects);
        let hosts = table(&config).virtual_hosts.iter().filter(|host| host.name != "allow_any");
        let names: Vec<_> = hosts.map(|host| host.name.clone()).collect();
        assert_eq!(names.len(), seen.len(), "{names:?}");
        seen.iter().for_each(|domain| assert!(!host(&config, domain).routes.is_empty()));
        assert_eq!(config.clusters.len(), seen.len() + 1);
    }
}

#[test]
fn a_sidecar_of_the_workload_wins_and_an_entry_for_the_port_too() {
    let egress = |port, hosts: &[&str]| SidecarEgress { port, hosts: strings(hosts) };
    let mut objects = shop();
    objects.sidecars = vec![
        Sidecar { egress: vec![egress(None, &["./*"])], ..Sidecar::default() },
        Sidecar {
            workload_selector: labels(&[("app", "web")]),
            egress: vec![egress(None, &["./*"]), egress(Some(80), &["./cart.default.svc.cluster.local"])],
            ..Sidecar::default()
        },
    ];
    assert_eq!(table(&resolved(&objects)).virtual_hosts.len(), 3);
    let node = Node { namespace: "default".to_owned(), labels: labels(&[("app", "web")]), ..Node::default() };
    assert_eq!(table(&resolve(&objects, &Site { node, ..caller() })).virtual_hosts.len(), 2);
}

#[test]
fn services_that_a_route_leads_to_have_clusters_whatever_the_sidecar_says() {
    let mut objects = shop();
    objects.sidecars = vec![Sidecar {
        egress: vec![SidecarEgress { port: None, hosts: strings(&["./cart.default.svc.cluster.local"]) }],
        ..Sidecar::default()
    }];
    objects.virtual_services = vec![virtual_service("v", &["cart"], vec![all_to("pay")])];
    let config = resolved(&objects);
    cluster(&config, PAY);
    assert_eq!(table(&config).virtual_hosts.len(), 2);
}

#[test]
fn what_a_service_is_called_besides_is_not_taken_from_one_whose_name_it_is() {
    let ports = vec![port(80, "http", AppProtocol::Http)];
    let objects = Objects { service_entries: vec![entry("cart.default", ports)], ..shop() };
    let config = resolved(&objects);
    assert_eq!(targets(&host(&config, "cart.default").routes), [["outbound|80||cart.default"]]);
    assert_eq!(targets(&host(&config, "cart.default.svc").routes), [[CART]]);
}

#[test]
fn an_object_for_every_host_takes_the_place_of_the_rest() {
    let objects =
        Objects { virtual_services: vec![virtual_service("v", &["*"], vec![all_to("pay")])], ..Objects::default() };
    let config = resolved(&objects);
    let [host] = table(&config).virtual_hosts.as_slice() else { panic!() };
    assert_eq!((host.domains.as_slice(), targets(&host.routes)), (&strings(&["*"])[..], vec![vec![PAY]]));
}
