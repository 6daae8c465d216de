//! From what was recorded to an arm: names and phases as they are recorded, ledgers, the proxy's own word, healing figures, marks.

use super::deployment::Deployment;
use super::plan::ArmPlan;
use super::{Setting, asked};
use crate::clock::{self, Nanos};
use crate::load::schedule::Schedule;
use crate::load::wire::{Connections, Pace};
use crate::observe::{Recorder, Setup};
use crate::scenario::resolved::Phase;
use crate::service::ledger;
use crate::slo;
use crate::slo::healing::{Ceiling, Evidence, figures};
use serde::Deserialize;
use squall_reports::record::{self, Arm, Flow, Mark, Said, SaidKind};
use std::time::Duration;

fn micros(time: Duration) -> i64 {
    time.as_micros() as i64
}

/// Names and phases as they are recorded.
pub(super) fn setup(setting: &Setting<'_>, phases: &[Phase], deployment: &Deployment, start: Nanos) -> Setup {
    let mut from = 0;
    let recorded = phases.iter().map(|phase| {
        let to = from + micros(phase.lasting);
        let recorded = record::Phase { name: phase.name.clone(), from, to, judged: phase.judged, moved_in: 0 };
        from = to;
        recorded
    });
    let flow = |(flow, plan): (&crate::scenario::resolved::Flow, &crate::load::wire::FlowPlan)| Flow {
        name: flow.name.clone(),
        to: flow.to.clone(),
        rate: match (&plan.pace, flow.pace.profile()) {
            // At most: not every user comes so far.
            (Pace::Steps, Some(users)) => users.highest().0,
            (pace, _) => pace.schedule().map_or(0.0, Schedule::highest),
        },
        journey: flow.journey.is_some(),
        connections: match plan.connections {
            _ if flow.journey.is_some() => "those of its steps".to_owned(),
            Connections::Fixed(number) => number.to_string(),
            Connections::UpTo(number) => format!("up to {number}"),
            Connections::Each => "one a request".to_owned(),
        },
        time_out: micros(flow.time_out),
    };
    let is_hit = |name: &crate::topology::InstanceName| {
        phases.iter().flat_map(|phase| &phase.faults).any(|fault| fault.target == *name)
    };
    let instance =
        |(instance, endpoint): (&super::instances::Instance, &crate::deploy::mesh::Endpoint)| record::Instance {
            name: instance.name.to_string(),
            service: instance.name.service.clone(),
            version: instance.name.version.clone(),
            address: endpoint.doors.first().map(|(_, at)| at.to_string()).unwrap_or_default(),
            faulty: is_hit(&instance.name),
        };
    Setup {
        start,
        phases: recorded.collect(),
        faulty_phases: (0..phases.len()).filter(|index| !phases[*index].faults.is_empty()).collect(),
        flows: setting.scenario.flows.iter().zip(&deployment.plans).map(flow).collect(),
        plans: deployment.plans.clone(),
        seed: setting.load_seed(),
        instances: deployment.instances.iter().zip(&deployment.endpoints).map(instance).collect(),
        bare_timer_p99: deployment.bare_timer_p99,
        relayed: deployment.relays.is_some(),
        ceilings: asked::ceilings(setting, phases),
    }
}

/// What every generation of every instance has counted, dead or alive.
pub(super) fn ledgers(deployment: &Deployment, recorder: &mut Recorder) {
    for (index, instance) in deployment.instances.iter().enumerate() {
        // Relays count connections where they see no requests: the two cannot be compared.
        if deployment.relays.is_some() && instance.service().ports.iter().any(|port| port.tcp) {
            continue;
        }
        for path in &instance.ledgers {
            // A ledger that cannot be read shows as attempts that nobody explains.
            if let Ok(counts) = ledger::read(path) {
                recorder.ledger(index, &counts);
            }
        }
    }
}

#[derive(Deserialize)]
struct ProxyEvent {
    monotonic_ns: u64,
    upstream: String,
    action: String,
    #[serde(rename = "type")]
    reason: String,
}

/// What the proxy has said of its endpoints so far.
pub(super) fn proxys_word(deployment: &Deployment, start: Nanos) -> Vec<Said> {
    let text = std::fs::read_to_string(&deployment.event_log).unwrap_or_default();
    let said = |event: ProxyEvent| {
        let of = |endpoint: &crate::deploy::mesh::Endpoint| {
            endpoint.doors.iter().any(|(_, at)| at.to_string() == event.upstream)
        };
        let instance = deployment.endpoints.iter().position(of)?;
        let at = (event.monotonic_ns as i64 - start.0 as i64) / 1000;
        let what = if event.action == "eject" { SaidKind::Ejected } else { SaidKind::Readmitted };
        Some(Said { at, instance, what, reason: event.reason })
    };
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).filter_map(said).collect()
}

