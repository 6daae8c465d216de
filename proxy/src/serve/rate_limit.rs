//! Limits on how many requests may come.

use super::chain::Passed;
use super::respond::Failure;
use super::snapshot::ResolvedRoute;
use super::transaction::Transaction;
use crate::clock::now;
use crate::filter::conditions::Asked;
use crate::filter::descriptions::{Subject, describe};
use crate::filter::rate_limit::Taken;
use crate::policy::{Fraction, RateLimit};
use crate::telemetry::{RateLimitCounter, is_grpc};
use rand::RngExt;

/// Takes a token for a request; `at`: the filter's place.
pub(super) fn take(
    transaction: &mut Transaction<'_>,
    resolved: &ResolvedRoute,
    (at, own): (usize, &RateLimit),
) -> Passed {
    let Transaction { worker, service, client, request, notes } = transaction;
    let of_route = resolved.route.filters.rate_limit.as_deref().zip(resolved.bucket.as_ref());
    let of_connection = own.per_connection.then(|| client.peer.bucket(at, own));
    let of_listener = service.buckets.get(at).and_then(Option::as_ref).or(of_connection.as_ref());
    let of_listener = of_listener.map(|bucket| (own, bucket));
    let Some((limit, bucket)) = of_route.or(of_listener) else { return Passed::On };
    let Some(stats) = service.limit_stats.get(at).and_then(Option::as_ref) else { return Passed::On };
    let hit = |share: Fraction| worker.rng.borrow_mut().random_range(0..1_000_000) < share.0;
    if !hit(limit.enabled) {
        return Passed::On;
    }
    stats.count(worker.shard, RateLimitCounter::Enabled);
    let now = now();
    let described = if bucket.wants_descriptions() {
        let asked = Asked::new(request, client.peer.scheme(), 0);
        let client = notes.client.unwrap_or(client.peer.remote).ip();
        let cluster = resolved.clusters.first().and_then(Option::as_ref).map(|cluster| &*cluster.name);
        let subject = Subject { asked, client, cluster, own_cluster: &service.node.cluster };
        describe(limit, &resolved.route.descriptions, subject)
    } else {
        Vec::new()
    };
    let Taken { allowed, by } = bucket.take(&described, now);
    if limit.rate_limit_headers {
        let told = [
            ("x-ratelimit-limit", by.most()),
            ("x-ratelimit-remaining", by.left(now)),
            ("x-ratelimit-reset", by.next_in(now).as_millis().div_ceil(1000) as u64),
        ];
        notes.fields.extend(told.map(|(name, value)| (name.to_owned(), value.to_string().into_bytes())));
    }
    if allowed {
        stats.count(worker.shard, RateLimitCounter::Ok);
        return Passed::On;
    }
    stats.count(worker.shard, RateLimitCounter::RateLimited);
    if !hit(limit.enforced) {
        return Passed::On;
    }
    stats.count(worker.shard, RateLimitCounter::Enforced);
    let added = limit.response_headers.iter().filter_map(|field| Some((field.name.clone(), field.value.as_literal()?)));
    notes.fields.extend(added.map(|(name, value)| (name, value.as_bytes().to_vec())));
    let resource_exhausted = limit.grpc_resource_exhausted && is_grpc(&request.headers);
    Passed::Refused(Failure::RateLimited { status: limit.status, resource_exhausted })
}
