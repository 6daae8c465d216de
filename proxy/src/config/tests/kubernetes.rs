//! What Kubernetes' objects and our own mean.

use super::*;
use crate::config::objects::{AppProtocol, Deployment, EndpointSlice, ProbeAction};
use crate::policy::{EndpointHealth, HealthProbe};
use std::time::Duration;

fn deployment(spec: &str, container: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: cart}}\nspec: {{{spec}, template: {{metadata: {{labels: {{app: cart}}}}, spec: {{containers: [{{{container}}}]}}}}}}\n"
    )
}

fn probed(container: &str) -> Deployment {
    good(&deployment("selector: {matchLabels: {app: cart}}", container)).objects.deployments.remove(0)
}

fn slice(block: &str) -> String {
    format!(
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: web-1, labels: {{kubernetes.io/service-name: web, version: v2, topology.kubernetes.io/region: eu}}}}\n{block}\n"
    )
}

fn endpoints(block: &str) -> Vec<EndpointSlice> {
    good(&slice(block)).objects.endpoints
}

#[test]
fn probes_have_kubernetes_defaults_which_0_stands_for_too() {
    let read = probed(
        "livenessProbe: {httpGet: {path: /health, port: 8080}, periodSeconds: 0}, readinessProbe: {tcpSocket: {port: 80}, successThreshold: 2, initialDelaySeconds: 5}",
    );
    let probe = read.liveness.unwrap();
    assert_eq!(probe.action, ProbeAction::HttpGet { path: "/health".to_owned() });
    assert_eq!((probe.failure_threshold, probe.success_threshold), (3, 1));
    assert_eq!(
        (probe.period, probe.timeout, probe.initial_delay),
        (Duration::from_secs(10), Duration::from_secs(1), Duration::ZERO)
    );
    let ready = read.readiness.unwrap();
    assert_eq!(
        (ready.action, ready.success_threshold, ready.initial_delay),
        (ProbeAction::Tcp, 2, Duration::from_secs(5))
    );
    assert_eq!((read.replicas, read.startup, read.labels["app"].as_str()), (1, None, "cart"));
}

#[test]
fn the_probes_of_the_container_that_has_some_are_run() {
    assert!(probed("name: proxy}, {name: cart, livenessProbe: {tcpSocket: {port: 80}}").liveness.is_some());
    let several = deployment(
        "selector: {matchLabels: {app: cart}}",
        "livenessProbe: {tcpSocket: {port: 80}}}, {readinessProbe: {tcpSocket: {port: 80}}",
    );
    check_refused(&[(
        several.clone(),
        "`Deployment.spec.template.spec.containers.readinessProbe` is valid but not obeyed",
    )]);
    let read = accepting(&several, &["Deployment.spec.template.spec.containers.readinessProbe"]);
    assert!(read.objects.deployments[0].readiness.is_none() && read.objects.deployments[0].liveness.is_some());
}

#[test]
fn a_way_of_asking_that_was_accepted_without_effect_asks_nothing() {
    let text = deployment("selector: {matchLabels: {app: cart}}", "livenessProbe: {exec: {command: [a]}}");
    let read = accepting(&text, &["Deployment.spec.template.spec.containers.livenessProbe.exec"]);
    assert!(read.objects.deployments[0].liveness.is_none());
}

