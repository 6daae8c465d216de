//! Which arms a scenario has, and what each of them runs. Pure.

use crate::load::wire::{self, Body, Connections, FlowPlan, Protocol};
use crate::scenario::resolved::{
    Combination, Entrance, Flow, HeaderValue, MeshMode, OtherPolicies, Pace, Phase, PolicySource, Profile, Scenario,
    Search, Service,
};
use crate::slo::search::Next;
use crate::units::Rate;
use rand::Rng;
use rand::seq::SliceRandom;
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
    /// What is spoken, where the sweep says it.
    protocol: Option<Protocol>,
    /// How long it is measured, where that is not what the sweep says.
    measure: Option<Duration>,
    /// Ends early: the control needs no recovery.
    until_outage: bool,
}

/// The arms of a scenario: as written, and its control if it has one and `control` asks for it; or the cells of its sweep.
pub(in crate::run) fn plans(scenario: &Scenario, control: bool) -> Vec<ArmPlan> {
    if let Some(sweep) = &scenario.sweep {
        let blocks = if sweep.search.is_some() { 0 } else { sweep.blocks };
        let cells =
            (1..=blocks).flat_map(|block| sweep.combinations().into_iter().map(move |one| ArmPlan::cell(one, block)));
        return cells.collect();
    }
    let mut plans = vec![ArmPlan::new(ArmKind::Main)];
    if let Some(wanted) = scenario.control.as_ref().filter(|_| control) {
        plans.push(ArmPlan {
            without: wanted.without.clone(),
            policies: wanted.policies.clone(),
            until_outage: !wanted.whole_timeline,
            ..ArmPlan::new(ArmKind::Control)
        });
    }
    plans
}

/// The order in which the arms of a sweep run: block after block, each in an order of its own, so that a machine that changes its speed
/// favours no cell.
pub(in crate::run) fn shuffled(mut plans: Vec<ArmPlan>, random: &mut impl Rng) -> Vec<ArmPlan> {
    plans.shuffle(random);
    plans.sort_by_key(|plan| plan.cell.as_ref().map(|cell| cell.block));
    plans
}

impl ArmPlan {
    fn new(kind: ArmKind) -> Self {
        Self {
            kind,
            without: Vec::new(),
            policies: None,
            cell: None,
            protocol: None,
            measure: None,
            until_outage: false,
        }
    }

    fn cell(one: Combination, block: u32) -> Self {
        let cell = Cell {
            protocol: one.protocol.map(|protocol| protocol.word().to_owned()),
            payload: one.payload,
            block,
            ..Cell::new(one.mode.word(), one.rate.0, one.connections)
        };
        Self { cell: Some(cell), protocol: one.protocol, ..Self::new(ArmKind::Cell) }
    }

    /// A step of a search, at its rate in the place of the combination's.
    pub(in crate::run) fn step(one: Combination, step: Next, search: &Search) -> Self {
        let measure = Some(search.confirm).filter(|_| step.confirms);
        Self { measure, ..Self::cell(Combination { rate: Rate(step.rate), ..one }, step.run) }
    }

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
            (Some(cell), _) => cell.to_string(),
            (None, ArmKind::Control) => "control".to_owned(),
            (None, _) => "run".to_owned(),
        }
    }

    /// Name of its folder below the scenario's.
    pub(in crate::run) fn folder(&self, try_number: u32) -> String {
        let name = match &self.cell {
            Some(cell) => cell.file_name(),
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
            return vec![
                phase("warm-up", sweep.warm_up, false),
                phase("measure", self.measure.unwrap_or(sweep.measure), true),
            ];
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
        let asking = scenario.flows.iter().filter(|flow| flow.journey.is_none());
        asking.filter_map(|flow| flow.pace.profile()).map(|profile| profile.highest().0).sum()
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
            protocol: self.protocol.unwrap_or(flow.protocol),
            tls: flow.tls.clone(),
            numbered: true,
            body: self.cell.as_ref().and_then(|cell| cell.payload).map_or_else(|| flow.body.clone(), Body::Fixed),
            data: flow.data.clone(),
            journey: flow.journey.clone(),
            accept: flow.accept.clone(),
            speed: flow.speed,
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
        match (&flow.pace, rate) {
            (Pace::Open(profile), Some(rate)) => {
                Pace::Open(Profile { gaps: profile.gaps, ..Profile::constant(rate) }).plan(zero, end)
            }
            _ => flow.pace.plan(zero, end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    fn planned(seed: u64) -> Vec<(u32, String)> {
        let combinations = [100.0, 200.0, 300.0, 400.0].map(|rate| Combination {
            rate: Rate(rate),
            connections: 4,
            mode: MeshMode::None,
            protocol: None,
            payload: None,
        });
        let plans = (1..=2).flat_map(|block| combinations.map(|one| ArmPlan::cell(one, block)));
        let order = shuffled(plans.collect(), &mut Seed(seed).stream("order"));
        order.into_iter().filter_map(|plan| Some((plan.cell.as_ref()?.block, plan.folder(1)))).collect()
    }

    #[test]
    fn cells_run_block_after_block_each_in_an_order_of_its_own_that_the_seed_gives() {
        let order = planned(1);
        assert_eq!(order, planned(1), "the seed gives it");
        assert!(order.is_sorted_by_key(|(block, _)| *block), "{order:?}");
        let block = |number| {
            let of_block = order.iter().filter(|(block, _)| *block == number);
            of_block.map(|(_, name)| name.replace("-block-2", "")).collect::<Vec<_>>()
        };
        let mut sorted = [block(1), block(2)];
        assert_ne!(sorted[0], sorted[1], "of four, with this seed");
        sorted.iter_mut().for_each(|block| block.sort());
        assert_eq!(sorted[0], sorted[1], "every cell once a block");
        assert!((2..10).any(|seed| planned(seed) != order));
    }
}
