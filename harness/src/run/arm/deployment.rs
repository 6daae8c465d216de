//! Everything of one arm that runs: instances, relays, proxy, load worker. Whoever drops it ends it.

use super::Setting;
use super::instances::{self, Instance, Unready};
use super::plan::ArmPlan;
use super::relays::{Relays, line};
use crate::clock::{Nanos, now};
use crate::deploy::mesh::{self, Endpoint};
use crate::deploy::ready;
use crate::load::wire::{Frame, Go, Plan, Ready, STOP};
use crate::process::{Launch, NotReady, Process, SpawnError, proc};
use crate::scenario::resolved::{MeshMode, Phase, PolicySource};
use crate::shim::wire::{Relay, Report, Start};
use crate::topology::InstanceName;
use crate::units::Percent;
use bytes::BytesMut;
use serde::Deserialize;
use squall_proxy::config::{self, LoadOptions};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How long the proxy may take to load what was written.
const LOADING: Duration = Duration::from_secs(5);
/// How long a proxy may take to drain.
const GRACE: Duration = Duration::from_millis(500);

/// Why an arm could not be deployed.
#[derive(Debug, thiserror::Error)]
pub(in crate::run) enum Error {
    /// A process could not be forked.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// A process did not become ready.
    #[error(transparent)]
    NotReady(#[from] NotReady),
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
    /// An instance's process has ended.
    Ended(usize, u32),
    /// A process that was started in an instance's place is ready, or will not be.
    Started(usize, u32, Result<(), Unready>),
    /// A probe of an instance has passed or failed.
    Probed(usize, u32, crate::control::supervisor::Kind, bool),
    /// The proxy has loaded a step of the release with this number, and the share that it gives.
    Loaded(usize, Percent, Result<(), Error>),
}

/// A deployed arm.
pub(super) struct Deployment {
    pub(super) instances: Vec<Instance>,
    pub(super) relays: Option<Relays>,
    pub(super) inputs: UnboundedReceiver<Input>,
    pub(super) sender: UnboundedSender<Input>,
    /// The arm's own copies of the policies, which the proxy watches.
    pub(super) policies: PathBuf,
    pub(super) event_log: PathBuf,
    pub(super) bare_timer_p99: u64,
    pub(super) plans: Vec<crate::load::wire::FlowPlan>,
    pub(super) endpoints: Vec<Endpoint>,
    endpoint_file: PathBuf,
    load: Process,
    shim: Option<Process>,
    proxy: Option<(Process, SocketAddr, SocketAddr)>,
    load_input: Option<std::process::ChildStdin>,
}

#[derive(Deserialize)]
struct ProxyReady {
    listen: SocketAddr,
    admin: SocketAddr,
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
        let (shim, relays, entries) = Self::relays(setting, &instances, &sender)?;
        let endpoints: Vec<Endpoint> = instances
            .iter()
            .zip(&entries)
            .map(|(instance, entry)| Endpoint {
                name: instance.name.to_string(),
                service: instance.name.service.clone(),
                version: instance.name.version.clone(),
                address: *entry,
                ready: true,
            })
            .collect();
        let endpoint_file = setting.folder.join("mesh/endpoints.yaml");
        mesh::write_endpoints(&endpoint_file, &endpoints)?;
        let policies = setting.folder.join("mesh/policies");
        mesh::copy_policies(&policies, &texts(setting)?)?;
        let event_log = setting.folder.join("logs/proxy-events.jsonl");
        let proxy = match plan.mode(setting.scenario) {
            MeshMode::None => None,
            MeshMode::Client => Some(Self::proxy(setting, plan, &policies, &endpoint_file, &event_log)?),
        };
        let direct = |service: &str| -> Vec<SocketAddr> {
            endpoints.iter().filter(|one| one.service == service).map(|one| one.address).collect()
        };
        let plans: Vec<_> = setting
            .scenario
            .flows
            .iter()
            .map(|flow| {
                let to = proxy.as_ref().map_or_else(|| direct(&flow.to), |(_, listen, _)| vec![*listen]);
                let service = setting.scenario.services.iter().find(|service| service.name == flow.to);
                plan.flow(flow, phases, to, service.map_or(80, |service| service.port))
            })
            .collect();
        let (load, load_input, bare_timer_p99) = Self::load(setting, &plans, &instances, &sender)?;
        let deployment = Self {
            instances,
            relays,
            inputs,
            sender,
            policies,
            event_log,
            bare_timer_p99,
            plans,
            endpoints,
            endpoint_file,
            load,
            shim,
            proxy,
            load_input: Some(load_input),
        };
        deployment.watch();
        Ok(deployment)
    }

