//! What the policies do not do for the services of the topology.

use super::sites::Sites;
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{MeshMode, Place, Service};
use crate::scenario::written::Placed;
use squall_proxy::config::advice::{Advice, CODES, Instances, advise};
use squall_proxy::config::objects::Deployment;
use squall_proxy::policy::Origin;
use std::collections::BTreeMap;

/// Warns of everything that policies promise and the proxies of this scenario will not keep, but for the codes that the scenario accepts.
pub(super) fn give(
    sites: &Sites,
    modes: &[(MeshMode, Place)],
    services: &[Service],
    accepted: &[Placed<String>],
    problems: &mut Problems,
) {
    let mut objects = sites.objects.clone();
    objects.deployments.extend(services.iter().filter_map(deployment));
    let entrances = modes.iter().filter_map(|(mode, _)| sites.entrance(*mode));
    let advice: Vec<Advice> = entrances.flat_map(|config| advise(&objects, &config, &instances(services))).collect();
    for code in accepted.iter().filter(|code| is_known(code)) {
        if !advice.iter().any(|one| one.code.code == code.value) {
            problems
                .warning(code::NOTHING_ACCEPTED, code.place, format!("{} is accepted, and not told", code.value))
                .help("leave it out");
        }
    }
    let told = advice.into_iter().filter(|one| !accepted.iter().any(|code| code.value == one.code.code));
    problems.extend(told.map(Advice::finding));
    if modes.iter().all(|(mode, _)| *mode == MeshMode::Server) {
        for_callers(sites, problems);
    }
}

/// Tells of codes that no advice has.
pub(super) fn check(accepted: &[Placed<String>], problems: &mut Problems) {
    for code in accepted.iter().filter(|code| !is_known(code)) {
        problems
            .error(code::UNKNOWN_NAME, code.place, format!("no advice has the code `{}`", code.value))
            .expected(format!("one of `{}` to `{}`, as they are told", CODES[0].code, CODES[CODES.len() - 1].code));
    }
}

fn is_known(code: &str) -> bool {
    CODES.iter().any(|known| known.code == code)
}

/// Without a proxy on the client's side, what callers are told is obeyed by nobody.
fn for_callers(sites: &Sites, problems: &mut Problems) {
    let routing =
        sites.objects.virtual_services.iter().map(|object| (&object.origin, "routes", "VirtualService", &object.name));
    let detectors = sites.objects.destination_rules.iter().filter_map(|rule| {
        rule.policy.outlier.as_ref()?;
        Some((&rule.origin, "outlier detection", "DestinationRule", &rule.name))
    });
    for (origin, what, kind, name) in routing.chain(detectors) {
        let Origin { file, line, .. } = origin;
        let mut own = Problems::new(file);
        let message =
            format!("the {what} of {kind} `{name}` are meant for callers, and in mode `server` no caller has a proxy");
        own.warning(code::UNUSED_POLICY, Place { line: *line, column: 1 }, message)
            .help("`mesh: {mode: both}` has one on each side");
        problems.extend(own.into_findings());
    }
}

/// Instances as they will be deployed: with the label that subsets choose by, where there are versions.
fn instances(services: &[Service]) -> Instances {
    let mut instances = Instances::default();
    for service in services {
        for version in &service.versions {
            let label = version.name.iter().map(|name| ("version".to_owned(), name.clone()));
            instances.add(&service.name, version.instances, Some(label.collect::<BTreeMap<_, _>>()));
        }
    }
    instances
}

/// What supervises a service, under the name of the service.
fn deployment(service: &Service) -> Option<Deployment> {
    let own = service.deployment.clone()?;
    Some(Deployment { name: service.name.clone(), ..own })
}
