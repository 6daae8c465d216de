//! Faults of the policy: held back, answered or slowed down.

use super::chain::{Filtered, Passed};
use super::client::Gone;
use super::respond::Failure;
use super::snapshot::ResolvedRoute;
use super::transaction::Transaction;
use crate::filter::conditions::Asked;
use crate::filter::fault::{self, ActiveFault, Answer};
use crate::policy::FaultInjection;
use crate::telemetry::metrics::{HttpStats, Raised};
use crate::telemetry::{Flag, HttpCounter, HttpLevel};
use std::sync::Arc;

/// A fault that is under way, and counted for as long.
pub(super) struct Counted {
    _level: Raised<Arc<HttpStats>>,
    _active: ActiveFault,
}

/// Faults of the policy come before the router, so no retry, time-out or detector ever sees them.
pub(super) async fn inject(
    transaction: &mut Transaction<'_>,
    resolved: &ResolvedRoute,
    injection: Option<&FaultInjection>,
    filtered: &mut Filtered,
) -> Result<Passed, Gone> {
    let Transaction { worker, service, client, request, notes } = transaction;
    let cluster = resolved.clusters.first().and_then(Option::as_ref).map(|cluster| &*cluster.name);
    let scheme = client.peer.scheme();
    let is_meant = |injection: &&FaultInjection| fault::is_meant(injection, cluster, &Asked::new(request, scheme, 0));
    let Some(injection) = injection.filter(is_meant) else {
        return Ok(Passed::On);
    };
    let drawn = fault::draw(injection, &request.headers, &mut *worker.rng.borrow_mut());
    if drawn == fault::Drawn::default() {
        return Ok(Passed::On);
    }
    let stats = &service.stats;
    let Some(active) = service.faults.begin(injection.max_active) else {
        stats.count(worker.shard, HttpCounter::FaultsOverflow);
        return Ok(Passed::On);
    };
    let level = Raised::new(Arc::clone(stats), worker.shard, HttpLevel::ActiveFaults);
    let active = Counted { _level: level, _active: active };
    if let Some(delay) = drawn.delay {
        stats.count(worker.shard, HttpCounter::DelaysInjected);
        notes.flags.raise(Flag::DelayInjected);
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            gone = client.gone() => return Err(gone),
        }
        filtered.held_up = true;
    }
    if let Some(abort) = drawn.abort {
        stats.count(worker.shard, HttpCounter::AbortsInjected);
        return Ok(Passed::Refused(match abort {
            Answer::Http(status) => Failure::FaultAbort(status),
            Answer::Grpc(status) => Failure::FaultAbortGrpc(status),
        }));
    }
    if drawn.rate.is_some() {
        stats.count(worker.shard, HttpCounter::ResponseRateInjected);
        filtered.rate = drawn.rate;
        filtered.fault = Some(active);
    }
    Ok(Passed::On)
}
