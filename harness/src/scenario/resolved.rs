//! A scenario with nothing left to guess: defaults applied, names looked up, durations and rates as numbers.

use crate::fault::spec::Fault;
use crate::topology::InstanceName;
use crate::units::{Bytes, Percent, Rate};
use squall_proxy::policy::Healing;
use std::path::PathBuf;
use std::time::Duration;

/// A place in a file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// One scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The claim that the run is to prove.
    pub title: String,
    /// The title in letters that a file name can hold; unique in a run.
    pub slug: String,
    /// File as given on the command line.
    pub file: PathBuf,
    /// Where it begins.
    pub place: Place,
    /// Its text.
    pub source: String,
    /// Prose for the report.
    pub about: Option<String>,
    /// Words for `--filter`.
    pub tags: Vec<String>,
    /// Fixed seed, if the file has one.
    pub seed: Option<u64>,
    /// The services.
    pub services: Vec<Service>,
    /// Policy files (paths resolved against the scenario's folder); policies in line are written to a file of their own by the executor.
    pub policies: Vec<PolicySource>,
    /// Field paths that may stay without effect.
    pub accept_unsupported: Vec<String>,
    /// How the proxy stands to the services.
    pub mode: MeshMode,
    /// The flows of the load.
    pub flows: Vec<Flow>,
    /// Phases in order, the warm-up first; empty for a sweep.
    pub timeline: Vec<Phase>,
    /// Lists to combine; absent for a timeline.
    pub sweep: Option<Sweep>,
    /// All expectations, in the order of the file.
    pub expectations: Vec<Expectation>,
    /// The same run with healing taken out.
    pub control: Option<Control>,
    /// Blast radius: at most so many instances may be hit at once.
    pub max_affected: Option<u32>,
}

impl Scenario {
    /// True if the text stands in the title or the path, whatever its case, or is a tag.
    pub fn matches(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.title.to_lowercase().contains(&text)
            || self.file.display().to_string().to_lowercase().contains(&text)
            || self.tags.iter().any(|tag| tag.to_lowercase() == text)
    }
}

/// Where policies come from.
#[derive(Debug, Clone, PartialEq)]
pub enum PolicySource {
    /// A file or folder.
    Path(PathBuf),
    /// Written in the scenario itself, as YAML text.
    Inline(String),
}

/// A service of the topology.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name; also its host.
    pub name: String,
    /// Port that policies know it by.
    pub port: u16,
    /// Its versions; one without a name where the file has none. The first is the one that gets traffic unless a policy says otherwise.
    pub versions: Vec<Version>,
    /// What each instance runs.
    pub program: Program,
    /// Restart and probe rules, from a Deployment's manifest or `health:`.
    pub deployment: Option<squall_proxy::config::objects::Deployment>,
    /// Relay bytes without reading them as HTTP.
    pub tcp: bool,
}

/// One version of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// `v2`; absent where the service has none. Becomes the label `version`.
    pub name: Option<String>,
    /// How many.
    pub instances: u32,
    /// How each answers; ignored by programs that are not ours.
    pub responds: Responds,
}

/// What an instance runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Program {
    /// The built-in test service.
    TestService,
    /// A program of the user's; `{port}` in an argument becomes its port.
    Own {
        /// Program and arguments.
        run: Vec<String>,
        /// Folder to run in: the scenario's.
        folder: PathBuf,
        /// Further environment.
        env: Vec<(String, String)>,
        /// Path that answers 200 to 399 once it is ready; otherwise ready means that it accepts connections.
        ready: Option<String>,
    },
}

/// How a test service answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Responds {
    /// Time until the answer.
    pub latency: Latency,
    /// Size of the body.
    pub body: Bytes,
    /// Share of answers that are status 500.
    pub errors: Percent,
    /// Processor time burnt by each request.
    pub cpu: Duration,
    /// Requests served at once; others wait.
    pub limit: Option<u32>,
}

/// A distribution of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Latency {
    /// Always the same.
    Fixed(Duration),
    /// Lognormal through these two.
    Lognormal {
        /// Median.
        p50: Duration,
        /// 99th percentile.
        p99: Duration,
    },
    /// Uniform.
    Uniform {
        /// Least.
        min: Duration,
        /// Most.
        max: Duration,
    },
}

/// How the proxy stands to the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeshMode {
    /// No proxy: the load spreads its connections over the instances.
    None,
    /// One proxy on the client's side.
    Client,
}

/// A named stream of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Its name; `load` for the only one.
    pub name: String,
    /// The service asked.
    pub to: String,
    /// Requests a second over the whole timeline, unless `step` says otherwise for a while.
    pub rate: Rate,
    /// Rate from, to (offsets from the first phase after the warm-up), and the rate then.
    pub step: Option<Step>,
    /// Connections.
    pub connections: crate::load::wire::Connections,
    /// After this a request counts as timed out.
    pub time_out: Duration,
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Further fields; those from the environment are resolved at the start and redacted in the record.
    pub headers: Vec<Header>,
    /// Size of the request's body.
    pub body: Bytes,
    /// Statuses that are acceptable, as inclusive ranges.
    pub accept: Vec<(u16, u16)>,
}

/// A field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value, or the name of the variable that holds it.
    pub value: HeaderValue,
}

/// Value of a request's field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// As written.
    Literal(String),
    /// From the environment; never recorded.
    FromEnv(String),
}

/// A stretch in which a flow has another rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Offset from the first phase after the warm-up.
    pub at: Duration,
    /// How long.
    pub lasting: Duration,
    /// The rate then.
    pub to: Rate,
}

