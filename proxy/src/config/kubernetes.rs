//! Kubernetes objects.

mod deployment;
mod endpoint_slice;
mod probe;
mod service;

pub(super) use deployment::deployment;
pub(super) use endpoint_slice::endpoint_slice;
pub(super) use service::service;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

/// A field that says where and how a cluster runs something, and nothing about traffic or healing. It is named, so that one misspelt is told.
#[derive(Debug)]
struct OfCluster;

impl<'de> Deserialize<'de> for OfCluster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}
