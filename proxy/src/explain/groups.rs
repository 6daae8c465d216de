//! What holds for traffic to a cluster, in groups: load balancing, detector, breakers, connections, active checks, TLS.

use super::detector::detection;
use super::setting::{Field, Owner, Value, Words, field};
use super::told::{Told, place};
use super::{Group, Setting};
use crate::policy::{
    Balance, Cluster, ConnectionOptions, Healing, HealthProbe, PoolLimits, Priority, ProtocolChoice, Sni, Trust, words,
};

/// Everything that holds for requests of a priority.
pub(super) fn groups(told: &Told<'_>, cluster: &Cluster, priority: Priority) -> Vec<Group> {
    let written = told.cluster(cluster);
    let detector = written.without(Healing::OutlierDetection, told.without(Healing::OutlierDetection));
    let breakers = written.without(Healing::Breakers, told.without(Healing::Breakers));
    vec![
        balancing(&written, cluster),
        detection(told.owner(), &detector, cluster),
        limits(told.owner(), &breakers, cluster.limits(priority)),
        connections(told.owner(), &written, cluster),
        checks(told, cluster),
        tls(cluster),
    ]
}

fn balancing(written: &Words<'_>, cluster: &Cluster) -> Group {
    const SIMPLE: Field = field("loadBalancer.simple", "lb_policy");
    const HASH: Field = field("loadBalancer.consistentHash", "lb_policy");
    const LOCALITY: Field = field("loadBalancer.localityLbSetting", "common_lb_config.locality_weighted_lb_config");
    const PANIC: Field = field("outlierDetection.minHealthPercent", "common_lb_config.healthy_panic_threshold");
    const WARM_UP: Field = field("loadBalancer.warmup", "");
    let (is, at) = match &cluster.balance {
        Balance::LeastRequest { choices, active_bias } => {
            let bias =
                if (active_bias - 1.0).abs() < f64::EPSILON { String::new() } else { format!(", bias {active_bias}") };
            (format!("least request of {choices}{bias}"), SIMPLE)
        }
        Balance::RoundRobin => ("round robin".to_owned(), SIMPLE),
        Balance::Random => ("random, whatever the weights".to_owned(), SIMPLE),
        Balance::RingHash { min_size, max_size } => (format!("ring hash of {min_size} to {max_size} entries"), HASH),
        Balance::Maglev { table_size } => (format!("Maglev of {table_size} entries"), HASH),
    };
    let panic = if cluster.panic_percent > 0.0 {
        format!("under {} of healthy endpoints all are used", words::percent(cluster.panic_percent))
    } else {
        "off".to_owned()
    };
    let warm_up = cluster.slow_start.map_or_else(
        || "off".to_owned(),
        |slow| format!("{} from {}", words::time(slow.window), words::percent(slow.min_percent)),
    );
    let localities = if cluster.locality_weighted { "by their weights" } else { "together" };
    let spill = words::percent(f64::from(cluster.overprovisioning));
    Group {
        name: "load balancing",
        settings: vec![
            written.plain("policy", at, is),
            written.plain("localities", LOCALITY, localities.to_owned()),
            written.plain("panic", PANIC, panic),
            written.plain("warm-up", WARM_UP, warm_up),
            written.plain("overprovisioning", field("", "load_assignment.policy.overprovisioning_factor"), spill),
        ],
        is: String::new(),
    }
}

fn limits(owner: Owner, written: &Words<'_>, limits: &PoolLimits) -> Group {
    let default = match owner {
        Owner::Envoy => PoolLimits::envoy_default(),
        Owner::Istio(_) => PoolLimits::unlimited(),
    };
    let settings = written.settings(counts(limits), counts(&default));
    Group { name: "breakers", is: String::new(), settings }
}

fn counts(limits: &PoolLimits) -> Vec<Value> {
    let retries = match limits.retry_budget {
        Some(budget) => (
            field("retryBudget.percent", "circuit_breakers.thresholds.0.retry_budget"),
            format!("{} of what is under way, at least {}", words::percent(budget.percent), budget.min_concurrency),
        ),
        None => (
            field("connectionPool.http.maxRetries", "circuit_breakers.thresholds.0.max_retries"),
            words::limit(limits.retries),
        ),
    };
    vec![
        (
            "connections",
            field("connectionPool.tcp.maxConnections", "circuit_breakers.thresholds.0.max_connections"),
            words::limit(limits.connections),
        ),
        (
            "waiting requests",
            field("connectionPool.http.http1MaxPendingRequests", "circuit_breakers.thresholds.0.max_pending_requests"),
            words::limit(limits.pending),
        ),
        (
            "requests",
            field("connectionPool.http.http2MaxRequests", "circuit_breakers.thresholds.0.max_requests"),
            words::limit(limits.requests),
        ),
        ("retries at once", retries.0, retries.1),
        ("pools", field("", "circuit_breakers.thresholds.0.max_connection_pools"), words::limit(limits.pools)),
        (
            "connections of an endpoint",
            field("", "circuit_breakers.per_host_thresholds"),
            words::limit(limits.connections_per_host),
        ),
    ]
}

