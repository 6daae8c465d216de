//! Balancing that heeds neither the weights nor the key that are written.

use super::Advice;
use super::codes::{HASH_OF_NOTHING, WEIGHTS_IGNORED};
use super::view::{Upstream, View, Way};
use super::words::{BALANCER, Dialect, HASH, HASH_POLICY, list};
use crate::policy::{Balance, HashOf};
use std::collections::BTreeSet;

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    let mut all: Vec<Advice> = view.upstreams.iter().filter_map(weights).collect();
    for upstream in view.upstreams.iter().filter(|upstream| upstream.cluster.balance.hashes()) {
        all.extend(view.ways_to(upstream).filter_map(|way| hash(upstream, way)));
    }
    all
}

fn weights(upstream: &Upstream<'_>) -> Option<Advice> {
    let endpoints = upstream.cluster.localities.iter().flat_map(|locality| &locality.endpoints);
    let weights: BTreeSet<u32> = endpoints.map(|endpoint| endpoint.weight).collect();
    if upstream.cluster.balance != Balance::Random || weights.len() < 2 {
        return None;
    }
    let weights: Vec<String> = weights.iter().map(u32::to_string).collect();
    let what = format!("instances of {} weigh {}, and RANDOM picks all alike", upstream.name, list(&weights));
    let written = &upstream.written;
    Some(written.advise(&WEIGHTS_IGNORED, BALANCER, what, &[(BALANCER, "ROUND_ROBIN".to_owned())]))
}

fn hash(upstream: &Upstream<'_>, way: &Way<'_>) -> Option<Advice> {
    let name = &upstream.name;
    let (of_cluster, of_route) = (&upstream.written, &way.written);
    let is_envoy = of_cluster.dialect == Dialect::Envoy;
    if way.forward.hash.is_empty() {
        // Of a block without a key it has been told where it stands.
        let keys = ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"];
        let block = of_cluster.path(HASH);
        let has_key = keys.iter().any(|key| of_cluster.origin.fields.has(&format!("{block}.{key}")));
        if is_envoy {
            let what = format!("requests by this route to {name} go to any instance: it has no hash_policy");
            let fix = "route:\n  hash_policy:\n    - header: {header_name: x-user}".to_owned();
            return Some(of_route.advise_at(&HASH_OF_NOTHING, &of_route.path(HASH_POLICY), what, fix));
        }
        if !has_key || !way.is_written() {
            return None;
        }
        let port = upstream.cluster.service.port;
        let what = format!(
            "requests to {name} go to any instance: a hash for port {port} counts only where the destination names the port"
        );
        let fix = format!("route:\n  - destination: {{host: {name}, port: {{number: {port}}}}}");
        return Some(of_route.advise_at(&HASH_OF_NOTHING, &of_route.path(HASH_POLICY), what, fix));
    }
    let cookie = way.forward.hash.iter().find_map(|policy| match &policy.of {
        HashOf::Cookie { name, ttl: None, .. } => Some(name),
        _ => None,
    });
    let cookie = cookie.filter(|_| way.forward.hash.len() == 1)?;
    let what =
        format!("a request to {name} without the cookie `{cookie}` goes to any instance: without `ttl` nobody sets it");
    if is_envoy {
        let fix = format!(
            "route:\n  hash_policy:\n    - cookie: {{name: {cookie}, ttl: 0s}} # for as long as the browser runs"
        );
        return Some(of_route.advise_at(&HASH_OF_NOTHING, &of_route.path(HASH_POLICY), what, fix));
    }
    let fix = format!(
        "loadBalancer:\n  consistentHash:\n    httpCookie: {{name: {cookie}, ttl: 0s}} # for as long as the browser runs"
    );
    let path = format!("{}.httpCookie", of_cluster.path(HASH));
    Some(of_cluster.advise_at(&HASH_OF_NOTHING, &path, what, fix))
}
