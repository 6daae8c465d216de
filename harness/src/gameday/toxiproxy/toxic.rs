//! Toxics, and the fault of ours that each is.

use crate::fault::spec::{Delay, Direction, Fault, Kind, Match, Part, Pick, Rhythm, Slices, Spread, Unit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// A toxic as its clients write and read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Toxic {
    pub(super) attributes: Map<String, Value>,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) stream: Stream,
    pub(super) toxicity: f64,
}

/// Which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stream {
    /// To the server.
    Upstream,
    /// To the client.
    #[default]
    Downstream,
}

/// What a client asks for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    stream: Option<String>,
    toxicity: Option<f64>,
    attributes: Map<String, Value>,
}

/// Why it cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error("stream was invalid, can be either upstream or downstream")]
    Stream,
    #[error("invalid toxic type")]
    Type,
    #[error("bad request body: {0}")]
    Body(String),
}

/// The types, and the attributes of each.
const TYPES: [(&str, &[&str]); 7] = [
    ("latency", &["latency", "jitter"]),
    ("bandwidth", &["rate"]),
    ("slow_close", &["delay"]),
    ("timeout", &["timeout"]),
    ("reset_peer", &["timeout"]),
    ("slicer", &["average_size", "size_variation", "delay"]),
    ("limit_data", &["bytes"]),
];

