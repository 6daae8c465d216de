//! Where policies come from, what stands in them, and whether anything in the topology is concerned by it.

use super::policies::service_of;
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{PolicySource, Service};
use crate::scenario::written::{Placed, Policy};
use squall_proxy::config::{self, LoadOptions};
use squall_proxy::policy::{Action, DestinationRule, Origin, Policies};
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
) -> Option<Policies> {
    let mut all = Policies::default();
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
                all.extend(read.policies);
            }
            Err(findings) => {
                problems.extend(findings);
                complete = false;
            }
        }
    }
    complete.then_some(all)
}

/// Warns of policies that concern no service of the topology, and of routes to services that it has not.
pub(super) fn unused(policies: &Policies, services: &[Service], problems: &mut Problems) {
    let known = |host: &str| host.starts_with('*') || services.iter().any(|service| service.name == service_of(host));
    let names = || services.iter().map(|service| service.name.as_str());
    // With a host that no service has, those that there are.
    let mut warn = |origin: &Origin, message: String, unknown: Option<&str>| {
        let mut own = Problems::new(&origin.file);
        let place = crate::scenario::resolved::Place { line: origin.line, column: 1 };
        let warning = &mut own.warning(code::UNUSED_POLICY, place, message);
        if let Some(host) = unknown {
            warning.names(service_of(host), names());
        }
        problems.extend(own.into_findings());
    };
    for service in &policies.virtual_services {
        if !service.hosts.iter().any(|host| known(host)) {
            let message = format!(
                "VirtualService `{}` is for {}, which no service of the topology is",
                service.name,
                service.hosts.join(", ")
            );
            warn(&service.origin, message, Some(service.hosts.first().map_or("", String::as_str)));
            continue;
        }
        for route in &service.routes {
            let Action::Forward { to, .. } = &route.action else { continue };
            for destination in to.iter().map(|weighted| &weighted.destination) {
                let Some(subset) = &destination.subset else { continue };
                let of_host = |rule: &&DestinationRule| service_of(&rule.host) == service_of(&destination.host);
                let mut subsets = policies.destination_rules.iter().filter(of_host).flat_map(|rule| &rule.subsets);
                if !subsets.any(|known| known.name == *subset) {
                    let message = format!(
                        "no DestinationRule of {} defines the subset `{subset}`: requests to it are answered 503",
                        destination.host
                    );
                    warn(&service.origin, message, None);
                }
            }
            for host in to.iter().map(|weighted| &weighted.destination.host).filter(|host| !known(host)) {
                let message =
                    format!("VirtualService `{}` sends requests to `{host}`, which the topology has not", service.name);
                warn(&service.origin, message, Some(host));
            }
        }
    }
    for (number, rule) in policies.destination_rules.iter().enumerate() {
        if let Some(first) =
            policies.destination_rules[..number].iter().find(|first| service_of(&first.host) == service_of(&rule.host))
        {
            let message = format!(
                "DestinationRule `{}` is for {}, as `{}` is: only the first is obeyed",
                rule.name, rule.host, first.name
            );
            warn(&rule.origin, message, None);
        }
    }
    let hosts = policies.destination_rules.iter().map(|rule| ("DestinationRule", &rule.name, &rule.host, &rule.origin));
    let checks = policies.health_checks.iter().map(|check| ("HealthCheck", &check.host, &check.host, &check.origin));
    for (kind, name, host, origin) in hosts.chain(checks).filter(|(_, _, host, _)| !known(host)) {
        warn(origin, format!("{kind} `{name}` is for {host}, which no service of the topology is"), Some(host));
    }
}
