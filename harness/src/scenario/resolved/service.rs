//! The services, and what their instances run.

use super::Port;
use crate::units::{Bytes, Percent};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A service of the topology.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name; also its host.
    pub name: String,
    /// Ports that policies know it by, at least one; the first is meant where none is named.
    pub ports: Vec<Port>,
    /// Its ports stand in no policy, so that the mesh has to be told of them.
    pub undeclared: bool,
    /// Its versions; one without a name where the file has none. The first is the one that gets traffic unless a policy says otherwise.
    pub versions: Vec<Version>,
    /// Zones, dealt out to the instances of each version in turn; none where the file has none.
    pub zones: Vec<String>,
    /// What each instance runs.
    pub program: Program,
    /// Restart and probe rules, from a Deployment's manifest or `health:`.
    pub deployment: Option<squall_proxy::config::objects::Deployment>,
}

impl Service {
    /// No port of it is read as HTTP.
    pub fn is_tcp(&self) -> bool {
        self.ports.iter().all(|port| port.tcp)
    }

    /// It runs already, and is not ours to start or to end.
    pub fn is_running(&self) -> bool {
        matches!(self.program, Program::Running { .. })
    }

    /// The zone of the instance with this number, counted from 1.
    pub fn zone(&self, number: u32) -> Option<&str> {
        let at = (number.max(1) as usize - 1).checked_rem(self.zones.len())?;
        self.zones.get(at).map(String::as_str)
    }
}

/// One version of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// `v2`; absent where the service has none. Becomes the label `version`.
    pub name: Option<String>,
    /// How many.
    pub instances: u32,
    /// How each answers; ignored by programs that are not ours.
    pub responds: Responds,
}

/// What an instance runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Program {
    /// The built-in test service.
    TestService,
    /// Nothing: it runs already, an instance at each of these.
    Running {
        /// In the order of the instances.
        at: Vec<SocketAddr>,
    },
    /// A program of the user's; `{port}` in an argument becomes its port.
    Own {
        /// Program and arguments.
        run: Vec<String>,
        /// Folder to run in: the scenario's.
        folder: PathBuf,
        /// Further environment.
        env: Vec<(String, String)>,
        /// Path that answers 200 to 399 once it is ready; otherwise ready means that it accepts connections.
        ready: Option<String>,
    },
}

/// How a test service answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Responds {
    /// Time until the answer.
    pub latency: Latency,
    /// Size of the body.
    pub body: Bytes,
    /// Share of answers that are status 500.
    pub errors: Percent,
    /// Processor time burnt by each request.
    pub cpu: Duration,
    /// Requests served at once; others wait.
    pub limit: Option<u32>,
}

/// A distribution of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Latency {
    /// Always the same.
    Fixed(Duration),
    /// Lognormal through these two.
    Lognormal {
        /// Median.
        p50: Duration,
        /// 99th percentile.
        p99: Duration,
    },
    /// Uniform.
    Uniform {
        /// Least.
        min: Duration,
        /// Most.
        max: Duration,
    },
}
