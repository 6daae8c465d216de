//! Expected healing.

use super::expect::Names;
use super::target;
use crate::scenario::code;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Expectation, HealingKind, Limit, Subject};
use crate::scenario::written::{Healing, Placed, Target};
use crate::topology::InstanceName;

/// Resolves one entry; a target of several instances becomes an expectation for each.
pub(super) fn resolve(
    written: &Placed<Healing>,
    names: &Names<'_>,
    problems: &mut Problems,
    found: &mut Vec<Expectation>,
) {
    if written.promoted.is_some() || written.blamed.is_some() {
        // Refused by name when the file was read.
        return;
    }
    let kinds = [
        ("ejected", &written.ejected),
        ("not-ejected", &written.not_ejected),
        ("readmitted", &written.readmitted),
        ("recovered", &written.recovered),
        ("restarted", &written.restarted),
        ("rolled-back", &written.rolled_back),
    ];
    let mut given = kinds.into_iter().filter_map(|(word, target)| target.as_ref().map(|target| (word, target)));
    let given = (given.next(), given.next(), &written.refused);
    if let Some(within) = written.within.filter(|within| within.0.is_zero()) {
        problems.error(code::RANGE, within.place, "nothing heals within no time");
    }
    let limit = written.within.map_or(Limit::Seen, |within| Limit::Within(within.0.as_secs_f64()));
    let suffix = written.within.map(|within| format!(" within {}", within.value)).unwrap_or_default();
    let (word, target) = match given {
        (Some(given), None, None) => given,
        (None, None, Some(phase)) => {
            let known = names.timeline.iter().map(|phase| phase.name.as_str());
            if !known.clone().any(|name| name == phase.value) {
                problems
                    .error(code::UNKNOWN_NAME, phase.place, format!("no phase `{}`", phase.value))
                    .names(phase, known);
            }
            return found.push(Expectation {
                id: format!("healing.refused({})", phase.value),
                place: phase.place,
                written: format!("refused {}{suffix}", phase.value),
                subject: Subject::Healing(HealingKind::Refused(phase.value.clone())),
                limit,
                confidence: None,
            });
        }
        _ => {
            problems
                .error(code::SHAPE, written.place, "an entry of `healing` names one kind of healing")
                .expected("one of `ejected`, `not-ejected`, `readmitted`, `recovered`, `restarted`, `rolled-back`, `refused`")
                .help("write each in an entry of its own: `healing: [{ejected: cart/1, within: 1s}, {readmitted: cart/1, within: 8s}]`");
            return;
        }
    };
    if let Some(within) = written.within.filter(|_| word == "not-ejected") {
        problems.error(code::SHAPE, within.place, "`not-ejected` holds all the time").help("leave `within` out");
    }
    if target.sidecar {
        problems
            .error(code::SHAPE, target.place, "healing is seen at instances, with the proxies beside them")
            .help(format!("write `{word}: {}`", Target { sidecar: false, ..target.value.clone() }));
    }
    for (name, kind) in healings(word, target, names, problems) {
        found.push(Expectation {
            id: format!("healing.{word}({name})"),
            place: target.place,
            written: format!("{word} {name}{suffix}"),
            subject: Subject::Healing(kind),
            limit,
            confidence: None,
        });
    }
}

fn healings(
    word: &str,
    target: &Placed<Target>,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Vec<(String, HealingKind)> {
    let by_instance: fn(InstanceName) -> HealingKind = match word {
        "ejected" => HealingKind::Ejected,
        "not-ejected" => HealingKind::NotEjected,
        "readmitted" => HealingKind::Readmitted,
        "restarted" => HealingKind::Restarted,
        "recovered" => {
            if target.version.is_some() || target.instances.is_some() {
                problems
                    .error(code::SHAPE, target.place, "a service recovers as a whole")
                    .expected(format!("`{}`", target.service));
            }
            let service = target::service(target, names.services, problems);
            return service
                .map(|service| (service.name.clone(), HealingKind::Recovered(service.name.clone())))
                .into_iter()
                .collect();
        }
        _ => {
            let Some(version) = target.version.clone().filter(|_| target.instances.is_none()) else {
                problems
                    .error(code::SHAPE, target.place, "a version is rolled back")
                    .expected(format!("service and version, such as `{}@v2`", target.service));
                return Vec::new();
            };
            let kind = HealingKind::RolledBack { service: target.service.clone(), version };
            let service = target::service(target, names.services, problems);
            return service.map(|_| (target.value.to_string(), kind)).into_iter().collect();
        }
    };
    let instances = target::instances(target, names.services, problems);
    instances.into_iter().map(|instance| (instance.to_string(), by_instance(instance))).collect()
}
