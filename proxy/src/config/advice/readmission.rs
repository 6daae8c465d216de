//! Ejections that end later, earlier or otherwise than they say.

use super::Advice;
use super::codes::{CHECK_ENDS_EJECTION, LATE_RETURN, NO_WARM_UP_AFTER_EJECTION, PREFERS_PLACE};
use super::view::{Upstream, View};
use super::words::{BASE_EJECTION, CHECK_ENDS, DETECTION, Dialect, INTERVAL, LOCALITY, LOCALITY_ENABLED, WARM_UP};
use std::collections::BTreeSet;
use std::time::Duration;

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    let each = [late, by_check, not_warmed, by_place];
    view.upstreams.iter().flat_map(|upstream| each.iter().filter_map(move |advice| advice(upstream))).collect()
}

fn late(upstream: &Upstream<'_>) -> Option<Advice> {
    let outlier = upstream.detector()?;
    let (base, interval) = (outlier.base_ejection_time, outlier.interval);
    if interval <= base {
        return None;
    }
    let written = &upstream.written;
    let span = |span| written.dialect.span(span);
    let what = format!(
        "an instance of {} that is ejected for {} comes back only after up to {}: it is looked at each {}",
        upstream.name,
        span(base),
        span(base + interval),
        span(interval)
    );
    Some(written.advise(&LATE_RETURN, INTERVAL, what, &[(INTERVAL, span((base / 3).max(Duration::from_millis(1))))]))
}

fn by_check(upstream: &Upstream<'_>) -> Option<Advice> {
    let outlier = upstream.detector().filter(|outlier| outlier.check_ends_ejection)?;
    let next = upstream.cluster.health_checks.iter().map(|check| check.interval).min()?;
    if next >= outlier.base_ejection_time {
        return None;
    }
    let written = &upstream.written;
    let what = format!(
        "{} {} does not hold for {}: the next check that passes, within {}, ends an ejection",
        written.name(BASE_EJECTION),
        written.dialect.span(outlier.base_ejection_time),
        upstream.name,
        written.dialect.span(next)
    );
    match written.dialect {
        Dialect::Envoy => {
            Some(written.advise(&CHECK_ENDS_EJECTION, BASE_EJECTION, what, &[(CHECK_ENDS, "false".to_owned())]))
        }
        // Istio has no word for it: a time that does not matter is better not written.
        Dialect::Istio | Dialect::GatewayApi => Some(written.advise(
            &CHECK_ENDS_EJECTION,
            BASE_EJECTION,
            what,
            &[(BASE_EJECTION, written.dialect.span(next))],
        )),
    }
}

/// A check that passes again makes an instance new, which an ejection that ends does not.
fn not_warmed(upstream: &Upstream<'_>) -> Option<Advice> {
    let warm_up = upstream.cluster.slow_start.filter(|_| upstream.cluster.health_checks.is_empty())?;
    let _ = upstream.detector()?;
    let written = &upstream.written;
    let what = format!(
        "an instance of {} that comes back from an ejection gets its full share at once, without the {} of warm-up",
        upstream.name,
        written.dialect.span(warm_up.window)
    );
    let fix = match written.dialect {
        Dialect::Envoy => {
            "health_checks:\n  - timeout: 1s\n    interval: 1s\n    unhealthy_threshold: 1\n    healthy_threshold: 1\n    http_health_check: {path: /health}\noutlier_detection:\n  successful_active_health_check_uneject_host: false"
        }
        Dialect::Istio | Dialect::GatewayApi => {
            "# in the Deployment: an endpoint that is ready again is a new one\nreadinessProbe:\n  httpGet: {path: /health, port: 8080}\n  periodSeconds: 1"
        }
    };
    Some(written.advise_at(&NO_WARM_UP_AFTER_EJECTION, &written.path(WARM_UP), what, fix.to_owned()))
}

fn by_place(upstream: &Upstream<'_>) -> Option<Advice> {
    let _ = upstream.detector()?;
    let written = &upstream.written;
    if written.dialect != Dialect::Istio || written.has(LOCALITY) {
        return None;
    }
    let instances = |priority| {
        let localities = upstream.cluster.localities.iter().filter(move |locality| locality.priority == priority);
        localities.map(|locality| locality.endpoints.len()).sum::<usize>()
    };
    let priorities: BTreeSet<_> = upstream.cluster.localities.iter().map(|locality| locality.priority).collect();
    if priorities.len() < 2 {
        return None;
    }
    let all: usize = priorities.iter().map(|priority| instances(*priority)).sum();
    let what = format!(
        "because of this block all requests for {} go to the nearest {} of {all} instances",
        upstream.name,
        instances(0)
    );
    Some(written.advise(&PREFERS_PLACE, DETECTION, what, &[(LOCALITY_ENABLED, "false".to_owned())]))
}