/// Healing figures, marks, and the arm's own judgement.
pub(super) fn finish(setting: &Setting<'_>, plan: &ArmPlan, phases: &[Phase], recorder: Recorder) -> Arm {
    let offers = recorder.offered();
    let faults = recorder.fault_spans();
    let ceilings = recorder.beyond_ceilings().into_iter();
    let ceilings = ceilings.map(|(one, slots)| Ceiling { service: one.service, quantile: one.quantile, slots });
    let ceilings = ceilings.collect();
    let lost: Vec<i64> = recorder.lost().into_iter().map(|(due, _, _)| due).collect();
    let since = jiff::SignedDuration::from_micros(recorder.micros(clock::now()));
    let arm = Arm {
        try_number: setting.try_number,
        started: Some((jiff::Timestamp::now() - since).to_string()),
        without: plan.without.iter().map(ToString::to_string).collect(),
        policies: plan.other_policies(),
        cell: plan.cell.clone(),
        mode: Some(plan.mode(setting.scenario).word().to_owned()),
        ..Arm::empty(plan.kind)
    };
    let (mut arm, remembered) = recorder.finish(arm);
    let slots = arm.outcomes.first().map_or(0, |outcomes| outcomes.planned.len());
    let of_flows = |wanted: &dyn Fn(usize) -> bool| -> Vec<(u32, u32)> {
        let mut sums = vec![(0, 0); slots];
        for outcomes in arm.outcomes.iter().filter(|outcomes| wanted(outcomes.flow)) {
            for ((planned, lost), (more_planned, more_lost)) in
                sums.iter_mut().zip(outcomes.planned.iter().zip(outcomes.lost()))
            {
                *planned += more_planned;
                *lost += more_lost;
            }
        }
        sums
    };
    let answered = |service: &String| {
        let mut sums = vec![0; slots];
        for outcomes in arm.outcomes.iter().filter(|outcomes| arm.flows[outcomes.flow].to == *service) {
            for (_, counts) in outcomes.by_outcome.iter().filter(|(outcome, _)| outcome.is_answer()) {
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
        }
        (service.clone(), sums)
    };
    let slots_of = |service: &String| (service.clone(), of_flows(&|flow| arm.flows[flow].to == *service));
    let evidence = Evidence {
        phases: arm.phases.clone(),
        faults,
        instances: arm
            .instances
            .iter()
            .map(|one| (one.name.clone(), one.service.clone(), one.version.clone()))
            .collect(),
        offers,
        lost,
        slots: of_flows(&|_| true),
        slots_of: arm.instances.iter().map(|instance| slots_of(&instance.service)).collect(),
        answered: arm.instances.iter().map(|instance| answered(&instance.service)).collect(),
        events: arm.events.iter().map(|event| (event.at, event.kind, event.subject.clone())).collect(),
        success: asked::success(setting, phases),
        ceilings,
        releases: phases.iter().flat_map(Phase::releases).map(|release| release.service.clone()).collect(),
    };
    arm.figures = figures(&evidence);
    arm.figures.attempts_per_request =
        arm.totals_of("whole", None).map(|totals| totals.attempts as f64 / totals.ended.max(1) as f64);
    arm.marks = marks(&arm);
    arm.singles = remembered.about(&arm.marks);
    slo::judge_arm(setting.scenario, &mut arm);
    arm
}

/// The moments that decide, in order of time.
fn marks(arm: &Arm) -> Vec<Mark> {
    let mut marks = Vec::new();
    for fault in &arm.faults {
        let subject = &arm.instances[fault.instance].name;
        let mut mark = |at: Option<i64>, label: &str| {
            marks.extend(at.map(|at| Mark { at, label: label.to_owned(), subject: subject.clone() }));
        };
        mark(fault.effect, &format!("{} on", fault.kind));
        mark(fault.cleared, &format!("{} off", fault.kind));
    }
    for figure in &arm.figures.healing {
        let label = match figure.kind.as_str() {
            "ejected" => "out",
            "readmitted" => "back",
            "restarted" => "restarted",
            "rolled-back" => "rolled back",
            _ => continue,
        };
        marks.extend(figure.at.map(|at| Mark { at, label: label.to_owned(), subject: figure.subject.clone() }));
    }
    marks.sort_by_key(|mark| mark.at);
    marks
}
