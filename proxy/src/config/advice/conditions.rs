//! Retries of other failures than are meant.

use super::Advice;
use super::codes::{ANSWERS_NOT_RETRIED, RETRIES_NOTHING};
use super::view::{View, Way};
use super::words::{Dialect, RETRIES, RETRY_ON, count};
use crate::policy::RetryOn;

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    view.ways
        .iter()
        .filter(|way| way.retries())
        .filter_map(|way| nothing(view, way).or_else(|| default(view, way)))
        .collect()
}

fn nothing(view: &View<'_>, way: &Way<'_>) -> Option<Advice> {
    let retry = &way.forward.retry;
    if retry.on != RetryOn::default() || retry.hedge {
        return None;
    }
    let what = format!(
        "{} of {}, and nothing is retried: {} names no failure",
        count(retry.attempts, "retry"),
        view.names(way),
        way.written.name(RETRY_ON)
    );
    Some(way.written.advise(&RETRIES_NOTHING, RETRY_ON, what, &[(RETRY_ON, on(way.written.dialect))]))
}

/// Where nothing is said, and the conditions of the version that is followed know no 503.
fn default(view: &View<'_>, way: &Way<'_>) -> Option<Advice> {
    let retry = &way.forward.retry;
    if way.written.has(RETRY_ON) || retry.on != RetryOn::mesh_default() {
        return None;
    }
    let (dialect, name) = (way.written.dialect, way.written.name(RETRY_ON));
    let what =
        format!("without {name} neither a 503 of {} nor a connection that it resets is retried", view.names(way));
    Some(way.written.advise(&ANSWERS_NOT_RETRIED, RETRIES, what, &[(RETRY_ON, on(dialect))]))
}

/// Conditions that cover a 503, a reset and a time-out, as each dialect writes them. The Gateway API has statuses alone.
pub(super) fn on(dialect: Dialect) -> String {
    match dialect {
        Dialect::Istio | Dialect::Envoy => "connect-failure,refused-stream,reset,gateway-error".to_owned(),
        Dialect::GatewayApi => "[502, 503, 504]".to_owned(),
    }
}
