//! Destinations that are not there: hosts, subsets, ports.

use super::finding;
use crate::config::mesh::{Known, Registry, covers, namespace, qualified, seen};
use crate::config::objects::{Backend, Objects, VirtualService};
use crate::policy::Origin;
use squall_yaml::{Finding, suggest};

/// Every destination of every routing object, copies included.
pub(super) fn findings(objects: &Objects, registry: &Registry<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for object in &objects.virtual_services {
        let services = registry.visible(namespace(&object.namespace));
        for (origin, backend, _) in object.destinations() {
            findings.extend(one(objects, object, &services, origin, backend));
        }
    }
    findings
}

fn one(
    objects: &Objects,
    object: &VirtualService,
    services: &[&Known<'_>],
    origin: &Origin,
    backend: &Backend,
) -> Option<Finding> {
    let home = namespace(&object.namespace);
    let host = qualified(&backend.host, home);
    let report = |code, message, help| Some(finding(code, origin, backend.origin, &backend.host, message, help));
    let Some(service) = services.iter().find(|service| covers(&service.host, &host)) else {
        let message = format!("`{}` is the host of no service that `{home}` sees", backend.host);
        return report("SQ0401", message, nearest_host(&backend.host, home, services));
    };
    if let Some(port) = backend.port.filter(|port| service.port(*port).is_none()) {
        let ports: Vec<_> = service.ports.iter().map(|port| port.number.to_string()).collect();
        let message = format!("`{}` has no port {port}", backend.host);
        return report("SQ0403", message, Some(format!("it has {}", ports.join(", "))));
    }
    let wanted = backend.subset.as_deref()?;
    let rules = objects.destination_rules.iter().filter(|rule| {
        let owner = namespace(&rule.namespace);
        covers(&qualified(&rule.host, owner), &host) && seen(&rule.export_to, owner, home).is_some()
    });
    let defined: Vec<_> = rules.flat_map(|rule| &rule.subsets).map(|subset| subset.name.as_str()).collect();
    if defined.contains(&wanted) {
        return None;
    }
    let message = format!("no DestinationRule of `{}` defines the subset `{wanted}`", backend.host);
    let help = match suggest(wanted, &defined) {
        Some(near) => format!("did you mean `{near}`?"),
        None if defined.is_empty() => format!("add a DestinationRule for `{}` with that subset", backend.host),
        None => format!("defined are `{}`", defined.join("`, `")),
    };
    report("SQ0402", message, Some(help))
}

/// What was likely meant: the whole host of a name with a dot, or the most similar name.
pub(super) fn nearest_host(written: &str, home: &str, services: &[&Known<'_>]) -> Option<String> {
    let whole = [format!("{written}.svc.cluster.local"), format!("{written}.cluster.local")];
    if let Some(service) = services.iter().find(|service| whole.contains(&service.host)) {
        return Some(format!("only a name without a dot is completed: write `{}`", service.host));
    }
    let short = |service: &&&Known<'_>| service.namespace == home && !written.contains('.');
    let names = services.iter().map(|service| if short(&service) { service.name() } else { service.host.as_str() });
    let names: Vec<_> = names.collect();
    suggest(written, &names).map(|near| format!("did you mean `{near}`?"))
}
