//! Time-outs of tries that do not go together with that of the route.

use super::codes::{CONNECTING_NOT_RETRIED, PER_TRY_UNUSED, TIME_OUT_NOT_RETRIED, TRIES_DO_NOT_FIT};
use super::view::{View, Way};
use super::words::{ATTEMPTS, CONNECT_TIMEOUT, Dialect, PER_TRY, RETRY_ON, TIMEOUT};
use super::{Advice, back_off, conditions};
use crate::policy::RetryOn;
use std::time::Duration;

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    let mut all = Vec::new();
    for way in view.ways.iter().filter(|way| way.retries()) {
        // One mistake about the time of a try hides the next.
        all.extend(unused(way).or_else(|| not_retried(view, way)).or_else(|| too_many(way)));
        all.extend(connecting(view, way));
    }
    all
}

/// True if a try that takes too long is one that is retried.
fn retries_time_outs(on: &RetryOn) -> bool {
    on.any_5xx || on.gateway_error || on.reset
}

fn unused(way: &Way<'_>) -> Option<Advice> {
    let (per_try, whole) = (way.forward.retry.per_try_timeout?, way.forward.timeout?);
    if per_try < whole {
        return None;
    }
    let written = &way.written;
    let unsaid = if written.has(TIMEOUT) { "" } else { " by default" };
    let span = |span| written.dialect.span(span);
    let (name, timeout) = (written.name(PER_TRY), written.name(TIMEOUT));
    let what = format!("{name} {} has no effect: {timeout} is {}{unsaid}", span(per_try), span(whole));
    let tries = way.forward.retry.attempts.saturating_add(1);
    let fix = [(TIMEOUT, span(per_try.saturating_mul(tries))), (PER_TRY, span(per_try))];
    Some(written.advise(&PER_TRY_UNUSED, PER_TRY, what, &fix))
}

fn not_retried(view: &View<'_>, way: &Way<'_>) -> Option<Advice> {
    let retry = &way.forward.retry;
    let per_try = retry.per_try_timeout.filter(|_| !retry.hedge && !retries_time_outs(&retry.on))?;
    let written = &way.written;
    let what = format!(
        "a try at {} that takes {} is not tried again: it only ends with 504 sooner",
        view.names(way),
        written.dialect.span(per_try)
    );
    match written.dialect {
        Dialect::GatewayApi => {
            let fix = "# the Gateway API has no word for it: write an Istio VirtualService with\nretries:\n  retryOn: gateway-error";
            Some(written.advise_at(&TIME_OUT_NOT_RETRIED, &written.path(PER_TRY), what, fix.to_owned()))
        }
        Dialect::Istio | Dialect::Envoy => {
            let fix = [(RETRY_ON, conditions::on(written.dialect))];
            Some(written.advise(&TIME_OUT_NOT_RETRIED, PER_TRY, what, &fix))
        }
    }
}

fn too_many(way: &Way<'_>) -> Option<Advice> {
    let retry = &way.forward.retry;
    let (per_try, whole) = (retry.per_try_timeout?, way.forward.timeout?);
    let tries = retry.attempts.saturating_add(1);
    let needed = per_try.saturating_mul(tries);
    if needed <= whole {
        return None;
    }
    let written = &way.written;
    let span = |span| written.dialect.span(span);
    // What is begun, the last of them cut short.
    let begun = whole.as_millis().div_ceil(per_try.as_millis().max(1));
    let what = format!(
        "{tries} tries of {} need {}, and {} {} ends the request in try {begun}",
        span(per_try),
        span(needed),
        written.name(TIMEOUT),
        span(whole)
    );
    let fitting = u32::try_from(begun).unwrap_or(u32::MAX).saturating_sub(1).max(1);
    let left = whole.saturating_sub(back_off::longest(retry));
    let fix = match left.checked_div(tries).filter(|each| *each >= Duration::from_millis(1)) {
        Some(each) => vec![(PER_TRY, span(Duration::from_millis(u64::try_from(each.as_millis()).unwrap_or(u64::MAX))))],
        None => vec![(ATTEMPTS, fitting.to_string())],
    };
    Some(written.advise(&TRIES_DO_NOT_FIT, PER_TRY, what, &fix))
}

/// Told where a connect time-out is written that cannot be reached, and where failures to connect are all that is retried.
fn connecting(view: &View<'_>, way: &Way<'_>) -> Option<Advice> {
    let retry = &way.forward.retry;
    let whole = way.forward.timeout.filter(|_| way.written.has(RETRY_ON) && retry.on.connect_failure)?;
    let alone = !retries_time_outs(&retry.on) && retry.on.statuses.is_empty();
    let upstream = view.upstreams_of(way).find(|upstream| {
        upstream.cluster.connections.connect_timeout >= whole && (alone || upstream.written.has(CONNECT_TIMEOUT))
    })?;
    let written = &way.written;
    let what = format!(
        "a connection to {} that hangs is not retried: {} {} ends the request before {} {} does",
        upstream.name,
        written.name(TIMEOUT),
        written.dialect.span(whole),
        upstream.written.name(CONNECT_TIMEOUT),
        upstream.written.dialect.span(upstream.cluster.connections.connect_timeout)
    );
    let shorter = whole / retry.attempts.saturating_add(2);
    let fix = [(CONNECT_TIMEOUT, upstream.written.dialect.span(shorter.max(Duration::from_millis(1))))];
    Some(way.written.advise_at(
        &CONNECTING_NOT_RETRIED,
        &written.path(TIMEOUT),
        what,
        upstream.written.dialect.lines(&fix),
    ))
}
