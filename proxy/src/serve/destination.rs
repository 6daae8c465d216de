//! Where a route sends a request.

use super::snapshot::{Clusters, ResolvedRoute, RouteChanges};
use crate::cluster::Cluster;
use crate::policy::{Forward, Target, WeightedCluster};
use squall_http1::Request;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One of the destinations of a route.
pub(super) struct Destination<'a> {
    pub(super) resolved: &'a ResolvedRoute,
    pub(super) forward: &'a Forward,
    pub(super) cluster: &'a Arc<Cluster>,
    /// Its place among those of the route.
    at: usize,
}

impl<'a> Destination<'a> {
    /// The destination that a number means which is drawn evenly over all numbers, or that which a field of the request names.
    /// None: there is no such cluster.
    pub(super) fn choose(
        resolved: &'a ResolvedRoute,
        forward: &'a Forward,
        clusters: &'a Clusters,
        request: &Request,
        draw: u32,
    ) -> Option<Self> {
        let at = resolved.destination(draw);
        let cluster = match &forward.to {
            Target::Weighted(_) => resolved.clusters.get(at)?.as_ref()?,
            Target::Header(name) => clusters.get(request.headers.get_str(name)?)?,
        };
        Some(Self { resolved, forward, cluster, at })
    }

    /// What the route says of it alone; none where a field has named it.
    pub(super) fn weighted(&self) -> Option<&'a WeightedCluster> {
        match &self.forward.to {
            Target::Weighted(to) => to.get(self.at),
            Target::Header(_) => None,
        }
    }

    /// Labels that its endpoints must have: its own, or those of the route.
    pub(super) fn subset(&self) -> &'a BTreeMap<String, String> {
        let own = self.weighted().map(|weighted| &weighted.subset).filter(|subset| !subset.is_empty());
        own.unwrap_or(&self.forward.subset)
    }

    /// Changes of fields on the way to it and back.
    pub(super) fn changes(&self) -> Option<&'a RouteChanges> {
        self.resolved.changes.get(self.at)
    }
}