impl Toxic {
    /// What is asked for, with everything that is not said.
    pub(super) fn new(wish: Wish) -> Result<Self, Error> {
        let stream = match wish.stream.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None | Some("downstream") => Stream::Downstream,
            Some("upstream") => Stream::Upstream,
            Some(_) => return Err(Error::Stream),
        };
        let known = TYPES.iter().find(|(kind, _)| *kind == wish.kind).ok_or(Error::Type)?;
        let zero = known.1.iter().map(|name| ((*name).to_owned(), Value::from(0)));
        let name = if wish.name.is_empty() {
            let way = if stream == Stream::Upstream { "upstream" } else { "downstream" };
            format!("{}_{way}", wish.kind)
        } else {
            wish.name.clone()
        };
        let toxic = Self { attributes: zero.collect(), name, kind: wish.kind.clone(), stream, toxicity: 1.0 };
        toxic.changed(wish)
    }

    /// The same with other attributes, or another toxicity; what is not said stays.
    pub(super) fn changed(&self, wish: Wish) -> Result<Self, Error> {
        let mut toxic = self.clone();
        toxic.toxicity = wish.toxicity.unwrap_or(self.toxicity);
        if !(0.0..=1.0).contains(&toxic.toxicity) {
            return Err(Error::Body(format!("toxicity {} is not between 0 and 1", toxic.toxicity)));
        }
        for (name, value) in wish.attributes {
            // Attributes that a type does not have are passed over, as Toxiproxy does.
            if let Some(slot) = toxic.attributes.get_mut(&name) {
                if value.as_u64().is_none() {
                    return Err(Error::Body(format!("{name} is {value}: expected a whole number from 0 on")));
                }
                *slot = value;
            }
        }
        Ok(toxic)
    }

    /// What it is here.
    pub(super) fn fault(&self) -> Fault {
        let of = |name: &str| self.attributes.get(name).and_then(Value::as_u64).unwrap_or(0);
        let millis = |name: &str| Duration::from_millis(of(name));
        let kind = match self.kind.as_str() {
            "latency" => Kind::Latency(Delay {
                jitter: millis("jitter"),
                spread: Spread::Uniform,
                part: Part::Pieces,
                ..Delay::of(millis("latency"))
            }),
            "bandwidth" if of("rate") == 0 => Kind::blackhole(),
            "bandwidth" => Kind::Bandwidth { bytes_per_second: of("rate").saturating_mul(1_000) },
            "slow_close" => Kind::SlowClose { by: millis("delay") },
            "reset_peer" => Kind::Reset { after_bytes: 0, after: Some(millis("timeout")) },
            "slicer" => Kind::Slicer(Slices {
                size: usize::try_from(of("average_size").max(1)).unwrap_or(usize::MAX),
                every: Duration::from_micros(of("delay")),
                stray: usize::try_from(of("size_variation")).unwrap_or(usize::MAX),
            }),
            "limit_data" => Kind::Truncate { after_bytes: of("bytes") },
            _ => Kind::Blackhole { close_after: Some(millis("timeout")).filter(|time| !time.is_zero()) },
        };
        Fault {
            kind,
            unit: Unit::Connection,
            pick: if self.toxicity < 1.0 { Pick::Percent(self.toxicity * 100.0) } else { Pick::All },
            matching: Match::default(),
            direction: match self.stream {
                Stream::Upstream => Direction::ClientToServer,
                Stream::Downstream => Direction::ServerToClient,
            },
            existing: true,
            rhythm: Rhythm::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn toxic(wish: Value) -> Result<Toxic, Error> {
        Toxic::new(serde_json::from_value(wish).unwrap())
    }

    #[test]
    fn each_type_is_a_fault_of_ours() {
        for (wish, wanted) in [
            (json!({"type": "bandwidth", "attributes": {"rate": 64}}), Kind::Bandwidth { bytes_per_second: 64_000 }),
            (json!({"type": "bandwidth"}), Kind::blackhole()),
            (
                json!({"type": "slow_close", "attributes": {"delay": 5}}),
                Kind::SlowClose { by: Duration::from_millis(5) },
            ),
            (json!({"type": "timeout"}), Kind::blackhole()),
            (
                json!({"type": "timeout", "attributes": {"timeout": 20}}),
                Kind::Blackhole { close_after: Some(Duration::from_millis(20)) },
            ),
            (json!({"type": "reset_peer"}), Kind::Reset { after_bytes: 0, after: Some(Duration::ZERO) }),
            (json!({"type": "limit_data", "attributes": {"bytes": 9}}), Kind::Truncate { after_bytes: 9 }),
            (
                json!({"type": "slicer", "attributes": {"average_size": 8, "size_variation": 2, "delay": 30}}),
                Kind::Slicer(Slices { size: 8, every: Duration::from_micros(30), stray: 2 }),
            ),
        ] {
            assert_eq!(toxic(wish.clone()).unwrap().fault().kind, wanted, "{wish}");
        }
        let latency = toxic(
            json!({"type": "latency", "stream": "UPSTREAM", "toxicity": 0.25, "attributes": {"latency": 7, "jitter": 3}}),
        );
        let fault = latency.unwrap().fault();
        assert!(
            matches!(fault.kind, Kind::Latency(Delay { part: Part::Pieces, spread: Spread::Uniform, .. })),
            "{fault:?}"
        );
        assert_eq!((fault.direction, fault.pick), (Direction::ClientToServer, Pick::Percent(25.0)));
    }

    #[test]
    fn what_is_not_said_is_as_toxiproxy_has_it() {
        let plain = toxic(json!({"type": "latency", "attributes": {"latency": 1000, "unknown": 1}})).unwrap();
        assert_eq!(
            json!(plain),
            json!({"attributes": {"latency": 1000, "jitter": 0}, "name": "latency_downstream", "type": "latency", "stream": "downstream", "toxicity": 1.0})
        );
        let changed = plain.changed(serde_json::from_value(json!({"attributes": {"jitter": 5}})).unwrap()).unwrap();
        assert_eq!(json!(changed.attributes), json!({"latency": 1000, "jitter": 5}));
    }

    #[test]
    fn what_is_wrong_is_said_in_its_words() {
        assert_eq!(toxic(json!({"type": "nothing"})), Err(Error::Type));
        assert_eq!(toxic(json!({"type": "latency", "stream": "sideways"})), Err(Error::Stream));
        for wish in [
            json!({"type": "latency", "toxicity": 1.5}),
            json!({"type": "latency", "attributes": {"latency": -1}}),
            json!({"type": "latency", "attributes": {"latency": "soon"}}),
        ] {
            assert!(matches!(toxic(wish), Err(Error::Body(_))));
        }
    }
}
