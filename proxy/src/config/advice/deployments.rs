//! What a Deployment says of releases and restarts beside what the mesh does.

use super::Advice;
use super::codes::{EJECTION_ENDS_FIRST, NEVER_ROLLED_BACK};
use super::view::View;
use super::words::{BASE_EJECTION, Dialect};
use super::written::advice_at;
use crate::config::objects::Deployment;

pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    let deployments = view.objects.deployments.iter();
    deployments.flat_map(|deployment| [deadline(deployment), restart(view, deployment)]).flatten().collect()
}

fn deadline(deployment: &Deployment) -> Option<Advice> {
    const FIELD: &str = "progressDeadlineSeconds";
    if !deployment.origin.fields.has(FIELD) {
        return None;
    }
    let what = format!("{FIELD} takes back no release of {}: it only says that it is late", deployment.name);
    let fix = format!(
        "# a controller that judges releases, such as Flagger:\nkind: Canary\nspec:\n  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: {}}}\n  analysis: {{interval: 10s, threshold: 2, stepWeight: 10, maxWeight: 50}}",
        deployment.name
    );
    Some(advice_at(&deployment.origin, &NEVER_ROLLED_BACK, FIELD, what, fix))
}

/// The longest that a stuck instance is asked before it is restarted, against the longest that its first ejection lasts.
fn restart(view: &View<'_>, deployment: &Deployment) -> Option<Advice> {
    let probe = deployment.liveness.as_ref()?;
    let upstream = view.upstreams.iter().find(|upstream| upstream.cluster.service.name == deployment.name)?;
    let outlier = upstream.detector()?;
    let restarted = probe.period.saturating_mul(probe.failure_threshold).saturating_add(probe.timeout);
    let ejected = outlier.base_ejection_time + outlier.interval;
    if restarted <= ejected {
        return None;
    }
    let dialect = Dialect::Istio;
    let what = format!(
        "a stuck instance of {} is restarted after up to {}, and its ejection ends after {} to {}",
        deployment.name,
        dialect.span(restarted),
        dialect.span(outlier.base_ejection_time),
        dialect.span(ejected)
    );
    let fix = format!(
        "livenessProbe:\n  periodSeconds: 1\n# or, in the DestinationRule:\n{}",
        dialect.lines(&[(BASE_EJECTION, dialect.span(restarted))])
    );
    let path = deployment.origin.fields.ending(".livenessProbe").unwrap_or_default().to_owned();
    Some(advice_at(&deployment.origin, &EJECTION_ENDS_FIRST, &path, what, fix))
}
