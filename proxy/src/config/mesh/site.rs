//! The proxy that a configuration is made for: where it stands, and what it serves.

use super::IstioVersion;
use crate::policy::Node;
use std::net::SocketAddr;

/// A proxy, as far as a control plane must know it.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// On whose side it stands.
    pub mode: Mode,
    /// Who it is: its namespace, labels and place decide what it sees.
    pub node: Node,
    /// Whose behaviour is followed.
    pub version: IstioVersion,
    /// What becomes of calls to hosts that nobody knows.
    pub unknown_hosts: OutboundTraffic,
    /// What it listens to. A gateway listens to what its `Gateway` objects say; a port that stands here is bound where it says here.
    pub ports: Vec<ServedPort>,
    /// Hosts of services known besides the objects, as `cart` or `cart.shop.svc.cluster.local`: HTTP at port 80, and
    /// the ports that policies name.
    pub services: Vec<String>,
}

/// On whose side of the traffic a proxy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The caller's: a sidecar's way out.
    Outbound,
    /// The service's: a sidecar's way in.
    Inbound {
        /// Where the application listens.
        app: SocketAddr,
    },
    /// Where strangers come in.
    Gateway,
}

/// What becomes of calls to hosts that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutboundTraffic {
    /// They go where the caller was going; Istio's default.
    #[default]
    AllowAny,
    /// 502, and no bytes.
    RegistryOnly,
}

/// A port that a proxy serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedPort {
    /// The service's port, whatever port is bound for it.
    pub port: u16,
    /// The one service that is meant, where requests do not say it: bytes, and protocols found out from the first of them. A service's
    /// sidecar stands for it.
    pub host: Option<String>,
    /// Where it listens; port 0 lets the kernel choose.
    pub bind: SocketAddr,
}

impl Site {
    /// A caller's sidecar that serves these ports, as `default`'s only workload.
    pub fn outbound(ports: Vec<ServedPort>) -> Self {
        Self {
            mode: Mode::Outbound,
            node: Node { namespace: "default".to_owned(), ..Node::default() },
            version: IstioVersion::LATEST,
            unknown_hosts: OutboundTraffic::AllowAny,
            ports,
            services: Vec::new(),
        }
    }

    /// The namespace of its workload.
    pub(super) fn namespace(&self) -> &str {
        super::host::namespace(&self.node.namespace)
    }
}
