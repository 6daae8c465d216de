//! What a try has shown: to the detector, to the decision on a retry, and in the end to the client.

use super::{Plan, Stopped};
use crate::clock::now;
use crate::cluster::{ConnectError, Host};
use crate::filter::retry::{HeadOfAnswer, TryEnd};
use crate::health::outlier::Outcome;
use crate::serve::exchange::{Answer, TryFailure};
use crate::serve::notes::Notes;
use crate::serve::respond::Failure;
use crate::serve::worker::Worker;
use crate::telemetry::{ClusterCounter, is_grpc};
use squall_http1::Request;

/// Tells the detector what a try has shown, and says what it means for a retry.
pub(super) fn judge(
    worker: &Worker,
    plan: &Plan<'_>,
    host: &Host,
    result: &Result<Answer, TryFailure>,
    request: &Request,
) -> Result<TryEnd, Stopped> {
    let count = |counter| plan.cluster.stats.count(worker.shard, counter);
    let reset = |request_written: &bool| TryEnd::Reset { request_written: *request_written };
    let (outcome, end) = match result {
        Ok(answer) => {
            let head = HeadOfAnswer::of(&answer.response, &plan.retry.on);
            let outcome = if is_grpc(&request.headers) {
                Outcome::Grpc { status: head.status, grpc_status: head.grpc_status }
            } else {
                Outcome::Status(head.status)
            };
            (Some(outcome), TryEnd::Response(head))
        }
        Err(TryFailure::Connect(ConnectError::Overflow | ConnectError::NoPool)) => (None, TryEnd::Overflow),
        Err(TryFailure::Connect(ConnectError::Failed(_))) => (Some(Outcome::ConnectFailure), TryEnd::ConnectFailure),
        Err(TryFailure::Connect(ConnectError::Timeout)) => (Some(Outcome::ConnectTimeout), TryEnd::ConnectFailure),
        Err(TryFailure::Reset { request_written } | TryFailure::RemoteReset { request_written }) => {
            count(ClusterCounter::RqRxReset);
            (Some(Outcome::Reset), reset(request_written))
        }
        Err(TryFailure::Refused) => {
            count(ClusterCounter::RqRxReset);
            (Some(Outcome::Reset), TryEnd::Refused)
        }
        Err(TryFailure::Protocol) => {
            count(ClusterCounter::CxProtocolError);
            (Some(Outcome::Reset), reset(&true))
        }
        Err(TryFailure::Timeout) => {
            count(ClusterCounter::RqPerTryTimeout);
            count(ClusterCounter::RqTxReset);
            (Some(Outcome::TimeOut), TryEnd::PerTryTimeout)
        }
        Err(TryFailure::Gone(gone)) => {
            count(ClusterCounter::RqCancelled);
            return Err(Stopped::ClientGone(*gone));
        }
        Err(TryFailure::Malformed(refusal)) => return Err(Stopped::Failed(Failure::Refused(*refusal))),
    };
    if let Some(outcome) = outcome {
        worker.observe(plan.cluster, host, outcome);
    }
    Ok(end)
}

/// The last try decides: its answer, or the reply to its failure.
pub(super) fn settle(
    worker: &Worker,
    plan: &Plan<'_>,
    result: Result<Answer, TryFailure>,
    notes: &mut Notes,
) -> Result<Answer, Stopped> {
    let stats = &plan.cluster.stats;
    let failure = match result {
        Ok(answer) => {
            stats.answered(worker.shard, answer.response.status);
            if notes.attempts > 1 && answer.response.status < 500 {
                stats.count(worker.shard, ClusterCounter::RqRetrySuccess);
            }
            notes.upstream_began = Some(now());
            return Ok(answer);
        }
        Err(failure) => failure,
    };
    let failure = match failure {
        TryFailure::Connect(ConnectError::Overflow) => Failure::Overflow,
        TryFailure::Connect(ConnectError::NoPool) => Failure::NoHealthyUpstream,
        TryFailure::Connect(ConnectError::Timeout) => Failure::ConnectTimeout,
        TryFailure::Connect(ConnectError::Failed(reason)) => {
            notes.transport_failure = reason.split_once(": ").map(|(_, reason)| reason.into());
            Failure::Unreachable(reason)
        }
        TryFailure::Reset { .. } => Failure::Closed,
        TryFailure::RemoteReset { .. } => Failure::RemoteReset,
        TryFailure::Refused => Failure::RemoteRefused,
        TryFailure::Protocol => Failure::ProtocolError,
        TryFailure::Timeout => Failure::PerTryTimeout,
        TryFailure::Gone(gone) => return Err(Stopped::ClientGone(gone)),
        TryFailure::Malformed(refusal) => Failure::Refused(refusal),
    };
    stats.answered(worker.shard, if failure == Failure::PerTryTimeout { 504 } else { 503 });
    Err(Stopped::Failed(failure))
}
