//! What must hold: limits on metrics by phase, for the whole timeline and for a sweep, and healing.

use super::{Mode, OneOrMany, Placed, Protocol, Reserved, Target};
use crate::scenario::limit::Limit;
use crate::scenario::metric::NAMES;
use crate::scenario::resolved::Metric;
use crate::units::{Bytes, Percent, Rate, TimeSpan};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// What must hold.
#[derive(Debug, Clone, Default)]
pub struct Expect {
    /// By name of phase.
    pub phases: Vec<(Placed<String>, OneOrMany<Metrics>)>,
    /// Over all judged phases.
    pub whole: Option<OneOrMany<Metrics>>,
    /// Healing.
    pub healing: Vec<Placed<Healing>>,
    /// Cells of a sweep.
    pub sweep: Option<OneOrMany<SweepMetrics>>,
}

/// Limits on metrics of one flow, or of all.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// The flow.
    pub of: Option<Placed<String>>,
    /// Judge shares by Clopper-Pearson at this confidence instead of by count.
    pub confidence: Option<Placed<Percent>>,
    /// The limits.
    pub limits: Vec<(Placed<Metric>, Placed<Limit>)>,
}

/// Limits on metrics of cells of a sweep.
#[derive(Debug, Clone, Default)]
pub struct SweepMetrics {
    /// Which cells.
    pub cells: Option<Cells>,
    /// The cell that they are compared with.
    pub over: Option<Over>,
    /// The limits.
    pub metrics: Metrics,
}

/// Which cells of a sweep.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cells {
    /// At this rate.
    pub rate: Option<Placed<Rate>>,
    /// With so many connections.
    pub connections: Option<Placed<u32>>,
    /// In this mode.
    pub mode: Option<Placed<Mode>>,
    /// Where this is spoken.
    pub protocol: Option<Placed<Protocol>>,
    /// With bodies of this size.
    pub payload: Option<Placed<Bytes>>,
}

/// The same cell in another mode.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Over {
    /// The mode.
    pub mode: Placed<Mode>,
}

/// A healing that must be seen, or must not.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Healing {
    /// The instance gets no more traffic in the fault.
    pub ejected: Option<Placed<Target>>,
    /// It must not be ejected.
    pub not_ejected: Option<Placed<Target>>,
    /// The instance has its traffic back after the fault.
    pub readmitted: Option<Placed<Target>>,
    /// The service meets the limits of the fault's phase again.
    pub recovered: Option<Placed<Target>>,
    /// The process is replaced.
    pub restarted: Option<Placed<Target>>,
    /// The release of `service@version` is taken back.
    pub rolled_back: Option<Placed<Target>>,
    /// What this phase applies is refused by every proxy, which goes on with what it has.
    pub refused: Option<Placed<String>>,
    /// Not obeyed yet.
    pub promoted: Option<Reserved>,
    /// Not obeyed yet.
    pub blamed: Option<Reserved>,
    /// How soon.
    pub within: Option<Placed<TimeSpan>>,
}

