use super::support::*;
use crate::config::mesh::{Mode, Site, resolve};
use crate::config::objects::{
    AppProtocol, ConnectionMatch, Gateway, GatewayServer, HttpRule, Objects, TcpRule, TlsRule, VirtualService,
};
use crate::policy::{
    Certificate, ChainMatch, Config, Direction, FilterChain, ForwardClientCert, Handler, Listener, Node, PathMatch,
};

fn server(number: u16, hosts: &[&str]) -> GatewayServer {
    GatewayServer {
        port: number,
        port_name: format!("p{number}"),
        protocol: AppProtocol::Http,
        hosts: strings(hosts),
        ..GatewayServer::default()
    }
}

fn secure(number: u16, hosts: &[&str]) -> GatewayServer {
    let certificate = Certificate { chain: "tls.crt".into(), key: "tls.key".into() };
    GatewayServer { terminates_tls: true, certificates: vec![certificate], ..server(number, hosts) }
}

fn passing(number: u16, hosts: &[&str]) -> GatewayServer {
    GatewayServer { protocol: AppProtocol::Tls, passthrough: true, ..server(number, hosts) }
}

fn door(servers: Vec<GatewayServer>) -> Gateway {
    Gateway {
        name: "door".to_owned(),
        namespace: "default".to_owned(),
        selector: labels(&[("app", "gateway")]),
        servers,
        origin: at_line(9),
    }
}

fn bound(name: &str, hosts: &[&str], http: Vec<HttpRule>) -> VirtualService {
    VirtualService { gateways: strings(&["door"]), ..virtual_service(name, hosts, http) }
}

fn mesh(servers: Vec<GatewayServer>, virtual_services: Vec<VirtualService>) -> Objects {
    Objects { gateways: vec![door(servers)], virtual_services, ..shop() }
}

fn at(objects: &Objects, labelled: &[(&str, &str)]) -> Config {
    let node = Node { namespace: "default".to_owned(), labels: labels(labelled), ..Node::default() };
    resolve(objects, &Site { mode: Mode::Gateway, node, ..Site::outbound(Vec::new()) })
}

fn opened(objects: &Objects) -> Config {
    at(objects, &[("app", "gateway"), ("more", "labels")])
}

fn domains(config: &Config) -> Vec<String> {
    table(config).virtual_hosts.iter().flat_map(|host| host.domains.clone()).collect()
}

fn chains(config: &Config) -> &[FilterChain] {
    let [Listener { chains, .. }] = config.listeners.as_slice() else { panic!("{:?}", config.listeners) };
    chains
}

#[test]
fn a_gateway_is_for_proxies_that_carry_its_labels() {
    let objects = mesh(vec![server(80, &["*"])], Vec::new());
    assert_eq!(opened(&objects).listeners.len(), 1);
    assert!(at(&objects, &[("app", "other")]).listeners.is_empty());
    let mut open = objects;
    open.gateways[0].selector.clear();
    assert_eq!(at(&open, &[]).listeners.len(), 1);
}

#[test]
fn requests_are_served_as_at_an_edge() {
    let config = opened(&mesh(vec![server(8080, &["*"])], Vec::new()));
    let listener = listener(&config);
    assert_eq!((listener.direction, listener.name.as_str()), (Direction::Gateway, "0.0.0.0_8080"));
    assert_eq!(listener.address, ([0, 0, 0, 0], 8080).into());
    let manager = manager(&listener.chains[0]);
    assert!(manager.client_address.use_remote && manager.routes.ignore_port_in_host);
    assert_eq!(
        (manager.server_header.name.as_str(), manager.client_cert),
        ("istio-envoy", ForwardClientCert::SanitizeSet)
    );
    assert_eq!(manager.routes.name, "http.8080");
}

#[test]
fn a_port_is_bound_where_the_site_says() {
    let objects = mesh(vec![server(80, &["*"])], Vec::new());
    let node = Node { labels: labels(&[("app", "gateway")]), ..Node::default() };
    let config = resolve(&objects, &Site { mode: Mode::Gateway, node, ..Site::outbound(vec![served(80)]) });
    assert_eq!(listener(&config).address, served(80).bind);
}

#[test]
fn without_any_host_everything_is_404() {
    let config = opened(&mesh(vec![server(80, &["*"])], Vec::new()));
    let [host] = table(&config).virtual_hosts.as_slice() else { panic!() };
    assert_eq!(
        (host.name.as_str(), host.domains.as_slice(), host.routes.len()),
        ("blackhole:80", &strings(&["*"])[..], 0)
    );
}

