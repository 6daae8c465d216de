//! Rates that are compared only among more instances than there are.

use super::Advice;
use super::codes::TOO_FEW_FOR_RATES;
use super::view::{Upstream, View};
use super::words::{DETECTION, Dialect, FAILURE_PERCENTAGE_HOSTS, SUCCESS_RATE_HOSTS, Word, count};

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    view.upstreams.iter().flat_map(of_upstream).collect()
}

/// Only what somebody wrote: success rates are enforced by Envoy's default.
fn of_upstream(upstream: &Upstream<'_>) -> Vec<Advice> {
    let (Some(outlier), Some(total)) = (&upstream.cluster.outlier, upstream.instances) else { return Vec::new() };
    let (success, failure) = (&outlier.success_rate, &outlier.failure_percentage);
    let rates = [
        ("success_rate", success.enforcing, success.minimum_hosts, SUCCESS_RATE_HOSTS),
        ("failure_percentage", failure.enforcing, failure.minimum_hosts, FAILURE_PERCENTAGE_HOSTS),
    ];
    let unmet = rates.into_iter().filter(|(_, enforcing, needed, _)| *enforcing > 0 && *needed > total);
    unmet.filter_map(|(rate, _, needed, least)| one(upstream, rate, needed, total, least)).collect()
}

fn one(upstream: &Upstream<'_>, rate: &str, needed: u32, total: u32, least: Word) -> Option<Advice> {
    let written = &upstream.written;
    if written.dialect != Dialect::Envoy {
        return None;
    }
    let block = written.path(DETECTION);
    let field = written.origin.fields.within(&block).find(|field| field.contains(rate))?;
    let what = format!(
        "{field} does nothing with {} of {}: {} is {needed}",
        count(total, "instance"),
        upstream.name,
        written.name(least)
    );
    let fix = written.dialect.lines(&[(least, total.to_string())]);
    Some(written.advise_at(&TOO_FEW_FOR_RATES, &format!("{block}.{field}"), what, fix))
}
