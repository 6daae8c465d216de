//! Where a request goes besides: copies of it, and what a consistent hash is made of.

use super::Fraction;
use std::time::Duration;

/// A copy of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Mirror {
    /// Where it goes; where there is no such cluster, nowhere.
    pub cluster: String,
    /// Of how many.
    pub share: Fraction,
    /// Its host says `-shadow`; Envoy's default, not Istio's any more.
    pub shadow_host: bool,
}

/// What a consistent hash is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct HashPolicy {
    /// What.
    pub of: HashOf,
    /// Nothing behind it counts if it gave something.
    pub terminal: bool,
}

/// What a consistent hash is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum HashOf {
    /// A field.
    Header(String),
    /// A cookie, made here where there is none and a lifetime is given; zero is for as long as the browser runs.
    Cookie {
        /// Its name.
        name: String,
        /// How long it lives.
        ttl: Option<Duration>,
        /// Its path.
        path: String,
        /// Further attributes.
        attributes: Vec<(String, String)>,
    },
    /// The client's address.
    SourceIp,
    /// The first value of a query parameter.
    Query(String),
}
