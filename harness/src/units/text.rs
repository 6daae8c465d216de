//! Values that are written as one word or phrase: read by `FromStr`, printed by `Display`, and known to the schema by a pattern.

use std::fmt::Display;
use std::str::FromStr;

/// A value written as text.
pub trait Text: FromStr<Err: Display> + Display {
    /// Name in the schema.
    const NAME: &'static str;
    /// What one is, for people: `a duration such as 5s`.
    const EXPECTED: &'static str;
    /// ECMA 262 pattern that accepts what `FromStr` accepts (it may accept more where a pattern cannot count).
    const PATTERN: &'static str;
    /// Some of them.
    const EXAMPLES: &'static [&'static str];
}

/// A text that is none of what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct BadText {
    /// The text.
    pub text: String,
    /// What was expected.
    pub expected: String,
}

impl BadText {
    /// `text` where a `T` should stand.
    pub fn of<T: Text>(text: &str) -> Self {
        Self { text: text.to_owned(), expected: T::EXPECTED.to_owned() }
    }
}

/// Gives a [`Text`] its serde and schema implementations.
macro_rules! written_as_text {
    ($($type:ty),+) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(<$type as $crate::units::Text>::EXPECTED)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                <$type as $crate::units::Text>::NAME.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "description": <$type as $crate::units::Text>::EXPECTED,
                    "pattern": <$type as $crate::units::Text>::PATTERN,
                    "examples": <$type as $crate::units::Text>::EXAMPLES,
                })
            }
        }
    )+};
}
pub(crate) use written_as_text;
