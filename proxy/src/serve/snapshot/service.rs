//! Handlers with everything looked up that their policies name.

use super::{ChainId, Clusters};
use crate::cluster::Cluster;
use crate::filter::conditions::Asked;
use crate::filter::fault::Faults;
use crate::filter::headers::Changes;
use crate::filter::health_check::LastCheck;
use crate::filter::rate_limit::Limiter;
use crate::net::ServerTls;
use crate::policy::{
    ChainMatch, Direction, HeaderOperations, HeaderRules, HttpFilter, HttpManager, Inspection, Node, RateLimit, Route,
    Target, TcpProxy, WeightedCluster,
};
use crate::serve::routing::{Directory, Way};
use crate::serve::trace::Spans;
use crate::telemetry::StreamInfo;
use crate::telemetry::access_log::AccessLog;
use crate::telemetry::metrics::{
    HttpStats, Istio, ListenerStats, Messages, RateLimitStats, Registry, Security, TcpStats, Worker,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A listener at work.
#[derive(Debug)]
pub(crate) struct Runtime {
    /// Its name.
    pub name: Arc<str>,
    /// Where it listens, as configured.
    pub address: SocketAddr,
    /// What is found out of a connection first.
    pub inspection: Inspection,
    /// From a connection's first byte to the end of its TLS handshake.
    pub tls_handshake: Option<Duration>,
    /// Connections at once on all workers.
    pub max_connections: Option<u32>,
    /// Its numbers.
    pub stats: Arc<ListenerStats>,
    /// In the order of the file.
    pub chains: Vec<Chain>,
    /// If none of them matches.
    pub default_chain: Option<Chain>,
}

/// A filter chain at work.
#[derive(Debug)]
pub(crate) struct Chain {
    /// The same over reloads.
    pub id: ChainId,
    /// Which connections.
    pub matches: ChainMatch,
    /// TLS is ended here.
    pub tls: Option<ServerTls>,
    /// Who serves them.
    pub service: Service,
}

/// Who serves connections.
#[derive(Debug)]
pub(crate) enum Service {
    /// Requests.
    Http(Arc<HttpService>),
    /// Bytes.
    Tcp(Arc<TcpService>),
}

/// Bytes to clusters.
#[derive(Debug)]
pub(crate) struct TcpService {
    /// What is configured.
    pub policy: TcpProxy,
    /// Clusters of its destinations, in their order; none: there is no such cluster.
    pub clusters: Vec<Option<Arc<Cluster>>>,
    /// Its numbers.
    pub stats: Arc<TcpStats>,
    /// Its logs.
    pub logs: Vec<AccessLog>,
}

impl TcpService {
    /// Where a connection goes, by weight. None: there is no such cluster.
    pub(crate) fn destination(&self, draw: u32) -> Option<(&WeightedCluster, &Arc<Cluster>)> {
        let at = weighted(self.policy.to.iter().map(|to| to.weight), draw);
        self.policy.to.get(at).zip(self.clusters.get(at)?.as_ref())
    }
}

/// Which of some weights a number means that is drawn evenly over all numbers.
pub(crate) fn weighted(weights: impl Iterator<Item = u32> + Clone, draw: u32) -> usize {
    let sum: u64 = weights.clone().map(u64::from).sum();
    let mut left = (u64::from(draw) * sum) >> 32;
    let hit = weights.map(u64::from).position(|weight| {
        let hit = left < weight;
        left = left.saturating_sub(weight);
        hit
    });
    hit.unwrap_or(0)
}

/// Requests to clusters.
#[derive(Debug)]
pub(crate) struct HttpService {
    /// What is configured, but for the routes.
    pub manager: HttpManager,
    /// On whose side of the traffic it stands.
    pub direction: Direction,
    /// Buckets of its rate limits, in the order of its filters.
    pub buckets: Vec<Option<Arc<Limiter>>>,
    /// Numbers of those limits.
    pub limit_stats: Vec<Option<Arc<RateLimitStats>>>,
    /// What was answered last to checks from ahead, in the order of its filters; none where every check is asked anew.
    pub checks: Vec<Option<LastCheck>>,
    /// Faults under way.
    pub faults: Arc<Faults>,
    /// Bytes of a request that are kept for another try, at most.
    pub buffer: u32,
    /// Its numbers.
    pub stats: Arc<HttpStats>,
    /// Its logs.
    pub logs: Vec<AccessLog>,
    /// Where its spans go, if anybody collects them.
    pub spans: Option<Spans>,
    /// Who this proxy is.
    pub node: Node,
    /// Requests that went nowhere, as Istio counts them.
    pub nowhere: Arc<Istio>,
    /// Clusters that requests may name.
    pub clusters: Arc<Clusters>,
    pub(super) directory: Directory,
    /// Routes by virtual host.
    pub(super) routes: Vec<Vec<ResolvedRoute>>,
}

/// A route with everything looked up that it names.
#[derive(Debug)]
pub(crate) struct ResolvedRoute {
    /// What is configured.
    pub route: Arc<Route>,
    /// Clusters of its destinations, in their order; none: there is no such cluster.
    pub clusters: Vec<Option<Arc<Cluster>>>,
    /// Clusters of its copies.
    pub mirrors: Vec<Option<Arc<Cluster>>>,
    /// The buckets of its own rate limit.
    pub bucket: Option<Arc<Limiter>>,
    /// Changes of fields for each of its destinations; one for a route without.
    pub changes: Vec<RouteChanges>,
}

/// Changes of fields, in the order in which they are made.
#[derive(Debug, Clone, Default)]
pub(crate) struct RouteChanges {
    /// Of the request.
    pub request: Vec<Changes>,
    /// Of the answer.
    pub response: Vec<Changes>,
}

impl RouteChanges {
    /// Those of a route for one of its destinations.
    pub(super) fn new(route: &Route, destination: Option<&HeaderRules>, hostname: &str) -> Self {
        let prepared = |operations: &HeaderOperations| Changes::new(operations, hostname);
        let some = |changes: &Changes| !changes.is_empty();
        Self {
            request: route.request_operations(destination).map(prepared).filter(some).collect(),
            response: route.response_operations(destination).map(prepared).filter(some).collect(),
        }
    }
}

/// What a request was found to mean.
pub(crate) enum Found<'a> {
    /// A route.
    Route(&'a ResolvedRoute),
    /// It has to come again by TLS.
    ToTls,
}

impl HttpService {
    /// Counts a request that has ended, as Istio does.
    pub(crate) fn report(
        &self,
        metrics: &Registry,
        worker: Worker,
        cluster: Option<&Cluster>,
        info: &StreamInfo<'_>,
        secure: bool,
        messages: Messages,
    ) {
        // Only whoever takes a request in knows how it came.
        let security = match (self.direction, secure) {
            (Direction::Inbound, true) => Security::MutualTls,
            (Direction::Inbound, false) => Security::None,
            _ => Security::Unknown,
        };
        let istio = cluster.map_or(&self.nowhere, |cluster| cluster.istio(metrics));
        istio.ended(worker, info, security, messages);
    }

    /// The route of a request. None: no host, or none of its routes, matches.
    /// `secure`: it came to the first proxy by TLS.
    pub(crate) fn route(&self, asked: &Asked<'_>, secure: bool) -> Option<Found<'_>> {
        let resolved = |host: usize, route: usize| self.routes.get(host)?.get(route);
        let conditions = |host, route| resolved(host, route).map(|resolved| &resolved.route.matches);
        match self.directory.find(asked, secure, conditions)? {
            Way::Route { host, route } => resolved(host, route).map(Found::Route),
            Way::ToTls => Some(Found::ToTls),
        }
    }
}

impl ResolvedRoute {
    /// The destinations' shares.
    pub(crate) fn destination(&self, draw: u32) -> usize {
        match self.route.forward().map(|forward| &forward.to) {
            Some(Target::Weighted(to)) if to.len() > 1 => weighted(to.iter().map(|one| one.weight), draw),
            _ => 0,
        }
    }
}

/// Limits that a manager's filters name.
pub(super) fn limits(manager: &HttpManager) -> impl Iterator<Item = Option<&RateLimit>> {
    manager.filters.iter().map(|filter| match filter {
        HttpFilter::LocalRateLimit(limit) => Some(limit),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_means_each_weight_by_its_share() {
        let weights = [1_u32, 3, 0, 4];
        let draws = (0..80_000_u32).map(|at| at.wrapping_mul(u32::MAX / 80_000));
        let mut counts = [0; 4];
        draws.for_each(|draw| counts[weighted(weights.iter().copied(), draw)] += 1);
        for (count, share) in counts.iter().zip([0.125, 0.375, 0.0, 0.5]) {
            assert!((f64::from(*count) / 80_000.0 - share).abs() < 0.001, "{counts:?}");
        }
        assert_eq!(weighted([0, 0].iter().copied(), 7), 0);
    }
}
