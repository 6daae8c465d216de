//! What happens when: phases with their faults and actions.

use super::{Place, PolicySource};
use crate::fault::spec::Fault;
use crate::topology::InstanceName;
use crate::units::Percent;
use std::net::SocketAddr;
use std::time::Duration;

/// A stretch of the timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// How long.
    pub lasting: Duration,
    /// False for the warm-up.
    pub judged: bool,
    /// Faults, each on one instance: targets are expanded.
    pub faults: Vec<PlannedFault>,
    /// Actions.
    pub actions: Vec<Action>,
}

/// A fault of the timeline on one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedFault {
    /// Where it stands in the file.
    pub place: Place,
    /// As written, for people: `abort 503 on cart/1, 30 %`.
    pub what: String,
    /// The instance.
    pub target: InstanceName,
    /// Where on the way to it.
    pub strikes: Strikes,
    /// What it does.
    pub fault: Fault,
    /// Offset from the start of the phase.
    pub at: Duration,
    /// How long; ends with the phase at the latest.
    pub lasting: Duration,
}

/// A fault that stands in no scenario, in front of whoever runs already.
#[derive(Debug, Clone, PartialEq)]
pub struct ByHand {
    /// As written, for people: `abort 503, 30 %`.
    pub what: String,
    /// In front of this.
    pub to: SocketAddr,
    /// Bytes pass without being read as HTTP.
    pub tcp: bool,
    /// What it does.
    pub fault: Fault,
    /// How long; until it is told to end where nothing is said.
    pub lasting: Option<Duration>,
}

/// What of an instance a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strikes {
    /// The instance with the proxy beside it, or the way to both.
    #[default]
    Instance,
    /// The way from the proxy beside the instance to the instance.
    BehindSidecar,
    /// The proxy beside the instance.
    Sidecar,
}

/// Something done to the deployment on purpose that is no fault.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Shift traffic to a version in steps, and back when the analysis fails.
    Release(Release),
    /// Give proxies other policies.
    Apply(Apply),
}

/// Policies that take the place of all that proxies were given.
#[derive(Debug, Clone, PartialEq)]
pub struct Apply {
    /// Where it stands in the file.
    pub place: Place,
    /// As written, for people: `policies/next.yaml`.
    pub what: String,
    /// The policies.
    pub policies: Vec<PolicySource>,
}

impl Phase {
    /// The releases that begin in it.
    pub fn releases(&self) -> impl Iterator<Item = &Release> {
        self.actions.iter().filter_map(|action| match action {
            Action::Release(release) => Some(release),
            Action::Apply(_) => None,
        })
    }

    /// What is applied in it.
    pub fn applied(&self) -> impl Iterator<Item = &Apply> {
        self.actions.iter().filter_map(|action| match action {
            Action::Apply(apply) => Some(apply),
            Action::Release(_) => None,
        })
    }
}

/// A release.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Where it stands in the file.
    pub place: Place,
    /// The service.
    pub service: String,
    /// The version that is to take over.
    pub to: String,
    /// Shares of traffic, rising.
    pub steps: Vec<Percent>,
    /// Time between steps.
    pub every: Duration,
    /// Share of acceptable answers of the version, as offered at its instances before retries, below which it is taken back.
    pub roll_back_below: Option<Percent>,
    /// The window over which that share is taken; at least 20 samples.
    pub over: Duration,
}
