//! Proxies of an arm: how one is started, and where it listens once it is ready.

use super::Setting;
use super::plan::ArmPlan;
use crate::process::{Launch, NotReady, Process, SpawnError};
use crate::scenario::resolved::MeshMode;
use serde::Deserialize;
use squall_proxy::policy::Beyond;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Why a proxy could not be started.
#[derive(Debug, thiserror::Error)]
pub(in crate::run) enum Error {
    /// It could not be forked.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// It did not say that it is ready.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// It does not listen where clients are to ask it.
    #[error("{name} has no listener `{listener}`")]
    NoListener {
        /// Its name.
        name: String,
        /// What was looked for.
        listener: String,
    },
}

/// Behind what a proxy is to listen for: on a port of the kernel's choice.
const ANYWHERE: &str = "=127.0.0.1:0";

/// The files that proxies read.
#[derive(Debug, Clone)]
pub(super) struct MeshFiles {
    /// The arm's own copies of the policies.
    pub(super) policies: PathBuf,
    /// Where instances are.
    pub(super) endpoints: PathBuf,
}

/// A proxy that is ready.
pub(super) struct Proxy {
    pub(super) process: Process,
    pub(super) admin: SocketAddr,
    /// Its process has been ended, and none has come in its place.
    pub(super) is_down: bool,
    listeners: BTreeMap<String, SocketAddr>,
    arguments: Vec<String>,
}

/// How long a proxy may take to drain.
pub(super) const GRACE: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct Ready {
    admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
}

impl Proxy {
    /// Starts one and waits until it is ready.
    pub(super) fn start(setting: &Setting<'_>, name: &str, arguments: Vec<String>) -> Result<Self, Error> {
        let noted = setting.spawn(&Launch {
            name: name.to_owned(),
            program: None,
            arguments: arguments.clone(),
            folder: setting.folder.clone(),
            environment: Vec::new(),
            log: setting.log(name),
            piped: true,
            survives: false,
            run: setting.run.to_owned(),
        })?;
        let mut process = noted.process;
        let Ready { admin, listeners } = process.ready()?;
        Ok(Self { process, admin, is_down: false, listeners, arguments })
    }

    /// Ends its process and starts another in its place, which listens where it did; where that does not start, there is none.
    pub(super) async fn start_again(&mut self, setting: &Setting<'_>) -> Result<(), Error> {
        self.is_down = true;
        self.process.stop(GRACE).await;
        let there = |argument: &String| match argument.strip_suffix(ANYWHERE).and_then(|listen| self.stands_for(listen))
        {
            Some((listen, at)) => format!("{listen}={at}"),
            None => argument.clone(),
        };
        *self = Self::start(setting, &self.process.name, self.arguments.iter().map(there).collect())?;
        Ok(())
    }

    /// Where the listener is bound that was asked for by `8080` or `cart:6379`: its name ends in the port.
    fn stands_for<'l>(&self, listen: &'l str) -> Option<(&'l str, SocketAddr)> {
        let (host, port) = listen.rsplit_once(':').unwrap_or(("", listen));
        let of_port = |name: &str| name.rsplit('_').next() == Some(port);
        let mut all = self.listeners.iter().filter(|(name, _)| of_port(name));
        let own = all.clone().find(|(name, _)| !host.is_empty() && name.starts_with(host));
        own.or_else(|| all.next()).map(|(_, at)| (listen, *at))
    }

    /// Where all listeners are bound, in the order of their names.
    pub(super) fn listeners(&self) -> impl Iterator<Item = &SocketAddr> {
        self.listeners.values()
    }

    /// Where a listener is bound.
    pub(super) fn at(&self, listener: &str) -> Result<SocketAddr, Error> {
        self.listeners
            .get(listener)
            .copied()
            .ok_or_else(|| Error::NoListener { name: self.process.name.clone(), listener: listener.to_owned() })
    }
}

/// What every proxy of an arm is told, wherever it is; of which files it reads apart.
pub(super) fn arguments(setting: &Setting<'_>, plan: &ArmPlan, name: &str, zone: Option<&str>) -> Vec<String> {
    let mut arguments: Vec<String> = ["proxy", "--concurrency", "1"].map(str::to_owned).to_vec();
    let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    option("--seed", setting.seed.child(name).to_string());
    option("--istio-version", setting.scenario.compat.to_string());
    if setting.scenario.beyond_envoy != Beyond::default() {
        option("--beyond-envoy", setting.scenario.beyond_envoy.to_string());
    }
    // A gateway's clients are strangers; those of all other proxies are workloads.
    if plan.mode(setting.scenario) != MeshMode::Gateway {
        option("--clients", "mesh".to_owned());
    }
    if setting.scenario.sweep.is_none() {
        let log = setting.log(&format!("{name} access")).with_extension("jsonl");
        option("--access-log", log.display().to_string());
    }
    if let Some(zone) = zone {
        // The region that nobody names, and the zone in it.
        option("--locality", format!("/{zone}"));
    }
    for field in &setting.scenario.accept_unsupported {
        option("--accept-unsupported", field.clone());
    }
    if !plan.without.is_empty() {
        option("--disarm", plan.without.iter().map(|healing| healing.word()).collect::<Vec<_>>().join(","));
    }
    arguments
}