#[test]
fn a_selector_takes_the_labels_of_its_template() {
    let with = |spec: &str| deployment(spec, "name: cart");
    check_refused(&[
        (with("replicas: 1"), "repeat the labels of its template: `selector: {matchLabels: {app: cart}}`"),
        (with("selector: {}"), "an empty selector takes nothing"),
        (with("selector: {matchLabels: {app: web}}"), "takes `app: web`, which is no label of the template"),
        (with("selector: {matchLabels: {app: cart, tier: a}}"), "takes `tier: a`"),
        (with("selector: {matchExpressions: [{key: app, operator: NotIn, values: [cart]}]}"), "do not satisfy"),
        (with("selector: {matchExpressions: [{key: tier, operator: Exists}]}"), "do not satisfy"),
        (with("selector: {matchLabels: {app: cart}}, replicas: -1"), "-1 is no count"),
        (deployment("selector: {matchLabels: {app: cart}}", "livenessProbe: {}"), "`livenessProbe` asks nothing"),
        (
            deployment("selector: {matchLabels: {app: cart}}", "livenessProbe: {tcpSocket: {}, httpGet: {}}"),
            "asks in two ways",
        ),
        (
            deployment("selector: {matchLabels: {app: cart}}", "startupProbe: {tcpSocket: {}, successThreshold: 2}"),
            "must be 1",
        ),
        (deployment("selector: {matchLabels: {app: cart}}", "livenesProbe: {}"), "did you mean `livenessProbe`?"),
        (deployment("selector: {matchLabels: {app: cart}}", "imag: a"), "did you mean `image`?"),
    ]);
    let both = with(
        "selector: {matchExpressions: [{key: app, operator: In, values: [cart]}, {key: tier, operator: DoesNotExist}]}",
    );
    assert_eq!(errors(&both), Vec::<String>::new());
}

#[test]
fn what_is_spoken_at_a_port_is_said_by_its_protocol_or_its_name() {
    for (port, spoken) in [
        ("port: 80", AppProtocol::Sniffed),
        ("port: 80, name: http", AppProtocol::Http),
        ("port: 80, name: HTTP-web", AppProtocol::Http),
        ("port: 80, name: http2-web", AppProtocol::Http2),
        ("port: 80, name: grpc-web-a", AppProtocol::GrpcWeb),
        ("port: 80, name: grpc", AppProtocol::Grpc),
        ("port: 443, name: https", AppProtocol::Tls),
        ("port: 80, name: web", AppProtocol::Sniffed),
        ("port: 80, name: http1", AppProtocol::Sniffed),
        ("port: 80, name: http, appProtocol: tcp", AppProtocol::Tcp),
        ("port: 80, name: a, appProtocol: kubernetes.io/h2c", AppProtocol::Http2),
        ("port: 80, name: a, appProtocol: kubernetes.io/wss", AppProtocol::Tls),
        ("port: 80, name: http, protocol: UDP", AppProtocol::Udp),
        ("port: 3306, name: db", AppProtocol::Tcp),
        ("port: 3306, name: http", AppProtocol::Http),
    ] {
        let text = format!("apiVersion: v1\nkind: Service\nmetadata: {{name: cart}}\nspec: {{ports: [{{{port}}}]}}\n");
        assert_eq!(good(&text).objects.services[0].ports[0].protocol, spoken, "{port}");
    }
}

#[test]
fn a_service_may_be_headless_and_seen_by_some() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: shop, labels: {app: cart}, annotations: {networking.istio.io/exportTo: 'a, ~'}}\nspec: {clusterIP: None, ports: [{port: 80}]}\n";
    let service = good(text).objects.services.remove(0);
    assert_eq!(
        (service.headless, service.export_to, service.namespace),
        (true, vec!["a".to_owned(), "~".to_owned()], "shop".to_owned())
    );
    let ports =
        |ports: &str| format!("apiVersion: v1\nkind: Service\nmetadata: {{name: cart}}\nspec: {{ports: [{ports}]}}\n");
    check_refused(&[
        (ports("{port: 80}, {port: 81}"), "each needs a name"),
        (ports("{port: 80, name: a}, {port: 81, name: a}"), "stands here twice"),
        (ports("{port: 0}"), "0 is no port"),
    ]);
}

#[test]
fn endpoints_carry_the_labels_of_their_slice_and_their_place() {
    let all = endpoints(
        "ports: [{name: http, port: 4000}, {name: admin, port: 4001}]\nendpoints: [{addresses: [127.0.0.1], zone: a}]",
    );
    let told: Vec<_> = all.iter().map(|one| (one.port_name.as_str(), one.address.to_string())).collect();
    assert_eq!(told, [("http", "127.0.0.1:4000".to_owned()), ("admin", "127.0.0.1:4001".to_owned())]);
    let one = &all[0];
    assert_eq!(
        (one.service.as_str(), one.namespace.as_str(), one.labels["version"].as_str()),
        ("web", "default", "v2")
    );
    assert_eq!((one.place.region.as_str(), one.place.zone.as_str(), one.labels.len()), ("eu", "a", 2));
}

