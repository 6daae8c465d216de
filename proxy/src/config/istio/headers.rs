//! `headers` of routes and destinations.

use crate::policy::{HeaderOperations, HeaderRules};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenHeaders {
    #[serde(default)]
    request: Operations,
    #[serde(default)]
    response: Operations,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operations {
    #[serde(default)]
    set: BTreeMap<FieldName, FieldValue>,
    #[serde(default)]
    add: BTreeMap<FieldName, FieldValue>,
    #[serde(default)]
    remove: Vec<FieldName>,
}

/// A name that can be written: a token of HTTP, or `:authority`, which is the host.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FieldName(String);

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name == ":authority" || (!name.is_empty() && name.bytes().all(is_token)) {
            return Ok(Self(name));
        }
        Err(D::Error::custom(format!("`{name}` cannot be the name of a header")))
    }
}

/// A value that can be written: nothing in it ends the line.
#[derive(Debug)]
struct FieldValue(String);

impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = String::deserialize(deserializer)?;
        if value.chars().any(|letter| letter.is_control() && letter != '\t') {
            return Err(D::Error::custom("the value of a header holds no control characters"));
        }
        Ok(Self(value))
    }
}

impl From<&WrittenHeaders> for HeaderRules {
    fn from(written: &WrittenHeaders) -> Self {
        Self { request: (&written.request).into(), response: (&written.response).into() }
    }
}

impl From<&Operations> for HeaderOperations {
    fn from(written: &Operations) -> Self {
        let pairs = |pairs: &BTreeMap<FieldName, FieldValue>| {
            pairs.iter().map(|(name, value)| (name.0.clone(), value.0.clone())).collect()
        };
        let remove = written.remove.iter().map(|name| name.0.clone()).collect();
        Self { set: pairs(&written.set), add: pairs(&written.add), remove }
    }
}
