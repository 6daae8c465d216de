//! Faults: a kind, what it strikes, and when.

use super::{Placed, Reserved, Target};
use crate::fault::spec::{AbortPlace, Direction, Unit};
use crate::units::{BadText, ByteRate, Bytes, Percent, Text, TimeSpan, written_as_text};
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// What breaks.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Holds each unit back.
    Latency(Latency),
    /// Answers with a status in place of the instance.
    Abort(Abort),
    /// Resets the connection.
    Reset(Reset),
    /// New connections are refused, open ones reset.
    Refuse(Refuse),
    /// Requests are passed on, the answer never comes.
    Hang(Hang),
    /// Nothing passes, nothing is closed.
    Blackhole(Blackhole),
    /// Bytes pass at a limited rate.
    Bandwidth(Bandwidth),
    /// The process is killed (SIGKILL).
    Kill(Kill),
    /// The process is stopped (SIGSTOP) and goes on at the end (SIGCONT).
    Pause(Pause),
    /// Not obeyed yet.
    Slicer(Reserved),
    /// Not obeyed yet.
    SlowClose(Reserved),
    /// Not obeyed yet.
    AcceptStall(Reserved),
    /// Not obeyed yet.
    Corrupt(Reserved),
    /// Not obeyed yet.
    Flap(Reserved),
    /// Not obeyed yet.
    ConnectionLimit(Reserved),
    /// Not obeyed yet.
    Drip(Reserved),
    /// Not obeyed yet.
    Truncate(Reserved),
    /// Not obeyed yet.
    Degrade(Reserved),
    /// Not obeyed yet.
    Overload(Reserved),
    /// Not obeyed yet.
    Terminate(Reserved),
    /// Not obeyed yet.
    CrashLoop(Reserved),
    /// Not obeyed yet.
    Partition(Reserved),
    /// Not obeyed yet.
    Loss(Reserved),
}

/// What every kind of fault has.
#[derive(Debug, Clone)]
pub struct Aim {
    /// What it strikes.
    pub target: Placed<Target>,
    /// From the start of the phase.
    pub at: Option<Placed<TimeSpan>>,
    /// How long.
    pub lasting: Option<Placed<TimeSpan>>,
}

/// Which units a fault in the way to an instance takes.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// What is counted and taken.
    pub unit: Option<Placed<Unit>>,
    /// Which of the matching units.
    pub pick: Option<Placed<Pick>>,
    /// Which units match.
    pub matching: Option<Placed<Match>>,
    /// Which connections.
    pub connections: Option<Which>,
    /// Where on the way it sits.
    pub behind: Option<Placed<Behind>>,
}

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })?)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct $name {
            /// What it strikes: `cart` (all instances), `cart/2`, `cart/1..3`, `cart@v2`; or `proxy of cart/2`, its sidecar.
            pub target: Placed<Target>,
            $($($(#[$field_doc])* pub $field: $type,)+)?
            /// From the start of the phase.
            pub at: Option<Placed<TimeSpan>>,
            /// How long; to the end of the phase where it is not said.
            pub r#for: Option<Placed<TimeSpan>>,
            /// What is counted and taken: `request` or `connection`.
            pub unit: Option<Placed<Unit>>,
            /// Which of them: `30%` (exactly so many, drawn from the seed), `every 3rd`, `first 10`, `attempt 1`; all where it is not said.
            pub pick: Option<Placed<Pick>>,
            /// Which requests may be taken at all.
            pub r#match: Option<Placed<Match>>,
            /// `all` takes open connections too, `new` leaves them alone; `all` where it is not said.
            pub connections: Option<Which>,
            /// `sidecar`: between the proxy beside the instance and the instance, instead of in front of both.
            pub behind: Option<Placed<Behind>>,
            /// Not obeyed yet.
            pub pulse: Option<Reserved>,
            /// Not obeyed yet.
            pub ramp: Option<Reserved>,
        }

        impl $name {
            /// What every kind has.
            pub fn aim(&self) -> Aim {
                Aim { target: self.target.clone(), at: self.at, lasting: self.r#for }
            }

            /// Which units it takes.
            pub fn selection(&self) -> Selection {
                Selection {
                    unit: self.unit,
                    pick: self.pick,
                    matching: self.r#match.clone(),
                    connections: self.connections,
                    behind: self.behind,
                }
            }
        }
    )+};
}

faults! {
    /// Holds each unit back.
    Latency {
        /// Mean delay.
        base: TimeSpan,
        /// Standard deviation of a normal distribution; 0 where it is not said.
        jitter: Option<TimeSpan>,
    }
    /// Answers with a status in place of the instance.
    Abort {
        /// The status.
        status: Placed<u16>,
        /// `before` the instance has seen the request, or `after` it has answered; `before` where it is not said.
        place: Option<AbortPlace>,
    }
    /// Resets the connection.
    Reset {
        /// Bytes of the answer that pass first; none where it is not said.
        after_bytes: Option<Bytes>,
    }
    /// New connections are refused, open ones reset.
    Refuse
    /// Requests are passed on, the answer never comes.
    Hang
    /// Nothing passes, nothing is closed.
    Blackhole {
        /// Which way; `both` where it is not said.
        direction: Option<Direction>,
    }
    /// Bytes of each connection and direction pass at a limited rate.
    Bandwidth {
        /// The rate, such as `64KB/s`.
        rate: Placed<ByteRate>,
    }
    /// The process is killed.
    Kill {
        /// `supervisor` starts it again by the kubelet's rules; otherwise it comes back when the fault ends.
        restart: Option<Restart>,
    }
    /// The process is stopped, and goes on at the end.
    Pause
}

/// Who starts a killed process again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// The supervisor, by the kubelet's rules.
    Supervisor,
}

