//! Listeners: where connections come in, and which filter chain each of them meets.

use super::words::told;
use super::{DownstreamTls, HttpManager, Origin, TcpProxy};
use serde::{Serialize, Serializer};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A place where connections are taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Listener {
    /// Its name, unique in a configuration.
    pub name: String,
    /// Where it listens; port 0 lets the kernel choose.
    pub address: SocketAddr,
    /// On whose side of the traffic it stands.
    pub direction: Direction,
    /// Bytes buffered each way before the sender is held back.
    #[serde(serialize_with = "told::bytes")]
    pub connection_buffer: u32,
    /// How the first bytes are looked at before a chain is chosen.
    pub inspection: Inspection,
    /// The most specific that matches is used.
    pub chains: Vec<FilterChain>,
    /// Used if none matches; without it such a connection is closed.
    pub default_chain: Option<FilterChain>,
    /// From a connection's first byte to the end of its TLS handshake; 10 s. Envoy has none by default.
    #[serde(serialize_with = "told::time_or_none")]
    pub tls_handshake: Option<Duration>,
    /// Connections at once; one more is closed at once. None is as many as the process may have.
    pub max_connections: Option<u32>,
    /// Where it stands.
    #[serde(skip)]
    pub origin: Origin,
}

impl Listener {
    /// What a TLS handshake may take unless somebody says otherwise.
    pub const TLS_HANDSHAKE: Option<Duration> = Some(Duration::from_secs(10));
}

/// On whose side of the traffic a listener stands; decides defaults and who reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Of the caller: a sidecar's way out.
    Outbound,
    /// Of the service: a sidecar's way in.
    Inbound,
    /// Of strangers: an ingress gateway.
    Gateway,
    /// Unsaid, as in a bootstrap without `traffic_direction`.
    #[default]
    Unspecified,
}

/// What is found out of a connection before its chain is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Inspection {
    /// Look for a TLS client hello: server name and ALPN.
    pub tls: bool,
    /// Look for the first words of HTTP, where it is not TLS.
    pub http: bool,
    /// Expect a PROXY protocol header first.
    pub proxy_protocol: bool,
    /// How long that may take; none is without limit. 15 s by Envoy's default, none by Istio's.
    #[serde(serialize_with = "told::time_or_none")]
    pub timeout: Option<Duration>,
    /// Go on with what is known when the time is over, instead of closing.
    pub continue_on_timeout: bool,
}

impl Default for Inspection {
    /// Nothing is looked at.
    fn default() -> Self {
        Self {
            tls: false,
            http: false,
            proxy_protocol: false,
            timeout: Some(Duration::from_secs(15)),
            continue_on_timeout: false,
        }
    }
}

/// What becomes of connections that match.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FilterChain {
    /// Its name, possibly empty.
    pub name: String,
    /// Which connections.
    pub matches: ChainMatch,
    /// TLS is ended here; none leaves the bytes as they are.
    pub tls: Option<DownstreamTls>,
    /// Who serves them.
    pub handler: Handler,
    /// Where it stands.
    #[serde(skip)]
    pub origin: Origin,
}

/// Which connections a chain is for. An empty condition matches every connection; the most specific value wins, field by field in the
/// order in which they stand here, without going back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ChainMatch {
    /// Port that the client dialled.
    pub destination_port: Option<u16>,
    /// Address that the client dialled.
    pub destination_ranges: Vec<Cidr>,
    /// Server names: exact, or `*.suffix`; in lower case.
    pub server_names: Vec<String>,
    /// TLS or not.
    pub transport: Option<TransportProtocol>,
    /// ALPN, or what looking at plain bytes has found: `http/1.1`, `http/1.0`, `h2c`.
    pub application_protocols: Vec<String>,
    /// The client's address.
    pub source_ranges: Vec<Cidr>,
    /// The client's port.
    pub source_ports: Vec<u16>,
}

/// Whether a connection begins with TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransportProtocol {
    /// It does.
    Tls,
    /// It does not.
    RawBuffer,
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr {
    /// Its first bits count.
    pub address: IpAddr,
    /// How many.
    pub prefix: u8,
}

impl Cidr {
    /// True if `address` lies in it. IPv4 in IPv6 is IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(range), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32))).unwrap_or(0);
                u32::from(range) & mask == u32::from(address) & mask
            }
            (IpAddr::V6(range), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix.min(128))).unwrap_or(0);
                u128::from(range) & mask == u128::from(address) & mask
            }
            _ => false,
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Serialize for Cidr {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Who serves the connections of a chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handler {
    /// Requests.
    Http(Box<HttpManager>),
    /// Bytes.
    Tcp(TcpProxy),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_the_addresses_that_share_its_first_bits() {
        let range = |text: &str, prefix| Cidr { address: text.parse().unwrap(), prefix };
        for (range, address, inside) in [
            (range("10.0.0.0", 8), "10.200.0.1", true),
            (range("10.0.0.0", 8), "11.0.0.1", false),
            (range("0.0.0.0", 0), "11.0.0.1", true),
            (range("10.1.2.3", 32), "10.1.2.3", true),
            (range("10.1.2.3", 32), "10.1.2.4", false),
            (range("10.0.0.0", 8), "::ffff:10.0.0.1", true),
            (range("fe80::", 10), "febf::1", true),
            (range("::", 0), "fe80::1", true),
            (range("::", 0), "10.0.0.1", false),
        ] {
            assert_eq!(range.contains(address.parse().unwrap()), inside, "{address} in {range:?}");
        }
    }
}
