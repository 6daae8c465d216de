//! `--quick`: no control, and recovery cut to what shows it.

use super::plan::Plan;
use crate::scenario::resolved::{Phase, Scenario};
use std::time::Duration;

/// Takes the control out, and cuts each phase after the last one in which something happens to the silence that shows an ejection
/// plus 1 s. Expectations that need more than is left are kept, and judged on what there is.
pub(crate) fn quick(scenario: &mut Scenario) {
    scenario.control = None;
    let plan = Plan { services: &scenario.services, flows: &scenario.flows, timeline: &scenario.timeline };
    let silence = plan.faults().map(|(fault, _)| plan.silence(&fault.target)).max().unwrap_or(Duration::from_secs(1));
    let enough = silence.saturating_add(Duration::from_secs(1));
    let eventful = |phase: &Phase| !phase.faults.is_empty() || !phase.actions.is_empty();
    let after = scenario.timeline.iter().rposition(eventful).map_or(scenario.timeline.len(), |last| last + 1);
    for phase in scenario.timeline.iter_mut().skip(after) {
        phase.lasting = phase.lasting.min(enough);
    }
}
