//! The instances of an arm: started, killed, stopped, started again, probed.

use super::Setting;
use super::proxy;
use super::sidecar::Sidecar;
use crate::clock::{Nanos, now};
use crate::deploy::ready;
use crate::process::{Launch, Process, SpawnError, program_at};
use crate::scenario::resolved::{Latency, Program, Responds, Service, Version};
use crate::seed::Seed;
use crate::service::options;
use crate::topology::InstanceName;
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

/// How long a program of the user's may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take to connect to whoever runs already.
const REACH: Duration = Duration::from_secs(2);
/// How often it is asked.
const ASK: Duration = Duration::from_millis(20);

/// Why an instance could not be started.
#[derive(Debug, thiserror::Error)]
pub(in crate::run) enum Error {
    /// It could not be forked.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// It did not say that it is ready.
    #[error(transparent)]
    NotReady(#[from] crate::process::NotReady),
    /// A program of the user's did not become ready.
    #[error("{name} did not become ready (30 s are allowed): {why}; its log ends with:\n{log}")]
    Slow {
        /// Its name.
        name: String,
        /// What was seen last.
        why: String,
        /// The end of its log.
        log: String,
    },
    /// It is said to run already.
    #[error("{name} at {address} cannot be reached: {why}")]
    Unreachable {
        /// Its name.
        name: String,
        /// Where it was looked for.
        address: SocketAddr,
        /// What the system said.
        why: String,
    },
    /// The proxy beside it did not start.
    #[error(transparent)]
    Proxy(#[from] proxy::Error),
    /// The journal, a port or a folder.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

/// Why a process is not ready.
#[derive(Debug)]
pub(super) enum Unready {
    /// It has ended.
    Ended,
    /// It took too long: what was seen last.
    Slow(String),
    /// It is said to run already, and cannot be connected to.
    Unreachable(String),
}

/// One instance: a process after the other.
pub(super) struct Instance {
    pub(super) name: InstanceName,
    service: Service,
    version: Version,
    seed: Seed,
    /// Processes so far, the living one last.
    generation: u32,
    pub(super) process: Option<Process>,
    journal_id: u64,
    /// Where the process itself listens.
    pub(super) address: SocketAddr,
    /// The proxy beside it, which is started and killed with it.
    pub(super) sidecar: Option<Sidecar>,
    /// Ledgers of all generations.
    pub(super) ledgers: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Ready {
    listen: SocketAddr,
}

impl Instance {
    pub(super) fn new(name: InstanceName, service: &Service, version: &Version, seed: Seed) -> Self {
        Self {
            seed: seed.child(&name.to_string()),
            name,
            service: service.clone(),
            version: version.clone(),
            generation: 0,
            process: None,
            journal_id: 0,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            sidecar: None,
            ledgers: Vec::new(),
        }
    }

    /// Number of processes so far.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// The Deployment that says how it is supervised.
    pub(super) fn deployment(&self) -> Option<&squall_proxy::config::objects::Deployment> {
        self.service.deployment.as_ref()
    }

    /// The service that it is one of.
    pub(super) fn service(&self) -> &Service {
        &self.service
    }

    /// Where those come in who ask it, in the order of its service's ports: at the proxy beside it, or at the process itself.
    pub(super) fn entries(&self) -> Result<Vec<SocketAddr>, proxy::Error> {
        match &self.sidecar {
            Some(sidecar) => sidecar.entries(),
            None => Ok(vec![self.address; self.service.ports.len()]),
        }
    }

    /// Starts a process and waits until it is ready.
    pub(super) async fn start(&mut self, setting: &Setting<'_>) -> Result<(), Error> {
        self.launch(setting)?;
        let readiness = self.readiness().await;
        readiness.map_err(|cause| self.unready(cause))
    }

    /// Starts a process, and the proxy beside it. A test service is ready when this returns; for a program of the user's see [`Instance::readiness`].
    pub(super) fn launch(&mut self, setting: &Setting<'_>) -> Result<(), Error> {
        if let Program::Running { at } = &self.service.program {
            self.address = at.get(self.name.number.saturating_sub(1) as usize).copied().unwrap_or(self.address);
            return self.launch_sidecar(setting);
        }
        let file = format!("{}-{}", self.name.to_string().replace('/', "-"), self.generation);
        self.generation += 1;
        let (program, arguments, environment, folder) = self.command(setting, &file)?;
        let own = program.is_none();
        let noted = setting.spawn(&Launch {
            name: self.name.to_string(),
            program,
            arguments,
            folder,
            environment,
            log: setting.folder.join("logs").join(format!("{file}.log")),
            piped: own,
            survives: false,
            run: setting.run.to_owned(),
        })?;
        let (mut process, journal_id) = (noted.process, noted.journal_id);
        self.journal_id = journal_id;
        if own {
            let ready: Ready = process.ready()?;
            self.address = ready.listen;
        }
        self.process = Some(process);
        self.launch_sidecar(setting)
    }

    /// Starts the proxy beside it, if there is to be one.
    pub(super) fn launch_sidecar(&mut self, setting: &Setting<'_>) -> Result<(), Error> {
        if let Some(sidecar) = &mut self.sidecar {
            sidecar.launch(setting, self.address)?;
        }
        Ok(())
    }

    #[allow(clippy::type_complexity)]
    fn command(
        &mut self,
        setting: &Setting<'_>,
        file: &str,
    ) -> Result<(Option<PathBuf>, Vec<String>, Vec<(String, String)>, PathBuf), Error> {
        match &self.service.program {
            // Nobody starts what runs already.
            Program::Running { .. } => Err(std::io::Error::from(std::io::ErrorKind::Unsupported).into()),
            Program::TestService => {
                let ledger = setting.folder.join("ledgers").join(file);
                self.ledgers.push(ledger.clone());
                let responds =
                    serde_json::to_string(&responds(&self.version.responds)).map_err(std::io::Error::from)?;
                let arguments = [
                    "service",
                    "--port",
                    "0",
                    "--name",
                    &self.name.to_string(),
                    "--responds",
                    &responds,
                    "--ledger",
                    &ledger.display().to_string(),
                    "--seed",
                    &self.seed.to_string(),
                ];
                Ok((None, arguments.map(str::to_owned).to_vec(), Vec::new(), setting.folder.clone()))
            }
            Program::Own { run, folder, env, .. } => {
                // A port that was free a moment ago; the first process keeps it for those that follow.
                if self.address.port() == 0 {
                    self.address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
                }
                let port = self.address.port().to_string();
                let mut words = run.iter().map(|word| word.replace("{port}", &port));
                let program = program_at(&words.next().unwrap_or_default(), folder);
                Ok((Some(program), words.collect(), env.clone(), folder.clone()))
            }
        }
    }

    /// Returns once the present process serves, or will not. It borrows nothing, so that an arm can go on meanwhile.
    pub(super) fn readiness(&self) -> impl Future<Output = Result<(), Unready>> + 'static {
        let address = self.address;
        let running = self.service.is_running();
        let path = match &self.service.program {
            Program::Own { ready, .. } => Some(ready.clone()),
            Program::TestService | Program::Running { .. } => None,
        };
        let gone = self.process.as_ref().map(Process::watcher);
        async move {
            if running {
                return reached(address).await;
            }
            let (Some(path), Some(gone)) = (path, gone) else { return Ok(()) };
            tokio::select! {
                () = gone => Err(Unready::Ended),
                ready = until_served(address, path.as_deref()) => ready,
            }
        }
    }

    /// What there is to say of a process that did not become ready.
    pub(super) fn unready(&self, cause: Unready) -> Error {
        let process = self.process.as_ref();
        let why = match cause {
            Unready::Slow(why) => why,
            Unready::Unreachable(why) => {
                return Error::Unreachable { name: self.name.to_string(), address: self.address, why };
            }
            Unready::Ended => {
                let how = process.and_then(Process::how_it_ended);
                format!("it ended with {}", how.unwrap_or_else(|| "a kill".to_owned()))
            }
        };
        Error::Slow { name: self.name.to_string(), why, log: process.map(Process::tail).unwrap_or_default() }
    }

    /// Kills the process, and the proxy beside it, and waits until they are gone; gives when that was seen.
    pub(super) async fn kill(&mut self, setting: &Setting<'_>) -> Nanos {
        let process = self.process.take();
        // Both at once: neither is to see the other go.
        process.iter().for_each(Process::kill);
        if let Some(sidecar) = &mut self.sidecar {
            sidecar.kill().await;
        }
        if let Some(process) = process {
            process.ended().await;
            setting.gone(self.journal_id);
        }
        now()
    }

    /// Tells the process to end. The proxy beside it goes when it has gone.
    pub(super) fn terminate(&self) {
        self.process.iter().for_each(Process::terminate);
    }

    /// Stops the process and the proxy beside it, and waits until the kernel says so.
    pub(super) async fn pause(&self) -> Nanos {
        for process in self.processes() {
            process.pause().await;
        }
        now()
    }

    /// Lets them go on.
    pub(super) fn resume(&self) {
        self.processes().for_each(Process::resume);
    }

    /// Its process, and that of the proxy beside it.
    pub(super) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.process.iter().chain(self.sidecar.as_ref().and_then(Sidecar::process))
    }
}

/// Whoever runs already is there at once, or not at all.
async fn reached(address: SocketAddr) -> Result<(), Unready> {
    let connected = tokio::time::timeout(REACH, tokio::net::TcpStream::connect(address)).await;
    match connected {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Unready::Unreachable(error.to_string())),
        Err(_) => Err(Unready::Unreachable(format!("no connection within {} s", REACH.as_secs()))),
    }
}

/// Asks until somebody answers well.
async fn until_served(address: SocketAddr, path: Option<&str>) -> Result<(), Unready> {
    let begin = now();
    let mut why = "no connection is accepted".to_owned();
    while now().since(begin) < PATIENCE {
        match path {
            Some(path) => match ready::get(address, path, Duration::from_secs(1)).await {
                Ok((200..=399, _)) => return Ok(()),
                Ok((status, _)) => why = format!("{path} answers {status}"),
                Err(error) => why = format!("{path}: {error}"),
            },
            None if ready::connects(address, Duration::from_secs(1)).await => return Ok(()),
            None => {}
        }
        tokio::time::sleep(ASK).await;
    }
    Err(Unready::Slow(why))
}

fn responds(resolved: &Responds) -> options::Responds {
    options::Responds {
        latency: match resolved.latency {
            Latency::Fixed(fixed) => options::Latency::Fixed(fixed),
            Latency::Lognormal { p50, p99 } => options::Latency::Lognormal { p50, p99 },
            Latency::Uniform { min, max } => options::Latency::Uniform { min, max },
        },
        body_bytes: resolved.body.0,
        errors_percent: resolved.errors.0,
        cpu: resolved.cpu,
        limit: resolved.limit,
    }
}
