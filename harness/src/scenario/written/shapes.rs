//! Shapes that several parts of the language share: one or many, maps whose order counts, values that are a text or a map.

use super::{Applied, Placed, Policy};
use crate::units::{BadText, Text, written_as_text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// One, or a list.
#[derive(Debug, Clone)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Shape<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map, or a list of maps")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Ok(OneOrMany(vec![T::deserialize(MapAccessDeserializer::new(map))?]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany)
            }
        }
        deserializer.deserialize_any(Shape(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]})
    }
}

/// A name, or a list of names.
#[derive(Debug, Clone)]
pub struct Names(pub Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Names;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, or a list of names")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Names, E> {
                Ok(Names(vec![name.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Names, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Names)
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

impl JsonSchema for Names {
    fn schema_name() -> Cow<'static, str> {
        "Names".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<String>();
        json_schema!({"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]})
    }
}

/// A map with keys of the user's choice, in the order of the file.
#[derive(Debug, Clone)]
pub struct InOrder<T>(pub Vec<(Placed<String>, T)>);

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for InOrder<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = InOrder<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(InOrder(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for InOrder<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("MapOf{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": generator.subschema_for::<T>()})
    }
}

/// Requests served at once: `8 at once`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtOnce(pub u32);

impl fmt::Display for AtOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at once", self.0)
    }
}

impl FromStr for AtOnce {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let number = text.strip_suffix(" at once").and_then(|number| number.parse().ok()).filter(|number| *number > 0);
        number.map(Self).ok_or_else(|| BadText::of::<Self>(text))
    }
}

impl Text for AtOnce {
    const NAME: &'static str = "AtOnce";
    const EXPECTED: &'static str = "a number of requests at once, such as `8 at once`";
    const PATTERN: &'static str = "^[1-9][0-9]* at once$";
    const EXAMPLES: &'static [&'static str] = &["8 at once"];
}

written_as_text!(AtOnce);

/// A distribution: one value, `{p50, p99}` or `{min, max}`.
#[derive(Debug, Clone)]
pub enum Distribution<T> {
    /// Always the same.
    Fixed(T),
    /// By two of its figures.
    Spread(Spread<T>),
}

/// Two figures of a distribution.
#[derive(Debug, Clone, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spread<T> {
    /// Median of a lognormal distribution.
    pub p50: Option<T>,
    /// 99th percentile of a lognormal distribution.
    pub p99: Option<T>,
    /// Least of a uniform distribution.
    pub min: Option<T>,
    /// Most of a uniform distribution.
    pub max: Option<T>,
}

impl<'de, T: Text + Deserialize<'de>> Deserialize<'de> for Distribution<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape<T>(PhantomData<T>);
        impl<'de, T: Text + Deserialize<'de>> Visitor<'de> for Shape<T> {
            type Value = Distribution<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}, `{{p50, p99}}` or `{{min, max}}`", T::EXPECTED)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                text.parse().map(Distribution::Fixed).map_err(E::custom)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Spread::deserialize(MapAccessDeserializer::new(map)).map(Distribution::Spread)
            }
        }
        deserializer.deserialize_any(Shape(PhantomData))
    }
}

impl<T: Text + JsonSchema> JsonSchema for Distribution<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("DistributionOf{}", T::NAME).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let fixed = generator.subschema_for::<T>();
        let spread = generator.subschema_for::<Spread<T>>();
        let examples = T::EXAMPLES;
        json_schema!({"anyOf": [fixed, spread], "examples": examples})
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Policy;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, or a policy object in line")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Policy, E> {
                Ok(Policy::Path(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Policy, A::Error> {
                serde_json::Map::deserialize(MapAccessDeserializer::new(map)).map(Policy::Inline)
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

impl JsonSchema for Policy {
    fn schema_name() -> Cow<'static, str> {
        "Policy".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A file or folder relative to the scenario's folder, or the object itself.",
            "anyOf": [
                {"type": "string"},
                {"type": "object", "required": ["apiVersion", "kind"], "additionalProperties": true}
            ],
            "examples": ["policies/cart.yaml"],
        })
    }
}

impl<'de> Deserialize<'de> for Applied {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Applied;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, a policy object in line, or a list of them")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Applied, E> {
                Ok(Applied::One(Policy::Path(text.to_owned())))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Applied, A::Error> {
                Policy::deserialize(MapAccessDeserializer::new(map)).map(Applied::One)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Applied, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Applied::Many)
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

impl JsonSchema for Applied {
    fn schema_name() -> Cow<'static, str> {
        "Applied".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<Policy>();
        json_schema!({"anyOf": [one, {"type": "array", "minItems": 1, "items": one}], "examples": ["policies/next.yaml"]})
    }
}
