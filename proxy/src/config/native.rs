//! Objects of our own, `squall.dev/v1`, for what Istio has no words.

use super::duration::GoDuration;
use super::object::{Metadata, origin};
use super::problems::Problems;
use crate::policy::HealthCheck;
use serde::Deserialize;
use squall_yaml::{Document, Unsupported};
use std::time::Duration;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Object {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(rename = "metadata", default)]
    _metadata: Metadata,
    spec: Spec,
    #[serde(rename = "status")]
    _status: Option<Unsupported>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    host: String,
    path: Option<String>,
    interval: GoDuration,
    timeout: Option<GoDuration>,
    healthy_threshold: Option<u32>,
    unhealthy_threshold: Option<u32>,
}

/// Reads a `HealthCheck`.
pub(super) fn health_check(document: &Document, problems: &mut Problems<'_>) -> Option<HealthCheck> {
    let object: Object = problems.read(document, "HealthCheck")?;
    let spec = object.spec;
    if spec.interval.0.is_zero() {
        problems.error(document.place(), "`interval: 0s` would ask without end", "say how long to wait between checks");
    }
    Some(HealthCheck {
        host: spec.host.to_ascii_lowercase(),
        path: spec.path.unwrap_or_else(|| "/".to_owned()),
        interval: spec.interval.0,
        timeout: spec.timeout.map_or(Duration::from_secs(1), |timeout| timeout.0),
        healthy_threshold: spec.healthy_threshold.unwrap_or(1).max(1),
        unhealthy_threshold: spec.unhealthy_threshold.unwrap_or(3).max(1),
        origin: origin(document, problems),
    })
}
