//! How a run was judged.

use super::{Micros, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The verdict on an expectation, an arm or a scenario, best first.
///
/// The order is the one in which the worst of several is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Every expectation held, and the evidence is sound.
    Pass,
    /// Too few samples to decide at the asked confidence.
    Inconclusive,
    /// The run proves nothing.
    Invalid,
    /// An expectation did not hold.
    Fail,
    /// Squall itself failed.
    Error,
    /// Stopped by a person or by an abort condition.
    Aborted,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "PASS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Invalid => "INVALID",
            Self::Fail => "FAIL",
            Self::Error => "ERROR",
            Self::Aborted => "ABORTED",
        })
    }
}

/// One sentence of why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reason {
    /// The verdict that it speaks for.
    pub verdict: Verdict,
    /// One searchable word: `missed`, `generator`, `fault-without-effect`, `control-passed`, `baseline`, `data`, `aborted`.
    pub code: String,
    /// The sentence.
    pub text: String,
}

/// One expectation, as asked and as observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Expectation {
    /// Stable: `fault.success`, `surge.p99[steady]`, `healing.ejected(cart/1)`, `whole.lost`.
    pub id: String,
    /// The phase it is about, if any.
    pub phase: Option<String>,
    /// As written: `success: ">= 99.9%"`.
    pub written: String,
    /// Line in the scenario file, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// Did it hold?
    pub verdict: Verdict,
    /// What was observed.
    pub observed: Observed,
    /// The limit as a number in the unit of `observed`; absent where there is none (`rolled-back`).
    pub limit: Option<f64>,
    /// The limit as it reads: `>= 99.9 %`, `within 3 s`.
    pub limit_text: String,
    /// Samples behind the observation.
    pub samples: u64,
    /// The interval straddles the limit, although the count decided.
    pub close: bool,
    /// The sentence: asked, measured, and what it rests on.
    pub detail: String,
}

/// A number with what makes it readable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Observed {
    /// In base units: seconds, a share from 0 to 1, a count, a ratio, requests a second; absent if nothing was observed.
    pub value: Option<f64>,
    /// As it reads: `95.73 %`, `0.26 s`, `not seen`.
    pub text: String,
    /// 95 % interval, in the unit of `value`.
    pub interval: Option<Interval>,
    /// Resolution of a measured time, seconds.
    pub resolution: Option<f64>,
}

/// A two-sided interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// Totals of one phase, or of the whole arm.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PhaseTotals {
    /// Name of the phase, or `whole` (all judged phases).
    pub phase: String,
    /// Flow, or absent for all together.
    pub flow: Option<String>,
    /// Requests planned.
    pub planned: u64,
    /// By outcome; they sum to `planned`.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Planned less acceptable less degraded.
    pub lost: u64,
    /// Requests sent a second.
    pub rate: f64,
    /// Attempts offered to instances.
    pub attempts: u64,
    /// Requests ended in the phase, and those open at its edges.
    pub ended: u64,
    /// Bound of the error of `attempts / ended`, in requests.
    pub open_at_edges: u64,
    /// Attempts offered by instance name.
    pub arrivals: BTreeMap<String, u64>,
    /// Answers that clients saw by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Response time in milliseconds, lost requests counted as the time-out: `p50 p90 p95 p99 p99.9 max mean`.
    pub response: BTreeMap<String, f64>,
}

/// Healing, measured from outside.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Figures {
    /// By instance: ejected, readmitted, restarted; by service: recovered, rolled back.
    pub healing: Vec<Figure>,
    /// Healthy instances that fell silent outside any fault that hits them.
    pub false_ejections: Vec<Figure>,
    /// Seconds of silence that count as being out, by instance.
    pub silence: Vec<f64>,
    /// Attempts offered for each request that ended.
    pub attempts_per_request: Option<f64>,
    /// Bad answers of a release as share of all requests while it lasted.
    pub release_hurt: Option<f64>,
}

/// One healing figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Figure {
    /// `ejected`, `readmitted`, `recovered`, `restarted`, `rolled-back`, `silent`.
    pub kind: String,
    /// `cart/1`, `cart`, `web@v2`.
    pub subject: String,
    /// The instant from which the time counts.
    pub from: Option<Micros>,
    /// The instant it was reached; absent if never.
    pub at: Option<Micros>,
    /// Seconds between; absent if never.
    pub seconds: Option<f64>,
    /// Resolution, seconds.
    pub resolution: f64,
    /// `not out`, `never missed`, `starved, not ejected by the proxy's own word` ...
    pub note: Option<String>,
}
