//! Clusters of the services that may be called: one for each port, and one for each port and subset.

use super::connections::{connections, limits, protocol};
use super::effective::{at_port, of_subset};
use super::endpoints::{discovery, localities};
use super::host::qualified;
use super::locality::{is_weighted, prefer};
use super::registry::{Known, KnownBy};
use super::rules::Rule;
use super::upstream_tls::upstream_tls;
use super::view::View;
use super::{IstioVersion, Mode, OutboundTraffic};
use crate::config::objects::{ServicePort, Subset, TrafficPolicy};
use crate::policy::{
    Balance, Cluster, Discovery, HealthCheck, OutlierDetection, PoolLimits, ProtocolChoice, ServiceIdentity,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where the caller was going, for hosts that nobody knows.
pub(super) const PASSTHROUGH: &str = "PassthroughCluster";

/// Nowhere.
pub(super) const BLACK_HOLE: &str = "BlackHoleCluster";

/// `outbound|port|subset|host`.
pub(super) fn name(port: u16, subset: Option<&str>, host: &str) -> String {
    format!("outbound|{port}|{}|{host}", subset.unwrap_or_default())
}

/// All clusters of a caller, those that no route names among them.
pub(super) fn outbound(view: &View<'_>) -> Vec<Cluster> {
    let services = view.clustered();
    let mut clusters: Vec<_> = services.into_iter().flat_map(|service| of_service(view, service)).collect();
    let knows_all = view.unknown_hosts() == OutboundTraffic::RegistryOnly;
    match view.site.mode {
        Mode::Outbound if knows_all => clusters.push(black_hole()),
        Mode::Outbound => clusters.push(passthrough(view.site.version)),
        Mode::Gateway => clusters.push(black_hole()),
        Mode::Inbound { .. } => {}
    }
    clusters
}

fn of_service(view: &View<'_>, service: &Known<'_>) -> Vec<Cluster> {
    let rule = view.rule(service);
    let checks = checks_of(view, &service.host);
    let subsets = rule.iter().flat_map(|rule| &rule.subsets);
    let mut clusters = Vec::new();
    for port in &service.ports {
        let build = |subset| one(view, service, port, rule.as_ref(), subset, &checks);
        clusters.extend(build(None));
        clusters.extend(subsets.clone().filter_map(|subset| build(Some(subset))));
    }
    clusters
}

/// One cluster; none where a name would have to be looked up and no endpoint gives one.
fn one(
    view: &View<'_>,
    service: &Known<'_>,
    port: &ServicePort,
    rule: Option<&Rule>,
    subset: Option<&Subset>,
    checks: &[HealthCheck],
) -> Option<Cluster> {
    let policy = match (rule, subset) {
        (Some(rule), Some(subset)) => of_subset(rule, subset, port.number),
        (Some(rule), None) => at_port(rule, port.number),
        (None, _) => TrafficPolicy::default(),
    };
    let version = view.site.version;
    let labels = subset.map_or_else(BTreeMap::new, |subset| subset.labels.clone());
    let balancer = policy.load_balancer.as_ref();
    let goes_where_dialled = balancer.is_some_and(|balancer| balancer.balance.is_none());
    let found = if goes_where_dialled { Discovery::OriginalDestination } else { discovery(service, view.site.mode) };
    let localities = match found {
        Discovery::OriginalDestination => Vec::new(),
        _ => localities(view, service, port, &labels),
    };
    if matches!(found, Discovery::StrictDns(_) | Discovery::LogicalDns(_)) && localities.is_empty() {
        return None;
    }
    let place = balancer.and_then(|balancer| balancer.locality.as_ref());
    let has_detector = policy.outlier.is_some();
    let subset_name = subset.map(|subset| subset.name.as_str());
    let protocol = protocol(port.protocol, &policy, view.site);
    let balance = balancer.and_then(|balancer| balancer.balance.clone()).unwrap_or(Balance::LEAST_REQUEST);
    let warms_up = matches!(balance, Balance::LeastRequest { .. } | Balance::RoundRobin);
    Some(Cluster {
        discovery: found,
        localities: prefer(localities, place, has_detector, &view.site.node),
        slow_start: balancer.and_then(|balancer| balancer.warmup).filter(|_| warms_up),
        balance,
        locality_weighted: is_weighted(place, has_detector),
        panic_percent: panic_percent(&policy, version),
        limits: limits(&policy),
        connections: connections(policy.connection_pool.as_ref()),
        tls: policy.tls.as_ref().and_then(|tls| upstream_tls(tls, alt_names(service))),
        protocol,
        outlier: policy.outlier.map(|outlier| detector(outlier, version)),
        health_checks: checks.to_vec(),
        service: ServiceIdentity {
            host: service.host.clone(),
            name: service.name().to_owned(),
            namespace: service.namespace.clone(),
            subset: subset_name.unwrap_or_default().to_owned(),
            port: port.number,
        },
        origin: rule.map_or_else(|| service.origin.clone(), |rule| rule.origin.clone()),
        ..Cluster::new(&name(port.number, subset_name, &service.host))
    })
}

/// With a detector as the rule says, which is never by default. Without one: never, once endpoints that are not ready are sent, so that
/// they get nothing; Envoy's 50 % before.
fn panic_percent(policy: &TrafficPolicy, version: IstioVersion) -> f64 {
    match policy.outlier {
        Some(_) => f64::from(policy.min_health_percent),
        None if version.sends_unready() => 0.0,
        None => 50.0,
    }
}

fn detector(mut outlier: OutlierDetection, version: IstioVersion) -> OutlierDetection {
    outlier.always_eject_one |= version.always_ejects_one();
    outlier
}

fn alt_names<'o>(service: &Known<'o>) -> &'o [String] {
    match service.by {
        KnownBy::Entry(entry) => &entry.subject_alt_names,
        KnownBy::Service(_) | KnownBy::Name => &[],
    }
}

fn checks_of(view: &View<'_>, host: &str) -> Vec<HealthCheck> {
    let checks = view.objects.health_checks.iter().filter(|check| qualified(&check.host, "") == host);
    checks.map(|check| check.check.clone()).collect()
}

fn passthrough(version: IstioVersion) -> Cluster {
    let mut cluster = Cluster { discovery: Discovery::OriginalDestination, ..black_hole() };
    PASSTHROUGH.clone_into(&mut cluster.name);
    cluster.protocol.choice = ProtocolChoice::OfClient;
    cluster.protocol.http2 = version.http2();
    cluster.connections.idle_timeout = Some(Duration::from_secs(300));
    cluster
}

fn black_hole() -> Cluster {
    Cluster {
        balance: Balance::LEAST_REQUEST,
        limits: PoolLimits::unlimited(),
        connections: connections(None),
        ..Cluster::new(BLACK_HOLE)
    }
}
