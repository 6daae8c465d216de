//! One deployment under one load: the scenario as written, its control, or one cell of a sweep.

use super::{Cell, Expectation, Reason, SecondLatency, Singles, Verdict};
use super::{Figures, GeneratorHealth, GroundTruth, Latency, Micros, Offers, Outcomes, PhaseTotals, Process};
use serde::{Deserialize, Serialize};

/// One deployment under one load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Arm {
    /// What this arm is for.
    pub kind: ArmKind,
    /// Try, from 1; more than 1 only after a try that was INVALID for the generator's or the machine's sake.
    pub try_number: u32,
    /// When the first request was due, RFC 3339, UTC.
    pub started: Option<String>,
    /// A later try took the place of this one: it is shown, and counts for nothing.
    pub superseded: bool,
    /// Healing taken out of the policies (`retries`, `outlier-detection` ...); empty for the arm as written.
    pub without: Vec<String>,
    /// Files of the policies that it obeys in the place of the scenario's own; empty for the arm as written.
    #[serde(default)]
    pub policies: Vec<String>,
    /// The coordinates of a sweep's cell.
    pub cell: Option<Cell>,
    /// Where proxies stood: `none`, `client`, `server`, `both` or `gateway`; absent in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Judged by itself. A control is expected to FAIL.
    pub verdict: Verdict,
    /// Why, most important first.
    pub reasons: Vec<Reason>,
    /// The expectations as this arm meets them.
    pub expectations: Vec<Expectation>,
    /// Half-open, without gaps, in order of time.
    pub phases: Vec<Phase>,
    /// The flows of the load.
    pub flows: Vec<Flow>,
    /// The instances; series by instance are in this order.
    pub instances: Vec<Instance>,
    /// Each injected fault, when it was asked for and when it was seen to act.
    pub faults: Vec<FaultSpan>,
    /// Everything that happened, in order of time.
    pub events: Vec<Event>,
    /// The moments that decide; `Singles` hold every request 0.3 s about each.
    pub marks: Vec<Mark>,
    /// What clients got, in slots by due time, one a flow.
    pub outcomes: Vec<Outcomes>,
    /// What each instance was offered and received, in slots by time of offer.
    pub offers: Vec<Offers>,
    /// Latency by second.
    pub seconds: Vec<SecondLatency>,
    /// Latency by phase: all that percentiles and intervals are computed from.
    pub latencies: Vec<Latency>,
    /// Lost requests, and those about a mark, one by one.
    pub singles: Singles,
    /// What the proxy says of itself; drawn apart, never judged by.
    pub said: Vec<Said>,
    /// Whether the generator can be believed.
    pub generator: GeneratorHealth,
    /// Do the counts of client, relay and instance explain each other?
    pub truth: GroundTruth,
    /// CPU and memory of each process by second.
    pub processes: Vec<Process>,
    /// Totals by phase, and over the whole arm as the last.
    pub totals: Vec<PhaseTotals>,
    /// Healing, measured from outside.
    pub figures: Figures,
}

impl Arm {
    /// A control plane that is cut off matters where one thing changes, and not where nothing does: this fault withheld nothing, and another of
    /// its phase did.
    pub fn had_nothing_to_withhold(&self, fault: &FaultSpan) -> bool {
        let withheld =
            |other: &FaultSpan| other.kind == "stale" && other.phase == fault.phase && other.effect.is_some();
        fault.kind == "stale" && fault.effect.is_none() && self.faults.iter().any(withheld)
    }

    /// Its proxies, on whichever side.
    pub fn proxies(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(|process| process.is_proxy())
    }

    /// Processor time of all proxies in these phases, microseconds; none without a proxy, or if it was not read to the end.
    pub fn cpu_of_proxies(&self, phases: impl IntoIterator<Item = usize>) -> Option<u64> {
        cpu(|| self.proxies(), phases)
    }

