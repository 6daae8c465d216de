//! A release at work: shares of traffic go into the policy that the proxy watches, answers of the new version come back from the relays.

use crate::clock::{self, Nanos};
use crate::control::rollout::{Move, Rollout};
use crate::scenario::resolved::Release;
use crate::units::Percent;
use squall_proxy::config;
use std::path::{Path, PathBuf};

/// One release of the timeline.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) release: Release,
    rollout: Rollout,
    /// The arm's own copies of the policies, which the proxy watches.
    policies: PathBuf,
    has_failed: bool,
    /// The proxy has yet to load the last step.
    pub(super) is_loading: bool,
}

impl Running {
    /// A release whose first step is due now.
    pub(super) fn begin(release: &Release, policies: &Path, armed: bool) -> Self {
        let rollout = Rollout::new(release, clock::now(), armed);
        Self { release: release.clone(), rollout, policies: policies.to_owned(), has_failed: false, is_loading: false }
    }

    /// An instance of the new version has answered; true for its first bad answer.
    pub(super) fn answered(&mut self, at: Nanos, good: bool) -> bool {
        self.rollout.answered(at, good);
        !good && !std::mem::replace(&mut self.has_failed, true)
    }

    /// Takes the next step if one is due: what was decided, and the share that the new version has from now on.
    pub(super) fn tick(&mut self, now: Nanos) -> Result<Option<(Move, Percent)>, config::weights::Error> {
        if self.is_loading {
            return Ok(None);
        }
        let Some(step) = self.rollout.tick(now) else { return Ok(None) };
        let share = match step {
            Move::Shift(share) => share,
            Move::RollBack { .. } => Percent(0.0),
        };
        config::weights::shift(&self.policies, &self.release.service, &self.release.to, share.0)?;
        Ok(Some((step, share)))
    }
}
