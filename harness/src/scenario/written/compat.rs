use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use squall_proxy::config::mesh::IstioVersion;
use std::borrow::Cow;
use std::fmt;

/// A version of Istio: `1.23`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compat(pub IstioVersion);

impl<'de> Deserialize<'de> for Compat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Version;
        impl Visitor<'_> for Version {
            type Value = Compat;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a version of Istio such as 1.23")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Compat, E> {
                text.parse().map(Compat).map_err(E::custom)
            }
        }
        // As it is written: 1.30 is not 1.3.
        deserializer.deserialize_identifier(Version)
    }
}

impl JsonSchema for Compat {
    fn schema_name() -> Cow<'static, str> {
        "IstioVersion".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a version of Istio such as 1.23, or latest",
            "anyOf": [{"type": "number"}, {"type": "string", "pattern": "^(latest|1\\.[0-9]+(\\.[0-9]+)?)$"}],
            "examples": ["1.23", "latest"],
        })
    }
}
