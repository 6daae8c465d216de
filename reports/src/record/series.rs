//! Counts over time, and single requests.

use super::Micros;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// What became of a client's request. Exactly one of these; they sum to planned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Complete, in time, with a status that the flow accepts.
    Acceptable,
    /// Answered with a reply that its service marks as degraded.
    Degraded,
    /// Complete, but with a status that the flow does not accept.
    Status(u16),
    /// Complete and with an accepted status, but its body does not hold what was asked for.
    Unexpected,
    /// Complete, but with a status of gRPC that the flow does not accept.
    Grpc(u16),
    /// The connection was reset before the answer was complete.
    Reset,
    /// The connection was closed before the answer was complete.
    Closed,
    /// No connection could be had.
    Refused,
    /// The answer was not HTTP, or not of the length it announced.
    Malformed,
    /// No complete answer within the flow's time-out.
    TimeOut,
    /// No connection was free within 100 ms.
    Dropped,
    /// Still open when the load was drained, or when the run was aborted.
    Cut,
}

impl Outcome {
    /// Everything but acceptable and degraded.
    pub fn is_lost(&self) -> bool {
        !matches!(self, Self::Acceptable | Self::Degraded)
    }

    /// Answered, whatever the status.
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Acceptable | Self::Degraded | Self::Status(_) | Self::Unexpected | Self::Grpc(_))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acceptable => f.write_str("acceptable"),
            Self::Degraded => f.write_str("degraded"),
            Self::Status(code) => write!(f, "status-{code}"),
            Self::Unexpected => f.write_str("unexpected"),
            Self::Grpc(code) => write!(f, "grpc-{code}"),
            Self::Reset => f.write_str("reset"),
            Self::Closed => f.write_str("closed"),
            Self::Refused => f.write_str("refused"),
            Self::Malformed => f.write_str("malformed"),
            Self::TimeOut => f.write_str("time-out"),
            Self::Dropped => f.write_str("dropped"),
            Self::Cut => f.write_str("cut"),
        }
    }
}

/// A word that names no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no outcome")]
pub struct UnknownOutcome(String);

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "acceptable" => Self::Acceptable,
            "degraded" => Self::Degraded,
            "unexpected" => Self::Unexpected,
            "reset" => Self::Reset,
            "closed" => Self::Closed,
            "refused" => Self::Refused,
            "malformed" => Self::Malformed,
            "time-out" => Self::TimeOut,
            "dropped" => Self::Dropped,
            "cut" => Self::Cut,
            other => {
                let number = |prefix| other.strip_prefix(prefix).and_then(|code: &str| code.parse().ok());
                let status = number("status-").map(Self::Status).or_else(|| number("grpc-").map(Self::Grpc));
                status.ok_or_else(|| UnknownOutcome(other.to_owned()))?
            }
        })
    }
}

impl Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What clients of one flow got, in slots by *due* time. Every series has the same length.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Outcomes {
    /// Index into [`super::Arm::flows`].
    pub flow: usize,
    /// Arrivals due.
    pub planned: Vec<u32>,
    /// Requests written to a connection, by the time they were written.
    pub sent: Vec<u32>,
    /// By outcome; an outcome that never occurred is absent.
    pub by_outcome: BTreeMap<Outcome, Vec<u32>>,
}

/// Puts `more` behind `series`, both of slots that follow one another.
fn append_keyed<K: Ord>(series: &mut BTreeMap<K, Vec<u32>>, before: usize, more: BTreeMap<K, Vec<u32>>, added: usize) {
    for (key, values) in more {
        let known = series.entry(key).or_default();
        known.resize(before, 0);
        known.extend(values);
    }
    series.values_mut().for_each(|known| known.resize(before + added, 0));
}

impl Outcomes {
    /// Puts the slots of `more` in the place of these from a slot on.
    pub fn replace_from(&mut self, slot: usize, more: Self) {
        self.planned.truncate(slot);
        let (before, added) = (self.planned.len(), more.planned.len());
        self.planned.extend(more.planned);
        self.sent.truncate(before);
        self.sent.extend(more.sent);
        append_keyed(&mut self.by_outcome, before, more.by_outcome, added);
    }

    /// Requests that were lost, by slot.
    pub fn lost(&self) -> Vec<u32> {
        let mut lost = vec![0; self.planned.len()];
        for (_, counts) in self.by_outcome.iter().filter(|(outcome, _)| outcome.is_lost()) {
            lost.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        lost
    }
}

impl Offers {
    /// Puts the slots of `more` in the place of these from a slot on.
    pub fn replace_from(&mut self, slot: usize, more: Self) {
        self.offered.truncate(slot);
        let (before, added) = (self.offered.len(), more.offered.len());
        self.offered.extend(more.offered);
        let replace = |series: &mut Vec<u32>, more: Vec<u32>| {
            series.truncate(before);
            series.extend(more);
        };
        replace(&mut self.retries, more.retries);
        replace(&mut self.cut, more.cut);
        replace(&mut self.received, more.received);
        replace(&mut self.inferred, more.inferred);
        append_keyed(&mut self.withheld, before, more.withheld, added);
    }
}

/// What one instance was offered and received, in slots by time of offer. Every series has the same length.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Offers {
    /// Index into [`super::Arm::instances`].
    pub instance: usize,
    /// Attempts offered, whatever a fault did next. Where there is no relay: attempts received.
    pub offered: Vec<u32>,
    /// Of those, second and later attempts of their request.
    pub retries: Vec<u32>,
    /// Of those offered, kept from the instance, by kind of fault.
    pub withheld: BTreeMap<String, Vec<u32>>,
    /// Open when the instance was killed.
    pub cut: Vec<u32>,
    /// Attempts that the instance itself counted.
    pub received: Vec<u32>,
    /// Refused by the kernel and inferred from the next attempt of the same request.
    pub inferred: Vec<u32>,
}

/// Requests kept one by one, bounded in number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Singles {
    /// In order of due time.
    pub requests: Vec<Single>,
    /// In order of time.
    pub offers: Vec<Offer>,
    /// Lost requests and requests about a mark that were not kept.
    pub left_out: u64,
}

/// One request of a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Single {
    /// Number of the request in its arm.
    pub id: u64,
    /// Index into [`super::Arm::flows`].
    pub flow: usize,
    /// When it was due.
    pub due: Micros,
    /// When it was written; absent if it never was.
    pub sent: Option<Micros>,
    /// When it ended.
    pub done: Micros,
    /// How it ended.
    pub outcome: Outcome,
    /// Index of the instance that answered, by its own word.
    pub instance: Option<usize>,
}

/// One attempt offered to an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Offer {
    /// When the relay had the request's head.
    pub at: Micros,
    /// Index into [`super::Arm::instances`].
    pub instance: usize,
    /// Number of the request, if it said so.
    pub id: Option<u64>,
    /// `x-envoy-attempt-count`, or 1.
    pub attempt: u32,
    /// The kind of fault that kept it from the instance.
    pub withheld: Option<String>,
}
