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
    listeners: BTreeMap<String, SocketAddr>,
}

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
            arguments,
            folder: setting.folder.clone(),
            environment: Vec::new(),
            log: setting.log(name),
            piped: true,
            survives: false,
            run: setting.run.to_owned(),
        })?;
        let mut process = noted.process;
        let Ready { admin, listeners } = process.ready()?;
        Ok(Self { process, admin, listeners })
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
