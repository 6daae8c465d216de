//! From a target as written to the instances that it means.

use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::Service;
use crate::scenario::written::{Placed, Target};
use crate::topology::InstanceName;

/// All instances that a target means; none, and an error, if there is no such service, version or instance.
pub(super) fn instances(target: &Placed<Target>, services: &[Service], problems: &mut Problems) -> Vec<InstanceName> {
    let Some(service) = service(target, services, problems) else { return Vec::new() };
    let named = service.versions.iter().any(|version| version.name.is_some());
    if target.instances.is_some() && target.version.is_none() && named {
        let first = service.versions.first().and_then(|version| version.name.as_deref()).unwrap_or_default();
        problems
            .error(
                code::UNKNOWN_NAME,
                target.place,
                format!("`{}` has versions, so `{}` is ambiguous", service.name, target.value),
            )
            .help(format!("name the version: `{}@{first}/1`", service.name));
        return Vec::new();
    }
    let versions = service.versions.iter().filter(|version| target.version.is_none() || version.name == target.version);
    let mut found = Vec::new();
    for version in versions {
        let (first, last) = target.instances.unwrap_or((1, version.instances));
        if last > version.instances {
            let of = if version.instances == 1 {
                "1 instance".to_owned()
            } else {
                format!("{} instances", version.instances)
            };
            problems
                .error(
                    code::UNKNOWN_NAME,
                    target.place,
                    format!("no instance `{}`: the service has {of}", with_number(target, last)),
                )
                .expected(format!("1 to {}, counted from 1", version.instances));
            return Vec::new();
        }
        found.extend((first..=last).map(|number| InstanceName {
            service: service.name.clone(),
            version: version.name.clone(),
            number,
        }));
    }
    found
}

/// The service that a target names, if it and its version exist.
pub(super) fn service<'s>(
    target: &Placed<Target>,
    services: &'s [Service],
    problems: &mut Problems,
) -> Option<&'s Service> {
    let Some(service) = services.iter().find(|service| service.name == target.service) else {
        problems
            .error(code::UNKNOWN_NAME, target.place, format!("no service `{}`", target.service))
            .names(&target.service, services.iter().map(|service| service.name.as_str()));
        return None;
    };
    if let Some(version) = &target.version {
        let known: Vec<&str> = service.versions.iter().filter_map(|version| version.name.as_deref()).collect();
        if !known.contains(&version.as_str()) {
            problems
                .error(code::UNKNOWN_NAME, target.place, format!("`{}` has no version `{version}`", service.name))
                .names(version, known);
            return None;
        }
    }
    Some(service)
}

fn with_number(target: &Target, number: u32) -> Target {
    Target { instances: Some((number, number)), ..target.clone() }
}