/// Which connections a fault takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// Only those opened while it acts.
    New,
    /// Open ones too.
    All,
}

/// What a fault sits behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Behind {
    /// The proxy beside the instance.
    Sidecar,
}

/// Which requests may be taken.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Match {
    /// The method.
    pub method: Option<String>,
    /// The path: exact, or what it begins with where it ends in `*`.
    pub path: Option<Placed<String>>,
    /// One field and its value: `{x-user: ann}`.
    pub header: Option<Placed<std::collections::BTreeMap<String, String>>>,
}

/// Which of the matching units are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pick {
    /// `30%`
    Percent(Percent),
    /// `every 3rd`
    Every(u64),
    /// `first 10`
    First(u64),
    /// `attempt 1`
    Attempt(u32),
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => percent.fmt(f),
            Self::Every(n) => write!(f, "every {n}{}", ordinal(*n)),
            Self::First(n) => write!(f, "first {n}"),
            Self::Attempt(n) => write!(f, "attempt {n}"),
        }
    }
}

/// The ending that makes a number an ordinal.
fn ordinal(n: u64) -> &'static str {
    match (n % 100, n % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}

impl FromStr for Pick {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let pick = match text.split_once(' ') {
            None => text.parse().ok().filter(|percent: &Percent| percent.0 > 0.0).map(Self::Percent),
            Some(("every", nth)) => {
                let digits = nth.trim_end_matches(|c: char| c.is_ascii_lowercase());
                let n = digits.parse().ok().filter(|n| *n > 0 && ordinal(*n) == &nth[digits.len()..]);
                n.map(Self::Every)
            }
            Some(("first", n)) => n.parse().ok().filter(|n| *n > 0).map(Self::First),
            Some(("attempt", n)) => n.parse().ok().filter(|n| *n > 0).map(Self::Attempt),
            Some(_) => None,
        };
        pick.ok_or_else(|| BadText::of::<Self>(text))
    }
}

impl Text for Pick {
    const NAME: &'static str = "Pick";
    const EXPECTED: &'static str = "`30%`, `every 3rd`, `first 10` or `attempt 1`";
    const PATTERN: &'static str = r"^([0-9]+(\.[0-9]+)?%|every [1-9][0-9]*(st|nd|rd|th)|(first|attempt) [1-9][0-9]*)$";
    const EXAMPLES: &'static [&'static str] = &["30%", "every 3rd", "first 10", "attempt 1"];
}

written_as_text!(Pick);

#[cfg(test)]
mod tests {
    use super::Pick;

    #[test]
    fn picks_are_read_and_printed_back() {
        for text in
            ["30%", "0.5%", "every 1st", "every 2nd", "every 3rd", "every 11th", "every 112th", "first 10", "attempt 1"]
        {
            assert_eq!(text.parse::<Pick>().map(|pick| pick.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "0%",
            "every",
            "every 3",
            "every 3th",
            "every 0th",
            "first",
            "first 0",
            "attempt 0",
            "last 3",
            "",
            "every é",
        ] {
            assert!(text.parse::<Pick>().is_err(), "{text}");
        }
    }
}
