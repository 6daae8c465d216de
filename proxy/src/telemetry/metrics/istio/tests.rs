use super::*;
use crate::policy::{Cluster, Endpoint, Locality, Node, ServiceIdentity};
use crate::telemetry::exposition::{Wanted, prometheus};
use crate::telemetry::metrics::Registry;
use crate::telemetry::{Flag, Flags};
use squall_http1::Headers;
use std::time::Duration;

fn node() -> Node {
    Node {
        workload: "web-v2".to_owned(),
        namespace: "shop".to_owned(),
        labels: [("app", "web"), ("version", "v2")].map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ..Node::default()
    }
}

fn cart(labels: &[&[(&str, &str)]]) -> Cluster {
    let endpoint = |labels: &&[(&str, &str)]| Endpoint {
        labels: labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        ..Endpoint::at("10.0.0.1:80".parse().unwrap())
    };
    Cluster {
        localities: vec![Locality { endpoints: labels.iter().map(endpoint).collect(), ..Locality::default() }],
        service: ServiceIdentity {
            host: "cart.shop.svc.cluster.local".to_owned(),
            name: "cart".to_owned(),
            namespace: "shop".to_owned(),
            subset: "v1".to_owned(),
            port: 80,
        },
        ..Cluster::new("outbound|80|v1|cart")
    }
}

fn istio_text(registry: &Registry) -> String {
    let lines = prometheus(&registry.samples(&|_| None), &Wanted::default());
    lines.split_inclusive('\n').filter(|line| line.starts_with("istio_")).collect()
}

fn info(request: &Headers, status: Option<u16>, flags: Flags) -> StreamInfo<'_> {
    let now = crate::clock::now();
    let ended = now + Duration::from_micros(7_500);
    StreamInfo { request, status, flags, wire_received: 300, wire_sent: 2_000, ..StreamInfo::new(now, ended) }
}

#[test]
fn requests_are_counted_by_how_they_ended() {
    let registry = Registry::new(2);
    let series = registry.istio(&Labels::source(&node(), &cart(&[&[("app", "cart"), ("version", "v1")]])));
    let mut grpc = Headers::new();
    grpc.add("content-type", b"application/grpc");
    let plain = Headers::new();
    let retried = Flags::from(Flag::RetryLimit).with(Flag::ConnectFailure);
    for worker in [Worker::number(0), Worker::number(1)] {
        series.ended(worker, &info(&plain, Some(200), Flags::NONE), Security::Unknown, Messages::default());
        series.ended(worker, &info(&plain, Some(503), retried), Security::Unknown, Messages::default());
    }
    series.ended(
        Worker::number(0),
        &info(&plain, None, Flag::DownstreamClosed.into()),
        Security::Unknown,
        Messages::default(),
    );
    let messages = Messages { requests: 3, responses: 5 };
    series.ended(Worker::number(1), &info(&grpc, Some(200), Flags::NONE), Security::Unknown, messages);
    let text = istio_text(&registry);
    let total = |labels: &str| {
        let line = text.lines().find(|line| line.starts_with("istio_requests_total{") && line.contains(labels));
        line.and_then(|line| line.rsplit(' ').next()).unwrap_or_else(|| panic!("{labels}\n{text}")).to_owned()
    };
    let code = |protocol, code, grpc, flags| {
        total(&format!(
            "request_protocol=\"{protocol}\",response_code=\"{code}\",grpc_response_status=\"{grpc}\",response_flags=\"{flags}\",connection_security_policy=\"unknown\""
        ))
    };
    assert_eq!(code("http", 200, "", "-"), "2");
    assert_eq!(code("http", 503, "", "URX,UF"), "2");
    assert_eq!(code("http", 0, "", "DC"), "1");
    assert_eq!(code("grpc", 200, "2", "-"), "1");
    assert!(
        text.contains(
            "\nistio_requests_total{reporter=\"source\",destination_service=\"cart.shop.svc.cluster.local\","
        )
    );
    for (name, value) in [("istio_request_messages_total{", " 3"), ("istio_response_messages_total{", " 5")] {
        assert!(text.lines().any(|line| line.starts_with(name) && line.ends_with(value)), "{name}");
    }
    let of_200 = |line: &&str| line.contains("http\",response_code=\"200\"");
    let sum = text.lines().filter(of_200).find(|line| line.starts_with("istio_request_duration_milliseconds_sum"));
    assert!(sum.is_some_and(|line| line.ends_with(" 15")), "{sum:?}");
    let bucket = text
        .lines()
        .filter(of_200)
        .find(|line| line.starts_with("istio_response_bytes_bucket") && line.contains("le=\"2500\""));
    assert!(bucket.is_some_and(|line| line.ends_with(" 2")), "{bucket:?}");
}

