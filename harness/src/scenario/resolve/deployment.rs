//! What supervises a service's processes: a Deployment from a manifest, or probes by path.

use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::written::{Placed, Service};
use squall_proxy::config::objects::{Deployment, Probe, ProbeAction};
use squall_proxy::config::{self, LoadOptions};
use squall_proxy::policy::Origin;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The Deployment that the service names, or one made of its `health`.
pub(super) fn deployment(
    service: &Service,
    folder: &Path,
    options: &LoadOptions,
    problems: &mut Problems,
) -> Option<Deployment> {
    match (&service.manifest, &service.health) {
        (Some(manifest), Some(health)) => {
            problems
                .error(code::SHAPE, health.place, "both a `manifest` and `health`")
                .help(format!("`{}` has the probes", manifest.value));
            None
        }
        (Some(manifest), None) => from_manifest(service, manifest, folder, options, problems),
        (None, Some(health)) => Some(by_path(service, health, problems)),
        (None, None) => None,
    }
}

/// The Deployment of the service's name, or the only one of the file.
fn from_manifest(
    service: &Service,
    manifest: &Placed<String>,
    folder: &Path,
    options: &LoadOptions,
    problems: &mut Problems,
) -> Option<Deployment> {
    let path = folder.join(&manifest.value);
    if let Err(error) = std::fs::metadata(&path) {
        problems.error(code::FILE, manifest.place, format!("cannot read {}: {error}", path.display()));
        return None;
    }
    let mut deployments = match config::load(&[path], options) {
        Ok(read) => read.objects.deployments,
        Err(findings) => {
            problems.extend(findings);
            return None;
        }
    };
    if let Some(at) = deployments.iter().position(|deployment| deployment.name == service.name.value) {
        return Some(deployments.swap_remove(at));
    }
    if deployments.len() == 1 {
        return deployments.pop();
    }
    problems
        .error(
            code::UNKNOWN_NAME,
            manifest.place,
            format!("no Deployment `{}` in `{}`", service.name.value, manifest.value),
        )
        .names(&service.name, deployments.iter().map(|deployment| deployment.name.as_str()));
    None
}

/// Readiness and liveness with Kubernetes' default timing: each 10 s, 1 s time-out, out or restarted after 3 failures, ready after 1
/// success.
fn by_path(service: &Service, health: &Placed<String>, problems: &mut Problems) -> Deployment {
    if !health.starts_with('/') {
        problems
            .error(code::RANGE, health.place, format!("`{}` is no path", health.value))
            .expected("one that begins with `/`");
    }
    let probe = Probe {
        action: ProbeAction::HttpGet { path: health.value.clone() },
        initial_delay: Duration::ZERO,
        period: Duration::from_secs(10),
        timeout: Duration::from_secs(1),
        success_threshold: 1,
        failure_threshold: 3,
    };
    Deployment {
        name: service.name.value.clone(),
        replicas: service.instances.as_ref().map_or(1, |instances| instances.value),
        labels: BTreeMap::new(),
        readiness: Some(probe.clone()),
        liveness: Some(probe),
        startup: None,
        origin: Origin { file: problems.file().to_owned(), line: health.place.line, ..Origin::default() },
    }
}
