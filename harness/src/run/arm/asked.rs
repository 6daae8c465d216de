//! What the phases with a fault ask of the services they break: recovery is when that holds again.

use super::Setting;
use crate::observe::Ceiling;
use crate::scenario::resolved::{Limit, Metric, Phase, Subject};
use std::collections::BTreeMap;

/// Services that a phase of this name breaks.
fn broken<'p>(phases: &'p [Phase], name: &'p str) -> impl Iterator<Item = &'p str> {
    let named = phases.iter().filter(move |phase| phase.name == name);
    named.flat_map(|phase| &phase.faults).map(|fault| fault.target.service.as_str())
}

/// The lowest share of good requests that a phase asks for while something of the service is broken, by service.
pub(super) fn success(setting: &Setting<'_>, phases: &[Phase]) -> BTreeMap<String, f64> {
    let mut lowest = BTreeMap::new();
    for expectation in &setting.scenario.expectations {
        let (Subject::Phase { phase, metric: Metric::Success, .. }, Limit::AtLeast(limit)) =
            (&expectation.subject, expectation.limit)
        else {
            continue;
        };
        for service in broken(phases, phase) {
            let known = lowest.entry(service.to_owned()).or_insert(limit);
            *known = limit.min(*known);
        }
    }
    lowest
}

/// The absolute latency limits of those phases.
pub(super) fn ceilings(setting: &Setting<'_>, phases: &[Phase]) -> Vec<Ceiling> {
    let mut ceilings = Vec::new();
    for expectation in &setting.scenario.expectations {
        let (Subject::Phase { phase, flow, metric: Metric::Response { quantile, .. } }, Limit::AtMost(limit)) =
            (&expectation.subject, expectation.limit)
        else {
            continue;
        };
        for service in broken(phases, phase) {
            let ceiling = Ceiling {
                service: service.to_owned(),
                flow: flow.clone(),
                quantile: *quantile,
                limit: (limit * 1e6).round() as i64,
            };
            if !ceilings.contains(&ceiling) {
                ceilings.push(ceiling);
            }
        }
    }
    ceilings
}