    /// Relays in front of all instances; none in a sweep, which breaks nothing.
    #[allow(clippy::type_complexity)]
    fn relays(
        setting: &Setting<'_>,
        instances: &[Instance],
        sender: &UnboundedSender<Input>,
    ) -> Result<(Option<Process>, Option<Relays>, Vec<SocketAddr>), Error> {
        if setting.scenario.sweep.is_some() {
            return Ok((None, None, instances.iter().map(|instance| instance.address).collect()));
        }
        let mut shim = setting.spawner.spawn(&launch(setting, "shim", vec!["shim".to_owned()], true))?;
        let relay = |instance: &Instance| {
            let service = setting.scenario.services.iter().find(|service| service.name == instance.name.service);
            let tcp = service.is_some_and(|service| service.tcp);
            Relay { name: instance.name.to_string(), to: instance.address, tcp }
        };
        let start = Start { relays: instances.iter().map(relay).collect(), seed: setting.seed.child("shim").0 };
        let mut input = shim.stdin.take().ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
        input.write_all(&line(&start)?)?;
        let Report::Ready { listen } = shim.ready()? else {
            return Err(io::Error::other("the relays did not begin with being ready").into());
        };
        let relays = Relays::new(ChildStdin::from_std(input)?);
        let output = shim.stdout.take().ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
        tokio::task::spawn_local(read_reports(ChildStdout::from_std(output)?, relays.clone(), sender.clone()));
        Ok((Some(shim), Some(relays), listen))
    }

    fn proxy(
        setting: &Setting<'_>,
        plan: &ArmPlan,
        policies: &std::path::Path,
        endpoints: &std::path::Path,
        event_log: &std::path::Path,
    ) -> Result<(Process, SocketAddr, SocketAddr), Error> {
        let logs = setting.folder.join("logs");
        let mut arguments: Vec<String> = ["proxy", "--concurrency", "1"].map(str::to_owned).to_vec();
        let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        option("--policies", policies.display().to_string());
        option("--endpoints", endpoints.display().to_string());
        option("--event-log", event_log.display().to_string());
        option("--seed", setting.seed.child("proxy").to_string());
        if setting.scenario.sweep.is_none() {
            option("--access-log", logs.join("proxy-access.jsonl").display().to_string());
        }
        for field in &setting.scenario.accept_unsupported {
            option("--accept-unsupported", field.clone());
        }
        if !plan.without.is_empty() {
            option("--disarm", plan.without.iter().map(|healing| healing.word()).collect::<Vec<_>>().join(","));
        }
        let mut proxy = setting.spawner.spawn(&launch(setting, "proxy", arguments, true))?;
        let ready: ProxyReady = proxy.ready()?;
        Ok((proxy, ready.listen, ready.admin))
    }

    #[allow(clippy::type_complexity)]
    fn load(
        setting: &Setting<'_>,
        plans: &[crate::load::wire::FlowPlan],
        instances: &[Instance],
        sender: &UnboundedSender<Input>,
    ) -> Result<(Process, std::process::ChildStdin, u64), Error> {
        let mut load = setting.spawner.spawn(&launch(setting, "load", vec!["load-worker".to_owned()], true))?;
        let plan = Plan {
            flows: plans.to_vec(),
            instances: instances.iter().map(|instance| instance.name.to_string()).collect(),
            seed: setting.seed.child("load").0,
        };
        let mut input = load.stdin.take().ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
        input.write_all(&line(&plan)?)?;
        let ready: Ready = load.ready()?;
        let output = load.stdout.take().ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
        tokio::task::spawn_local(read_frames(ChildStdout::from_std(output)?, sender.clone()));
        Ok((load, input, ready.bare_timer_p99))
    }

    /// Tells of processes that end although they must not.
    fn watch(&self) {
        let must_live = self.shim.iter().chain(self.proxy.as_ref().map(|(proxy, _, _)| proxy));
        for process in must_live {
            let (sender, name) = (self.sender.clone(), process.name.clone());
            let watcher = process.watcher();
            tokio::task::spawn_local(async move {
                watcher.await;
                let _ = sender.send(Input::Died(name));
            });
        }
        (0..self.instances.len()).for_each(|instance| self.watch_instance(instance));
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
        let Some(input) = self.load_input.as_mut() else {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        };
        Ok(input.write_all(&line(&Go { at: at.0 })?)?)
    }

    /// Ends the load; requests that are open are cut.
    pub(super) fn stop_load(&mut self) {
        if let Some(mut input) = self.load_input.take() {
            let _ = writeln!(input, "{STOP}");
        }
    }

    pub(super) fn index(&self, name: &InstanceName) -> Option<usize> {
        self.instances.iter().position(|instance| instance.name == *name)
    }

    /// Puts an instance into the endpoints, or takes it out.
    pub(super) fn set_ready(&mut self, index: usize, ready: bool) -> io::Result<()> {
        if self.endpoints[index].ready != ready {
            self.endpoints[index].ready = ready;
            mesh::write_endpoints(&self.endpoint_file, &self.endpoints)?;
        }
        Ok(())
    }

