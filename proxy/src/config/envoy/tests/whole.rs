use super::support::{read, warnings};
use crate::policy::{
    Abort, AbortWith, AddressFamily, Balance, Codec, Delay, Direction, Discovery, Fraction, Handler, HealthProbe,
    HttpFilter, LogFormat, LogSink, PathMatch, ProtocolChoice, Sni, Target, TraceProtocol, Trust,
};
use std::time::Duration;

/// A bootstrap as one finds it in front of a shop.
pub(super) const BOOTSTRAP: &str = include_str!("shop.yaml");

#[test]
fn a_realistic_bootstrap_is_read_whole() {
    let config = read(BOOTSTRAP);
    assert_eq!((config.node.id.as_str(), config.node.cluster.as_str()), ("edge-1", "edge"));
    assert_eq!(config.node.place.zone, "eu-1a");
    assert_eq!(config.admin.unwrap().to_string(), "127.0.0.1:9901");

    let [edge, tcp] = config.listeners.as_slice() else { panic!("two listeners") };
    assert_eq!((edge.name.as_str(), edge.direction), ("edge", Direction::Inbound));
    assert_eq!(edge.connection_buffer, 32_768);
    assert_eq!(edge.max_connections, Some(500));
    assert!(edge.inspection.tls && edge.inspection.http && !edge.inspection.proxy_protocol);
    assert_eq!(edge.inspection.timeout, Some(Duration::from_secs(5)));
    assert_eq!(edge.chains.len(), 1);
    assert_eq!(edge.chains[0].matches.server_names, ["shop.example", "*.shop.example"]);
    let tls = edge.chains[0].tls.as_ref().unwrap();
    assert_eq!((tls.certificates.len(), tls.alpn.len()), (1, 2));
    assert!(edge.default_chain.is_some());
    let Handler::Tcp(proxy) = &tcp.chains[0].handler else { panic!("bytes") };
    assert_eq!(proxy.to.iter().map(|to| to.weight).collect::<Vec<_>>(), [3, 1]);
    assert_eq!((proxy.max_connect_attempts, proxy.idle_timeout), (2, Some(Duration::from_secs(600))));

    let Handler::Http(manager) = &edge.chains[0].handler else { panic!("requests") };
    assert_eq!(manager.codec, Codec::Auto);
    assert!(manager.client_address.use_remote && manager.paths.normalize);
    assert_eq!(manager.timeouts.stream_idle, Some(Duration::from_secs(60)));
    assert_eq!(manager.timeouts.idle, Some(Duration::from_secs(120)));
    assert_eq!(manager.http2.max_concurrent_streams, 100);
    assert_eq!(manager.upgrades, ["websocket"]);
    assert!(matches!(
        manager.filters.as_slice(),
        [HttpFilter::HealthCheck(_), HttpFilter::Cors, HttpFilter::LocalRateLimit(_), HttpFilter::Fault(Some(_))]
    ));
    let HttpFilter::Fault(Some(fault)) = &manager.filters[3] else { panic!("a fault") };
    assert_eq!(fault.delay, Some(Delay { fixed: Some(Duration::from_secs(2)), share: Fraction(5_000) }));
    assert_eq!(fault.abort, Some(Abort { with: AbortWith::Http(503), share: Fraction(10_000) }));
    assert_eq!(fault.max_active, Some(100));
    let tracing = manager.tracing.as_ref().unwrap();
    assert_eq!(tracing.random, Fraction(10_000));
    assert_eq!(tracing.provider.as_ref().unwrap().protocol, TraceProtocol::OtlpGrpc);
    let [file, stdout] = manager.access_logs.as_slice() else { panic!("two logs") };
    assert!(matches!(&file.to, LogSink::File(path) if path.ends_with("access.log")));
    assert!(matches!(&file.format, LogFormat::Json(fields) if fields.len() == 3 && fields[0].0 == "method"));
    assert!(matches!((&stdout.to, &stdout.format), (LogSink::Stdout, LogFormat::Text(_))));

    let [shop, any] = manager.routes.virtual_hosts.as_slice() else { panic!("two hosts") };
    assert_eq!(shop.domains, ["shop.example", "*.shop.example"]);
    assert!(shop.require_tls && !any.require_tls);
    assert_eq!(shop.routes.len(), 5);
    assert!(shop.routes.iter().all(|route| route.attempt_count_in_request));
    assert!(matches!(&shop.routes[1].matches.path, PathMatch::Regex(_)));
    let Target::Weighted(clusters) = &shop.routes[0].forward().unwrap().to else { panic!("weighted") };
    assert_eq!(
        clusters.iter().map(|to| (to.name.as_str(), to.weight)).collect::<Vec<_>>(),
        [("cart", 90), ("cart-v2", 10)]
    );

    let names: Vec<_> = config.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    assert_eq!(names, ["cart", "cart-v2", "search", "collector"]);
    let cart = &config.clusters[0];
    assert!(matches!(cart.discovery, Discovery::StrictDns(dns) if dns.family == AddressFamily::V4Only));
    assert_eq!(cart.balance, Balance::LeastRequest { choices: 3, active_bias: 1.0 });
    assert_eq!(cart.slow_start.unwrap().window, Duration::from_secs(30));
    assert_eq!(cart.localities.len(), 2);
    assert!(cart.panic_percent.abs() < 1e-9);
    assert_eq!(cart.limits.retry_budget.unwrap().min_concurrency, 5);
    assert_eq!(cart.high_limits.connections, 5000);
    assert!(matches!(&cart.health_checks[0].probe, HealthProbe::Http(probe) if probe.path == "/healthz"));
    assert_eq!(cart.outlier.as_ref().unwrap().max_ejection_percent, 50);
    let tls = config.clusters[1].tls.as_ref().unwrap();
    assert_eq!((&tls.sni, &tls.trust), (&Sni::Fixed("cart.example".to_owned()), &Trust::System));
    assert!(config.clusters[2].balance.hashes());
    assert_eq!(config.clusters[3].protocol.choice, ProtocolChoice::Http2);
    let [timeout] = &warnings(BOOTSTRAP)[..] else { panic!("{:#?}", warnings(BOOTSTRAP)) };
    assert!(timeout.contains("no effect beside `max_stream_duration`"), "{timeout}");
}