#[test]
fn the_narrower_of_both_hosts_is_bound_and_others_are_not() {
    for (of_server, of_object, bound_to) in [
        ("*.foo.com", "a.foo.com", Some("a.foo.com")),
        ("a.foo.com", "*.foo.com", Some("a.foo.com")),
        ("*", "a.com", Some("a.com")),
        ("a.com", "*", Some("a.com")),
        ("a.com", "a.com", Some("a.com")),
        ("a.com", "b.com", None),
        ("*.foo.com", "foo.com", None),
        ("default/a.com", "a.com", Some("a.com")),
        ("./a.com", "a.com", Some("a.com")),
        ("*/a.com", "a.com", Some("a.com")),
        ("bank/a.com", "a.com", None),
    ] {
        let objects = mesh(vec![server(80, &[of_server])], vec![bound("v", &[of_object], vec![all_to("cart")])]);
        let made: Vec<_> =
            domains(&opened(&objects)).into_iter().filter(|domain| bound_to.is_some() || domain != "*").collect();
        assert_eq!(made, bound_to.into_iter().collect::<Vec<_>>(), "{of_server} and {of_object}");
    }
}

#[test]
fn objects_bind_by_naming_the_gateway_with_its_namespace() {
    for (gateway, namespace, binds) in [
        ("door", "default", true),
        ("default/door", "bank", true),
        ("door", "bank", false),
        ("mesh", "default", false),
        ("other", "default", false),
    ] {
        let object = VirtualService {
            gateways: strings(&[gateway]),
            namespace: namespace.to_owned(),
            ..virtual_service("v", &["a.com"], vec![all_to("cart")])
        };
        let made = domains(&opened(&mesh(vec![server(80, &["*"])], vec![object])));
        assert_eq!(made == ["a.com"], binds, "{gateway} of {namespace}");
    }
}

#[test]
fn objects_of_one_host_stand_behind_each_other_and_what_matches_everything_comes_last() {
    let objects = mesh(
        vec![server(80, &["*"])],
        vec![
            bound("v", &["a.com"], vec![prefix_to("/1", "cart"), all_to("cart")]),
            bound("w", &["a.com"], vec![prefix_to("/2", "pay"), all_to("pay")]),
        ],
    );
    let config = opened(&objects);
    let [host] = table(&config).virtual_hosts.as_slice() else { panic!() };
    let paths: Vec<_> = host.routes.iter().map(|route| route.matches.path.clone()).collect();
    let prefix = |text: &str| PathMatch::Prefix(text.to_owned());
    assert_eq!(paths, [prefix("/1"), prefix("/2"), PathMatch::Any, PathMatch::Any]);
    assert_eq!(targets(&host.routes), [[CART], [PAY], [CART], [PAY]]);
}

#[test]
fn servers_of_several_gateways_share_a_port_of_requests() {
    let mut objects = mesh(
        vec![server(80, &["a.com"])],
        vec![
            bound("v", &["a.com"], vec![all_to("cart")]),
            VirtualService { gateways: strings(&["back"]), ..virtual_service("w", &["b.com"], vec![all_to("pay")]) },
        ],
    );
    objects.gateways.push(Gateway { name: "back".to_owned(), ..door(vec![server(80, &["b.com"])]) });
    assert_eq!(domains(&opened(&objects)), ["a.com", "b.com"]);
}

#[test]
fn everything_is_sent_to_https_even_without_routes() {
    let redirecting = GatewayServer { https_redirect: true, ..server(80, &["*.a.com", "b.com"]) };
    let config = opened(&mesh(vec![redirecting], vec![bound("v", &["x.a.com"], vec![all_to("cart")])]));
    assert_eq!(domains(&config), ["*.a.com", "b.com", "x.a.com"]);
    assert!(table(&config).virtual_hosts.iter().all(|host| host.require_tls));
}

#[test]
fn tls_ends_at_a_chain_for_the_servers_names() {
    let objects = mesh(
        vec![
            secure(443, &["a.com", "default/*.b.com"]),
            GatewayServer { port_name: "q".to_owned(), ..secure(443, &["c.com"]) },
        ],
        vec![bound("v", &["a.com", "c.com"], vec![all_to("cart")])],
    );
    let config = opened(&objects);
    let [first, second] = chains(&config) else { panic!() };
    assert_eq!(first.matches.server_names, ["a.com", "*.b.com"]);
    assert_eq!(second.matches.server_names, ["c.com"]);
    let tls = first.tls.as_ref().unwrap();
    assert_eq!((tls.alpn.as_slice(), tls.certificates.len()), (&strings(&["h2", "http/1.1"])[..], 1));
    assert!(listener(&config).inspection.tls);
    assert_eq!(manager(first).routes.name, "https.443.p443.door.default");
    assert_eq!(manager(first).routes.virtual_hosts[0].domains, ["a.com"], "each server has its own hosts");
    assert_eq!(manager(second).routes.virtual_hosts[0].domains, ["c.com"]);
}

