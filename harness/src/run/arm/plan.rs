//! Which arms a scenario has, and what each of them runs. Pure.

use crate::load::wire::{self, Connections, FlowPlan};
use crate::scenario::resolved::{
    Entrance, Flow, HeaderValue, MeshMode, OtherPolicies, Pace, Phase, PolicySource, Profile, Scenario, Service,
};
use crate::units::Rate;
use squall_proxy::policy::Healing;
use squall_reports::record::{Arm, ArmKind, Cell};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a request waits for a connection before it counts as dropped.
const DROP_AFTER: Duration = Duration::from_millis(100);

/// What one arm runs.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::run) struct ArmPlan {
    pub(in crate::run) kind: ArmKind,
    /// Healing taken out.
    pub(in crate::run) without: Vec<Healing>,
    /// Policies in the place of the scenario's own.
    pub(in crate::run) policies: Option<OtherPolicies>,
    pub(in crate::run) cell: Option<Cell>,
    /// Ends early: the control needs no recovery.
    until_outage: bool,
}

/// The arms of a scenario: as written, and its control if it has one and `control` asks for it; or the cells of its sweep.
pub(in crate::run) fn plans(scenario: &Scenario, control: bool) -> Vec<ArmPlan> {
    let plan = |kind, cell| ArmPlan { kind, without: Vec::new(), policies: None, cell, until_outage: false };
    if let Some(sweep) = &scenario.sweep {
        let mut cells = Vec::new();
        for rate in &sweep.rates {
            for connections in &sweep.connections {
                for mode in &sweep.modes {
                    let mode = mode.word().to_owned();
                    cells.push(plan(ArmKind::Cell, Some(Cell { rate: rate.0, connections: *connections, mode })));
                }
            }
        }
        return cells;
    }
    let mut plans = vec![plan(ArmKind::Main, None)];
    if let Some(wanted) = scenario.control.as_ref().filter(|_| control) {
        plans.push(ArmPlan {
            without: wanted.without.clone(),
            policies: wanted.policies.clone(),
            until_outage: !wanted.whole_timeline,
            ..plan(ArmKind::Control, None)
        });
    }
    plans
}

impl ArmPlan {
    /// The plan by which an arm was run, for another try.
    pub(in crate::run) fn of(arm: &Arm, scenario: &Scenario) -> Option<Self> {
        plans(scenario, true).into_iter().find(|plan| plan.is_of(arm))
    }

    /// True if the arm was run by this plan.
    pub(in crate::run) fn is_of(&self, arm: &Arm) -> bool {
        self.kind == arm.kind && self.cell == arm.cell
    }

    /// `run`, `control`, or the cell's coordinates.
    pub(in crate::run) fn name(&self) -> String {
        match (&self.cell, self.kind) {
            (Some(cell), _) => format!("{} at {}/s, {} connections", cell.mode, cell.rate, cell.connections),
            (None, ArmKind::Control) => "control".to_owned(),
            (None, _) => "run".to_owned(),
        }
    }

    /// Name of its folder below the scenario's.
    pub(in crate::run) fn folder(&self, try_number: u32) -> String {
        let name = match &self.cell {
            Some(cell) => format!("{}-{}-{}", cell.mode, cell.rate, cell.connections),
            None => self.name(),
        };
        if try_number == 1 { name } else { format!("{name}-try-{try_number}") }
    }

    /// The policies that are obeyed here.
    pub(in crate::run) fn policies<'a>(&'a self, scenario: &'a Scenario) -> &'a [PolicySource] {
        self.policies.as_ref().map_or(&scenario.policies, |other| &other.sources)
    }

    /// Policies in the place of the scenario's own, for people.
    pub(in crate::run) fn other_policies(&self) -> Vec<String> {
        let name = |source: &PolicySource| match source {
            PolicySource::Path(path) => path.display().to_string(),
            PolicySource::Inline(_) => "policies in the scenario".to_owned(),
        };
        self.policies.iter().flat_map(|other| &other.sources).map(name).collect()
    }