    /// The same of all instances; none if they were not started by the run.
    pub fn cpu_of_services(&self, phases: impl IntoIterator<Item = usize>) -> Option<u64> {
        let is_instance = |process: &&Process| self.instances.iter().any(|instance| instance.name == process.name);
        cpu(|| self.processes.iter().filter(is_instance), phases)
    }

    /// The proxy that was largest at the end of any second, and how many bytes it held.
    pub fn largest_proxy(&self) -> Option<(&Process, u64)> {
        let largest = |process: &'_ Process| process.memory.iter().max().copied();
        let sizes = self.proxies().filter_map(|process| Some((process, largest(process)?)));
        sizes.max_by_key(|(_, bytes)| *bytes)
    }

    /// Places of the phases that are judged.
    pub fn judged(&self) -> impl Iterator<Item = usize> {
        (0..self.phases.len()).filter(|at| self.phases[*at].judged)
    }

    /// An arm of which nothing is known yet.
    pub fn empty(kind: ArmKind) -> Self {
        Self {
            kind,
            try_number: 1,
            started: None,
            superseded: false,
            without: Vec::new(),
            policies: Vec::new(),
            cell: None,
            mode: None,
            verdict: Verdict::Aborted,
            reasons: Vec::new(),
            expectations: Vec::new(),
            phases: Vec::new(),
            flows: Vec::new(),
            instances: Vec::new(),
            faults: Vec::new(),
            events: Vec::new(),
            marks: Vec::new(),
            outcomes: Vec::new(),
            offers: Vec::new(),
            seconds: Vec::new(),
            latencies: Vec::new(),
            singles: Singles::default(),
            said: Vec::new(),
            generator: GeneratorHealth::default(),
            truth: GroundTruth::default(),
            processes: Vec::new(),
            totals: Vec::new(),
            figures: Figures::default(),
        }
    }

    /// Where proxies stood, if that is known.
    pub fn mode(&self) -> Option<&str> {
        self.mode.as_deref().or(self.cell.as_ref().map(|cell| cell.mode.as_str()))
    }

    /// A proxy stood beside each instance.
    pub fn has_sidecars(&self) -> bool {
        self.processes.iter().any(|process| process.is_proxy() && process.name != Process::PROXY)
    }

    /// How a control differs from the scenario as written: `without retries`, `under fixed/cart.yaml`.
    pub fn difference(&self) -> String {
        let parts = [("without", &self.without), ("under", &self.policies)];
        let told = parts.iter().filter(|(_, named)| !named.is_empty());
        let told: Vec<_> = told.map(|(word, named)| format!("{word} {}", named.join(", "))).collect();
        told.join(", ")
    }

    /// Totals of a phase over all flows, or of one flow.
    pub fn totals_of(&self, phase: &str, flow: Option<&str>) -> Option<&PhaseTotals> {
        self.totals.iter().find(|totals| totals.phase == phase && totals.flow.as_deref() == flow)
    }
}

/// Processor time of some processes in these phases, microseconds.
fn cpu<'p, P: Iterator<Item = &'p Process>>(
    processes: impl Fn() -> P,
    phases: impl IntoIterator<Item = usize>,
) -> Option<u64> {
    let spent = |at: usize| {
        let each = processes().map(|process| process.cpu_by_phase.get(at).copied());
        each.reduce(|sum, more| Some(sum? + more?)).flatten()
    };
    phases.into_iter().map(spent).sum()
}

/// What an arm is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArmKind {
    /// The scenario as written.
    Main,
    /// The same with the named healing taken out; it must FAIL.
    Control,
    /// One cell of a sweep.
    Cell,
}

/// A stretch of the load; requests belong to the phase in which they were due, but see [`Phase::moved_in`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Phase {
    /// As in the timeline; `warm-up` is ours and never judged.
    pub name: String,
    /// First instant.
    pub from: Micros,
    /// First instant after it.
    pub to: Micros,
    /// Judged; false for the warm-up.
    pub judged: bool,
    /// Requests due in the phase before, but open when this phase's fault took effect, counted here.
    pub moved_in: u64,
}

