//! Latencies, and what says whether any of it can be believed.

use super::Micros;
use crate::stats::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which interval between the five stamps of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyKind {
    /// `done - due`: what a limit is judged by.
    Response,
    /// `done - sent`.
    Service,
    /// `released - due`: how late the generator was.
    PacerLag,
    /// `sent - released`.
    ConnectionWait,
}

/// Which requests a distribution holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Population {
    /// Every request; a lost one counts as the flow's time-out. Limits are judged by this.
    All,
    /// Acceptable ones only.
    Acceptable,
    /// Lost ones, with the time until their error.
    Lost,
}

/// A distribution over one phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Latency {
    /// Index into [`super::Arm::flows`]; absent: all flows together.
    pub flow: Option<usize>,
    /// Index into [`super::Arm::phases`]; absent: all judged phases together.
    pub phase: Option<usize>,
    /// Which interval.
    pub kind: LatencyKind,
    /// Which requests.
    pub population: Population,
    /// Number of samples.
    pub count: u64,
    /// Microseconds.
    pub mean: f64,
    /// Microseconds by quantile: `p50 p90 p95 p99 p99.9 max`; a quantile with too few samples is still its nearest rank.
    pub quantiles: BTreeMap<String, u64>,
    /// `HdrHistogram` V2, deflated, base64; microseconds, 3 significant digits.
    pub histogram: String,
}

impl Latency {
    /// Of a flow and a phase, or of all flows or phases together, with its values.
    pub fn of(
        (flow, phase): (Option<usize>, Option<usize>),
        (kind, population): (LatencyKind, Population),
        values: &Histogram,
    ) -> Self {
        Self {
            flow,
            phase,
            kind,
            population,
            count: values.count(),
            mean: values.mean(),
            quantiles: values.told(),
            histogram: values.encode(),
        }
    }
}

/// Response times of all requests due in one second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SecondLatency {
    /// Index into [`super::Arm::flows`].
    pub flow: usize,
    /// Start of the second.
    pub at: Micros,
    /// Samples; lost ones count as the flow's time-out.
    pub count: u64,
    /// Microseconds.
    pub p50: u64,
    /// Microseconds.
    pub p90: u64,
    /// Microseconds; absent under 100 samples.
    pub p99: Option<u64>,
    /// Microseconds.
    pub max: u64,
    /// `HdrHistogram` V2, deflated, base64.
    pub histogram: String,
}

/// Whether the generator can be believed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GeneratorHealth {
    /// Arrivals planned over all phases.
    pub planned: u64,
    /// Of those, released to a connection in time.
    pub offered: u64,
    /// 99th percentile of the pacer's lag over all phases, microseconds.
    pub lag_p99: u64,
    /// Largest lag, microseconds.
    pub lag_max: u64,
    /// The same of a bare timer loop on this machine just before, microseconds.
    pub bare_timer_p99: Option<u64>,
    /// CPU of the pacing thread, in shares of a core, over the busiest second.
    pub cpu_share: f64,
    /// Share of time that the hypervisor took away, over the worst second.
    pub steal_share: Option<f64>,
    /// Which side could not keep up, if any: `generator`, `connections`, `target`.
    pub saturated: Option<String>,
    /// By second.
    pub seconds: Vec<HealthSecond>,
}

/// One second of the generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HealthSecond {
    /// Start of the second.
    pub at: Micros,
    /// Microseconds.
    pub lag_p99: u64,
    /// Microseconds.
    pub lag_max: u64,
    /// Share of a core.
    pub cpu_share: f64,
}

/// Do the counts of client, relay and instances explain each other? Sums over the whole arm.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GroundTruth {
    /// Attempts that the relays were offered.
    pub offered: u64,
    /// Of those, kept from their instance by a fault.
    pub withheld: u64,
    /// Of those, open when their instance was killed.
    pub cut: u64,
    /// Attempts that the instances counted.
    pub received: u64,
    /// Attempts refused by the kernel, inferred.
    pub inferred: u64,
    /// Health checks and probes, counted apart.
    pub probes: u64,
    /// `offered - withheld - received`, unless explained by `cut`; sound only at 0.
    pub unexplained: i64,
    /// Sentences, one for each thing that does not add up.
    pub disagreements: Vec<String>,
}

/// CPU and memory of one process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Process {
    /// `proxy` (the one that clients ask), `shim`, `load`, `cart/1`, `proxy cart/1` (the one beside an instance).
    pub name: String,
    /// Start of the first sample.
    pub from: Micros,
    /// Microseconds of CPU in each second.
    pub cpu: Vec<u64>,
    /// Resident bytes at the end of each second; 0 while the process was away.
    pub memory: Vec<u64>,
    /// CPU microseconds by phase, in the order of [`super::Arm::phases`].
    pub cpu_by_phase: Vec<u64>,
    /// Open descriptors at the end of each second; 0 while the process was away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub descriptors: Vec<u64>,
    /// Context switches of all threads in each second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub switches: Vec<u64>,
    /// Its busiest threads, those of one name together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub threads: Vec<Thread>,
}

/// Threads of one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Thread {
    /// As the process has named them.
    pub name: String,
    /// Microseconds of CPU in each second.
    pub cpu: Vec<u64>,
}

impl Process {
    /// The proxy that clients ask.
    pub const PROXY: &'static str = "proxy";

    /// A proxy, on whichever side.
    pub fn is_proxy(&self) -> bool {
        Self::is_named_proxy(&self.name)
    }

    /// The name of a proxy, on whichever side.
    pub fn is_named_proxy(name: &str) -> bool {
        name == Self::PROXY || name.strip_prefix(Self::PROXY).is_some_and(|rest| rest.starts_with(' '))
    }
}