    /// The proxy that clients ask here, if there is one.
    pub(in crate::run) fn entrance<'a>(&'a self, scenario: &'a Scenario) -> Option<&'a Entrance> {
        match &self.policies {
            Some(other) => other.entrance.as_ref(),
            None => scenario.entrances.iter().find(|entrance| entrance.mode == self.mode(scenario)),
        }
    }

    /// Where proxies stand here.
    pub(in crate::run) fn mode(&self, scenario: &Scenario) -> MeshMode {
        self.cell.as_ref().and_then(|cell| MeshMode::of_word(&cell.mode)).unwrap_or(scenario.mode)
    }

    /// Relays count and break what comes to instances: not in a sweep, which breaks nothing, nor where a load goes straight to who runs
    /// already and nothing is broken on its way.
    pub(in crate::run) fn is_relayed(&self, scenario: &Scenario) -> bool {
        let breaks = scenario.timeline.iter().any(|phase| !phase.faults.is_empty());
        let straight = self.mode(scenario) == MeshMode::None && scenario.services.iter().all(Service::is_running);
        scenario.sweep.is_none() && (breaks || !straight)
    }

    /// The phases of this arm, the warm-up first.
    pub(in crate::run) fn phases(&self, scenario: &Scenario) -> Vec<Phase> {
        let phase = |name: &str, lasting, judged| Phase {
            name: name.to_owned(),
            lasting,
            judged,
            faults: Vec::new(),
            actions: Vec::new(),
        };
        if let Some(sweep) = &scenario.sweep {
            return vec![phase("warm-up", sweep.warm_up, false), phase("measure", sweep.measure, true)];
        }
        let mut phases = scenario.timeline.clone();
        if self.until_outage {
            let broken = |phase: &Phase| !phase.faults.is_empty() || !phase.actions.is_empty();
            let end = phases.iter().rposition(broken).map_or(phases.len(), |last| last + 1);
            phases.truncate(end);
        }
        phases
    }

    /// Requests a second over all flows at the busiest moment.
    pub(in crate::run) fn peak_rate(&self, scenario: &Scenario) -> f64 {
        if let Some(cell) = &self.cell {
            return cell.rate;
        }
        scenario.flows.iter().filter_map(|flow| flow.pace.profile()).map(|profile| profile.highest().0).sum()
    }

    /// What the load worker is told of one flow. Secrets are looked up here and never recorded.
    pub(in crate::run) fn flow(&self, flow: &Flow, phases: &[Phase], to: Vec<SocketAddr>) -> FlowPlan {
        let header = |header: &crate::scenario::resolved::Header| {
            let value = match &header.value {
                HeaderValue::Literal(value) => value.clone(),
                HeaderValue::FromEnv(name) => std::env::var(name).unwrap_or_default(),
            };
            (header.name.clone(), value)
        };
        FlowPlan {
            name: flow.name.clone(),
            to,
            authority: flow.authority(),
            method: flow.method.clone(),
            path: flow.path.clone(),
            headers: flow.headers.iter().map(header).collect(),
            protocol: flow.protocol,
            tls: flow.tls.clone(),
            numbered: true,
            body: flow.body.clone(),
            accept: flow.accept.clone(),
            time_out: flow.time_out,
            connections: self.cell.as_ref().map_or(flow.connections, |cell| Connections::Fixed(cell.connections)),
            drop_after: DROP_AFTER,
            pace: self.pace(flow, phases),
        }
    }

    /// When requests of a flow are sent over these phases.
    fn pace(&self, flow: &Flow, phases: &[Phase]) -> wire::Pace {
        let zero = phases.iter().take_while(|phase| !phase.judged).map(|phase| phase.lasting).sum();
        let end = phases.iter().map(|phase| phase.lasting).sum();
        let rate = self.cell.as_ref().map(|cell| Rate(cell.rate));
        match (flow.pace.profile(), rate) {
            (Some(profile), Some(rate)) => {
                Pace::Open(Profile { gaps: profile.gaps, ..Profile::constant(rate) }).plan(zero, end)
            }
            _ => flow.pace.plan(zero, end),
        }
    }
}