/// A stretch of the timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// How long.
    pub lasting: Duration,
    /// False for the warm-up.
    pub judged: bool,
    /// Faults, each on one instance: targets are expanded.
    pub faults: Vec<PlannedFault>,
    /// Actions.
    pub actions: Vec<Action>,
}

/// A fault of the timeline on one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedFault {
    /// Where it stands in the file.
    pub place: Place,
    /// As written, for people: `abort 503 on cart/1, 30 %`.
    pub what: String,
    /// The instance.
    pub target: InstanceName,
    /// What it does.
    pub fault: Fault,
    /// Offset from the start of the phase.
    pub at: Duration,
    /// How long; ends with the phase at the latest.
    pub lasting: Duration,
}

/// Something done to the deployment on purpose that is no fault.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Shift traffic to a version in steps, and back when the analysis fails.
    Release(Release),
}

/// A release.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Where it stands in the file.
    pub place: Place,
    /// The service.
    pub service: String,
    /// The version that is to take over.
    pub to: String,
    /// Shares of traffic, rising.
    pub steps: Vec<Percent>,
    /// Time between steps.
    pub every: Duration,
    /// Share of acceptable answers of the version, as offered at its instances before retries, below which it is taken back.
    pub roll_back_below: Option<Percent>,
    /// The window over which that share is taken; at least 20 samples.
    pub over: Duration,
}

/// Lists to combine; each cell is a short run.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// Rates.
    pub rates: Vec<Rate>,
    /// Connections.
    pub connections: Vec<u32>,
    /// Mesh modes.
    pub modes: Vec<MeshMode>,
    /// Before each cell is measured.
    pub warm_up: Duration,
    /// Measured in each cell.
    pub measure: Duration,
}

/// One expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Stable: `fault.success`, `surge.p99[steady]`, `healing.ejected(cart/1)`, `whole.lost`.
    pub id: String,
    /// Where it stands in the file.
    pub place: Place,
    /// As written.
    pub written: String,
    /// What is looked at.
    pub subject: Subject,
    /// What must hold.
    pub limit: Limit,
    /// Ask for Clopper-Pearson at this confidence instead of judging by count.
    pub confidence: Option<Percent>,
}

/// What an expectation looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A metric of a phase, of one flow or of all.
    Phase {
        /// Name of the phase.
        phase: String,
        /// Flow, or all together.
        flow: Option<String>,
        /// The metric.
        metric: Metric,
    },
    /// A metric of all judged phases.
    Whole {
        /// Flow, or all together.
        flow: Option<String>,
        /// The metric.
        metric: Metric,
    },
    /// A healing figure.
    Healing(HealingKind),
    /// A metric of the sweep's cells.
    Sweep {
        /// Which cells; absent: all.
        rate: Option<Rate>,
        /// Which cells; absent: all.
        connections: Option<u32>,
        /// Which cells; absent: all.
        mode: Option<MeshMode>,
        /// The metric.
        metric: Metric,
        /// Relative to the same cell in this mode.
        over: Option<MeshMode>,
    },
}

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Metric {
    /// Acceptable requests as share of planned.
    Success,
    /// Degraded as share of planned.
    Degraded,
    /// Count of lost requests.
    Lost,
    /// Response time at a quantile (0.5 ... 1.0 for max), lost requests counted as the time-out; seconds.
    Response {
        /// 0 to 1.
        quantile: f64,
        /// As written: `p99`.
        name: String,
    },
    /// Requests sent a second.
    Rate,
    /// Count of time-outs.
    TimeOuts,
    /// Count of resets.
    Resets,
    /// Count of answers with this status.
    Status(u16),
    /// Attempts offered for each request ended.
    AttemptsPerRequest,
    /// Count of healthy instances that fell silent outside any fault that hits them.
    FalseEjections,
    /// CPU microseconds of the proxy for each request.
    CpuOfProxy,
    /// Largest resident memory of the proxy, bytes.
    MemoryOfProxy,
}

/// A healing that is expected.
#[derive(Debug, Clone, PartialEq)]
pub enum HealingKind {
    /// The instance falls silent in the fault.
    Ejected(InstanceName),
    /// It must not.
    NotEjected(InstanceName),
    /// The instance is back after the fault.
    Readmitted(InstanceName),
    /// The service meets the fault phase's limits again.
    Recovered(String),
    /// The process is replaced.
    Restarted(InstanceName),
    /// The release is taken back.
    RolledBack {
        /// The service.
        service: String,
        /// The version.
        version: String,
    },
}

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// At most, in the base unit of the metric (seconds, share 0 to 1, count, ratio, 1/s, bytes).
    AtMost(f64),
    /// At least.
    AtLeast(f64),
    /// Exactly.
    Exactly(f64),
    /// At most so many times the value of the first judged phase (or of the cell it is `over`).
    AtMostTimes(f64),
    /// At most so much more than the same cell in another mode.
    AtMostMore(f64),
    /// A healing figure within so many seconds of its clock.
    Within(f64),
    /// A healing that must (not) be seen at all.
    Seen,
}

/// The same run with healing taken out.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// Where it stands in the file.
    pub place: Place,
    /// What is taken out.
    pub without: Vec<Healing>,
    /// Ids of the expectations that it must miss; the default is every `success` and `lost` of a phase that has a fault.
    pub fails: Vec<String>,
    /// Run the recovery too; by default the control ends with the last phase that has a fault or an action.
    pub whole_timeline: bool,
}