#[test]
fn a_server_of_tls_for_every_host_takes_clients_without_a_server_name() {
    let config = opened(&mesh(vec![secure(443, &["*"])], Vec::new()));
    assert_eq!(chains(&config)[0].matches, ChainMatch::default());
}

#[test]
fn a_server_that_cannot_share_its_port_or_repeats_a_host_is_left_out() {
    let tcp = GatewayServer { protocol: AppProtocol::Tcp, ..server(443, &["*"]) };
    for (servers, made) in [
        (vec![secure(443, &["a.com"]), secure(443, &["a.com"])], 1),
        (vec![secure(443, &["a.com"]), secure(443, &["b.com"])], 2),
        (vec![secure(443, &["a.com"]), server(443, &["b.com"])], 1),
        (vec![server(443, &["b.com"]), tcp], 1),
    ] {
        let config = opened(&mesh(servers.clone(), Vec::new()));
        assert_eq!(chains(&config).len(), made, "{servers:?}");
    }
}

fn bytes_to(matches: Vec<ConnectionMatch>, to: &str) -> TcpRule {
    TcpRule { matches, to: vec![weighted(to, 0)], origin: Default::default() }
}

fn target(chain: &FilterChain) -> &str {
    match &chain.handler {
        Handler::Tcp(proxy) => &proxy.to[0].name,
        Handler::Http(_) => panic!("requests"),
    }
}

#[test]
fn bytes_go_by_the_first_rule_that_is_bound() {
    let at_other = ConnectionMatch { port: Some(1), ..ConnectionMatch::default() };
    // Who calls is not known here.
    let of_caller = ConnectionMatch { source_labels: labels(&[("app", "web")]), ..ConnectionMatch::default() };
    let object = VirtualService {
        tcp: vec![bytes_to(vec![at_other], "pay"), bytes_to(vec![of_caller], "cart")],
        ..bound("v", &["a.com"], Vec::new())
    };
    let plain = GatewayServer { protocol: AppProtocol::Tcp, ..server(9000, &["*"]) };
    let config = opened(&mesh(vec![plain], vec![object.clone()]));
    assert_eq!((chains(&config).len(), target(&chains(&config)[0])), (1, CART));
    assert!(chains(&config)[0].tls.is_none());
    let ending = GatewayServer { protocol: AppProtocol::Tcp, ..secure(9000, &["a.com"]) };
    let config = opened(&mesh(vec![ending], vec![object]));
    assert_eq!(target(&chains(&config)[0]), CART);
    assert_eq!(chains(&config)[0].matches.server_names, ["a.com"]);
    assert!(chains(&config)[0].tls.as_ref().is_some_and(|tls| tls.alpn.is_empty()));
}

#[test]
fn tls_is_passed_on_by_server_name() {
    let rule = |names: &[&str], gateways: &[&str], to: &str| TlsRule {
        server_names: strings(names),
        matches: vec![ConnectionMatch { gateways: strings(gateways), ..ConnectionMatch::default() }],
        to: vec![weighted(to, 0)],
        origin: Default::default(),
    };
    let object = VirtualService {
        tls: vec![
            rule(&["a.com"], &[], "cart"),
            rule(&["b.com"], &["mesh"], "cart"),
            rule(&["c.com"], &["door"], "pay"),
        ],
        ..bound("v", &["a.com", "b.com", "c.com"], Vec::new())
    };
    let config = opened(&mesh(vec![passing(443, &["*"])], vec![object]));
    let made: Vec<_> =
        chains(&config).iter().map(|chain| (chain.matches.server_names[0].as_str(), target(chain))).collect();
    assert_eq!(made, [("a.com", CART), ("c.com", PAY)]);
    assert!(chains(&config).iter().all(|chain| chain.tls.is_none()));
}

#[test]
fn a_gateway_has_clusters_of_every_service_that_it_sees() {
    let config = opened(&mesh(Vec::new(), Vec::new()));
    cluster(&config, CART);
    cluster(&config, PAY);
}

#[test]
fn a_route_of_one_listener_stays_out_of_the_others() {
    let object = VirtualService { section: "p80".to_owned(), ..bound("v", &["a.com"], vec![all_to("cart")]) };
    let config = opened(&mesh(vec![server(80, &["*"]), server(81, &["*"])], vec![object]));
    let made: Vec<_> = config.http_managers().map(|manager| manager.routes.virtual_hosts[0].name.as_str()).collect();
    assert_eq!(made, ["a.com:80", "blackhole:81"]);
}
