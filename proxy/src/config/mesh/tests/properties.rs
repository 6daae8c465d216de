use super::support::*;
use crate::config::mesh::{Mode, Site, resolve};
use crate::config::objects::{
    AppProtocol, Gateway, GatewayServer, HttpAction, HttpRule, Objects, Sidecar, SidecarEgress, VirtualService,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const HOSTS: [&str; 9] = [
    "cart",
    "pay",
    "cart.default.svc.cluster.local",
    "till.bank",
    "*.svc.cluster.local",
    "*.default.svc.cluster.local",
    "*",
    "example.com",
    "*.com",
];

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(words).prop_map(str::to_owned)
}

fn http_rule() -> impl Strategy<Value = HttpRule> {
    let to = proptest::collection::vec((one_of(&["cart", "pay:81", "cart/v1", "nobody"]), 0..3_u32), 1..3);
    let prefixes = proptest::collection::vec(one_of(&["/", "/a", "/a/b"]), 0..3);
    (to, prefixes, any::<bool>()).prop_map(|(to, prefixes, delegates)| {
        let action = if delegates {
            HttpAction::Delegate { name: "v0".to_owned(), namespace: String::new(), place: Default::default() }
        } else {
            HttpAction::Route(to.iter().map(|(to, weight)| weighted(to, weight + 1)).collect())
        };
        rule(prefixes.iter().map(|prefix| prefix_block(prefix)).collect(), action)
    })
}

fn routing() -> impl Strategy<Value = Vec<VirtualService>> {
    let hosts = proptest::collection::vec(one_of(&HOSTS), 0..4);
    let gateways = proptest::collection::vec(one_of(&["mesh", "door"]), 0..3);
    let rules = proptest::collection::vec(http_rule(), 0..4);
    let exports = proptest::collection::vec(one_of(&["*", ".", "bank", "default"]), 0..2);
    let one = (hosts, gateways, rules, exports, one_of(&["default", "bank"]));
    proptest::collection::vec(one, 0..5).prop_map(|all| {
        let object =
            |(number, (hosts, gateways, http, export_to, namespace)): (usize, (_, _, _, _, _))| VirtualService {
                namespace,
                hosts,
                gateways,
                export_to,
                ..virtual_service(&format!("v{number}"), &[], http)
            };
        all.into_iter().enumerate().map(object).collect()
    })
}

fn objects() -> impl Strategy<Value = Objects> {
    let servers = proptest::collection::vec((one_of(&HOSTS), any::<bool>(), any::<bool>()), 0..3);
    let egress = proptest::collection::vec(one_of(&["./*", "*/cart.default.svc.cluster.local", "bad"]), 0..2);
    (routing(), servers, egress).prop_map(|(virtual_services, servers, hosts)| {
        let server = |(host, tls, redirects): (String, bool, bool)| GatewayServer {
            port: 80,
            protocol: AppProtocol::Http,
            terminates_tls: tls,
            https_redirect: redirects && !tls,
            hosts: vec![host],
            ..GatewayServer::default()
        };
        let servers = servers.into_iter().map(server).collect();
        let mut objects = shop();
        objects.services.push(service("till", "bank"));
        objects.virtual_services = virtual_services;
        objects.gateways = vec![Gateway { name: "door".to_owned(), servers, ..Gateway::default() }];
        objects.sidecars = vec![Sidecar { egress: vec![SidecarEgress { port: None, hosts }], ..Sidecar::default() }];
        objects
    })
}

proptest! {
    #[test]
    fn a_table_names_each_domain_once_and_shares_that_add_up(objects in objects(), at_the_door in any::<bool>()) {
        let mode = if at_the_door { Mode::Gateway } else { Mode::Outbound };
        let config = resolve(&objects, &Site { mode, ..caller() });
        for manager in config.http_managers() {
            let mut domains = BTreeSet::new();
            for host in &manager.routes.virtual_hosts {
                prop_assert!(!host.domains.is_empty());
                prop_assert!(host.domains.iter().all(|domain| domains.insert(domain.clone())), "{:?}", host.domains);
            }
            prop_assert!(at_the_door || domains.contains("*"));
        }
        for forward in config.routes().filter_map(|route| route.forward()) {
            prop_assert!(forward.to.clusters().map(|to| to.weight).sum::<u32>() > 0);
        }
        let names: BTreeSet<_> = config.clusters.iter().map(|cluster| &cluster.name).collect();
        prop_assert_eq!(names.len(), config.clusters.len());
        crate::config::analyze::analyze(&objects, &[]);
    }

    #[test]
    fn behind_a_route_for_everything_a_sidecar_has_none(objects in objects()) {
        let config = resolve(&objects, &caller());
        for host in &table(&config).virtual_hosts {
            let all = host.routes.iter().position(|route| crate::config::mesh::matches_everything(&route.matches));
            prop_assert!(all.is_none_or(|at| at + 1 == host.routes.len()));
        }
    }
}
