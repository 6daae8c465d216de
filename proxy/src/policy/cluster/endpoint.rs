//! Endpoints, and where they are.

use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Endpoints of one place and priority.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Locality {
    /// Region, zone and sub-zone, each possibly empty.
    pub place: Place,
    /// 0 is used first.
    pub priority: u32,
    /// Its share, where load is dealt by localities; none is nothing then.
    pub weight: Option<u32>,
    /// Endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// Where something runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Place {
    /// Region.
    pub region: String,
    /// Zone.
    pub zone: String,
    /// Sub-zone.
    pub sub_zone: String,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Endpoint {
    /// Where it listens.
    pub address: Address,
    /// Its name, for hosts that are rewritten.
    pub hostname: String,
    /// Its share; 1 by default.
    pub weight: u32,
    /// What discovery says of it.
    pub health: EndpointHealth,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The port that checks ask, where it is another.
    pub check_port: Option<u16>,
    /// The host that checks name, where it is another.
    pub check_hostname: String,
}

impl Endpoint {
    /// One that nothing but its address is known of.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address: Address::Socket(address),
            hostname: String::new(),
            weight: 1,
            health: EndpointHealth::Healthy,
            labels: BTreeMap::new(),
            check_port: None,
            check_hostname: String::new(),
        }
    }
}

/// Where an endpoint listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// At a port.
    Socket(SocketAddr),
    /// At a port of a host whose name must be looked up.
    Name(String, u16),
    /// At a socket of the file system.
    Pipe(PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Name(host, port) => write!(f, "{host}:{port}"),
            Self::Pipe(path) => path.display().fmt(f),
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// What discovery says of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointHealth {
    /// It may be used.
    #[default]
    Healthy,
    /// It counts, and gets nothing.
    Unhealthy,
    /// It gets what healthy ones cannot take.
    Degraded,
    /// It finishes what it has and gets nothing new.
    Draining,
}