/// A key of a map of limits.
enum Key {
    Of,
    Confidence,
    Where,
    Over,
    Metric(Metric),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a metric such as `success` or `p99`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Key, E> {
                Ok(match text {
                    "of" => Key::Of,
                    "confidence" => Key::Confidence,
                    "where" => Key::Where,
                    "over" => Key::Over,
                    _ => Key::Metric(text.parse().map_err(|_| E::unknown_field(text, NAMES))?),
                })
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}

impl<'de> Deserialize<'de> for SweepMetrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Limits;
        impl<'de> Visitor<'de> for Limits {
            type Value = SweepMetrics;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("metrics with their limits, such as `{success: \">= 99.9%\"}`")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SweepMetrics, A::Error> {
                let mut read = SweepMetrics::default();
                while let Some(key) = map.next_key::<Placed<Key>>()? {
                    let place = key.place;
                    match key.value {
                        Key::Of => read.metrics.of = Some(map.next_value()?),
                        Key::Confidence => read.metrics.confidence = Some(map.next_value()?),
                        Key::Where => read.cells = Some(map.next_value()?),
                        Key::Over => read.over = Some(map.next_value()?),
                        Key::Metric(value) => {
                            read.metrics.limits.push((Placed { value, place }, map.next_value()?));
                        }
                    }
                }
                Ok(read)
            }
        }
        deserializer.deserialize_map(Limits)
    }
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = SweepMetrics::deserialize(deserializer)?;
        match read {
            SweepMetrics { cells: None, over: None, metrics } => Ok(metrics),
            _ => Err(D::Error::custom("`where` and `over` belong to the expectations of a sweep")),
        }
    }
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;
        impl<'de> Visitor<'de> for Parts {
            type Value = Expect;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("expectations by name of phase, or for `healing`, `whole` and `sweep`")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Expect, A::Error> {
                let mut expect = Expect::default();
                while let Some(key) = map.next_key::<Placed<String>>()? {
                    match key.value.as_str() {
                        "healing" => expect.healing = map.next_value()?,
                        "whole" => expect.whole = Some(map.next_value()?),
                        "sweep" => expect.sweep = Some(map.next_value()?),
                        _ => expect.phases.push((key, map.next_value()?)),
                    }
                }
                Ok(expect)
            }
        }
        deserializer.deserialize_map(Parts)
    }
}

/// Properties of a map of limits.
fn limits(generator: &mut SchemaGenerator) -> serde_json::Map<String, serde_json::Value> {
    let limit = generator.subschema_for::<Limit>();
    let mut properties: serde_json::Map<_, _> =
        NAMES.iter().map(|name| ((*name).to_owned(), limit.clone().to_value())).collect();
    properties.insert(
        "of".to_owned(),
        serde_json::json!({"type": "string", "description": "Name of a flow; all flows where it is not said."}),
    );
    let mut confidence = generator.subschema_for::<Percent>().to_value();
    if let Some(schema) = confidence.as_object_mut() {
        schema.insert(
            "description".to_owned(),
            "Judge shares by their Clopper-Pearson interval at this confidence, instead of by count.".into(),
        );
    }
    properties.insert("confidence".to_owned(), confidence);
    properties
}

/// Percentiles and statuses beyond those that are named.
fn further(generator: &mut SchemaGenerator) -> serde_json::Value {
    let limit = generator.subschema_for::<Limit>();
    serde_json::json!({ r"^p[0-9]{1,2}(\.[0-9]+)?$": limit, "^status [1-5][0-9]{2}$": limit })
}

impl JsonSchema for Metrics {
    fn schema_name() -> Cow<'static, str> {
        "Metrics".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Metrics with their limits.",
            "properties": limits(generator),
            "patternProperties": further(generator),
            "additionalProperties": false,
            "examples": [{"success": ">= 99.9%", "p99": "<= 1.5x baseline"}],
        })
    }
}

impl JsonSchema for SweepMetrics {
    fn schema_name() -> Cow<'static, str> {
        "SweepMetrics".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut properties = limits(generator);
        properties.insert("where".to_owned(), generator.subschema_for::<Cells>().to_value());
        properties.insert("over".to_owned(), generator.subschema_for::<Over>().to_value());
        json_schema!({
            "type": "object",
            "description": "Metrics of cells of the sweep with their limits.",
            "properties": properties,
            "patternProperties": further(generator),
            "additionalProperties": false,
        })
    }
}

impl JsonSchema for Expect {
    fn schema_name() -> Cow<'static, str> {
        "Expect".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let metrics = generator.subschema_for::<OneOrMany<Metrics>>();
        let sweep = generator.subschema_for::<OneOrMany<SweepMetrics>>();
        let healing = generator.subschema_for::<Vec<Healing>>();
        json_schema!({
            "type": "object",
            "description": "What must hold, by name of phase, and for `healing`, `whole` and `sweep`.",
            "properties": {"healing": healing, "whole": metrics, "sweep": sweep},
            "additionalProperties": metrics,
        })
    }
}
