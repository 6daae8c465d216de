//! Where a request goes besides: copies of it, and what a consistent hash is made of.

use super::Fraction;
use super::words::told;
use serde::Serialize;
use std::time::Duration;

/// A copy of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Mirror {
    /// Where it goes; where there is no such cluster, nowhere.
    pub cluster: String,
    /// Of how many.
    pub share: Fraction,
    /// Its host says `-shadow`; Envoy's default, not Istio's any more.
    pub shadow_host: bool,
}

/// What a consistent hash is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HashPolicy {
    /// What.
    pub of: HashOf,
    /// Nothing behind it counts if it gave something.
    pub terminal: bool,
}

/// What a consistent hash is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum HashOf {
    /// A field.
    Header(String),
    /// A cookie, made here where there is none and a lifetime is given; zero is for as long as the browser runs.
    Cookie {
        /// Its name.
        name: String,
        /// How long it lives.
        #[serde(serialize_with = "told::time_or_none")]
        ttl: Option<Duration>,
        /// Its path.
        path: String,
        /// Further attributes.
        #[serde(serialize_with = "told::map")]
        attributes: Vec<(String, String)>,
    },
    /// The client's address.
    SourceIp,
    /// The first value of a query parameter.
    Query(String),
}
