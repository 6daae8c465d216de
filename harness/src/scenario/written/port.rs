//! Ports of a service.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A port of a service: `8080`, or `{port: 6379, tcp: true}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServicePort {
    /// Its number.
    pub number: u16,
    /// Bytes are passed on without being read as HTTP.
    pub tcp: bool,
}

impl<'de> Deserialize<'de> for ServicePort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            port: u16,
            #[serde(default)]
            tcp: bool,
        }
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = ServicePort;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port such as `8080` or `{port: 6379, tcp: true}`")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<ServicePort, E> {
                let number = u16::try_from(number).map_err(|_| E::custom("a port is from 1 to 65535"))?;
                Ok(ServicePort { number, tcp: false })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ServicePort, A::Error> {
                let Written { port, tcp } = Written::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ServicePort { number: port, tcp })
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

impl JsonSchema for ServicePort {
    fn schema_name() -> Cow<'static, str> {
        "ServicePort".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = json_schema!({"type": "integer", "minimum": 1, "maximum": 65535});
        json_schema!({
            "anyOf": [
                number,
                {
                    "type": "object",
                    "properties": {"port": number, "tcp": {"type": "boolean"}},
                    "required": ["port"],
                    "additionalProperties": false
                }
            ],
            "examples": [8080, {"port": 6379, "tcp": true}],
        })
    }
}
