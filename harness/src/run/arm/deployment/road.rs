//! The road of a request, from its end: relays, the proxies beside instances, the proxy that clients ask.

use super::{Error, Input, launch};
use crate::control::relays::{self, Relays};
use crate::deploy::mesh::{self, Endpoint};
use crate::process::Process;
use crate::run::arm::Setting;
use crate::run::arm::instances::Instance;
use crate::run::arm::plan::ArmPlan;
use crate::run::arm::proxy::{self, MeshFiles, Proxy};
use crate::run::arm::sidecar::Sidecar;
use crate::scenario::resolved::{Entrance, MeshMode, PolicySource, Program, Strikes};
use crate::shim::wire::{Door, Relay, Start};
use squall_proxy::config;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc::UnboundedSender;

/// The relays of an arm, and where they listen.
pub(super) struct Relayed {
    pub(super) shim: Process,
    pub(super) relays: Relays,
    /// In front of each instance, by its ports.
    pub(super) entries: Vec<Vec<SocketAddr>>,
    /// Between the proxy beside each instance and the instance, where a fault sits there.
    pub(super) behind: Vec<SocketAddr>,
}

/// Relays in front of all instances, and behind the proxies beside them if a fault asks for that; none where nobody would need them.
pub(super) fn relays(
    setting: &Setting<'_>,
    plan: &ArmPlan,
    instances: &[Instance],
    sender: &UnboundedSender<Input>,
) -> Result<Option<Relayed>, Error> {
    if !plan.is_relayed(setting.scenario) {
        return Ok(None);
    }
    let mut shim = setting.spawn(&launch(setting, "shim", vec!["shim".to_owned()], true))?.process;
    let sidecars = plan.mode(setting.scenario).has_sidecars();
    let mut faults = setting.scenario.timeline.iter().flat_map(|phase| &phase.faults);
    let behind = faults.any(|fault| fault.strikes == Strikes::BehindSidecar);
    let front = |instance: &Instance| {
        // A proxy beside it is started later, since it has to know where to send requests.
        let to = (!sidecars).then_some(instance.address);
        let doors = instance.service().ports.iter().map(|port| Door { listen: None, to, tcp: port.tcp }).collect();
        let names_itself = matches!(instance.service().program, Program::TestService);
        Relay { name: instance.name.to_string(), doors, sidecar: sidecars && names_itself }
    };
    let hook = |instance: &Instance| {
        let door = Door { listen: None, to: Some(instance.address), tcp: instance.service().is_tcp() };
        Relay { name: format!("{} behind its proxy", instance.name), doors: vec![door], sidecar: false }
    };
    let hooks = instances.iter().filter(|_| behind).map(hook);
    let start =
        Start { relays: instances.iter().map(front).chain(hooks).collect(), seed: setting.seed.child("shim").0 };
    let sender = sender.clone();
    let tell = move |report| sender.send(Input::Report(report)).is_ok();
    let (relays, mut entries) = relays::begin::<Error>(&mut shim, &start, tell)?;
    let behind = entries.split_off(instances.len().min(entries.len())).concat();
    Ok(Some(Relayed { shim, relays, entries, behind }))
}

/// Starts a proxy beside each instance, and lets the relays in front of them through.
pub(super) async fn sidecars(
    setting: &Setting<'_>,
    plan: &ArmPlan,
    files: &MeshFiles,
    instances: &mut [Instance],
    relayed: Option<&Relayed>,
) -> Result<(), Error> {
    if !plan.mode(setting.scenario).has_sidecars() {
        return Ok(());
    }
    for (index, instance) in instances.iter_mut().enumerate() {
        let relay = relayed.and_then(|relayed| relayed.behind.get(index).copied());
        let sidecar = Sidecar::new(setting, plan, files, (instance.service(), &instance.name), relay);
        instance.sidecar = Some(sidecar);
        instance.launch_sidecar(setting)?;
        if let Some(relayed) = relayed {
            relayed.relays.up(index, instance.entries()?).await?;
        }
    }
    Ok(())
}

/// Where each instance is reached by whoever sends requests to it.
pub(super) fn endpoints(instances: &[Instance], relayed: Option<&Relayed>) -> Result<Vec<Endpoint>, Error> {
    let endpoint = |(index, instance): (usize, &Instance)| {
        let entries = match relayed.and_then(|relayed| relayed.entries.get(index)) {
            Some(entries) => entries.clone(),
            None => instance.entries()?,
        };
        let ports = instance.service().ports.iter().map(|port| port.name.clone());
        Ok(Endpoint {
            name: instance.name.to_string(),
            service: instance.name.service.clone(),
            version: instance.name.version.clone(),
            zone: instance.service().zone(instance.name.number).map(str::to_owned),
            doors: ports.zip(entries).collect(),
            ready: true,
            listed: true,
        })
    };
    instances.iter().enumerate().map(endpoint).collect()
}

/// Copies policies to where proxies look; gives each copy with the file that it is of.
pub(super) fn copy(folder: &Path, policies: &[PolicySource]) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let (texts, files): (Vec<_>, Vec<_>) = texts(policies)?.into_iter().unzip();
    Ok(mesh::copy_policies(folder, &texts)?.into_iter().zip(files).collect())
}

/// Copies the policies, and declares the services that none of them does.
pub(super) fn write_policies(setting: &Setting<'_>, plan: &ArmPlan, folder: &Path) -> io::Result<()> {
    copy(folder, plan.policies(setting.scenario))?;
    let undeclared = setting.scenario.services.iter().filter(|service| service.undeclared);
    let services: Vec<_> = undeclared
        .map(|service| {
            let ports = service.ports.iter().map(|port| (port.name.clone(), port.number));
            (service.name.clone(), ports.collect())
        })
        .collect();
    if services.is_empty() { Ok(()) } else { mesh::write_services(&folder.join("services.yaml"), &services) }
}

/// The proxy that all clients ask.
pub(super) fn entrance(
    setting: &Setting<'_>,
    plan: &ArmPlan,
    files: &MeshFiles,
    entrance: &Entrance,
    event_log: &Path,
) -> Result<Proxy, Error> {
    let mut arguments = proxy::arguments(setting, plan, "proxy", setting.scenario.zone.as_deref());
    let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    if entrance.bootstrap {
        option("--envoy-bootstrap", files.policies.display().to_string());
        // Where the bootstrap has it, another arm may have it too.
        option("--admin", "127.0.0.1:0".to_owned());
    } else {
        option("--policies", files.policies.display().to_string());
    }
    option("--endpoints", files.endpoints.display().to_string());
    option("--event-log", event_log.display().to_string());
    if plan.mode(setting.scenario) == MeshMode::Gateway {
        option("--mode", "gateway".to_owned());
    }
    if !entrance.labels.is_empty() {
        let labels: Vec<String> = entrance.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        option("--labels", labels.join(","));
    }
    for listen in &entrance.listen {
        option("--listen", listen.clone());
    }
    Ok(Proxy::start(setting, "proxy", arguments)?)
}

/// The texts of all policies, in their order, each with the file that it is from.
fn texts(policies: &[PolicySource]) -> io::Result<Vec<(String, PathBuf)>> {
    let mut texts = Vec::new();
    for source in policies {
        match source {
            PolicySource::Inline(text) => texts.push((text.clone(), PathBuf::from("the scenario"))),
            PolicySource::Path(path) => {
                for file in config::files_of(path) {
                    texts.push((std::fs::read_to_string(&file)?, file));
                }
            }
        }
    }
    Ok(texts)
}