#[test]
fn an_endpoint_is_ready_unless_it_is_said_not_to_be_and_drains_while_it_terminates() {
    for (conditions, health) in [
        ("", EndpointHealth::Healthy),
        (", conditions: {}", EndpointHealth::Healthy),
        (", conditions: {ready: }", EndpointHealth::Healthy),
        (", conditions: {ready: true}", EndpointHealth::Healthy),
        (", conditions: {ready: false}", EndpointHealth::Unhealthy),
        (", conditions: {ready: false, serving: true, terminating: true}", EndpointHealth::Draining),
        (", conditions: {ready: false, serving: false, terminating: true}", EndpointHealth::Unhealthy),
    ] {
        let all = endpoints(&format!("ports: [{{port: 80}}]\nendpoints: [{{addresses: [127.0.0.1]{conditions}}}]"));
        assert_eq!(all[0].health, health, "{conditions}");
    }
    check_refused(&[
        (slice("ports: [{port: 80}]\nendpoints: [{addresses: [a.com]}]"), "`a.com` is no IP address"),
        (slice("ports: [{port: 80}]\nendpoints: [{}]"), "needs an address"),
        (slice("endpoints: [{addresses: [127.0.0.1]}]"), "the slice has no port"),
        (slice("ports: [{port: 80}]").replace("kubernetes.io/service-name: web, ", ""), "does not say whose endpoints"),
        (slice("ports: [{port: 80}]\nendpoint: []"), "did you mean `endpoints`?"),
    ]);
}

#[test]
fn a_health_check_asks_by_http_tcp_or_grpc() {
    let check = |block: &str| {
        format!(
            "apiVersion: squall.dev/v1\nkind: HealthCheck\nmetadata: {{name: cart}}\nspec: {{host: Cart, interval: 2s{block}}}\n"
        )
    };
    let read = |block: &str| good(&check(block)).objects.health_checks.remove(0);
    let plain = read("");
    assert_eq!(
        (plain.host.as_str(), plain.check.interval, plain.check.timeout),
        ("cart", Duration::from_secs(2), Duration::from_secs(1))
    );
    assert_eq!((plain.check.healthy_threshold, plain.check.unhealthy_threshold), (1, 3));
    for (block, path) in [("", "/"), (", path: /h", "/h"), (", http: {path: /h}", "/h"), (", http: {}", "/")] {
        let HealthProbe::Http(http) = read(block).check.probe else { panic!() };
        assert_eq!(
            (http.path.as_str(), http.method.as_str(), http.expected),
            (path, "GET", vec![(200, 201)]),
            "{block}"
        );
    }
    let HealthProbe::Http(http) = read(", http: {expectedStatuses: [204], retriableStatuses: [503]}").check.probe
    else {
        panic!()
    };
    assert_eq!((http.expected, http.retriable), (vec![(204, 205)], vec![(503, 504)]));
    let tcp = HealthProbe::Tcp { send: b"PING".to_vec(), receive: vec![b"PONG".to_vec()] };
    assert_eq!(read(", tcp: {send: PING, receive: [PONG]}").check.probe, tcp);
    let grpc = HealthProbe::Grpc { service: "a".to_owned(), authority: String::new() };
    assert_eq!(read(", grpc: {service: a}").check.probe, grpc);
    check_refused(&[
        (check(", tcp: {}, grpc: {}"), "only one of"),
        (check(", path: h"), "`h` is no path"),
        (check(", timeout: 0s"), "`timeout: 0s`"),
        (check("").replace("2s", "0s"), "ask without end"),
        (check(", http: {expectedStatuses: [99]}"), "99 is no status"),
        (check(", http: {headers: {'a b': c}}"), "cannot be sent"),
        (check(", exec: {}"), "unknown key `exec`"),
    ]);
}
