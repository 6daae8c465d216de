//! `--quick`: no control, and recovery cut to what shows it.

use super::check;
use super::plan::Plan;
use super::policies::Facts;
use crate::scenario::problems::Problems;
use crate::scenario::resolved::{Phase, Scenario};
use std::time::Duration;

/// Takes the control out, and cuts each phase after the last one in which something happens to the silence that shows an ejection
/// plus 1 s, as long as every expectation can still be decided: a phase that is needed in full keeps its length.
pub(crate) fn quick(scenario: &mut Scenario) {
    scenario.control = None;
    let plan = Plan { services: &scenario.services, flows: &scenario.flows, timeline: &scenario.timeline };
    let silence = plan.faults().map(|(fault, _)| plan.silence(&fault.target)).max().unwrap_or(Duration::from_secs(1));
    let enough = silence.saturating_add(Duration::from_secs(1));
    let eventful = |phase: &Phase| !phase.faults.is_empty() || !phase.actions.is_empty();
    let after = scenario.timeline.iter().rposition(eventful).map_or(scenario.timeline.len(), |last| last + 1);
    for at in after..scenario.timeline.len() {
        let full = scenario.timeline[at].lasting;
        scenario.timeline[at].lasting = full.min(enough);
        if !can_be_decided(scenario) {
            scenario.timeline[at].lasting = full;
        }
    }
}

fn can_be_decided(scenario: &Scenario) -> bool {
    let plan = Plan { services: &scenario.services, flows: &scenario.flows, timeline: &scenario.timeline };
    let mut problems = Problems::new(&scenario.file);
    check::samples(&scenario.expectations, &plan, scenario.sweep.as_ref(), &mut problems);
    check::healing(&scenario.expectations, &plan, &Facts::default(), &mut problems);
    !problems.has_errors()
}
