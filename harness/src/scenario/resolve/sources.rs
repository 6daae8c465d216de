//! Where policies come from, what stands in them, and whether anything in the topology is concerned by it.

use super::policies::service_of;
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{PolicySource, Service};
use crate::scenario::written::{Placed, Policy};
use squall_proxy::config::objects::Objects;
use squall_proxy::config::{self, LoadOptions, analyze};
use squall_proxy::policy::Origin;
use squall_yaml::{Place, Source};
use std::path::{Path, PathBuf};

/// Where the policies are; paths against the scenario's folder.
pub(super) fn sources(written: &[Placed<Policy>], folder: &Path, problems: &mut Problems) -> Vec<PolicySource> {
    let source = |policy: &Placed<Policy>| match &policy.value {
        Policy::Path(path) => {
            let path = folder.join(path);
            if let Err(error) = std::fs::metadata(&path) {
                problems.error(code::FILE, policy.place, format!("cannot read {}: {error}", path.display()));
            }
            PolicySource::Path(path)
        }
        // JSON is YAML.
        Policy::Inline(object) => PolicySource::Inline(serde_json::Value::Object(object.clone()).to_string()),
    };
    written.iter().map(source).collect()
}

/// Reads all policies that stand under a key; none if one of them cannot be read.
pub(super) fn read(
    key: &str,
    sources: &[PolicySource],
    options: &LoadOptions,
    problems: &mut Problems,
) -> Option<Objects> {
    let mut all = Objects::default();
    let mut complete = true;
    for (index, source) in sources.iter().enumerate() {
        let read = match source {
            // That it is missing has been said.
            PolicySource::Path(path) if !path.exists() => Err(Vec::new()),
            PolicySource::Path(path) => config::load(std::slice::from_ref(path), options),
            PolicySource::Inline(text) => {
                config::read(&[Source { path: inline(problems.file(), key, index), text: text.clone() }], options)
            }
        };
        match read {
            Ok(read) => {
                problems.extend(read.warnings);
                all.extend(read.objects);
            }
            Err(findings) => {
                problems.extend(findings);
                complete = false;
            }
        }
    }
    complete.then_some(all)
}

/// What a policy that stands in the scenario itself is called while its text is read.
fn inline(file: &Path, key: &str, index: usize) -> PathBuf {
    PathBuf::from(format!("{}#{key}[{index}]", file.display()))
}

/// Moves what was found in policies that stand in the scenario to where they do: lines of the text made of them mean nothing to their
/// author.
pub(super) fn place_inline(key: &str, written: &[Placed<Policy>], problems: &mut Problems) {
    for (index, policy) in written.iter().enumerate() {
        let place = Place { line: policy.place.line, column: policy.place.column };
        problems.move_to(&inline(problems.file(), key, index), place);
    }
}

/// Warns of policies that concern neither a service of the topology nor a host that clients call, and of what objects do together that cannot be meant.
pub(super) fn unused(policies: &Objects, services: &[Service], called: &[&str], problems: &mut Problems) {
    let is_service = |host: &str| services.iter().any(|service| service.name == service_of(host));
    let known = |host: &str| host.starts_with('*') || called.contains(&host) || is_service(host);
    let names = || services.iter().map(|service| service.name.as_str());
    // With a host that no service has, those that there are.
    let mut warn = |origin: &Origin, message: String, unknown: &str| {
        let mut own = Problems::new(&origin.file);
        let place = crate::scenario::resolved::Place { line: origin.line, column: 1 };
        own.warning(code::UNUSED_POLICY, place, message).names(service_of(unknown), names());
        problems.extend(own.into_findings());
    };
    for service in &policies.virtual_services {
        let first = service.hosts.first().map_or("", String::as_str);
        if !service.hosts.is_empty() && !service.hosts.iter().any(|host| known(host)) {
            let hosts = service.hosts.join(", ");
            let message =
                format!("VirtualService `{}` is for {hosts}, which no service of the topology is", service.name);
            warn(&service.origin, message, first);
        }
    }
    for check in policies.health_checks.iter().filter(|check| !known(&check.host)) {
        let message = format!("HealthCheck is for {}, which no service of the topology is", check.host);
        warn(&check.check.origin, message, &check.host);
    }
    let names: Vec<String> = names().map(ToOwned::to_owned).collect();
    problems.extend(analyze::analyze(policies, &names));
}
