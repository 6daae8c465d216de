//! How a request would be sent on.

use super::Scene;
use crate::balance::Wish;
use crate::cluster::shares;
use crate::filter::hash;
use crate::filter::overrides;
use crate::filter::rewrite;
use crate::filter::timeout::{Times, times};
use crate::policy::{Cluster, Endpoint, Forward, HashOf, HashPolicy, RetryPolicy, Route, Target, WeightedCluster};
use squall_http1::Request;
use std::borrow::Cow;

/// How a request is sent on.
pub(crate) struct Sending<'c> {
    /// As the route says.
    pub forward: &'c Forward,
    /// How long it may take.
    pub times: Times,
    /// When it is tried again: the route's word, and what its fields change.
    pub retry: Cow<'c, RetryPolicy>,
    /// Where it may go.
    pub destinations: Vec<Destination<'c>>,
}

/// One destination.
pub(crate) struct Destination<'c> {
    /// What the route says of it; none where a field names the cluster.
    pub written: Option<&'c WeightedCluster>,
    /// The cluster's name.
    pub name: String,
    /// Its share of the weights.
    pub share: f64,
    /// None: there is no such cluster.
    pub cluster: Option<&'c Cluster>,
    /// The request as the endpoint gets it, but for changes of fields.
    pub request: Request,
    /// Endpoints with their shares of many picks while all are equally busy; none: there is no such subset.
    pub endpoints: Option<Vec<(&'c Endpoint, f64)>>,
    /// A hash of the request has decided the endpoint.
    pub hashed: bool,
}

pub(super) fn sending<'c>(scene: &Scene<'c, '_>, route: &'c Route, forward: &'c Forward) -> Sending<'c> {
    let internal = scene.admitted.internal;
    let named = match &forward.to {
        Target::Weighted(to) => {
            let sum: f64 = to.iter().map(|one| f64::from(one.weight)).sum();
            let share = |one: &WeightedCluster| if to.len() > 1 { f64::from(one.weight) / sum } else { 1.0 };
            to.iter().map(|one| (Some(one), one.name.clone(), share(one))).collect::<Vec<_>>()
        }
        Target::Header(name) => {
            let named = scene.request.headers.get_str(name).unwrap_or_default();
            vec![(None, named.to_owned(), 1.0)]
        }
    };
    let drawn = named.into_iter().filter(|(_, _, share)| *share > 0.0);
    Sending {
        forward,
        times: times(forward, &scene.request.headers, internal),
        retry: overrides::retry(&forward.retry, scene.request, scene.peer.scheme(), internal),
        destinations: drawn
            .map(|(written, name, share)| destination(scene, route, forward, written, name, share))
            .collect(),
    }
}

fn destination<'c>(
    scene: &Scene<'c, '_>,
    route: &'c Route,
    forward: &'c Forward,
    written: Option<&'c WeightedCluster>,
    name: String,
    share: f64,
) -> Destination<'c> {
    let mut request = scene.request.clone();
    let tells = !scene.manager.router.suppress_envoy_headers;
    rewrite::rewrite(&forward.rewrite, &route.matches.path, &mut request, tells);
    if let Some(host) = written.and_then(|written| written.host_rewrite.as_deref()) {
        rewrite::set_host(&mut request, host, forward.rewrite.append_forwarded_host, tells);
    }
    let cluster = scene.config.clusters.iter().find(|cluster| cluster.name == name);
    let hash = key(scene, &forward.hash);
    let of_destination = written.map(|written| &written.subset).filter(|subset| !subset.is_empty());
    let wish = Wish { hash, subset: of_destination.unwrap_or(&forward.subset), ..Wish::default() };
    let endpoints = cluster.and_then(|cluster| {
        let all: Vec<&Endpoint> = cluster.endpoints().collect();
        let of_index = |(index, share): (usize, f64)| Some((*all.get(index)?, share));
        Some(shares(cluster, &wish)?.into_iter().filter_map(of_index).collect())
    });
    let hashed = hash.is_some() && cluster.is_some_and(|cluster| cluster.balance.hashes());
    Destination { written, name, share, cluster, request, endpoints, hashed }
}

/// The hash of a request, if it does not hang on a cookie that would be made up, or on a client that is not known.
fn key(scene: &Scene<'_, '_>, policies: &[HashPolicy]) -> Option<u64> {
    let source = scene.admitted.client.unwrap_or(scene.peer.remote).ip();
    let (hash, cookies) = hash::hash(policies, scene.request, source, || 0);
    let by_client = policies.iter().any(|policy| policy.of == HashOf::SourceIp);
    hash.filter(|_| cookies.is_empty() && !(by_client && source.is_unspecified()))
}
