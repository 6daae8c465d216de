//! Where policies come from, what stands in them, and whether anything in the topology is concerned by it.

use super::policies::service_of;
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{PolicySource, Service};
use crate::scenario::written::{Placed, Policy};
use squall_proxy::config::objects::Objects;
use squall_proxy::config::{self, LoadOptions, analyze};
use squall_proxy::policy::Origin;
use squall_yaml::{Finding, Place, Source};
use std::path::Path;

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

/// Reads all policies; none if one of them cannot be read.
pub(super) fn read(
    written: &[Placed<Policy>],
    sources: &[PolicySource],
    options: &LoadOptions,
    problems: &mut Problems,
) -> Option<Objects> {
    let mut all = Objects::default();
    let mut complete = true;
    for (policy, source) in written.iter().zip(sources) {
        let read = match source {
            // That it is missing has been said.
            PolicySource::Path(path) if !path.exists() => Err(Vec::new()),
            PolicySource::Path(path) => config::load(std::slice::from_ref(path), options),
            PolicySource::Inline(text) => {
                let place = Place { line: policy.place.line, column: policy.place.column };
                let source = Source { path: problems.file().to_owned(), text: text.clone() };
                // Lines of the text made of it mean nothing to its author.
                let placed = |findings: Vec<Finding>| {
                    findings.into_iter().map(|finding| Finding { place, span_len: 0, ..finding }).collect::<Vec<_>>()
                };
                config::read(&[source], options)
                    .map(|read| config::Loaded { warnings: placed(read.warnings), ..read })
                    .map_err(placed)
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

/// Warns of policies that concern no service of the topology, and of what objects do together that cannot be meant.
pub(super) fn unused(policies: &Objects, services: &[Service], problems: &mut Problems) {
    let known = |host: &str| host.starts_with('*') || services.iter().any(|service| service.name == service_of(host));
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