#[test]
fn labels_come_from_the_configuration_alone() {
    let both = |text: &str, pairs: &[(&str, &str)]| {
        for (name, value) in pairs {
            assert!(text.contains(&format!("{name}=\"{value}\"")), "{name}={value} in\n{text}");
        }
    };
    let text = |labels: &Labels| {
        let registry = Registry::new(1);
        let fields = Headers::new();
        let info = info(&fields, Some(200), Flags::NONE);
        registry.istio(labels).ended(Worker::number(0), &info, Security::None, Messages::default());
        istio_text(&registry)
    };
    let same = cart(&[&[("app", "cart"), ("version", "v1")], &[("app", "cart"), ("version", "v1")]]);
    let source = [
        ("source_workload", "web-v2"),
        ("source_workload_namespace", "shop"),
        ("source_canonical_service", "web"),
        ("source_canonical_revision", "v2"),
        ("source_principal", "unknown"),
        ("destination_service_name", "cart"),
        ("destination_service_namespace", "shop"),
        ("destination_app", "cart"),
        ("destination_version", "v1"),
        ("destination_canonical_service", "cart"),
    ];
    both(&text(&Labels::source(&node(), &same)), &source);
    // Endpoints that differ say nothing, and the subset stands for the version.
    let mixed = cart(&[&[("app", "cart"), ("version", "a")], &[("app", "cart"), ("version", "b")]]);
    let common =
        [("destination_version", "v1"), ("destination_canonical_revision", "latest"), ("destination_app", "cart")];
    both(&text(&Labels::source(&node(), &mixed)), &common);
    let destination = [
        ("reporter", "destination"),
        ("source_workload", "unknown"),
        ("destination_workload", "web-v2"),
        ("connection_security_policy", "none"),
    ];
    both(&text(&Labels::destination(&node(), &same)), &destination);
    let nowhere = Cluster {
        name: "PassthroughCluster".to_owned(),
        service: ServiceIdentity::default(),
        localities: Vec::new(),
        ..same
    };
    let unknown = [("destination_service", "unknown"), ("destination_service_name", "PassthroughCluster")];
    both(&text(&Labels::source(&node(), &nowhere)), &unknown);
}

#[test]
fn a_canonical_name_goes_before_the_app_and_that_before_the_workload() {
    for (labels, name, revision) in [
        (
            &[
                ("service.istio.io/canonical-name", "a"),
                ("app.kubernetes.io/name", "c"),
                ("app", "b"),
                ("service.istio.io/canonical-revision", "r"),
            ][..],
            "a",
            "r",
        ),
        (
            &[("app.kubernetes.io/name", "c"), ("app", "b"), ("app.kubernetes.io/version", "s"), ("version", "t")],
            "c",
            "s",
        ),
        (&[("app", "b"), ("version", "t")], "b", "t"),
        (&[], "web-v2", "latest"),
    ] {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let registry = Registry::new(1);
        let series = registry.istio_tcp(&Labels::source(&Node { labels, ..node() }, &cart(&[])), Security::Unknown);
        series.opened(Worker::number(0));
        let text = istio_text(&registry);
        assert!(text.contains(&format!("source_canonical_service=\"{name}\"")), "{text}");
        assert!(text.contains(&format!("source_canonical_revision=\"{revision}\"")), "{text}");
    }
}

#[test]
fn connections_have_neither_a_status_nor_a_grpc_status() {
    let registry = Registry::new(1);
    let series = registry.istio_tcp(&Labels::destination(&node(), &cart(&[])), Security::MutualTls);
    let worker = Worker::number(0);
    series.opened(worker);
    series.moved(worker, 10, 20);
    series.moved(worker, 1, 2);
    series.closed(worker, Flag::ConnectFailure.into());
    let text = istio_text(&registry);
    assert!(!text.contains("response_code") && !text.contains("grpc_response_status"));
    for (name, flags, value) in [
        ("istio_tcp_connections_opened_total", "-", 1),
        ("istio_tcp_connections_closed_total", "UF", 1),
        ("istio_tcp_sent_bytes_total", "-", 22),
        ("istio_tcp_received_bytes_total", "-", 11),
    ] {
        let end = format!(
            "request_protocol=\"tcp\",connection_security_policy=\"mutual_tls\",response_flags=\"{flags}\"}} {value}"
        );
        assert!(text.lines().any(|line| line.starts_with(name) && line.ends_with(&end)), "{name}\n{text}");
    }
}
