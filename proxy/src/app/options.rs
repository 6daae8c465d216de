//! What a proxy is started with.

use super::Inputs;
use crate::policy::{self, Config, LogSink};
use crate::serve::snapshot::{BuildError, Telemetry};
use crate::telemetry::access_log::AccessLog;
use crate::telemetry::format::standard;
use squall_yaml::Finding;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// What a proxy is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// What its configuration is made of.
    pub inputs: Inputs,
    /// Where to answer questions; where the bootstrap says, else loopback on a port of the kernel's choice.
    pub admin: Option<SocketAddr>,
    /// Questions may come from elsewhere.
    pub admin_exposed: bool,
    /// Worker threads.
    pub concurrency: usize,
    /// A line a request.
    pub access_log: Option<PathBuf>,
    /// What such a line looks like.
    pub access_log_format: AccessLogFormat,
    /// One JSON line an ejection or readmission.
    pub event_log: Option<PathBuf>,
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

/// What is said of an admin interface that others reach.
pub(super) fn exposed(address: SocketAddr) -> String {
    format!(
        "the admin interface at {address} shows and changes everything, and whoever reaches that address may ask (--admin-exposed)"
    )
}

impl Options {
    /// Where questions are answered.
    pub(super) fn admin_address(&self, config: &Config) -> Result<SocketAddr, Error> {
        let address = self.admin.or(config.admin).unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
        if address.ip().is_loopback() || self.admin_exposed { Ok(address) } else { Err(Error::AdminExposed(address)) }
    }

    /// The log of all requests, if it was asked for: Istio's fields, and how many tries it took.
    pub(super) fn access_log(&self, telemetry: &Telemetry) -> io::Result<Option<AccessLog>> {
        let Some(path) = &self.access_log else { return Ok(None) };
        let attempts = [("attempts", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%")];
        let format = match self.access_log_format {
            AccessLogFormat::Json => standard::json(&[&standard::ISTIO_JSON[..], &attempts].concat()),
            AccessLogFormat::Text => standard::text(standard::ISTIO),
        };
        let format = format.map_err(io::Error::other)?;
        let policy = policy::AccessLog { to: LogSink::File(path.clone()), format };
        telemetry.logs.log(&policy, &telemetry.hostname).map(Some)
    }
}
