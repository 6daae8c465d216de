//! Faults of what proxies are told: they begin, and end, when the proxies have heard.

use super::{Drive, Error};
use crate::clock::now;
use crate::fault::spec::Kind;
use crate::run::arm::deployment::{self, Input};
use squall_reports::record::Witness;

impl Drive<'_, '_> {
    /// The proxies are told something else of the instance of a fault, which begins or ends by it.
    pub(super) fn tell(&mut self, fault: usize, ends: bool) {
        self.telling += 1;
        self.deployment.tell_when_loaded(self.setting, move |loaded| Input::Told(fault, ends, loaded));
    }

    /// The proxies have heard.
    pub(super) fn told(
        &mut self,
        fault: usize,
        ends: bool,
        loaded: Result<(), deployment::Error>,
    ) -> Result<(), Error> {
        loaded?;
        self.telling -= 1;
        if ends {
            self.recorder.fault_cleared(fault, now());
        } else if self.faults[fault].1.fault.kind != Kind::Stale {
            self.recorder.fault_effect(fault, now(), Witness::Proxy);
        }
        Ok(())
    }

    /// An instance is ready, or is not; what the proxies are not told is the effect of a fault.
    pub(super) fn set_ready(&mut self, instance: usize, ready: bool) -> Result<(), Error> {
        if self.deployment.set_ready(instance, ready)? {
            return Ok(());
        }
        let target = &self.deployment.instances[instance].name;
        let withholds = |fault: &usize| {
            let planned = self.faults[*fault].1;
            planned.fault.kind == Kind::Stale && planned.target == *target
        };
        if let Some(fault) = self.active.iter().copied().find(withholds) {
            self.recorder.fault_effect(fault, now(), Witness::Harness);
        }
        Ok(())
    }
}
