//! Thresholds of failures in a row that do not do what they say.

use super::Advice;
use super::codes::{DETECTS_NOTHING, GATEWAY_NEVER_FIRST, GATEWAY_NOT_ENFORCED, SPLIT_IS_BLIND, STILL_ANY_5XX};
use super::view::{Upstream, View};
use super::words::{CONSECUTIVE, DETECTION, Dialect, ENFORCING_5XX, ENFORCING_GATEWAY, GATEWAY_ERRORS, SPLIT};
use crate::policy::{OutlierDetection, Threshold};

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    let each = [nothing, gateway, not_enforced, split];
    view.upstreams.iter().flat_map(|upstream| each.iter().filter_map(move |advice| advice(upstream))).collect()
}

/// True if anything at all makes the detector eject.
pub(super) fn ejects(outlier: &OutlierDetection) -> bool {
    let in_a_row = enforced(outlier.consecutive_5xx).or(enforced(outlier.consecutive_gateway)).is_some();
    let local = enforced(outlier.consecutive_local_origin).is_some() || compares_connections(outlier);
    let rates = outlier.success_rate.enforcing > 0 || outlier.failure_percentage.enforcing > 0;
    in_a_row || rates || outlier.split_local_origin && local
}

/// The number that ejects, if any does.
pub(super) fn enforced(threshold: Threshold) -> Option<u32> {
    threshold.count.filter(|_| threshold.enforcing > 0)
}

/// True if failures of connections are judged by their share.
fn compares_connections(outlier: &OutlierDetection) -> bool {
    outlier.local_origin_success_rate_enforcing > 0 || outlier.local_origin_failure_percentage_enforcing > 0
}

fn nothing(upstream: &Upstream<'_>) -> Option<Advice> {
    let outlier = upstream.cluster.outlier.as_ref().filter(|outlier| !ejects(outlier))?;
    let written = &upstream.written;
    let what = format!("every threshold of this detector is off: no instance of {} is ever ejected", upstream.name);
    let at = if outlier.consecutive_5xx.count.is_none() { CONSECUTIVE } else { DETECTION };
    Some(written.advise(&DETECTS_NOTHING, at, what, &[(CONSECUTIVE, "5".to_owned())]))
}

/// The two counts of answers together.
fn gateway(upstream: &Upstream<'_>) -> Option<Advice> {
    let outlier = upstream.cluster.outlier.as_ref()?;
    let gateway = enforced(outlier.consecutive_gateway)?;
    let any = enforced(outlier.consecutive_5xx)?;
    let written = &upstream.written;
    let (of_gateway, of_any) = (written.name(GATEWAY_ERRORS), written.name(CONSECUTIVE));
    let unsaid = if written.has(CONSECUTIVE) { "" } else { " by default" };
    if outlier.error_statuses.is_some() {
        return None;
    }
    if gateway >= any {
        let what = format!("{of_gateway} {gateway} never acts first on {}: {of_any} is {any}{unsaid}", upstream.name);
        // Of two that are written the one for gateway errors is meant to be the lower; of one alone, that it acts.
        let fix = if written.has(CONSECUTIVE) && any > 1 {
            [(CONSECUTIVE, any.to_string()), (GATEWAY_ERRORS, any.div_ceil(2).to_string())]
        } else {
            [(ENFORCING_5XX, "0".to_owned()), (GATEWAY_ERRORS, gateway.to_string())]
        };
        return Some(written.advise(&GATEWAY_NEVER_FIRST, GATEWAY_ERRORS, what, &fix));
    }
    if written.has(CONSECUTIVE) || !written.has(GATEWAY_ERRORS) {
        return None;
    }
    let what = format!(
        "beside {of_gateway} {gateway}, {any} answers of 500 in a row eject an instance of {} as well",
        upstream.name
    );
    Some(written.advise(
        &STILL_ANY_5XX,
        GATEWAY_ERRORS,
        what,
        &[(ENFORCING_5XX, "0 # off; or the number that is meant".to_owned())],
    ))
}

fn not_enforced(upstream: &Upstream<'_>) -> Option<Advice> {
    let outlier = upstream.cluster.outlier.as_ref()?;
    let written = &upstream.written;
    let is_meant = written.dialect == Dialect::Envoy && written.has(GATEWAY_ERRORS) && !written.has(ENFORCING_GATEWAY);
    if !is_meant || outlier.consecutive_gateway.enforcing > 0 {
        return None;
    }
    let number = outlier.consecutive_gateway.count.unwrap_or(0);
    let what = format!(
        "{} {number} ejects no instance of {}: {} is 0 by default",
        written.name(GATEWAY_ERRORS),
        upstream.name,
        written.name(ENFORCING_GATEWAY)
    );
    Some(written.advise(&GATEWAY_NOT_ENFORCED, GATEWAY_ERRORS, what, &[(ENFORCING_GATEWAY, "100".to_owned())]))
}

fn split(upstream: &Upstream<'_>) -> Option<Advice> {
    let outlier = upstream.cluster.outlier.as_ref()?;
    if !outlier.split_local_origin || compares_connections(outlier) {
        return None;
    }
    let written = &upstream.written;
    let what = format!(
        "with {} no instance of {} is ejected for time-outs or resets, however many",
        written.name(SPLIT),
        upstream.name
    );
    Some(written.advise(&SPLIT_IS_BLIND, SPLIT, what, &[(SPLIT, "false".to_owned())]))
}
