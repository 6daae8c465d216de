use super::{Closed, Distribution, InOrder, Journey, Placed, Profile, Spread};
use crate::units::{ByteRate, Bytes, Rate, TimeSpan};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A stream of requests.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Flow {
    /// Its name; `load` where there is only one.
    pub name: Option<Placed<String>>,
    /// The service asked: `cart` at its first port, or `cart:8080`.
    pub to: Placed<String>,
    /// Whom clients call: `shop.example.com` or `shop.example.com:8080`; the service itself where it is not said. Behind a
    /// gateway or an Envoy bootstrap the port says which listener is asked.
    pub host: Option<Placed<String>>,
    /// Requests a second, sent whether or not earlier ones have been answered.
    pub rate: Option<Placed<Rate>>,
    /// A rate that changes.
    pub profile: Option<Placed<Profile>>,
    /// `64` (always open), `{up-to: 200}` (as many as are needed) or `each` (a new one for each request).
    pub connections: Option<Placed<Connections>>,
    /// `http1` where it is not said.
    pub protocol: Option<Placed<Protocol>>,
    /// Requests that one connection of HTTP/2 carries at once; 32 where it is not said.
    pub streams: Option<Placed<u32>>,
    /// Under TLS, and whom to trust.
    pub tls: Option<Placed<Tls>>,
    /// What is asked.
    pub request: Option<Request>,
    /// After this a request counts as timed out; 5 s where it is not said.
    pub time_out: Option<Placed<TimeSpan>>,
    /// Which answers are acceptable.
    pub accept: Option<Accept>,
    /// Each request that is due is a user, who takes these steps one after another and leaves when one fails.
    pub journey: Option<Placed<Journey>>,
    /// In the place of a rate: each connection asks again as soon as it has been answered. It shows how much can be served, never how
    /// late: no limit on a latency can be set on it.
    pub closed: Option<Placed<Closed>>,
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2: by prior knowledge, or agreed on in TLS.
    Http2,
    /// Unary calls of gRPC.
    Grpc,
}

/// TLS of a flow.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tls {
    /// Whom the certificate must name; the host where it is not said.
    pub server_name: Option<String>,
    /// PEM file with the certificates of authorities to trust; those of the system where it is not said.
    pub ca: Option<Placed<String>>,
    /// PEM file with a certificate chain of the client's own.
    pub cert: Option<Placed<String>>,
    /// PEM file with its key.
    pub key: Option<Placed<String>>,
    /// Trusts anybody.
    #[serde(default)]
    pub insecure: bool,
}

/// What is asked.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// `GET` where it is not said.
    pub method: Option<Placed<String>>,
    /// Path and query; `/` where it is not said.
    pub path: Option<Placed<String>>,
    /// Further fields: a text, or `{from-env: NAME}` for what must not stand in a file.
    #[serde(default)]
    pub headers: InOrder<Placed<HeaderValue>>,
    /// Size of the body, or what it is; nothing where it is not said.
    pub body: Option<Placed<Body>>,
    /// Bytes of it that are sent a second, from the first of its head on: a slow client, over HTTP/1.1; as fast as they go where it is not said.
    pub speed: Option<Placed<ByteRate>>,
    /// CSV file with a first line of names: requests take its rows in turn, and `${name}` in path, fields and body stands for a value.
    pub data: Option<Placed<String>>,
}

/// Which answers are acceptable.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Accept {
    /// Statuses, or ranges such as `200-399`, which are those where it is not said.
    pub status: Option<Vec<Placed<Statuses>>>,
    /// Statuses of gRPC, of calls; `[0]` where it is not said.
    pub grpc: Option<Vec<Placed<u16>>>,
    /// What the answer's body must hold.
    pub body_contains: Option<Placed<String>>,
    /// Values that the body must have as JSON, by their places: `{/status: ok}` (pointers of RFC 6901).
    #[serde(default)]
    pub json: InOrder<serde_json::Value>,
}

/// The body of a request.
#[derive(Debug, Clone)]
pub enum Body {
    /// So many bytes.
    Size(Distribution<Bytes>),
    /// This.
    Text(String),
    /// What a file holds.
    File(String),
}

/// A status, or a range of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statuses(pub u16, pub u16);

/// Connections of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    /// So many, always open.
    Fixed(u32),
    /// As many as are needed, at most so many.
    UpTo(u32),
    /// A new one for each request.
    Each,
}

