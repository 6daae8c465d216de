//! How endpoints are found.

use crate::policy::words::told;
use serde::Serialize;
use std::time::Duration;

/// How endpoints are found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Discovery {
    /// They are listed.
    Static,
    /// Every address of every name.
    StrictDns(Dns),
    /// The first address of the one name, for each new connection.
    LogicalDns(Dns),
    /// Where the client was going.
    OriginalDestination,
}

/// How names are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dns {
    /// Between two lookups; 5 s by Envoy's default, 60 s by Istio's.
    #[serde(serialize_with = "told::time")]
    pub refresh: Duration,
    /// Between two lookups while they fail.
    #[serde(serialize_with = "told::time")]
    pub failure_refresh: Duration,
    /// Which addresses.
    pub family: AddressFamily,
}

impl Default for Dns {
    fn default() -> Self {
        let refresh = Duration::from_secs(5);
        Self { refresh, failure_refresh: refresh, family: AddressFamily::Auto }
    }
}

/// Which addresses of a name are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressFamily {
    /// IPv6, and IPv4 if there is none.
    Auto,
    /// IPv4.
    V4Only,
    /// IPv6.
    V6Only,
    /// IPv4, and IPv6 if there is none.
    V4Preferred,
    /// Both.
    All,
}
