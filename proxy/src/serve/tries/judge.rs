//! What a try has shown: to the detector, to the decision on a retry, and in the end to the client.

use super::{Plan, Stopped};
use crate::cluster::{Cluster, ConnectError, Host};
use crate::filter::retry::{HeadOfAnswer, TryEnd, grpc_status};
use crate::health::outlier::Outcome;
use crate::policy::ProtocolChoice;
use crate::serve::client::Gone;
use crate::serve::exchange::{Answer, TryFailure};
use crate::serve::respond::Failure;
use crate::serve::transaction::Transaction;
use crate::serve::worker::Worker;
use crate::telemetry::metrics::ClusterStats;
use crate::telemetry::{ClusterCounter, is_grpc};
use squall_http1::Request;

/// Counts what a try has shown, and tells the detector.
pub(in crate::serve) fn show(
    worker: &Worker,
    cluster: &Cluster,
    protocol: ProtocolChoice,
    host: &Host,
    request: &Request,
    result: &Result<Box<Answer>, TryFailure>,
) {
    let count = |counter| cluster.stats.count(worker.shard, counter);
    let outcome = match result {
        Ok(answer) => {
            let status = answer.response.status;
            if is_grpc(&request.headers) {
                Outcome::Grpc { status, grpc_status: grpc_status(&answer.response) }
            } else {
                Outcome::Status(status)
            }
        }
        // Our own limits are no endpoint's fault.
        Err(TryFailure::Connect(ConnectError::Overflow | ConnectError::PendingOverflow | ConnectError::NoPool)) => {
            return;
        }
        Err(TryFailure::Connect(ConnectError::Failed(_))) => Outcome::ConnectFailure,
        Err(TryFailure::Connect(ConnectError::Timeout)) => Outcome::ConnectTimeout,
        Err(TryFailure::Reset { .. } | TryFailure::Refused) => Outcome::Reset,
        // Streams are reset in HTTP/2 alone.
        Err(TryFailure::RemoteReset { .. }) => {
            count(ClusterCounter::RqRxReset);
            Outcome::Reset
        }
        Err(TryFailure::Protocol) => {
            count(ClusterCounter::CxProtocolError);
            Outcome::Reset
        }
        Err(failure @ (TryFailure::Timeout | TryFailure::Idle)) => {
            count(match failure {
                TryFailure::Idle => ClusterCounter::RqPerTryIdleTimeout,
                _ => ClusterCounter::RqPerTryTimeout,
            });
            if protocol == ProtocolChoice::Http2 {
                count(ClusterCounter::RqTxReset);
            }
            Outcome::TimeOut
        }
        // A reset by ourselves, of which nobody is accused.
        Err(TryFailure::TooOld { .. }) => return count(ClusterCounter::RqMaxDurationReached),
        Err(TryFailure::Gone(_)) => return count(ClusterCounter::RqCancelled),
        Err(TryFailure::Malformed(_)) => return,
    };
    worker.observe(cluster, host, outcome);
}

/// What a try has shown: to the detector, and for a retry.
pub(super) fn judge(
    transaction: &Transaction<'_>,
    plan: &Plan<'_>,
    host: &Host,
    result: &Result<Box<Answer>, TryFailure>,
) -> Result<TryEnd, Stopped> {
    show(transaction.worker, plan.cluster, plan.key.protocol, host, transaction.request, result);
    Ok(match result {
        Ok(answer) => TryEnd::Response(HeadOfAnswer::of(&answer.response, &plan.retry.on)),
        Err(TryFailure::Connect(ConnectError::Failed(_) | ConnectError::Timeout)) => TryEnd::ConnectFailure,
        Err(TryFailure::Connect(_)) => TryEnd::Overflow,
        Err(TryFailure::Reset { request_written } | TryFailure::RemoteReset { request_written }) => {
            TryEnd::Reset { request_written: *request_written }
        }
        // One that was refused never began.
        Err(TryFailure::Refused) => TryEnd::Refused,
        Err(TryFailure::Protocol) => TryEnd::Reset { request_written: true },
        Err(TryFailure::Timeout | TryFailure::Idle | TryFailure::TooOld { .. }) => TryEnd::PerTryTimeout,
        Err(TryFailure::Gone(gone)) => return Err(Stopped::ClientGone(*gone)),
        Err(TryFailure::Malformed(refusal)) => return Err(Stopped::Failed(Failure::Refused(*refusal))),
    })
}

/// The last try decides: its answer, or the reply to its failure.
pub(super) fn settle(
    transaction: &mut Transaction<'_>,
    plan: &Plan<'_>,
    result: Result<Box<Answer>, TryFailure>,
) -> Result<Box<Answer>, Stopped> {
    let Transaction { worker, notes, .. } = transaction;
    let stats = &plan.cluster.stats;
    let failure = match result {
        Ok(answer) => {
            if !notes.health_check {
                stats.answered(worker.shard, answer.response.status);
            }
            notes.upstream_began = Some(answer.began);
            return Ok(answer);
        }
        Err(failure) => failure,
    };
    if let TryFailure::Connect(error) = &failure {
        notes.transport_failure = error.transport().map(Into::into);
    }
    if matches!(failure, TryFailure::Connect(ConnectError::PendingOverflow | ConnectError::NoPool)) {
        // It never got as far as to an endpoint.
        notes.host = None;
    }
    Err(charge(worker, stats, failure).map_or_else(Stopped::ClientGone, Stopped::Failed))
}

/// Counts a try that has failed by the reply that it means.
pub(in crate::serve) fn charge(worker: &Worker, stats: &ClusterStats, failure: TryFailure) -> Result<Failure, Gone> {
    let failure = reply(failure)?;
    if !matches!(failure, Failure::UpstreamTooOld(_)) {
        stats.answered(worker.shard, failure.local_reply(false).status);
    }
    Ok(failure)
}

/// The reply to a try that has failed, unless there is nobody to reply to.
fn reply(failure: TryFailure) -> Result<Failure, Gone> {
    Ok(match failure {
        TryFailure::Connect(ConnectError::Overflow | ConnectError::PendingOverflow) => Failure::Overflow,
        TryFailure::Connect(ConnectError::NoPool) => Failure::NoHealthyUpstream,
        TryFailure::Connect(ConnectError::Timeout) => Failure::ConnectTimeout,
        TryFailure::Connect(ConnectError::Failed(reason)) => Failure::Unreachable(reason),
        TryFailure::Reset { .. } => Failure::Closed,
        TryFailure::RemoteReset { .. } => Failure::RemoteReset,
        TryFailure::Refused => Failure::RemoteRefused,
        TryFailure::Protocol => Failure::ProtocolError,
        TryFailure::Timeout => Failure::PerTryTimeout,
        TryFailure::TooOld { whole } => Failure::UpstreamTooOld(whole),
        TryFailure::Idle => Failure::PerTryIdle,
        TryFailure::Gone(gone) => return Err(gone),
        TryFailure::Malformed(refusal) => Failure::Refused(refusal),
    })
}