    /// Returns once the proxy's own word names the state of the files as they are now. It borrows nothing, so that an arm can go on meanwhile.
    pub(super) fn loaded(
        &self,
        setting: &Setting<'_>,
    ) -> Result<impl Future<Output = Result<(), Error>> + 'static, Error> {
        let options = LoadOptions { accept_unsupported: setting.scenario.accept_unsupported.clone() };
        let load = |path: &PathBuf| config::load(std::slice::from_ref(path), &options).map_err(|_| Error::NotLoaded);
        let (policies, endpoints) = (load(&self.policies)?, load(&self.endpoint_file)?);
        let wanted = config::version(policies.sources.iter().chain(&endpoints.sources));
        let admin = self.proxy.as_ref().map(|(_, _, admin)| *admin);
        Ok(async move {
            let Some(admin) = admin else { return Ok(()) };
            let begin = now();
            while now().since(begin) < LOADING {
                if let Ok((200, body)) = ready::get(admin, "/config_dump", Duration::from_secs(1)).await
                    && serde_json::from_slice::<serde_json::Value>(&body).is_ok_and(|dump| dump["version"] == *wanted)
                {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(Error::NotLoaded)
        })
    }

    /// Processor time and memory of every process, now.
    pub(super) fn usage(&self) -> Vec<(String, u64, u64)> {
        let fixed = [Some(&self.load), self.shim.as_ref(), self.proxy.as_ref().map(|(proxy, _, _)| proxy)];
        let instances = self.instances.iter().filter_map(|instance| instance.process.as_ref());
        let all = fixed.into_iter().flatten().chain(instances);
        all.filter_map(|process| proc::usage(process.pid).map(|(cpu, memory)| (process.name.clone(), cpu, memory)))
            .collect()
    }

    /// Where everything listens, for people.
    pub(super) fn addresses(&self) -> String {
        let mut text = String::new();
        if let Some((_, listen, admin)) = &self.proxy {
            let _ = writeln!(text, "proxy http://{listen}, admin http://{admin}");
        }
        for endpoint in &self.endpoints {
            let _ = writeln!(text, "{} http://{}", endpoint.name, endpoint.address);
        }
        text
    }

    /// Ends everything.
    pub(super) async fn end(mut self, setting: &Setting<'_>) {
        self.load_input = None;
        if let Some((proxy, _, _)) = &self.proxy {
            proxy.stop(GRACE).await;
        }
        self.load.kill();
        if let Some(shim) = &self.shim {
            shim.kill();
        }
        for instance in &mut self.instances {
            instance.kill(setting).await;
        }
    }
}

fn launch(setting: &Setting<'_>, name: &str, arguments: Vec<String>, piped: bool) -> Launch {
    Launch {
        name: name.to_owned(),
        program: None,
        arguments,
        folder: setting.folder.clone(),
        environment: Vec::new(),
        log: setting.folder.join("logs").join(format!("{name}.log")),
        piped,
        survives: false,
        run: setting.run.to_owned(),
    }
}

/// The texts of all policies, in the order of the scenario.
fn texts(setting: &Setting<'_>) -> io::Result<Vec<String>> {
    let mut texts = Vec::new();
    for source in &setting.scenario.policies {
        match source {
            PolicySource::Inline(text) => texts.push(text.clone()),
            PolicySource::Path(path) if path.is_dir() => {
                let mut files: Vec<_> = std::fs::read_dir(path)?.flatten().map(|entry| entry.path()).collect();
                files.sort();
                for file in files.iter().filter(|file| file.is_file()) {
                    texts.push(std::fs::read_to_string(file)?);
                }
            }
            PolicySource::Path(path) => texts.push(std::fs::read_to_string(path)?),
        }
    }
    Ok(texts)
}

async fn read_frames(mut output: ChildStdout, sender: UnboundedSender<Input>) {
    let mut buf = BytesMut::with_capacity(1 << 16);
    loop {
        match Frame::decode(&mut buf) {
            Ok(Some(Frame::Done)) => {
                let _ = sender.send(Input::Frame(Frame::Done));
                return;
            }
            Ok(Some(frame)) => {
                if sender.send(Input::Frame(frame)).is_err() {
                    return;
                }
                continue;
            }
            Ok(None) => {}
            Err(_) => break,
        }
        buf.reserve(1 << 16);
        if !matches!(output.read_buf(&mut buf).await, Ok(read) if read > 0) {
            break;
        }
    }
    let _ = sender.send(Input::Died("load".to_owned()));
}

async fn read_reports(output: ChildStdout, relays: Relays, sender: UnboundedSender<Input>) {
    let mut lines = BufReader::with_capacity(1 << 16, output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Report::Ack { seq, at, error }) => relays.acknowledged(seq, Nanos(at), error),
            Ok(report) => {
                if sender.send(Input::Report(report)).is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    relays.gone();
}