/// The value of a field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// As written.
    Literal(String),
    /// The value of a variable of the environment.
    FromEnv(String),
}

impl<'de> Deserialize<'de> for Connections {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        struct UpTo {
            up_to: u32,
        }
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Connections;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("connections: a number such as `64`, `{up-to: 200}` or `each`")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Connections, E> {
                u32::try_from(number).map(Connections::Fixed).map_err(|_| E::custom("too many connections"))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Connections, E> {
                if text == "each" { Ok(Connections::Each) } else { Err(E::unknown_variant(text, &["each"])) }
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Connections, A::Error> {
                UpTo::deserialize(MapAccessDeserializer::new(map)).map(|UpTo { up_to }| Connections::UpTo(up_to))
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

impl JsonSchema for Connections {
    fn schema_name() -> Cow<'static, str> {
        "Connections".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"const": "each"},
                {
                    "type": "object",
                    "properties": {"up-to": {"type": "integer", "minimum": 1}},
                    "required": ["up-to"],
                    "additionalProperties": false
                }
            ],
            "examples": [64, {"up-to": 200}, "each"],
        })
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Content {
            Text(String),
            File(String),
        }
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Body;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size such as `1KB`, `{p50: 1KB, p99: 64KB}`, `{min: 1B, max: 1KB}`, `{text: hello}` or `{file: body.json}`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Body, E> {
                text.parse().map(|size| Body::Size(Distribution::Fixed(size))).map_err(E::custom)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Body, A::Error> {
                // Keys are looked at before any of them is read.
                let entries = serde_json::Map::deserialize(MapAccessDeserializer::new(map))?;
                if entries.contains_key("text") || entries.contains_key("file") {
                    let content = Content::deserialize(serde_json::Value::Object(entries)).map_err(A::Error::custom)?;
                    return Ok(match content {
                        Content::Text(text) => Body::Text(text),
                        Content::File(file) => Body::File(file),
                    });
                }
                let spread = Spread::deserialize(serde_json::Value::Object(entries)).map_err(A::Error::custom)?;
                Ok(Body::Size(Distribution::Spread(spread)))
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

impl JsonSchema for Body {
    fn schema_name() -> Cow<'static, str> {
        "Body".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let size = generator.subschema_for::<Distribution<Bytes>>();
        let content = |key: &str| {
            json_schema!({
                "type": "object",
                "properties": {key: {"type": "string"}},
                "required": [key],
                "additionalProperties": false
            })
        };
        let (text, file) = (content("text"), content("file"));
        json_schema!({"anyOf": [size, text, file], "examples": ["1KB", {"file": "body.json"}]})
    }
}

impl<'de> Deserialize<'de> for HeaderValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        struct FromEnv {
            from_env: String,
        }
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = HeaderValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or `{from-env: NAME}`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<HeaderValue, E> {
                Ok(HeaderValue::Literal(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HeaderValue, A::Error> {
                FromEnv::deserialize(MapAccessDeserializer::new(map))
                    .map(|FromEnv { from_env }| HeaderValue::FromEnv(from_env))
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

impl JsonSchema for HeaderValue {
    fn schema_name() -> Cow<'static, str> {
        "HeaderValue".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"from-env": {"type": "string"}},
                    "required": ["from-env"],
                    "additionalProperties": false
                }
            ],
            "examples": ["application/json", {"from-env": "TOKEN"}],
        })
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl Visitor<'_> for Shape {
            type Value = Statuses;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status such as `404`, or a range such as `200-399`")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Statuses, E> {
                let status = u16::try_from(number).ok().filter(|status| (100..600).contains(status));
                status.map(|status| Statuses(status, status)).ok_or_else(|| E::custom("a status is from 100 to 599"))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Statuses, E> {
                let bounds = text.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
                match bounds {
                    Some((from, to)) if 100 <= from && from <= to && to < 600 => Ok(Statuses(from, to)),
                    _ => Err(E::custom(format_args!("`{text}` is not a range of statuses such as `200-399`"))),
                }
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

impl JsonSchema for Statuses {
    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                {"type": "integer", "minimum": 100, "maximum": 599},
                {"type": "string", "pattern": "^[1-5][0-9]{2}-[1-5][0-9]{2}$"}
            ],
            "examples": [404, "200-399"],
        })
    }
}
