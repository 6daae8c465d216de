//! What a proxy is started with.

use crate::config::mesh::{IstioVersion, Mode, OutboundTraffic, ServedPort, Site};
use crate::policy::{self, Config, Healing, LogSink, Node};
use crate::serve::snapshot::{BuildError, Means};
use crate::telemetry::access_log::AccessLog;
use crate::telemetry::format::standard;
use squall_yaml::Finding;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// What a proxy is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Files and folders of policies: Istio, Kubernetes and Gateway API objects, or one Envoy bootstrap.
    pub policies: Vec<PathBuf>,
    /// File or folder of endpoints.
    pub endpoints: Option<PathBuf>,
    /// On whose side of the traffic it stands.
    pub mode: Mode,
    /// Ports that it serves, and where; port 0 lets the kernel choose. With a bootstrap, the first is that of its first listener.
    pub listen: Vec<Listen>,
    /// Where to answer questions; where the bootstrap says, else loopback on a port of the kernel's choice.
    pub admin: Option<SocketAddr>,
    /// Questions may come from elsewhere.
    pub admin_exposed: bool,
    /// Who this proxy is.
    pub node: Node,
    /// Whose behaviour is followed.
    pub istio: IstioVersion,
    /// What becomes of calls to hosts that nobody knows.
    pub unknown_hosts: OutboundTraffic,
    /// Healing taken out after every load.
    pub disarm: Vec<Healing>,
    /// Worker threads.
    pub concurrency: usize,
    /// A line a request.
    pub access_log: Option<PathBuf>,
    /// What such a line looks like.
    pub access_log_format: AccessLogFormat,
    /// One JSON line an ejection or readmission.
    pub event_log: Option<PathBuf>,
    /// Fields that may stay without effect.
    pub accept_unsupported: Vec<String>,
    /// Seed of balancing and back-off.
    pub seed: u64,
    /// Longest wait for requests under way when draining; 30 s.
    pub drain: Option<Duration>,
}

/// What a line of the log of all requests looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessLogFormat {
    /// Istio's JSON, and how many tries it took.
    #[default]
    Json,
    /// Istio's text.
    Text,
}

/// A port of services, and where it is served: `127.0.0.1:0`, `80=127.0.0.1:8080`, `redis:6379=127.0.0.1:6379`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen(pub ServedPort);

/// A place to listen that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place to listen: expected ADDRESS:PORT, SERVICE-PORT=ADDRESS:PORT or SERVICE:PORT=ADDRESS:PORT")]
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

/// Why a proxy did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Policies or endpoints are wrong; nothing listens.
    #[error("{} errors in policies and endpoints", .0.len())]
    Policies(Vec<Finding>),
    /// They are right in themselves, and name something that this machine does not have.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The admin interface would be reachable from elsewhere.
    #[error(
        "--admin {0} is not a loopback address: the admin interface shows and changes everything (--admin-exposed if that is meant)"
    )]
    AdminExposed(SocketAddr),
    /// An address could not be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A log could not be written, or a thread not be started.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Something that a configuration names and this machine does not have.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(String);

impl From<BuildError> for SetupError {
    fn from(error: BuildError) -> Self {
        Self(error.to_string())
    }
}

impl Options {
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

    /// Where questions are answered.
    pub(super) fn admin_address(&self, config: &Config) -> Result<SocketAddr, Error> {
        let address = self.admin.or(config.admin).unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
        if address.ip().is_loopback() || self.admin_exposed { Ok(address) } else { Err(Error::AdminExposed(address)) }
    }

    /// The log of all requests, if it was asked for: Istio's fields, and how many tries it took.
    pub(super) fn access_log(&self, means: &Means) -> io::Result<Option<AccessLog>> {
        let Some(path) = &self.access_log else { return Ok(None) };
        let attempts = [("attempts", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%")];
        let format = match self.access_log_format {
            AccessLogFormat::Json => standard::json(&[&standard::ISTIO_JSON[..], &attempts].concat()),
            AccessLogFormat::Text => standard::text(standard::ISTIO),
        };
        let format = format.map_err(io::Error::other)?;
        let policy = policy::AccessLog { to: LogSink::File(path.clone()), format };
        means.logs.log(&policy, &means.hostname).map(Some)
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
