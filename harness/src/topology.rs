//! Plain handles on what a run has deployed.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Name of one instance of a service: `cart/1`, counted from 1; `web@v2/1` where the service has versions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceName {
    /// The service.
    pub service: String,
    /// Its version, unless it is the only one.
    pub version: Option<String>,
    /// Number within service and version, from 1.
    pub number: u32,
}

impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.service)?;
        if let Some(version) = &self.version {
            write!(f, "@{version}")?;
        }
        write!(f, "/{}", self.number)
    }
}

/// A text that is no instance's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no instance: expected service/1")]
pub struct BadInstanceName(String);

impl FromStr for InstanceName {
    type Err = BadInstanceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadInstanceName(text.to_owned());
        let (service, number) = text.rsplit_once('/').ok_or_else(bad)?;
        let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(bad)?;
        let (service, version) = match service.split_once('@') {
            Some((service, version)) => (service, Some(version.to_owned())),
            None => (service, None),
        };
        if service.is_empty() {
            return Err(bad());
        }
        Ok(Self { service: service.to_owned(), version, number })
    }
}

impl Serialize for InstanceName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InstanceName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One deployed instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its name.
    pub name: InstanceName,
    /// Where the process itself listens.
    pub address: SocketAddr,
    /// Where clients and proxies reach it: the relay in front of it, or the process itself where there is none.
    pub entry: SocketAddr,
    /// The ledger of its present generation; absent for programs that are not ours.
    pub ledger: Option<PathBuf>,
}
