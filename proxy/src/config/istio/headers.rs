//! `headers` of routes and destinations.

use crate::policy::{HeaderOperations, HeaderRules};
use serde::Deserialize;
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
    set: BTreeMap<String, String>,
    #[serde(default)]
    add: BTreeMap<String, String>,
    #[serde(default)]
    remove: Vec<String>,
}

impl From<&WrittenHeaders> for HeaderRules {
    fn from(written: &WrittenHeaders) -> Self {
        Self { request: (&written.request).into(), response: (&written.response).into() }
    }
}

impl From<&Operations> for HeaderOperations {
    fn from(written: &Operations) -> Self {
        let pairs = |pairs: &BTreeMap<String, String>| pairs.iter().map(|(a, b)| (a.clone(), b.clone())).collect();
        Self { set: pairs(&written.set), add: pairs(&written.add), remove: written.remove.clone() }
    }
}
