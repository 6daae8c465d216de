//! What a fault is: its kind, the units that it takes, and when it acts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub use super::kind::*;

/// One fault on one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fault {
    /// What it does.
    pub kind: Kind,
    /// What it counts and takes.
    pub unit: Unit,
    /// Which of the matching units it takes.
    pub pick: Pick,
    /// Which units match.
    pub matching: Match,
    /// Which way bytes pass that it acts on.
    #[serde(default)]
    pub direction: Direction,
    /// Connections that are open when it begins are taken too.
    pub existing: bool,
    /// When it acts, from its beginning on.
    #[serde(default)]
    pub rhythm: Rhythm,
}

impl Fault {
    /// True if it acts on bytes that pass this way. What harms or counts bytes looks at the instance's, unless it is said otherwise.
    pub fn goes(&self, way: Direction) -> bool {
        match (self.direction, &self.kind) {
            (Direction::Both, Kind::Reset { .. } | Kind::Truncate { .. } | Kind::Corrupt { .. }) => {
                way == Direction::ServerToClient
            }
            (Direction::Both, _) => true,
            (direction, _) => direction == way,
        }
    }
}

/// When a fault acts between its beginning and its end: all the time, unless it says otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rhythm {
    /// Acts, rests, acts, ...
    pub pulse: Option<Pulse>,
    /// Grows to its full strength in so long: a delay in length, a percentage in share.
    pub ramp: Option<Duration>,
}

/// So long on, so long off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pulse {
    /// It begins with this.
    pub active: Duration,
    /// Then comes this.
    pub idle: Duration,
}

impl Rhythm {
    /// So long after the beginning: does it act, and when is that different?
    pub fn acts(&self, since: Duration) -> (bool, Option<Duration>) {
        let Some(pulse) = self.pulse else { return (true, None) };
        let round = (pulse.active + pulse.idle).as_nanos().max(1);
        let within = since.as_nanos() % round;
        let begin = since.as_nanos() - within;
        let acts = within < pulse.active.as_nanos();
        let edge = begin + if acts { pulse.active.as_nanos() } else { round };
        (acts, Some(Duration::from_nanos(u64::try_from(edge).unwrap_or(u64::MAX))))
    }

    /// Of its full strength so long after the beginning, 0 to 1.
    pub fn strength(&self, since: Duration) -> f64 {
        match self.ramp {
            Some(ramp) if since < ramp => since.as_secs_f64() / ramp.as_secs_f64(),
            _ => 1.0,
        }
    }
}

/// What a fault counts and takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// One request on a connection.
    Request,
    /// One connection.
    Connection,
}

/// Which of the matching units are taken. Victims are ordinals: the k-th matching unit offered at that relay.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// All.
    All,
    /// So many of each hundred, exactly, at places drawn from the seed. In hundredths of a percent: blocks of 10,000 where
    /// the percentage is no whole number.
    Percent(f64),
    /// The n-th, 2n-th, ...
    Every(u64),
    /// The first n.
    First(u64),
    /// Requests whose attempt number is exactly this.
    Attempt(u32),
}

/// Which units match; an absent condition matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Match {
    /// Exact method.
    pub method: Option<String>,
    /// Path: exact, or a prefix where it ends in `*`.
    pub path: Option<String>,
    /// Name (lower case) and exact value.
    pub header: Option<(String, String)>,
    /// Health checks and probes.
    #[serde(default)]
    pub probes: Probes,
}

/// What a fault on requests does to health checks and probes, which carry no `traceparent`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Probes {
    /// They are requests like others.
    #[default]
    Too,
    /// They are taken, and nothing else.
    Only,
    /// They are left alone.
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_pulse_begins_with_its_active_part_and_comes_back() {
        let rhythm = Rhythm { pulse: Some(Pulse { active: seconds(2), idle: seconds(3) }), ramp: None };
        for (since, acts, edge) in
            [(0, true, 2), (1, true, 2), (2, false, 5), (4, false, 5), (5, true, 7), (9, false, 10)]
        {
            assert_eq!(rhythm.acts(seconds(since)), (acts, Some(seconds(edge))), "{since} s");
        }
        assert_eq!(Rhythm::default().acts(seconds(9)), (true, None));
    }

    #[test]
    fn a_ramp_grows_evenly_and_stays() {
        let rhythm = Rhythm { pulse: None, ramp: Some(seconds(4)) };
        for (since, strength) in [(0, 0.0), (1, 0.25), (4, 1.0), (40, 1.0)] {
            assert!((rhythm.strength(seconds(since)) - strength).abs() < 1e-9, "{since} s");
        }
    }
}
