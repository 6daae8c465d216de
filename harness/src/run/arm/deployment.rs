//! Everything of one arm that runs: instances, relays, proxies, load worker. Whoever drops it ends it.

mod generators;
mod limits;
mod listing;
mod pipes;
mod pushes;
mod road;

use super::Setting;
use super::instances::{self, Instance, Unready};
use super::plan::ArmPlan;
use super::proxy::{self, GRACE, MeshFiles, Proxy};
use crate::clock::{Nanos, now};
use crate::control::relays::{RelayError, Relays};
use crate::deploy::mesh::{self, Endpoint};
use crate::deploy::ready;
use crate::load::wire::{Frame, Plan, Tells};
use crate::process::proc::{self, Usage};
use crate::process::{Launch, NotReady, Process, SpawnError};
use crate::scenario::resolved::{Flow, Phase};
use crate::shim::wire::Report;
use crate::topology::InstanceName;
use crate::units::Percent;
use generators::Generators;
use limits::Limited;
use listing::Lie;
pub(super) use pushes::Answer;
use squall_proxy::config::{self, LoadOptions};
use squall_yaml::Finding;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How long the proxy may take to load what was written.
const LOADING: Duration = Duration::from_secs(5);

/// Why an arm could not be deployed.
#[derive(Debug, thiserror::Error)]
pub(in crate::run) enum Error {
    /// A process could not be forked.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// A process did not become ready.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// A proxy did not start.
    #[error(transparent)]
    Proxy(#[from] proxy::Error),
    /// The relays did not do what they were told.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// An instance did not start.
    #[error(transparent)]
    Instance(#[from] instances::Error),
    /// The proxy does not load what was written for it.
    #[error("the proxy has not loaded its policies within {} s", LOADING.as_secs())]
    NotLoaded,
    /// A file, a pipe.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Something that arrives from one of the processes.
#[derive(Debug)]
pub(super) enum Input {
    /// The load worker.
    Frame(Frame),
    /// The relays; acknowledgements have gone to whoever waited for them.
    Report(Report),
    /// A process that must live has ended.
    Died(String),
    /// A process of the proxy that clients ask has ended.
    ProxyEnded(u32),
    /// An instance's process has ended.
    Ended(usize, u32),
    /// The proxy beside an instance has ended.
    SidecarEnded(usize, u32),
    /// A process that was started in an instance's place is ready, or will not be.
    Started(usize, u32, Result<(), Unready>),
    /// A probe of an instance has passed or failed.
    Probed(usize, u32, crate::control::supervisor::Kind, bool),
    /// A condition holds under which the run is cut short: why.
    Alarm(String),
    /// The proxy has loaded a step of the release with this number, and the share that it gives.
    Loaded(usize, Percent, Result<(), Error>),
    /// The proxies have heard what they are told of the instance of a fault with this index; true if the fault ends by it.
    Told(usize, bool, Result<(), Error>),
    /// What the proxies have made of what the phase with this index applies.
    Answered(usize, Result<Answer, Error>),
}

/// A deployed arm.
pub(super) struct Deployment {
    pub(super) instances: Vec<Instance>,
    pub(super) relays: Option<Relays>,
    /// There are relays between instances and the proxies beside them, numbered on from those in front.
    has_hooks: bool,
    pub(super) inputs: UnboundedReceiver<Input>,
    pub(super) sender: UnboundedSender<Input>,
    pub(super) files: MeshFiles,
    pub(super) event_log: PathBuf,
    pub(super) bare_timer_p99: u64,
    pub(super) plans: Vec<crate::load::wire::FlowPlan>,
    pub(super) endpoints: Vec<Endpoint>,
    /// What proxies are told of an instance in the place of the truth.
    lies: BTreeMap<usize, Lie>,
    limited: Vec<Limited>,
    generators: Generators,
    shim: Option<Process>,
    /// The one that clients ask.
    proxy: Option<Proxy>,
}

impl Deployment {
    /// Starts everything; returns when all have said that they are ready.
    pub(super) async fn start(setting: &Setting<'_>, plan: &ArmPlan, phases: &[Phase]) -> Result<Self, Error> {
        for folder in ["logs", "ledgers", "mesh"] {
            std::fs::create_dir_all(setting.folder.join(folder))?;
        }
        let (sender, inputs) = unbounded_channel();
        let mut instances = Vec::new();
        for service in &setting.scenario.services {
            for version in &service.versions {
                for number in 1..=version.instances {
                    let name = InstanceName { service: service.name.clone(), version: version.name.clone(), number };
                    let mut instance = Instance::new(name, service, version, setting.seed);
                    instance.start(setting).await?;
                    instances.push(instance);
                }
            }
        }
        let relayed = road::relays(setting, plan, &instances, &sender)?;
        let files = MeshFiles {
            policies: setting.folder.join("mesh/policies"),
            endpoints: setting.folder.join("mesh/endpoints.yaml"),
        };
        road::write_policies(setting, plan, &files.policies)?;
        // Services are known by their endpoints, be they where nobody is yet.
        mesh::write_endpoints(&files.endpoints, &road::endpoints(&instances, relayed.as_ref())?)?;
        road::sidecars(setting, plan, &files, &mut instances, relayed.as_ref()).await?;
        let endpoints = road::endpoints(&instances, relayed.as_ref())?;
        mesh::write_endpoints(&files.endpoints, &endpoints)?;
        let event_log = setting.folder.join("logs/proxy-events.jsonl");
        let entrance = plan.entrance(setting.scenario);
        let proxy = entrance.map(|entrance| road::entrance(setting, plan, &files, entrance, &event_log)).transpose()?;
        let mut plans = Vec::new();
        for (number, flow) in setting.scenario.flows.iter().enumerate() {
            let to = match (&proxy, entrance.and_then(|entrance| entrance.asked.get(number))) {
                (Some(proxy), Some(listener)) => vec![proxy.at(listener)?],
                _ => direct(setting, &endpoints, flow),
            };
            plans.push(plan.flow(flow, phases, to));
        }
        let tells = if relayed.is_some() { Tells::Samples } else { Tells::Sums(edges(phases)) };
        let asked = Plan {
            flows: plans,
            instances: instances.iter().map(|instance| instance.name.to_string()).collect(),
            seed: setting.load_seed(),
            tells,
        };
        let (generators, ready) = Generators::start(setting, &asked, &sender).await?;
        let has_hooks = relayed.as_ref().is_some_and(|relayed| !relayed.behind.is_empty());
        let (shim, relays) = relayed.map(|relayed| (relayed.shim, relayed.relays)).unzip();
        let deployment = Self {
            instances,
            relays,
            has_hooks,
            inputs,
            sender,
            files,
            event_log,
            bare_timer_p99: ready.bare_timer_p99,
            plans: asked.flows,
            endpoints,
            lies: BTreeMap::new(),
            limited: Vec::new(),
            generators,
            shim,
            proxy,
        };
        deployment.watch();
        Ok(deployment)
    }

    /// Tells of processes that end although they must not.
    fn watch(&self) {
        if let Some(shim) = &self.shim {
            let (sender, name, watcher) = (self.sender.clone(), shim.name.clone(), shim.watcher());
            tokio::task::spawn_local(async move {
                watcher.await;
                let _ = sender.send(Input::Died(name));
            });
        }
        self.watch_proxy();
        (0..self.instances.len()).for_each(|instance| self.watch_instance(instance));
    }

    /// Tells when the present process of the proxy ends that clients ask.
    fn watch_proxy(&self) {
        let Some(process) = self.proxy.as_ref().map(|proxy| &proxy.process) else { return };
        let (sender, pid, watcher) = (self.sender.clone(), process.pid, process.watcher());
        tokio::task::spawn_local(async move {
            watcher.await;
            let _ = sender.send(Input::ProxyEnded(pid));
        });
    }

    /// The process of the proxy that clients ask, if it is this one and ought to live.
    pub(super) fn proxy(&self, pid: u32) -> Option<&Process> {
        self.living_proxy().map(|proxy| &proxy.process).filter(|process| process.pid == pid)
    }

    /// The proxy that clients ask, unless its process was ended and none has come in its place.
    fn living_proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|proxy| !proxy.is_down)
    }

    /// Tells when the present process of an instance ends.
    pub(super) fn watch_instance(&self, index: usize) {
        let instance = &self.instances[index];
        if let Some(process) = &instance.process {
            let (sender, generation, watcher) = (self.sender.clone(), instance.generation(), process.watcher());
            tokio::task::spawn_local(async move {
                watcher.await;
                let _ = sender.send(Input::Ended(index, generation));
            });
        }
        self.watch_sidecar(index);
    }

    /// Tells when the present process of the proxy beside an instance ends.
    pub(super) fn watch_sidecar(&self, index: usize) {
        let Some(sidecar) = &self.instances[index].sidecar else { return };
        let Some(process) = sidecar.process() else { return };
        let (sender, generation, watcher) = (self.sender.clone(), sidecar.generation(), process.watcher());
        tokio::task::spawn_local(async move {
            watcher.await;
            let _ = sender.send(Input::SidecarEnded(index, generation));
        });
    }

    /// Nobody is behind an instance's relays any more: connections are refused.
    pub(super) async fn refuse(&self, index: usize) -> Result<(), RelayError> {
        let Some(relays) = &self.relays else { return Ok(()) };
        relays.down(index).await?;
        if let Some(hook) = self.hook(index) {
            relays.down(hook).await?;
        }
        Ok(())
    }

    /// The instance is there again, perhaps elsewhere.
    pub(super) async fn admit(&self, index: usize) -> Result<(), Error> {
        let Some(relays) = &self.relays else { return Ok(()) };
        let instance = &self.instances[index];
        if let Some(hook) = self.hook(index) {
            relays.up(hook, vec![instance.address]).await?;
        }
        relays.up(index, instance.entries()?).await?;
        Ok(())
    }

    /// Number of the relay between an instance and the proxy beside it.
    pub(super) fn hook(&self, index: usize) -> Option<usize> {
        self.has_hooks.then_some(self.instances.len() + index)
    }

    /// Starts a fresh process in the place of one that is gone; [`Input::Started`] tells how that ended.
    pub(super) fn start_again(&mut self, setting: &Setting<'_>, index: usize) -> Result<(), instances::Error> {
        let instance = &mut self.instances[index];
        instance.launch(setting)?;
        let (sender, generation, readiness) = (self.sender.clone(), instance.generation(), instance.readiness());
        tokio::task::spawn_local(async move {
            let _ = sender.send(Input::Started(index, generation, readiness.await));
        });
        Ok(())
    }

    /// Lets the load begin.
    pub(super) fn go(&mut self, at: Nanos) -> Result<(), Error> {
        Ok(self.generators.go(at)?)
    }

    /// One of those who ask is done; true once all are.
    pub(super) fn load_done(&mut self) -> bool {
        self.generators.done()
    }

    /// Ends the load; requests that are open are cut.
    pub(super) fn stop_load(&mut self) {
        self.generators.stop();
    }

    pub(super) fn index(&self, name: &InstanceName) -> Option<usize> {
        self.instances.iter().position(|instance| instance.name == *name)
    }

    /// Returns once the proxy's own word names the state of the files, as they are by then. It borrows nothing, so that an arm can go on meanwhile.
    fn loaded(&self, setting: &Setting<'_>) -> impl Future<Output = Result<(), Error>> + 'static {
        let (files, options) = (self.files.clone(), reading(setting));
        let admin = self.living_proxy().map(|proxy| proxy.admin);
        async move {
            let Some(admin) = admin else { return Ok(()) };
            let begin = now();
            while now().since(begin) < LOADING {
                if let Ok((200, body)) = ready::get(admin, "/config_dump", Duration::from_secs(1)).await
                    && let Ok(wanted) = files.version(&options)
                    && serde_json::from_slice::<serde_json::Value>(&body).is_ok_and(|dump| dump["version"] == *wanted)
                {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(Error::NotLoaded)
        }
    }

    /// Tells, by this input, once the proxy has loaded the files.
    pub(super) fn tell_when_loaded(
        &self,
        setting: &Setting<'_>,
        told: impl FnOnce(Result<(), Error>) -> Input + 'static,
    ) {
        let (loaded, sender) = (self.loaded(setting), self.sender.clone());
        tokio::task::spawn_local(async move {
            let _ = sender.send(told(loaded.await));
        });
    }

    /// What every process has taken so far.
    pub(super) fn usage(&self) -> Vec<(String, Usage)> {
        let fixed = [self.shim.as_ref(), self.living_proxy().map(|proxy| &proxy.process)];
        let instances = self.instances.iter().flat_map(Instance::processes);
        let all = self.generators.processes().chain(fixed.into_iter().flatten()).chain(instances);
        all.filter_map(|process| Some((process.name.clone(), proc::usage(process.pid)?))).collect()
    }

    /// Where everything listens, for people.
    pub(super) fn addresses(&self) -> String {
        let mut text = String::new();
        if let Some(proxy) = &self.proxy {
            let listeners: Vec<String> = proxy.listeners().map(|at| format!("http://{at}")).collect();
            let _ = writeln!(text, "proxy {}, admin http://{}", listeners.join(", "), proxy.admin);
        }
        for endpoint in &self.endpoints {
            for (_, at) in &endpoint.doors {
                let _ = writeln!(text, "{} http://{at}", endpoint.name);
            }
        }
        text
    }

    /// Ends everything.
    pub(super) async fn end(mut self, setting: &Setting<'_>) {
        self.generators.stop();
        if let Some(proxy) = &self.proxy {
            proxy.process.stop(GRACE).await;
        }
        self.generators.kill();
        // Side by side: each may take its time to write its last lines.
        let sidecars = self.instances.iter_mut().filter_map(|instance| instance.sidecar.as_mut()?.take());
        let ending: Vec<_> =
            sidecars.map(|proxy| tokio::task::spawn_local(async move { proxy.process.stop(GRACE).await })).collect();
        for ended in ending {
            // One that cannot be waited for has been killed by now.
            let _ = ended.await;
        }
        if let Some(shim) = &self.shim {
            shim.kill();
        }
        for instance in &mut self.instances {
            instance.kill(setting).await;
        }
    }
}

/// How proxies read the files.
fn reading(setting: &Setting<'_>) -> LoadOptions {
    LoadOptions {
        accept_unsupported: setting.scenario.accept_unsupported.clone(),
        forget_fields: true,
        version: setting.scenario.compat,
    }
}

impl MeshFiles {
    /// The name of the state of the files as they are now; none if they cannot be used.
    fn version(&self, options: &LoadOptions) -> Result<String, Vec<Finding>> {
        let load = |path: &PathBuf| config::load(std::slice::from_ref(path), options);
        let (policies, endpoints) = (load(&self.policies)?, load(&self.endpoints)?);
        Ok(config::version(policies.sources.iter().chain(&endpoints.sources)))
    }
}

/// When each phase begins, nanoseconds from the start.
fn edges(phases: &[Phase]) -> Vec<u64> {
    let begins = phases.iter().scan(Duration::ZERO, |from, phase| {
        let begins = *from;
        *from += phase.lasting;
        Some(begins)
    });
    begins.map(|at| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)).collect()
}

fn launch(setting: &Setting<'_>, name: &str, arguments: Vec<String>, piped: bool) -> Launch {
    Launch {
        name: name.to_owned(),
        program: None,
        arguments,
        folder: setting.folder.clone(),
        environment: Vec::new(),
        log: setting.log(name),
        piped,
        survives: false,
        run: setting.run.to_owned(),
    }
}

/// Where a flow's requests go that no proxy takes: to all instances of its service, at its port.
fn direct(setting: &Setting<'_>, endpoints: &[Endpoint], flow: &Flow) -> Vec<SocketAddr> {
    let service = setting.scenario.services.iter().find(|service| service.name == flow.to);
    let port = service.and_then(|service| service.ports.iter().position(|port| port.number == flow.port));
    let own = endpoints.iter().filter(|endpoint| endpoint.service == flow.to);
    own.filter_map(|endpoint| endpoint.doors.get(port?).map(|(_, at)| *at)).collect()
}
