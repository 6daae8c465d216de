//! Releases under way: steps when they are due, answers of the new version as relays see them.

use super::{Drive, Error};
use crate::clock::{Nanos, now};
use crate::control::rollout::Move;
use crate::run::arm::deployment::{self, Input};
use crate::run::arm::release::Running;
use crate::scenario::resolved::Phase;
use crate::units::Percent;
use squall_proxy::policy::Healing;
use squall_reports::record::{Event, EventKind, Witness};

impl Drive<'_, '_> {
    pub(super) fn begin_release(&mut self, index: usize) {
        let mut all = self.phases.iter().flat_map(Phase::releases);
        let release = all.nth(index).unwrap_or_else(|| unreachable!("steps are made from the same phases"));
        let armed = !self.plan.without.contains(&Healing::Rollback);
        self.releases.push(Running::begin(release, &self.deployment.files.policies, armed));
    }

    /// An answer of an instance, which may be one of a release.
    pub(super) fn answered(&mut self, relay: usize, status: u16, at: Nanos) {
        let Some(instance) = self.deployment.instances.get(relay) else { return };
        let name = instance.name.clone();
        let good = (200..400).contains(&status);
        let mut first_bad = Vec::new();
        for running in &mut self.releases {
            let concerned =
                running.release.service == name.service && Some(&running.release.to) == name.version.as_ref();
            if concerned && running.answered(at, good) {
                first_bad.push(format!("{}@{}", running.release.service, running.release.to));
            }
        }
        for subject in first_bad {
            let event = Event {
                at: self.recorder.micros(at),
                kind: EventKind::BadAnswer,
                text: format!("first bad answer of {subject}: {status}"),
                subject,
                witness: Witness::Relay,
            };
            self.recorder.event(event);
        }
    }

    /// Takes the steps that are due. A release waits until the proxy has loaded its last one.
    pub(super) fn tick_releases(&mut self) -> Result<(), Error> {
        for index in 0..self.releases.len() {
            let Some((step, share)) = self.releases[index].tick(now())? else { continue };
            let release = &self.releases[index].release;
            let subject = format!("{}@{}", release.service, release.to);
            let (kind, text) = match step {
                Move::Shift(_) => (EventKind::Release, format!("{subject} is given {share} of the traffic")),
                Move::RollBack { good, of } => {
                    (EventKind::RolledBack, format!("{good} of {of} answers were good: {subject} is taken back"))
                }
            };
            self.happened(kind, &subject, Witness::Controller, text);
            self.releases[index].is_loading = true;
            self.deployment.tell_when_loaded(self.setting, move |loaded| Input::Loaded(index, share, loaded));
        }
        Ok(())
    }

    /// The proxy has loaded a release's last step.
    pub(super) fn loaded(
        &mut self,
        index: usize,
        share: Percent,
        loaded: Result<(), deployment::Error>,
    ) -> Result<(), Error> {
        loaded?;
        self.releases[index].is_loading = false;
        let release = &self.releases[index].release;
        let subject = format!("{}@{}", release.service, release.to);
        let text = format!("the proxy has loaded {share} for {subject}");
        self.happened(EventKind::Policy, &subject, Witness::Proxy, text);
        Ok(())
    }
}
