//! The proxy beside an instance: it lives and dies with it, unless a fault is aimed at it alone.

use super::Setting;
use super::plan::ArmPlan;
use super::proxy::{self, MeshFiles, Proxy};
use crate::clock::{Nanos, now};
use crate::process::Process;
use crate::scenario::resolved::Service;
use crate::topology::InstanceName;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// The proxy beside one instance: a process after the other.
pub(super) struct Sidecar {
    name: String,
    arguments: Vec<String>,
    /// Names of its listeners, in the order of the service's ports.
    listeners: Vec<String>,
    /// The relay between it and the instance, if there is one.
    relay: Option<SocketAddr>,
    proxy: Option<Proxy>,
    /// Processes so far, the living one last.
    generation: u32,
}

impl Sidecar {
    /// One that is yet to be started.
    pub(super) fn new(
        setting: &Setting<'_>,
        plan: &ArmPlan,
        files: &MeshFiles,
        (service, instance): (&Service, &InstanceName),
        relay: Option<SocketAddr>,
    ) -> Self {
        let name = format!("proxy {instance}");
        let mut arguments = proxy::arguments(setting, plan, &name, service.zone(instance.number));
        let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        option("--policies", files.policies.display().to_string());
        option("--endpoints", files.endpoints.display().to_string());
        option("--mode", "inbound".to_owned());
        option("--labels", labels(service, instance));
        for port in &service.ports {
            option("--listen", format!("{}:{}=127.0.0.1:0", service.name, port.number));
        }
        let listeners = service.ports.iter().map(|port| format!("inbound_{}", port.number)).collect();
        Self { name, arguments, listeners, relay, proxy: None, generation: 0 }
    }

    /// Starts a process in front of an instance that listens there, and waits until it is ready.
    pub(super) fn launch(&mut self, setting: &Setting<'_>, instance: SocketAddr) -> Result<(), proxy::Error> {
        self.generation += 1;
        let mut arguments = self.arguments.clone();
        arguments.extend(["--app".to_owned(), self.relay.unwrap_or(instance).to_string()]);
        self.proxy = Some(Proxy::start(setting, &self.name, arguments)?);
        Ok(())
    }

    /// Stops the process and waits until the kernel says so.
    pub(super) async fn pause(&self) -> Nanos {
        if let Some(process) = self.process() {
            process.pause().await;
        }
        now()
    }

    /// Lets it go on.
    pub(super) fn resume(&self) {
        self.process().into_iter().for_each(Process::resume);
    }

    /// Where it takes requests, in the order of the service's ports.
    pub(super) fn entries(&self) -> Result<Vec<SocketAddr>, proxy::Error> {
        let Some(proxy) = &self.proxy else { return Ok(Vec::new()) };
        self.listeners.iter().map(|listener| proxy.at(listener)).collect()
    }

    /// The one that lives.
    pub(super) fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// Its present process.
    pub(super) fn process(&self) -> Option<&Process> {
        self.proxy.as_ref().map(|proxy| &proxy.process)
    }

    /// Number of processes so far.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// Its present process, for whoever ends it.
    pub(super) fn take(&mut self) -> Option<Proxy> {
        self.proxy.take()
    }

    /// Kills the process and waits until it is gone; gives when that was seen.
    pub(super) async fn kill(&mut self) -> Nanos {
        if let Some(proxy) = self.take() {
            proxy.process.kill();
            proxy.process.ended().await;
        }
        now()
    }
}

/// Labels of the instance, as its Deployment has them.
fn labels(service: &Service, instance: &InstanceName) -> String {
    let mut labels = BTreeMap::from([("app".to_owned(), service.name.clone())]);
    labels.extend(service.deployment.iter().flat_map(|deployment| deployment.labels.clone()));
    labels.extend(instance.version.iter().map(|version| ("version".to_owned(), version.clone())));
    labels.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}
