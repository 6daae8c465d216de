//! What a request tells its endpoint of the try that it is.

use super::Plan;
use crate::cluster::Member;
use crate::filter::rewrite::set_host;
use crate::filter::timeout::for_grpc;
use crate::policy::HostRewrite;
use crate::serve::upload::Upload;
use squall_http1::Request;
use std::time::Duration;

/// Says which try this is, and how long an answer may take.
pub(super) fn stamp(request: &mut Request, plan: &Plan<'_>, member: &Member, attempt: u32, upload: &Upload) {
    let mut number = itoa::Buffer::new();
    if plan.count_attempts {
        request.headers.set("x-envoy-attempt-count", number.format(attempt).as_bytes());
    }
    // The first try has all of the time, whatever was done until it went out.
    let left = plan.times.route.map(|route| if attempt == 1 { route } else { upload.received.left_of(route) });
    // A try that goes on when it is late has all the time there is.
    let per_try = plan.times.per_try.filter(|_| !plan.retry.hedge || left.is_none());
    if let Some(expected) = per_try.into_iter().chain(left).min() {
        let expected = expected.max(Duration::from_millis(1));
        if !plan.quiet {
            let millis = expected.as_millis();
            request.headers.set("x-envoy-expected-rq-timeout-ms", number.format(millis).as_bytes());
        }
        if plan.times.tell_grpc {
            request.headers.set("grpc-timeout", for_grpc(expected).as_bytes());
        }
    }
    if plan.forward.rewrite.host == Some(HostRewrite::Auto) && !member.endpoint.hostname.is_empty() {
        let append = plan.forward.rewrite.append_forwarded_host && attempt == 1;
        set_host(request, &member.endpoint.hostname, append, !plan.quiet);
    }
}
