//! Listeners, their filter chains, and the services behind those.

use super::{BuildError, Building, Reason};
use crate::clock::now;
use crate::filter::health_check::LastCheck;
use crate::filter::rate_limit::Limiter;
use crate::net::ServerTls;
use crate::policy::{self, FilterChain, Handler, HttpFilter, HttpManager, Listener, Node, RateLimit, Route};
use crate::serve::routing::Directory;
use crate::serve::snapshot::service::{
    Chain, HttpService, ResolvedRoute, RouteChanges, Runtime, Service, TcpService, limits,
};
use crate::serve::snapshot::{ChainId, Clusters, ListenerId};
use crate::telemetry::metrics::Labels;
use std::sync::Arc;

impl Building<'_> {
    pub(super) fn listener(
        &mut self,
        listener: &Listener,
        clusters: &Arc<Clusters>,
        node: &Node,
    ) -> Result<(ListenerId, Runtime), BuildError> {
        let id = self.listener_id(&listener.name);
        let mut chains = Vec::new();
        for chain in &listener.chains {
            chains.push(self.chain(id, listener, chain, false, clusters, node)?);
        }
        let default_chain = match &listener.default_chain {
            Some(chain) => Some(self.chain(id, listener, chain, true, clusters, node)?),
            None => None,
        };
        let runtime = Runtime {
            name: listener.name.as_str().into(),
            address: listener.address,
            inspection: listener.inspection,
            tls_handshake: listener.tls_handshake,
            max_connections: listener.max_connections,
            stats: self.telemetry.metrics.listener(listener.address),
            chains,
            default_chain,
        };
        Ok((id, runtime))
    }

    fn chain(
        &mut self,
        listener_id: ListenerId,
        listener: &Listener,
        chain: &FilterChain,
        default: bool,
        clusters: &Arc<Clusters>,
        node: &Node,
    ) -> Result<Chain, BuildError> {
        let id = self.chain_id(listener_id, chain, default);
        let tls = chain.tls.as_ref().map(ServerTls::load).transpose().map_err(|error| BuildError {
            what: format!("TLS of listener {}", listener.name),
            origin: Box::new(chain.origin.clone()),
            reason: Reason::Tls(error),
        })?;
        let service = match &chain.handler {
            Handler::Tcp(proxy) => Service::Tcp(Arc::new(TcpService {
                clusters: proxy.to.iter().map(|to| clusters.get(to.name.as_str()).cloned()).collect(),
                policy: proxy.clone(),
                stats: self.telemetry.metrics.tcp(&proxy.stat_prefix),
                logs: self.logs(&proxy.access_logs, &listener.origin)?,
            })),
            Handler::Http(manager) => Service::Http(Arc::new(self.http(id, listener, manager, clusters, node)?)),
        };
        Ok(Chain { id, matches: chain.matches.clone(), tls, service })
    }

    fn http(
        &mut self,
        id: ChainId,
        listener: &Listener,
        manager: &HttpManager,
        clusters: &Arc<Clusters>,
        node: &Node,
    ) -> Result<HttpService, BuildError> {
        let mut manager = manager.clone();
        let table = std::mem::take(&mut manager.routes);
        let directory = Directory::new(&table);
        let hostname = self.telemetry.hostname.clone();
        let mut routes = Vec::new();
        for host in table.virtual_hosts {
            let of_host = host.routes.into_iter().zip(1..).map(|(route, at)| {
                let key = format!("{}/{}/{at}", id.0, host.name);
                let bucket = route.filters.rate_limit.as_ref().map(|limit| self.bucket(key, limit));
                self::route(route, clusters, bucket, &hostname)
            });
            routes.push(of_host.collect());
        }
        let buckets: Vec<_> = limits(&manager).map(Option::<&RateLimit>::cloned).collect();
        let buckets = buckets.iter().enumerate().map(|(at, limit)| {
            let limit = limit.as_ref().filter(|limit| !limit.per_connection)?;
            Some(self.bucket(format!("{}#{at}", id.0), limit))
        });
        let buckets = buckets.collect();
        let checks = manager.filters.iter().map(|filter| match filter {
            HttpFilter::HealthCheck(check) => check.cache.map(|_| LastCheck::new(now())),
            _ => None,
        });
        let checks = checks.collect();
        let spans = self.spans(id, &manager);
        let metrics = &self.telemetry.metrics;
        let limit_stats = limits(&manager).map(|limit| limit.map(|limit| metrics.rate_limit(&limit.stat_prefix)));
        Ok(HttpService {
            limit_stats: limit_stats.collect(),
            stats: metrics.http(&manager.stat_prefix),
            logs: self.logs(&manager.access_logs, &listener.origin)?,
            spans,
            node: node.clone(),
            nowhere: metrics.istio(&Labels::source(node, &policy::Cluster::new(""))),
            direction: listener.direction,
            buffer: listener.connection_buffer,
            buckets,
            checks,
            faults: self.faults(id),
            directory,
            routes,
            clusters: Arc::clone(clusters),
            manager,
        })
    }
}

fn route(route: Arc<Route>, clusters: &Clusters, bucket: Option<Arc<Limiter>>, hostname: &str) -> ResolvedRoute {
    let named = |name: &str| clusters.get(name).cloned();
    let forward = route.forward();
    let destinations: Vec<_> = forward.into_iter().flat_map(|forward| forward.to.clusters()).collect();
    let mirrors = forward.into_iter().flat_map(|forward| &forward.mirrors);
    let changes = match destinations.as_slice() {
        [] => vec![RouteChanges::new(&route, None, hostname)],
        destinations => destinations.iter().map(|to| RouteChanges::new(&route, Some(&to.headers), hostname)).collect(),
    };
    ResolvedRoute {
        clusters: destinations.iter().map(|to| named(&to.name)).collect(),
        mirrors: mirrors.map(|mirror| named(&mirror.cluster)).collect(),
        bucket,
        changes,
        route,
    }
}
