//! From a target as written to the instances that it means.

use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Service, Version};
use crate::scenario::written::{Placed, Struck, Target};
use crate::topology::InstanceName;
use std::collections::BTreeSet;

/// What a fault strikes, service by service: the target that is spoken of, and the instances.
pub(super) fn struck(
    written: &Placed<Struck>,
    services: &[Service],
    problems: &mut Problems,
) -> Vec<(Placed<Target>, Vec<InstanceName>)> {
    let place = written.place;
    let zone = match &written.value {
        Struck::Instances(target) => {
            let target = Placed { value: target.clone(), place };
            let found = instances(&target, services, problems);
            return vec![(target, found)];
        }
        Struck::Zone(zone) => zone,
    };
    let whole =
        |service: &Service| Target { sidecar: false, service: service.name.clone(), version: None, instances: None };
    let there = services.iter().map(|service| {
        let mut found = all(service);
        found.retain(|instance| service.zone(instance.number) == Some(zone.as_str()));
        (Placed { value: whole(service), place }, found)
    });
    let there: Vec<_> = there.filter(|(_, found)| !found.is_empty()).collect();
    if there.is_empty() {
        let known: BTreeSet<_> = services.iter().flat_map(|service| service.zones.iter().map(String::as_str)).collect();
        problems.error(code::UNKNOWN_NAME, place, format!("no instance is in a zone `{zone}`")).names(zone, known);
    }
    there
}

fn all(service: &Service) -> Vec<InstanceName> {
    let of_version = |version: &Version| {
        let named = version.name.clone();
        (1..=version.instances).map(move |number| InstanceName {
            service: service.name.clone(),
            version: named.clone(),
            number,
        })
    };
    service.versions.iter().flat_map(of_version).collect()
}

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
