//! Limits of processes, and what they were before.

use super::Deployment;
use crate::fault::spec::Limit;
use crate::process::Process;
use crate::scenario::resolved::Strikes;
use rustix::process::Resource;
use std::io;

/// What a process could have before a fault limited it.
pub(super) struct Limited {
    fault: u32,
    instance: usize,
    strikes: Strikes,
    pid: u32,
    resource: Resource,
    before: Option<u64>,
}

impl Deployment {
    /// Limits the process of an instance, or that of the proxy beside it.
    pub(in crate::run::arm) fn limit(
        &mut self,
        fault: u32,
        instance: usize,
        strikes: Strikes,
        limit: &Limit,
    ) -> io::Result<()> {
        let wanted = [(Resource::Nofile, limit.descriptors), (Resource::As, limit.memory)];
        for (resource, most) in wanted.into_iter().filter(|(_, most)| most.is_some()) {
            let process = self.struck(instance, strikes).ok_or(io::ErrorKind::NotFound)?;
            let (pid, before) = (process.pid, process.limit(resource, most)?);
            self.limited.push(Limited { fault, instance, strikes, pid, resource, before });
        }
        Ok(())
    }

    /// Gives the process back what it could have; one in its place has never been limited.
    pub(in crate::run::arm) fn lift_limits(&mut self, fault: u32) -> io::Result<()> {
        let lifted: Vec<Limited> = self.limited.extract_if(.., |limited| limited.fault == fault).collect();
        for Limited { instance, strikes, pid, resource, before, .. } in lifted.into_iter().rev() {
            if let Some(process) = self.struck(instance, strikes).filter(|process| process.pid == pid) {
                match process.limit(resource, before) {
                    // It has run out of what was limited, and ended.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    lifted => _ = lifted?,
                }
            }
        }
        Ok(())
    }

    fn struck(&self, instance: usize, strikes: Strikes) -> Option<&Process> {
        let instance = self.instances.get(instance)?;
        match strikes {
            Strikes::Sidecar => instance.sidecar.as_ref()?.process(),
            Strikes::Instance | Strikes::BehindSidecar => instance.process.as_ref(),
        }
    }
}