fn connections(owner: Owner, written: &Words<'_>, cluster: &Cluster) -> Group {
    const PROTOCOL: Field = field("connectionPool.http.h2UpgradePolicy", "typed_extension_protocol_options");
    let protocol = match cluster.protocol.choice {
        ProtocolChoice::Http1 => "HTTP/1.1",
        ProtocolChoice::Http2 => "HTTP/2",
        ProtocolChoice::OfClient => "as the client does",
        ProtocolChoice::Alpn => "as ALPN says",
    };
    let mut spoken = written.setting("protocol", PROTOCOL, protocol.to_owned(), "HTTP/1.1");
    if matches!(owner, Owner::Istio(_)) && !written.has(PROTOCOL) && protocol != "HTTP/1.1" {
        "the service's port".clone_into(&mut spoken.from);
    }
    let by_http = written.has(field("connectionPool.http.idleTimeout", ""));
    let idle = if by_http { "connectionPool.http.idleTimeout" } else { "connectionPool.tcp.idleTimeout" };
    let mut settings = written
        .settings(of_connections(&cluster.connections, idle), of_connections(&ConnectionOptions::default(), idle));
    settings.push(spoken);
    Group { name: "connections", is: String::new(), settings }
}

fn of_connections(options: &ConnectionOptions, idle: &'static str) -> Vec<Value> {
    vec![
        (
            "connect time-out",
            field("connectionPool.tcp.connectTimeout", "connect_timeout"),
            words::time(options.connect_timeout),
        ),
        (
            "idle time-out",
            field(idle, "common_http_protocol_options.idle_timeout"),
            words::time_or_none(options.idle_timeout),
        ),
        (
            "longest life",
            field("connectionPool.tcp.maxConnectionDuration", "common_http_protocol_options.max_connection_duration"),
            words::time_or_none(options.max_duration),
        ),
        (
            "requests of one",
            field("connectionPool.http.maxRequestsPerConnection", "max_requests_per_connection"),
            options.max_requests.map_or_else(|| "unlimited".to_owned(), |most| most.to_string()),
        ),
    ]
}

fn checks(told: &Told<'_>, cluster: &Cluster) -> Group {
    let name = "active checks";
    if cluster.health_checks.is_empty() {
        let out = told.without(Healing::ActiveChecks);
        let is = if out { "taken out by --disarm active-checks" } else { "none" };
        return Group { name, is: is.to_owned(), settings: Vec::new() };
    }
    let each = cluster.health_checks.iter().map(|check| {
        let what = match &check.probe {
            HealthProbe::Http(probe) => format!("{} {}", probe.method, probe.path),
            HealthProbe::Tcp { .. } => "a connection".to_owned(),
            HealthProbe::Grpc { service, .. } => format!("gRPC health of `{service}`"),
        };
        let value = format!(
            "{what} every {}, within {}; out after {}, back after {}",
            words::time(check.interval),
            words::time(check.timeout),
            check.unhealthy_threshold,
            check.healthy_threshold
        );
        Setting { name: "check", value, from: place(&check.origin) }
    });
    Group { name, is: String::new(), settings: each.collect() }
}

fn tls(cluster: &Cluster) -> Group {
    let name = "tls";
    let Some(tls) = &cluster.tls else { return Group { name, is: "none".to_owned(), settings: Vec::new() } };
    let setting = |name, value| Setting { name, value, from: place(&cluster.origin) };
    let sni = match &tls.sni {
        Sni::None => "none".to_owned(),
        Sni::Fixed(name) => name.clone(),
        Sni::FromHost => "the host of the request".to_owned(),
    };
    let trust = match &tls.trust {
        Trust::Nobody => "nobody: the certificate is not looked at".to_owned(),
        Trust::File(path) => path.display().to_string(),
        Trust::System => "the system's authorities".to_owned(),
    };
    let own = tls.certificate.as_ref().map_or_else(|| "none".to_owned(), |own| own.chain.display().to_string());
    let settings = vec![setting("server name", sni), setting("trusted", trust), setting("own certificate", own)];
    Group { name, is: String::new(), settings }
}
