//! Active checks whose threshold does not count what it seems to.

use super::Advice;
use super::codes::STATUS_AT_ONCE;
use super::view::View;
use super::words::{CHECKS, Dialect};
use super::written::advice_at;
use crate::policy::{HealthCheck, HealthProbe};

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    let mut all = Vec::new();
    for upstream in &view.upstreams {
        for (index, check) in upstream.cluster.health_checks.iter().enumerate() {
            if !counts_too_little(check) {
                continue;
            }
            let (threshold, name) = (check.unhealthy_threshold, &upstream.name);
            let what = |field: &str| {
                format!("{field} {threshold} does not count statuses: one bad answer takes an instance of {name} out")
            };
            if upstream.written.dialect == Dialect::Envoy {
                let path = format!("{}.{index}.unhealthy_threshold", CHECKS.path(Dialect::Envoy));
                let fix = "http_health_check:\n  retriable_statuses:\n    - {start: 500, end: 600}".to_owned();
                all.push(upstream.written.advise_at(&STATUS_AT_ONCE, &path, what("unhealthy_threshold"), fix));
            } else if check.origin.fields.has("unhealthyThreshold") {
                let fix = "http:\n  retriableStatuses: [500, 502, 503, 504]".to_owned();
                all.push(advice_at(
                    &check.origin,
                    &STATUS_AT_ONCE,
                    "unhealthyThreshold",
                    what("unhealthyThreshold"),
                    fix,
                ));
            }
        }
    }
    all
}

fn counts_too_little(check: &HealthCheck) -> bool {
    let by_status = matches!(&check.probe, HealthProbe::Http(probe) if probe.retriable.is_empty());
    by_status && check.unhealthy_threshold > 1
}
