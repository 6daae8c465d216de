//! What must hold.

use super::{MeshMode, Place};
use crate::topology::InstanceName;
use crate::units::{Percent, Rate};

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
        /// Which cells.
        cells: Chosen,
        /// The metric.
        metric: Metric,
        /// Relative to the same cell in this mode.
        over: Option<MeshMode>,
    },
}

/// Cells of a sweep; all of them where nothing is said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chosen {
    /// At this rate.
    pub rate: Option<Rate>,
    /// With so many connections.
    pub connections: Option<u32>,
    /// In this mode.
    pub mode: Option<MeshMode>,
    /// Where this is spoken: `http1`, `http2`.
    pub protocol: Option<&'static str>,
    /// With bodies of so many bytes.
    pub payload: Option<u64>,
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
    /// The highest rate that holds, requests a second; of a search alone.
    HighestRate,
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
    /// What the phase of this name applies is refused by every proxy.
    Refused(String),
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
