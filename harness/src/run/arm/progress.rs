//! What those who watch are told of an arm while it runs.

use super::Setting;
use super::deployment::Deployment;
use super::findings;
use crate::clock::{Nanos, now};
use crate::observe::{Recorder, Setup};
use crate::run::events::{Allowed, ArmEvent, Budget, Expected, Outline};
use crate::scenario::resolved::{Expectation, Limit, Metric, Subject};

/// The load begins.
pub(super) fn begun(setting: &Setting<'_>, setup: &Setup, recorder: &Recorder) {
    let expected = |expectation: &Expectation| Expected {
        id: expectation.id.clone(),
        written: expectation.written.clone(),
        budget: budget(expectation, setup),
    };
    (setting.say)(ArmEvent::Begun(Box::new(Outline {
        lead: setup.start.since(now()),
        phases: setup.phases.clone(),
        planned: recorder.planned(),
        faulty: setup.faulty_phases.clone(),
        flows: setup.flows.clone(),
        instances: setup.instances.clone(),
        counted: setup.relayed,
        expected: setting.scenario.expectations.iter().map(expected).collect(),
    })));
}

/// What has happened since the last time.
pub(super) fn events(setting: &Setting<'_>, recorder: &mut Recorder) {
    recorder.fresh_events().into_iter().for_each(|event| (setting.say)(ArmEvent::Happened(event)));
}

/// The same, and the counts once they are about a second old.
pub(super) fn tell(setting: &Setting<'_>, deployment: &Deployment, recorder: &mut Recorder, start: Nanos) {
    events(setting, recorder);
    if let Some(tally) = recorder.tally(now(), findings::proxys_word(deployment, start)) {
        (setting.say)(ArmEvent::Progress(Box::new(tally)));
    }
}

/// What an expectation allows, where nothing but the count of requests decides it.
fn budget(expectation: &Expectation, setup: &Setup) -> Option<Budget> {
    let (of, metric) = match &expectation.subject {
        Subject::Phase { phase, flow: None, metric } => (Some(phase), metric),
        Subject::Whole { flow: None, metric } => (None, metric),
        _ => return None,
    };
    let allowed = match (metric, expectation.limit) {
        // A share of what nobody has planned is known only at the end.
        (Metric::Success, Limit::AtLeast(_)) if !setup.is_planned() => return None,
        (Metric::Success, Limit::AtLeast(least)) if expectation.confidence.is_none() => Allowed::Share(1.0 - least),
        (Metric::Lost, Limit::AtMost(most) | Limit::Exactly(most)) => Allowed::Count(most as u64),
        _ => return None,
    };
    let phases: Vec<usize> = (0..setup.phases.len())
        .filter(|index| of.map_or(setup.phases[*index].judged, |name| setup.phases[*index].name == *name))
        .collect();
    (!phases.is_empty()).then_some(Budget { phases, allowed, degraded: *metric == Metric::Success })
}
