//! What Istio's other objects mean: gateways, entries, workloads and sidecars.

use super::*;
use crate::config::objects::{AppProtocol, GatewayServer, Resolution, SidecarEgress};
use crate::policy::{Certificate, Place};

fn server(server: &str) -> GatewayServer {
    let text = istio("Gateway", &format!("{{selector: {{app: edge}}, servers: [{{hosts: ['*'], {server}}}]}}"));
    good(&text).objects.gateways.remove(0).servers.remove(0)
}

#[test]
fn a_server_ends_tls_or_passes_it_on_or_sends_to_https() {
    let redirect = server("port: {number: 80, name: http, protocol: http}, tls: {httpsRedirect: true}");
    assert_eq!((redirect.port, redirect.protocol, redirect.https_redirect), (80, AppProtocol::Http, true));
    assert!(!redirect.terminates_tls && !redirect.passthrough);

    let ended = server(
        "port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: SIMPLE, serverCertificate: a.pem, privateKey: a.key, caCertificates: ignored}",
    );
    assert_eq!((ended.terminates_tls, ended.protocol, ended.client_ca), (true, AppProtocol::Http, None));
    assert_eq!(ended.certificates, [Certificate { chain: "shop/a.pem".into(), key: "shop/a.key".into() }]);

    let mutual = "port: {number: 443, name: tls, protocol: TLS}, tls: {mode: MUTUAL, serverCertificate: a, privateKey: b, caCertificates: ca}";
    let both = server(mutual);
    assert_eq!((both.protocol, both.require_client, both.client_ca), (AppProtocol::Tcp, true, Some("shop/ca".into())));
    assert!(!server(&mutual.replace("MUTUAL", "OPTIONAL_MUTUAL")).require_client);

    let passed = server("port: {number: 443, name: tls, protocol: TLS}, tls: {}");
    assert_eq!((passed.passthrough, passed.terminates_tls, passed.protocol), (true, false, AppProtocol::Tls));
}

#[test]
fn what_istio_warns_of_is_a_warning() {
    let tls = |tls: &str| {
        istio(
            "Gateway",
            &format!("{{servers: [{{port: {{number: 443, name: a, protocol: TLS}}, hosts: ['*'], tls: {{{tls}}}}}]}}"),
        )
    };
    for (text, told) in [
        (tls("mode: PASSTHROUGH, serverCertificate: a"), "needs no certificates"),
        (tls("httpsRedirect: true"), "for ports of HTTP"),
        (istio("ServiceEntry", "{hosts: ['*a.com'], ports: []}"), "a part of a wildcard"),
        (
            istio("ServiceEntry", "{hosts: [a.com], ports: [], workloadSelector: {labels: {a: b}}}"),
            "does nothing without `resolution`",
        ),
        (istio("Sidecar", "{egress: [{hosts: [a/*, a/b.c]}]}"), "is there already"),
        (istio("Sidecar", "{workloadSelector: {labels: {}}, egress: [{hosts: [a/*]}]}"), "every workload"),
    ] {
        let found = warnings(&text);
        assert!(found.len() == 1 && found[0].contains(told), "{text}: {found:?}");
    }
}

#[test]
fn an_entry_has_hosts_ports_and_endpoints() {
    let text = istio(
        "ServiceEntry",
        "{hosts: [API.example.com], addresses: [10.1.0.0/16], location: MESH_INTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}, {number: 81, name: any}], endpoints: [{address: 10.0.0.7, ports: {http: 8081}, labels: {topology.kubernetes.io/zone: a}}, {address: 10.0.0.8, weight: 3, locality: eu/b}]}",
    );
    let entry = good(&text).objects.service_entries.remove(0);
    assert_eq!(
        (entry.hosts, entry.mesh_internal, entry.resolution),
        (vec!["api.example.com".to_owned()], true, Resolution::Static)
    );
    assert_eq!((entry.ports[0].protocol, entry.ports[1].protocol), (AppProtocol::Http, AppProtocol::Sniffed));
    assert_eq!(entry.target_ports.into_iter().collect::<Vec<_>>(), [(80, 8080)]);
    let (one, other) = (&entry.endpoints[0], &entry.endpoints[1]);
    assert_eq!((one.ports["http"], one.weight, other.weight), (8081, 1, 3));
    assert_eq!(one.place, Place { zone: "a".to_owned(), ..Place::default() });
    assert_eq!(other.place, Place { region: "eu".to_owned(), zone: "b".to_owned(), ..Place::default() });
    assert_eq!(one.namespace, "default");
}

#[test]
fn a_workload_has_the_labels_of_its_object_too() {
    let text = istio("WorkloadEntry", "{address: 10.0.0.7, labels: {app: cart}}")
        .replace("{name: cart}", "{name: one, labels: {app: other, tier: a}}");
    let workload = good(&text).objects.workloads.remove(0);
    assert_eq!((workload.labels["app"].as_str(), workload.labels["tier"].as_str()), ("cart", "a"));
    assert_eq!((workload.name.as_str(), workload.namespace.as_str()), ("one", "default"));
}

#[test]
fn a_sidecar_names_hosts_by_port_or_for_all() {
    let text = istio(
        "Sidecar",
        "{egress: [{port: {number: 80, protocol: HTTP}, hosts: [shop/Cart.shop.svc]}, {hosts: [./*, '*/*']}]}",
    );
    let egress = good(&text).objects.sidecars.remove(0).egress;
    let hosts = |hosts: &[&str]| hosts.iter().map(|host| (*host).to_owned()).collect();
    assert_eq!(egress[0], SidecarEgress { port: Some(80), hosts: hosts(&["shop/cart.shop.svc"]) });
    assert_eq!(egress[1], SidecarEgress { port: None, hosts: hosts(&["./*", "*/*"]) });
}
