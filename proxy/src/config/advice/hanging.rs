//! Healing that waits for failures which never come, since nothing ends a request that hangs.

use super::Advice;
use super::codes::HANGING;
use super::thresholds::enforced;
use super::view::{Upstream, View, Way};
use super::words::{DETECTION, Dialect, TIMEOUT};

/// What gRPC calls a time-out.
const DEADLINE_EXCEEDED: u32 = 4;

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    view.upstreams.iter().filter_map(|upstream| one(view, upstream)).collect()
}

/// Told where a detector is all there is, and where policies count time-outs that nobody makes.
fn one(view: &View<'_>, upstream: &Upstream<'_>) -> Option<Advice> {
    let outlier = upstream.detector()?;
    let ways: Vec<_> = view.ways_to(upstream).collect();
    if ways.is_empty() || ways.iter().any(|way| ends(way)) {
        return None;
    }
    let alone = !ways.iter().any(|way| way.is_written());
    let counted = enforced(outlier.consecutive_gateway).is_some() || ways.iter().any(|way| retries_time_outs(way));
    if !alone && !counted {
        return None;
    }
    let name = &upstream.name;
    let what = format!(
        "no route to {name} has a time-out: a request that hangs there is neither retried nor counted, and no instance is ejected for it"
    );
    let fix = if alone && upstream.written.dialect == Dialect::Istio {
        format!(
            "kind: VirtualService\nspec:\n  hosts: [{name}]\n  http:\n    - route: [{{destination: {{host: {name}}}}}]\n      timeout: 2s"
        )
    } else {
        ways.first().map_or(upstream.written.dialect, |way| way.written.dialect).lines(&[(TIMEOUT, "2s".to_owned())])
    };
    Some(upstream.written.advise_at(&HANGING, &upstream.written.path(DETECTION), what, fix))
}

/// True if anything ends a request that gets no answer.
fn ends(way: &Way<'_>) -> bool {
    let forward = way.forward;
    let idle = forward.idle_timeout.unwrap_or(way.manager.timeouts.stream_idle);
    let longest = forward.max_stream.unwrap_or(way.manager.timeouts.max_stream);
    let of_try = forward.retry.per_try_timeout.or(forward.retry.per_try_idle_timeout);
    forward.timeout.or(of_try).or(idle).or(longest).is_some()
}

/// True if somebody wrote that time-outs are retried, by their own names.
fn retries_time_outs(way: &Way<'_>) -> bool {
    let on = &way.forward.retry.on;
    way.retries() && (on.statuses.contains(&504) || on.grpc_statuses.contains(&DEADLINE_EXCEEDED))
}
