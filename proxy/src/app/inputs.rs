//! What the configuration of a proxy is made of: files, and which proxy is meant.

use crate::config::mesh::{IstioVersion, Mode, OutboundTraffic, ServedPort, Site};
use crate::policy::{Beyond, Clients, Healing, Node, Setting};
use std::path::PathBuf;
use std::str::FromStr;

/// What the configuration of a proxy is made of.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// Files and folders of policies: Istio, Kubernetes and Gateway API objects, or one Envoy bootstrap.
    pub policies: Vec<PathBuf>,
    /// File or folder of endpoints.
    pub endpoints: Option<PathBuf>,
    /// On whose side of the traffic it stands.
    pub mode: Mode,
    /// Ports that it serves, and where; port 0 lets the kernel choose. With a bootstrap, where its listeners of these ports are bound instead;
    /// a port that none has moves its first listener.
    pub listen: Vec<Listen>,
    /// Who this proxy is.
    pub node: Node,
    /// Whose behaviour is followed.
    pub istio: IstioVersion,
    /// What becomes of calls to hosts that nobody knows.
    pub unknown_hosts: OutboundTraffic,
    /// Healing taken out after every load.
    pub disarm: Vec<Healing>,
    /// What goes beyond Envoy, switched on after every load.
    pub beyond_envoy: Beyond,
    /// Whose times hold where the configuration says none; with a bootstrap, its own.
    pub clients: Clients,
    /// Limits that were chosen.
    pub limits: Vec<Setting>,
    /// Fields that may stay without effect.
    pub accept_unsupported: Vec<String>,
}

/// A port of services, and where it is served: `127.0.0.1:0`, `80=127.0.0.1:8080`, `redis:6379=127.0.0.1:6379`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen(pub ServedPort);

/// A place to listen that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no place to listen: expected [[SERVICE:]PORT=]ADDRESS, as in 127.0.0.1:8080 or cart:9080=127.0.0.1:8080"
)]
pub struct BadListen(String);

impl FromStr for Listen {
    type Err = BadListen;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadListen(text.to_owned());
        let (served, bind) = text.split_once('=').map_or((None, text), |(served, bind)| (Some(served), bind));
        let bind = bind.parse().map_err(|_| bad())?;
        let (host, port) = match served.map(|served| served.rsplit_once(':').unwrap_or(("", served))) {
            None => (None, 80),
            Some((host, port)) => (Some(host), port.parse().map_err(|_| bad())?),
        };
        let host = host.filter(|host| !host.is_empty()).map(ToOwned::to_owned);
        Ok(Self(ServedPort { port, host, bind }))
    }
}

impl Inputs {
    /// A proxy on the side of callers that has nothing yet.
    #[cfg(test)]
    pub(crate) fn of_a_caller() -> Self {
        Self {
            policies: Vec::new(),
            endpoints: None,
            mode: Mode::Outbound,
            listen: Vec::new(),
            node: Node { namespace: "default".to_owned(), ..Node::default() },
            istio: IstioVersion::LATEST,
            unknown_hosts: OutboundTraffic::AllowAny,
            disarm: Vec::new(),
            beyond_envoy: Beyond::default(),
            clients: Clients::Mesh,
            limits: Vec::new(),
            accept_unsupported: Vec::new(),
        }
    }

    /// The proxy as a control plane sees it.
    pub(super) fn site(&self) -> Site {
        Site {
            mode: self.mode,
            node: self.node.clone(),
            version: self.istio,
            unknown_hosts: self.unknown_hosts,
            ports: self.listen.iter().map(|listen| listen.0.clone()).collect(),
            services: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_listen_may_say_which_port_and_service_it_stands_for() {
        let read =
            |text: &str| text.parse::<Listen>().map(|Listen(served)| (served.host, served.port, served.bind.port()));
        assert_eq!(read("127.0.0.1:8080"), Ok((None, 80, 8080)));
        assert_eq!(read("9080=127.0.0.1:0"), Ok((None, 9080, 0)));
        assert_eq!(read("redis:6379=127.0.0.1:1"), Ok((Some("redis".to_owned()), 6379, 1)));
        assert_eq!(read("80=[::1]:8080"), Ok((None, 80, 8080)));
        for bad in ["8080", "x=127.0.0.1:1", "127.0.0.1", "80=8080", ""] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
