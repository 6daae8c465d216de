//! Health checks by the load balancer in front of this proxy.

use super::chain::{Filtered, Passed};
use super::snapshot::HttpService;
use super::transaction::Transaction;
use crate::clock::now;
use crate::filter::conditions::Asked;
use crate::filter::health_check::Known;
use crate::policy::{HealthCheckFilter, HttpFilter};
use crate::telemetry::Flag;
use squall_http1::{Request, Response};

/// Tells everybody who gets an answer to go elsewhere.
const FAILS: &str = "x-envoy-immediate-health-check-fail";

/// Answers a check, or lets it pass; `at`: the filter's place.
pub(super) fn check(
    transaction: &mut Transaction<'_>,
    (at, own): (usize, &HealthCheckFilter),
    filtered: &mut Filtered,
) -> Passed {
    let Transaction { worker, service, request, notes, .. } = transaction;
    let fails = worker.fails_health_check();
    if !asks(own, request) {
        if fails {
            notes.fields.push((FAILS.to_owned(), b"true".to_vec()));
        }
        return Passed::On;
    }
    notes.health_check = true;
    let cluster = service.node.cluster.clone();
    notes.fields.push(("x-envoy-upstream-healthchecked-cluster".to_owned(), cluster.into_bytes()));
    if fails {
        notes.flags.raise(Flag::FailedLocalHealthCheck);
        let mut response = Response::new(503);
        response.headers.add(FAILS, b"true");
        return Passed::Answered(response, "health_check_failed");
    }
    if let Some(known) = service.checks.get(at).and_then(Option::as_ref).and_then(|last| last.known(now())) {
        if known.status != 200 {
            notes.flags.raise(Flag::FailedLocalHealthCheck);
        }
        let mut response = Response::new(known.status);
        if known.degraded {
            response.headers.add("x-envoy-degraded", b"");
        }
        return Passed::Answered(response, "health_check_cached");
    }
    if own.pass_through {
        filtered.check = Some(at);
        return Passed::On;
    }
    Passed::Answered(Response::new(200), "health_check_ok")
}

/// True if a request is a check.
pub(super) fn asks(own: &HealthCheckFilter, request: &Request) -> bool {
    let asked = Asked::new(request, "http", 0);
    own.headers.iter().all(|condition| asked.header_fits(condition))
}

/// Keeps what the upstream has answered to a check that was passed on.
pub(super) fn answered(service: &HttpService, filtered: &Filtered, response: &Response) {
    let Some(at) = filtered.check else { return };
    if let (Some(HttpFilter::HealthCheck(own)), Some(Some(last))) =
        (service.manager.filters.get(at), service.checks.get(at))
        && let Some(holds) = own.cache
    {
        let said = Known { status: response.status, degraded: response.headers.contains("x-envoy-degraded") };
        last.keep(said, holds, now());
    }
}
