//! What the timeline amounts to: requests planned, rates of instances, when faults act.

use crate::scenario::resolved::{Flow, Phase, PlannedFault, Service};
use crate::topology::InstanceName;
use std::time::Duration;

/// Figures of a timeline.
pub(super) struct Plan<'a> {
    pub services: &'a [Service],
    pub flows: &'a [Flow],
    pub timeline: &'a [Phase],
}

/// From and to, from the start of the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub from: Duration,
    pub to: Duration,
}

impl Window {
    /// How long.
    pub(super) fn length(self) -> Duration {
        self.to.saturating_sub(self.from)
    }

    /// True if both act at some moment.
    pub(super) fn overlaps(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

impl<'a> Plan<'a> {
    /// All phases with their place in time.
    pub(super) fn phases(&self) -> impl Iterator<Item = (&'a Phase, Window)> {
        self.timeline.iter().scan(Duration::ZERO, |from, phase| {
            let window = Window { from: *from, to: *from + phase.lasting };
            *from = window.to;
            Some((phase, window))
        })
    }

    /// All faults with their place in time.
    pub(super) fn faults(&self) -> impl Iterator<Item = (&'a PlannedFault, Window)> {
        self.phases().flat_map(|(phase, window)| {
            phase.faults.iter().map(move |fault| {
                let from = window.from + fault.at;
                (fault, Window { from, to: from + fault.lasting })
            })
        })
    }

    /// End of the timeline.
    pub(super) fn end(&self) -> Duration {
        self.timeline.iter().map(|phase| phase.lasting).sum()
    }

    /// End of the warm-up.
    pub(super) fn zero(&self) -> Duration {
        self.timeline.first().map_or(Duration::ZERO, |warm_up| warm_up.lasting)
    }

    /// The first judged phase.
    pub(super) fn baseline(&self) -> Option<(&'a Phase, Window)> {
        self.phases().find(|(phase, _)| phase.judged)
    }

    /// True if it is known before how many requests are sent: by one flow, or by all.
    pub(super) fn is_planned(&self, flow: Option<&str>) -> bool {
        let mut flows = self.flows.iter().filter(|candidate| flow.is_none_or(|name| name == candidate.name));
        flows.all(|flow| flow.pace.profile().is_some())
    }

    /// Requests due in a phase, or in all judged phases; of one flow, or of all. A journey is none, but can be asked for by name.
    pub(super) fn planned(&self, phase: Option<&str>, flow: Option<&str>) -> u64 {
        let wanted = |candidate: &&Flow| match flow {
            Some(name) => name == candidate.name,
            None => candidate.journey.is_none(),
        };
        let flows = self.flows.iter().filter(wanted);
        let total: f64 = flows
            .flat_map(|flow| {
                self.phases()
                    .filter(|(candidate, _)| phase.map_or(candidate.judged, |name| name == candidate.name))
                    .map(|(_, window)| self.requests(flow, window))
            })
            .sum();
        total.round() as u64
    }

    /// Requests a second that each instance with traffic is offered in the baseline. With versions, the first has the traffic.
    pub(super) fn offered(&self, instance: &InstanceName) -> f64 {
        let Some((_, window)) = self.baseline() else { return 0.0 };
        let total: f64 = self
            .flows
            .iter()
            .filter(|flow| flow.to == instance.service && flow.journey.is_none())
            .map(|flow| self.requests(flow, window) / seconds(window))
            .sum();
        let service = self.services.iter().find(|service| service.name == instance.service);
        let instances = service.and_then(|service| service.versions.first()).map_or(1, |version| version.instances);
        total / f64::from(instances.max(1))
    }

    /// How long an instance must be silent before the silence means something: at least 1 s, and long enough that 20 requests
    /// would have come, so that a random gap is less likely than one in 10^8.
    pub(super) fn silence(&self, instance: &InstanceName) -> Duration {
        let offered = self.offered(instance);
        let gap = if offered > 0.0 { 20.0 / offered } else { f64::INFINITY };
        Duration::try_from_secs_f64(gap).unwrap_or(Duration::MAX).max(Duration::from_secs(1))
    }

    /// Requests of a flow in a stretch of time.
    fn requests(&self, flow: &Flow, window: Window) -> f64 {
        let Some(profile) = flow.pace.profile() else { return 0.0 };
        let schedule = profile.schedule(self.zero(), self.end());
        let by = |at: Duration| schedule.due_by(u64::try_from(at.as_nanos()).unwrap_or(u64::MAX));
        by(window.to) - by(window.from)
    }
}

fn seconds(window: Window) -> f64 {
    window.length().as_secs_f64()
}
