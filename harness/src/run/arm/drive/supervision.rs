//! Processes of instances that end, are probed, and are started again.

use super::{Drive, Error, Overdue};
use crate::clock::now;
use crate::control::supervisor::{Decision, Kind as ProbeKind};
use crate::deploy::ready;
use crate::fault::spec::Kind;
use crate::process::Process;
use crate::run::arm::deployment::Input;
use crate::run::arm::faults;
use crate::run::arm::instances::{Instance, Unready};
use crate::run::arm::sidecar::Sidecar;
use crate::scenario::resolved::{Phase, PlannedFault, Strikes};
use squall_proxy::config::objects::{Deployment, Probe, ProbeAction};
use squall_proxy::policy::Healing;
use squall_reports::record::{EventKind, Witness};
use std::time::Duration;

impl Drive<'_, '_> {
    /// Probes and restarts that are due.
    pub(super) async fn tick_supervisor(&mut self) -> Result<(), Error> {
        for index in 0..self.supervised.len() {
            let generation = self.deployment.instances[index].generation();
            let address = self.deployment.instances[index].address;
            let restarts = !self.plan.without.contains(&Healing::Restart);
            let Some(supervised) = self.supervised[index].as_mut() else { continue };
            for (kind, probe) in supervised.due(now()) {
                if kind == ProbeKind::Liveness && !restarts {
                    continue;
                }
                let sender = self.deployment.sender.clone();
                tokio::task::spawn_local(async move {
                    let passed = ask(address, &probe).await;
                    let _ = sender.send(Input::Probed(index, generation, kind, passed));
                });
            }
        }
        let due: Vec<usize> = self.restarts.iter().filter(|(at, _)| *at <= now()).map(|(_, index)| *index).collect();
        self.restarts.retain(|(at, _)| *at > now());
        self.end_overdue();
        for index in due {
            if let Err(source) = self.deployment.start_again(self.setting, index) {
                self.not_started(index, source.into()).await?;
            }
        }
        Ok(())
    }

    /// Kills processes that have had the time that a fault gives them. That they are gone is seen as of any other.
    fn end_overdue(&mut self) {
        let (due, later) = std::mem::take(&mut self.overdue).into_iter().partition(|overdue| overdue.at <= now());
        self.overdue = later;
        let due: Vec<Overdue> = due;
        for Overdue { fault, instance, generation, .. } in due {
            let instance = &self.deployment.instances[instance];
            if self.active.contains(&fault) && instance.generation() == generation {
                instance.process.iter().for_each(Process::kill);
            }
        }
    }

    /// The process of an instance has so long to live, unless the fault ends before.
    pub(super) fn give(&mut self, fault: usize, instance: usize, time: Duration) {
        let generation = self.deployment.instances[instance].generation();
        self.overdue.push(Overdue { at: now().after(time), fault, instance, generation });
    }

    /// Faults that are on and end the process of an instance.
    fn ending(&self, index: usize) -> impl Iterator<Item = (usize, &Kind)> {
        let of_instance = move |fault: &PlannedFault| {
            fault.strikes == Strikes::Instance && self.deployment.index(&fault.target) == Some(index)
        };
        let active = self.active.iter().map(|active| (*active, self.faults[*active].1));
        active.filter(move |(_, fault)| of_instance(fault)).map(|(active, fault)| (active, &fault.fault.kind))
    }

    pub(super) async fn probed(&mut self, index: usize, kind: ProbeKind, passed: bool) -> Result<(), Error> {
        let Some(supervised) = self.supervised[index].as_mut() else { return Ok(()) };
        let name = self.deployment.instances[index].name.to_string();
        match supervised.probed(kind, passed, now()) {
            Some(Decision::Ready(ready)) => {
                self.set_ready(index, ready)?;
                let text = format!("{name} is {} by its readiness probe", if ready { "ready" } else { "not ready" });
                self.happened(EventKind::Readiness, &name, Witness::Supervisor, text);
            }
            Some(Decision::Kill) => {
                self.deployment.instances[index].kill(self.setting).await;
                self.gone(index, "killed, since its liveness probe fails").await?;
            }
            None => {}
        }
        Ok(())
    }

    /// A process of an instance has ended, on purpose or not.
    pub(super) async fn ended(&mut self, index: usize, generation: u32) -> Result<(), Error> {
        let instance = &mut self.deployment.instances[index];
        if instance.generation() != generation {
            return Ok(());
        }
        let how = instance.process.as_ref().and_then(Process::how_it_ended);
        instance.kill(self.setting).await;
        let terminated: Vec<usize> = self
            .ending(index)
            .filter(|(_, kind)| matches!(kind, Kind::Terminate { .. }))
            .map(|(fault, _)| fault)
            .collect();
        terminated.into_iter().for_each(|fault| self.recorder.fault_effect(fault, now(), Witness::Harness));
        self.gone(index, &format!("gone ({})", how.unwrap_or_else(|| "killed".to_owned()))).await
    }

