//! The load and the timeline of one arm, with everything that is observed on the way.
//!
//! One loop takes everything in: samples of the load, reports of the relays, the ends of processes, steps of the timeline, ticks. Nothing
//! here decides what is good or bad.

mod alarms;
mod listing;
mod pushes;
mod releases;
mod supervision;

use super::deployment::{self, Deployment, Input};
use super::plan::ArmPlan;
use super::release::Running;
use super::timeline::{self, Step};
use super::{Setting, faults, findings, progress};
use crate::clock::{Nanos, now};
use crate::control::supervisor::Supervised;
use crate::fault::spec::Kind;
use crate::load::wire::Frame;
use crate::observe::{Recorder, Setup};
use crate::process::{SpawnError, proc};
use crate::scenario::resolved::{Phase, PlannedFault};
use crate::shim::wire::Report;
use squall_reports::record::stream::Line;
use squall_reports::record::{Arm, Event, EventKind, Witness};
use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

/// From saying go to the first request: time enough for the word to arrive everywhere.
const LEAD: Duration = Duration::from_millis(100);
/// How often probes and restarts are looked at.
const TICK: Duration = Duration::from_millis(20);
/// How long the relays' last reports are waited for.
const LAST_REPORTS: Duration = Duration::from_secs(2);

/// Why an arm ended without a result.
#[derive(Debug, thiserror::Error)]
pub(in crate::run) enum Error {
    /// A process that must live has ended.
    #[error("{name} ended under way; its log ends with:\n{log}")]
    Died {
        /// Which.
        name: String,
        /// The end of its log.
        log: String,
    },
    /// The harness itself was held up.
    #[error("the relays lost their lease: the harness was held up for 2 s")]
    HeldUp,
    /// More would be hit than is allowed, whatever was planned.
    #[error("{what} was not begun: {hit} instances would be hit at once, and `max-affected` allows {most}")]
    BlastRadius {
        /// The fault.
        what: String,
        /// Instances.
        hit: usize,
        /// At most.
        most: u32,
    },
    /// A fault could not be injected or cleared.
    #[error("fault `{what}`: {source}")]
    Fault {
        /// As written.
        what: String,
        /// Why.
        source: faults::Error,
    },
    /// More than one thing went wrong, each by itself.
    #[error("{0}")]
    Several(String),
    /// A release could not be shifted.
    #[error(transparent)]
    Release(#[from] squall_proxy::config::weights::Error),
    /// Something could not be started, stopped or read.
    #[error(transparent)]
    Deployment(#[from] deployment::Error),
    /// A program of a condition could not be started.
    #[error(transparent)]
    Condition(#[from] SpawnError),
    /// A file could not be written.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

/// Runs load and timeline to their end, and gives what was observed.
pub(super) async fn drive(
    setting: &Setting<'_>,
    plan: &ArmPlan,
    phases: &[Phase],
    deployment: &mut Deployment,
) -> Result<Arm, Error> {
    let start = now().after(LEAD);
    deployment.go(start)?;
    let setup = findings::setup(setting, phases, deployment, start);
    let arm = begin(setting, plan, &setup)?;
    let supervised = deployment
        .instances
        .iter()
        .map(|instance| Some(Supervised::new(supervision::of(instance, phases)?, start)))
        .collect();
    let recorder = Recorder::new(setup.clone());
    progress::begun(setting, &setup, &recorder);
    let planned =
        phases.iter().enumerate().flat_map(|(phase, planned)| planned.faults.iter().map(move |fault| (phase, fault)));
    let watch = alarms::Watch::begin(setting, plan, start, &deployment.sender);
    let mut drive = Drive {
        setting,
        faults: planned.collect(),
        plan,
        deployment,
        recorder,
        arm,
        start,
        phases,
        active: Vec::new(),
        undoing: Vec::new(),
        telling: 0,
        releases: Vec::new(),
        supervised,
        restarts: Vec::new(),
        overdue: Vec::new(),
        watch,
    };
    let driven = drive.until_done().await;
    // Whatever happened, faults end first, in the reverse order.
    let mut wrong: Vec<Error> = driven.err().into_iter().collect();
    while let Some(fault) = drive.active.pop() {
        wrong.extend(drive.clear(fault).await.err());
    }
    if wrong.len() > 1 {
        return Err(Error::Several(wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")));
    }
    wrong.pop().map_or(Ok(()), Err)?;
    drive.until_undone().await?;
    drive.last_reports().await?;
    let Drive { mut recorder, arm: number, .. } = drive;
    findings::ledgers(deployment, &mut recorder);
    findings::proxys_word(deployment, start).into_iter().for_each(|said| recorder.said(said));
    let arm = findings::finish(setting, plan, phases, recorder);
    let mut stream = setting.stream.lock().unwrap_or_else(PoisonError::into_inner);
    for fault in &arm.faults {
        stream.write(&Line::Fault { arm: number, fault: fault.clone() })?;
    }
    stream.flush()?;
    Ok(arm)
}

/// Tells the stream what is about to begin.
fn begin(setting: &Setting<'_>, plan: &ArmPlan, setup: &Setup) -> std::io::Result<usize> {
    let mut stream = setting.stream.lock().unwrap_or_else(PoisonError::into_inner);
    let arm = stream.next_arm();
    stream.write(&Line::Arm {
        arm,
        kind: plan.kind,
        try_number: setting.try_number,
        without: plan.without.iter().map(ToString::to_string).collect(),
        policies: plan.other_policies(),
        cell: plan.cell.clone(),
        phases: setup.phases.clone(),
        flows: setup.flows.clone(),
        instances: setup.instances.clone(),
    })?;
    stream.flush()?;
    Ok(arm)
}

struct Drive<'a, 'b> {
    setting: &'a Setting<'b>,
    /// All faults of the timeline with the number of their phase; steps name them by index.
    faults: Vec<(usize, &'a PlannedFault)>,
    plan: &'a ArmPlan,
    deployment: &'a mut Deployment,
    recorder: Recorder,
    /// Number of this arm in the stream.
    arm: usize,
    start: Nanos,
    phases: &'a [Phase],
    /// Faults that are on, in the order of injection.
    active: Vec<usize>,
    /// Instances whose fresh process ends a fault once it is ready, with the fault.
    undoing: Vec<(usize, usize)>,
    /// Faults by which proxies are being told something, that have not heard yet.
    telling: usize,
    releases: Vec<Running>,
    supervised: Vec<Option<Supervised>>,
    /// Instances that are to be started again, and when.
    restarts: Vec<(Nanos, usize)>,
    /// Processes that live no longer than so.
    overdue: Vec<Overdue>,
    /// Conditions under which the run is cut short.
    watch: alarms::Watch,
}

/// The end of a process that a fault has given some time.
struct Overdue {
    at: Nanos,
    fault: usize,
    instance: usize,
    generation: u32,
}

impl Drive<'_, '_> {
    /// Everything until the load's last request has ended.
    async fn until_done(&mut self) -> Result<(), Error> {
        let mut steps = timeline::steps(self.phases).into_iter().peekable();
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        let mut ticks = tokio::time::interval(TICK);
        let stop = self.setting.stop.clone();
        let mut stopped = None;
        loop {
            let next = steps.peek().map(|(at, _)| self.start.after(*at));
            let step_is_due = async {
                match next {
                    Some(next) => tokio::time::sleep(next.since(now())).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(input) = self.deployment.inputs.recv() => {
                    if self.input(input).await? {
                        return Ok(());
                    }
                }
                () = step_is_due => {
                    if let Some((_, step)) = steps.next() {
                        self.step(step).await?;
                    }
                }
                _ = seconds.tick() => self.second()?,
                _ = ticks.tick() => {
                    progress::events(self.setting, &mut self.recorder);
                    self.tick_releases()?;
                    self.tick_supervisor().await?;
                    if let Some(why) = self.watch.tick(self.setting)? {
                        stop.ask(&why);
                    }
                    // A generator that does not hear is killed with everything else.
                    if stopped.is_some_and(|at| now().since(at) > LAST_REPORTS) {
                        return Ok(());
                    }
                }
                () = stop.asked(), if stopped.is_none() => {
                    stopped = Some(now());
                    let why = stop.why().map_or_else(String::new, |why| why.to_string());
                    self.happened(EventKind::Aborted, "run", Witness::Harness, why);
                    self.deployment.stop_load();
                    steps = Vec::new().into_iter().peekable();
                }
            }
        }
    }

    /// True once the load has ended.
    async fn input(&mut self, input: Input) -> Result<bool, Error> {
        match input {
            Input::Frame(Frame::Sample(sample)) => {
                self.watch.sample(&sample);
                self.recorder.sample(sample);
            }
            Input::Alarm(why) => self.setting.stop.ask(&why),
            Input::Frame(Frame::Sums(sums)) => self.recorder.sums(&sums),
            Input::Frame(Frame::Health(health)) => self.recorder.health(health),
            Input::Frame(Frame::Done) => return Ok(self.deployment.load_done()),
            Input::Report(report) => self.reported(report)?,
            Input::Died(name) => return Err(self.died(name)),
            Input::ProxyEnded(pid) => {
                let unplanned = self.deployment.proxy(pid).map(|process| self.died(process.name.clone()));
                return unplanned.map_or(Ok(false), Err);
            }
            Input::Told(fault, ends, loaded) => self.told(fault, ends, loaded)?,
            Input::Answered(phase, answer) => self.answered_push(phase, answer)?,
            Input::SidecarEnded(instance, generation) => self.sidecar_ended(instance, generation)?,
            Input::Ended(instance, generation) => self.ended(instance, generation).await?,
            Input::Started(instance, generation, readiness) => self.started(instance, generation, readiness).await?,
            Input::Loaded(release, share, loaded) => self.loaded(release, share, loaded)?,
            Input::Probed(instance, generation, kind, passed) => {
                if self.deployment.instances[instance].generation() == generation {
                    self.probed(instance, kind, passed).await?;
                }
            }
        }
        Ok(false)
    }

    async fn step(&mut self, step: Step) -> Result<(), Error> {
        match step {
            Step::Begin(index) => {
                let name = &self.phases[index].name;
                self.happened(EventKind::Phase, name, Witness::Harness, format!("{name} begins"));
            }
            Step::Inject(index) => self.inject(index).await?,
            Step::Clear(index) => {
                if let Some(at) = self.active.iter().position(|active| *active == index) {
                    self.active.remove(at);
                    self.clear(index).await?;
                }
            }
            Step::Release(index) => self.begin_release(index),
            Step::Apply(phase) => self.push(phase).await?,
        }
        Ok(())
    }

    async fn inject(&mut self, index: usize) -> Result<(), Error> {
        let (phase, fault) = self.faults[index];
        let hit = self.active.iter().map(|active| &self.faults[*active].1.target).chain([&fault.target]);
        let (hit, most) = (hit.collect::<BTreeSet<_>>().len(), self.setting.scenario.max_affected);
        if let Some(most) = most.filter(|most| hit > *most as usize) {
            return Err(Error::BlastRadius { what: fault.what.clone(), hit, most });
        }
        let instance = self.deployment.index(&fault.target).unwrap_or(0);
        self.recorder.fault_asked(index, fault, phase, instance, now());
        self.active.push(index);
        let effect = faults::inject(self.deployment, self.setting, index as u32, fault).await;
        let effect = effect.map_err(|source| Error::Fault { what: fault.what.clone(), source })?;
        if let Some(effect) = effect {
            self.recorder.fault_effect(index, effect, Witness::Harness);
        }
        if fault.fault.kind.is_listing() {
            self.tell(index, false);
        }
        if let Kind::Terminate { grace, .. } = fault.fault.kind {
            self.give(index, instance, grace);
        }
        self.second()
    }

    async fn clear(&mut self, index: usize) -> Result<(), Error> {
        let (_, fault) = self.faults[index];
        let cleared = faults::clear(self.deployment, self.setting, index as u32, fault).await;
        let cleared = cleared.map_err(|source| Error::Fault { what: fault.what.clone(), source })?;
        match cleared {
            _ if fault.fault.kind.is_listing() => self.tell(index, true),
            Some(cleared) => self.recorder.fault_cleared(index, cleared),
            None => self.undoing.extend(self.deployment.index(&fault.target).map(|instance| (instance, index))),
        }
        Ok(())
    }

    /// Returns once the processes that undo a kill are ready, and the proxies know the truth: only then have their faults ended.
    async fn until_undone(&mut self) -> Result<(), Error> {
        while (!self.undoing.is_empty() || self.telling > 0) && !self.setting.stop.is_asked() {
            let Some(input) = self.deployment.inputs.recv().await else { break };
            self.input(input).await?;
        }
        Ok(())
    }

    fn reported(&mut self, report: Report) -> Result<(), Error> {
        match report {
            Report::Offers { offers, answers } => {
                for answer in answers {
                    self.answered(answer.relay, answer.status, Nanos(answer.at));
                }
                offers.iter().for_each(|offer| self.recorder.offer(offer));
            }
            Report::Effect { fault, at } => {
                self.recorder.fault_effect(fault as usize, Nanos(at), Witness::Relay);
                self.second()?;
            }
            Report::Harmed { fault, units, victims } => self.recorder.fault_harmed(fault as usize, units, victims),
            Report::LeaseLost { .. } => return Err(Error::HeldUp),
            Report::Ready { .. } | Report::Added { .. } | Report::Ack { .. } | Report::Done => {}
        }
        Ok(())
    }

    /// What the relays still have to say, once nothing is on any more.
    async fn last_reports(&mut self) -> Result<(), Error> {
        if let Some(relays) = &self.deployment.relays {
            relays.settle();
            let until = tokio::time::Instant::now() + LAST_REPORTS;
            while let Ok(Some(input)) = tokio::time::timeout_at(until, self.deployment.inputs.recv()).await {
                match input {
                    Input::Report(Report::Done) => break,
                    Input::Report(report) => self.reported(report)?,
                    Input::Frame(Frame::Sample(sample)) => self.recorder.sample(sample),
                    _ => {}
                }
            }
        }
        self.second()
    }

    /// Once a second: processes are measured, and the second before goes to the record on disk.
    fn second(&mut self) -> Result<(), Error> {
        for (name, usage) in self.deployment.usage() {
            self.recorder.process(&name, now(), usage);
        }
        if let Some((stolen, all)) = proc::stolen() {
            self.recorder.machine(stolen, all);
        }
        progress::tell(self.setting, self.deployment, &mut self.recorder, self.start);
        let lines = self.recorder.second(self.arm, now());
        let mut stream = self.setting.stream.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().try_for_each(|line| stream.write(line))?;
        Ok(stream.flush()?)
    }

    /// A process that must live has ended.
    fn died(&self, name: String) -> Error {
        let log = std::fs::read_to_string(self.setting.log(&name));
        Error::Died { name, log: log.unwrap_or_default() }
    }

    fn happened(&mut self, kind: EventKind, subject: &str, witness: Witness, text: String) {
        let event = Event { at: self.recorder.micros(now()), kind, subject: subject.to_owned(), witness, text };
        self.recorder.event(event);
    }
}
