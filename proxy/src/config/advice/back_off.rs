//! Retries that meet the same instance again before anything can have changed.

use super::Advice;
use super::codes::RETRIES_TOO_SOON;
use super::view::{View, Way};
use super::words::{BACK_OFF, BACK_OFF_BASE, count};
use crate::policy::RetryPolicy;
use std::time::Duration;

/// Shorter than any process takes to come back.
const MOMENT: Duration = Duration::from_secs(1);

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    view.ways.iter().filter(|way| way.retries()).filter_map(|way| one(view, way)).collect()
}

fn one(view: &View<'_>, way: &Way<'_>) -> Option<Advice> {
    let retry = &way.forward.retry;
    let longest = longest(retry);
    let stays = |upstream: &&_| way.sticks_to(upstream) || upstream.instances == Some(1);
    let upstream = view.upstreams_of(way).find(stays).filter(|_| longest < MOMENT)?;
    let nowhere = match upstream.instances {
        Some(1) => format!("{} has 1 instance", upstream.name),
        _ => format!("a request to {} sticks to its instance", upstream.name),
    };
    let written = &way.written;
    let retries = match retry.attempts {
        1 => "its retry meets".to_owned(),
        number => format!("all {} meet", count(number, "retry")),
    };
    let what = format!("{nowhere}, and {retries} it again within {}", written.dialect.span(longest));
    let fix = [(BACK_OFF_BASE, written.dialect.span(Duration::from_millis(500)))];
    Some(written.advise(&RETRIES_TOO_SOON, BACK_OFF, what, &fix))
}

/// The bounds of all back-offs together. Each is twice the one before, up to the bound of all.
pub(super) fn longest(retry: &RetryPolicy) -> Duration {
    let mut bound = retry.back_off_base;
    let mut sum = Duration::ZERO;
    // Beyond a moment nobody asks how long it is.
    for _ in 0..retry.attempts.min(64) {
        sum = sum.saturating_add(bound.min(retry.back_off_max));
        bound = bound.saturating_mul(2);
    }
    sum
}
