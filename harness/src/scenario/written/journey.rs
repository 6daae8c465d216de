use super::{Accept, Distribution, InOrder, Placed, Request};
use crate::units::TimeSpan;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// What users do: steps, or a program of the user's own that takes them.
#[derive(Debug, Clone)]
pub struct Journey {
    /// The steps.
    pub steps: Vec<JourneyStep>,
    /// The program, and what it is told.
    pub run: Option<Placed<Vec<String>>>,
}

/// A journey that a program plays.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Played {
    /// The program, and what it is told.
    run: Placed<Vec<String>>,
    /// The steps that it takes, in any order; what is asked in them is its own affair.
    steps: Vec<JourneyStep>,
}

impl<'de> Deserialize<'de> for Journey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Journey;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("steps such as `[{step: browse, request: {path: /items}}]`, or `{run: [./shoppers], steps: [{step: browse}]}`")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Journey, A::Error> {
                let steps = Deserialize::deserialize(SeqAccessDeserializer::new(seq))?;
                Ok(Journey { steps, run: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Journey, A::Error> {
                let Played { run, steps } = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Journey { steps, run: Some(run) })
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

impl JsonSchema for Journey {
    fn schema_name() -> Cow<'static, str> {
        "Journey".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let steps = generator.subschema_for::<Vec<JourneyStep>>();
        let played = generator.subschema_for::<Played>();
        json_schema!({"anyOf": [steps, played]})
    }
}

/// A step of a journey.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct JourneyStep {
    /// Its name: as `<flow>/<step>` it is judged alone.
    pub step: Placed<String>,
    /// The service asked; that of the flow where it is not said.
    pub to: Option<Placed<String>>,
    /// Whom clients call; as with `to`.
    pub host: Option<Placed<String>>,
    /// How long the user thinks before it; not at all where it is not said.
    pub think: Option<Placed<Distribution<TimeSpan>>>,
    /// What is asked, beside what the flow's own `request` says of all steps.
    pub request: Option<Request>,
    /// Which answers are acceptable; as the flow says where it is not said.
    pub accept: Option<Accept>,
    /// After this the request counts as timed out; that of the flow where it is not said.
    pub time_out: Option<Placed<TimeSpan>>,
    /// What later steps need of its answer: as `${name}` it stands in their path, fields and body.
    #[serde(default)]
    pub capture: InOrder<Placed<Capture>>,
}

/// Where a value of an answer is found.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Capture {
    /// At a place of a JSON body: a pointer of RFC 6901, such as `/items/0/id`.
    Json(String),
    /// In a field.
    Header(String),
    /// In the body: the first group of a regular expression, or all that it matches.
    Regex(String),
}