/// A named stream of requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Flow {
    /// Its name; `load` for the only one.
    pub name: String,
    /// The service asked.
    pub to: String,
    /// It counts users, each of whom goes through the steps that are flows of their own, and none of the requests of all flows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub journey: bool,
    /// Requests a second asked for; of a step, at most.
    pub rate: f64,
    /// `64` or `up to 200`.
    pub connections: String,
    /// After this a request counts as timed out, and a lost one as having taken this long.
    pub time_out: Micros,
}

/// One process or pod of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Instance {
    /// `cart/1`.
    pub name: String,
    /// `cart`.
    pub service: String,
    /// `v2`, where the service has versions.
    pub version: Option<String>,
    /// Where the proxy reaches it (the relay's address where one is in the path).
    pub address: String,
    /// A fault of the timeline hits it.
    pub faulty: bool,
}

/// One fault on one instance, as asked and as seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FaultSpan {
    /// `abort`, `kill` ...
    pub kind: String,
    /// As written, for people: `abort 503 on cart/1, 30 %`.
    pub what: String,
    /// Index into [`Arm::instances`].
    pub instance: usize,
    /// Index into [`Arm::phases`].
    pub phase: usize,
    /// When the injector was told.
    pub asked: Micros,
    /// First unit it harmed, or the process was seen stopped or gone; absent if it never acted.
    pub effect: Option<Micros>,
    /// When the injector confirmed that it had stopped; absent if never cleared.
    pub cleared: Option<Micros>,
    /// Units (connections or requests) it harmed.
    pub harmed: u64,
    /// Ordinals of the first units harmed, at most 1,000: same seed, same list.
    pub victims: Vec<u64>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Event {
    /// When.
    pub at: Micros,
    /// What kind of thing.
    pub kind: EventKind,
    /// About whom: `cart/1`, `web@v2`, `proxy`.
    pub subject: String,
    /// Who saw it.
    pub witness: Witness,
    /// One plain sentence.
    pub text: String,
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// The load began or ended.
    Load,
    /// A phase began.
    Phase,
    /// A fault was asked for.
    FaultAsked,
    /// A fault harmed its first unit.
    FaultEffect,
    /// A fault was cleared.
    FaultCleared,
    /// An instance fell silent.
    Ejected,
    /// An instance is back.
    Readmitted,
    /// A process went away.
    Gone,
    /// A process was started again.
    Restarted,
    /// An instance's readiness changed.
    Readiness,
    /// Weights of a release moved.
    Release,
    /// The first bad answer of a release.
    BadAnswer,
    /// A release was taken back.
    RolledBack,
    /// Policies were written anew.
    Policy,
    /// Other policies were given to the proxies; about the phase.
    Pushed,
    /// Every proxy has refused them; about the phase.
    Refused,
    /// Something the generator or the machine did.
    Generator,
    /// The run was cut short.
    Aborted,
}

/// Who saw an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Witness {
    /// The harness.
    Harness,
    /// The load generator.
    Client,
    /// The relay in front of an instance.
    Relay,
    /// The supervisor of the instances.
    Supervisor,
    /// The controller of a release.
    Controller,
    /// The proxy about itself.
    Proxy,
}

/// A moment that decides, magnified in the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Mark {
    /// When.
    pub at: Micros,
    /// Short label: `fault on`, `out`, `back`.
    pub label: String,
    /// About whom.
    pub subject: String,
}

/// What the proxy says of one of its endpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Said {
    /// When.
    pub at: Micros,
    /// Index into [`Arm::instances`].
    pub instance: usize,
    /// What.
    pub what: SaidKind,
    /// The detector's reason: `consecutive-5xx`.
    pub reason: String,
}

/// What the proxy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaidKind {
    /// It took the endpoint out.
    Ejected,
    /// It put the endpoint back.
    Readmitted,
}