    /// The proxy beside an instance has ended; unless we ended it, that is nobody's plan.
    pub(super) fn sidecar_ended(&self, index: usize, generation: u32) -> Result<(), Error> {
        let sidecar = self.deployment.instances[index].sidecar.as_ref();
        let present = sidecar.filter(|sidecar| sidecar.generation() == generation).and_then(Sidecar::process);
        present.map_or(Ok(()), |process| Err(self.died(process.name.clone())))
    }

    /// The instance has no process: relays refuse, endpoints follow, the supervisor decides about a restart.
    async fn gone(&mut self, index: usize, text: &str) -> Result<(), Error> {
        let name = self.deployment.instances[index].name.to_string();
        if self.restarts.iter().any(|(_, waiting)| *waiting == index) {
            return Ok(());
        }
        self.happened(EventKind::Gone, &name, Witness::Supervisor, format!("{name} is {text}"));
        let refused = self.deployment.refuse(index).await;
        refused.map_err(|source| Error::Fault { what: name.clone(), source: source.into() })?;
        let comes_back_later = |kind: &Kind| kind.ends_process() && !kind.is_restarted();
        let loops = self.ending(index).any(|(_, kind)| matches!(kind, Kind::CrashLoop { .. }));
        if !loops && self.ending(index).any(|(_, kind)| comes_back_later(kind)) {
            return Ok(());
        }
        if let Some(supervised) = self.supervised[index].as_mut() {
            let wait = supervised.ended(now());
            self.set_ready(index, false)?;
            if !self.plan.without.contains(&Healing::Restart) {
                self.restarts.push((now().after(wait), index));
            }
        } else if loops {
            self.restarts.push((now(), index));
        }
        Ok(())
    }

    /// A process started in an instance's place is ready, or will not be.
    pub(super) async fn started(
        &mut self,
        index: usize,
        generation: u32,
        readiness: Result<(), Unready>,
    ) -> Result<(), Error> {
        if self.deployment.instances[index].generation() != generation {
            return Ok(());
        }
        if let Err(cause) = readiness {
            let source = self.deployment.instances[index].unready(cause);
            return self.not_started(index, source.into()).await;
        }
        self.deployment.watch_instance(index);
        let name = self.deployment.instances[index].name.to_string();
        self.deployment.admit(index).await?;
        let undone: Vec<usize> =
            self.undoing.extract_if(.., |(instance, _)| *instance == index).map(|(_, fault)| fault).collect();
        if !undone.is_empty() {
            undone.into_iter().for_each(|fault| self.recorder.fault_cleared(fault, now()));
            return Ok(());
        }
        self.happened(EventKind::Restarted, &name, Witness::Supervisor, format!("{name} is started again"));
        let next = self.ending(index).find_map(|(fault, kind)| match kind {
            Kind::CrashLoop { up } => Some((fault, *up)),
            _ => None,
        });
        if let Some((fault, up)) = next {
            self.give(fault, index, up);
        }
        if let Some(supervised) = self.supervised[index].as_mut() {
            let Decision::Ready(ready) = supervised.begin(now()) else { return Ok(()) };
            self.set_ready(index, ready)?;
        }
        Ok(())
    }

    /// As the kubelet does: it is tried again, later each time. Without a supervisor nobody tries.
    async fn not_started(&mut self, index: usize, source: faults::Error) -> Result<(), Error> {
        let name = self.deployment.instances[index].name.to_string();
        self.deployment.instances[index].kill(self.setting).await;
        let Some(supervised) = self.supervised[index].as_mut() else {
            return Err(Error::Fault { what: format!("restart of {name}"), source });
        };
        let wait = supervised.ended(now());
        self.restarts.push((now().after(wait), index));
        self.happened(EventKind::Gone, &name, Witness::Supervisor, format!("{name} did not start: {source}"));
        Ok(())
    }
}

/// Who restarts the instance's processes: its Deployment, or what a fault takes for granted by naming the supervisor.
pub(super) fn of(instance: &Instance, phases: &[Phase]) -> Option<Deployment> {
    let restarted = phases
        .iter()
        .flat_map(|phase| &phase.faults)
        .any(|fault| fault.target == instance.name && fault.fault.kind.is_restarted());
    instance.deployment().cloned().or_else(|| restarted.then(|| Deployment::without_probes(&instance.name.service)))
}

async fn ask(address: std::net::SocketAddr, probe: &Probe) -> bool {
    match &probe.action {
        ProbeAction::HttpGet { path } => {
            matches!(ready::get(address, path, probe.timeout).await, Ok((200..=399, _)))
        }
        ProbeAction::Tcp => ready::connects(address, probe.timeout).await,
    }
}
