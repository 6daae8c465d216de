//! Taking healing out of policies, for the control arm of an experiment.

use super::{DestinationRule, Policies, RetryPolicy};
use std::fmt;
use std::str::FromStr;

/// A kind of healing that can be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Healing {
    /// Trying again.
    Retries,
    /// Taking failing endpoints out by what traffic sees.
    OutlierDetection,
    /// Taking failing endpoints out by asking them.
    ActiveChecks,
    /// Giving up on slow answers.
    Timeouts,
    /// Limits of connections and requests.
    Breakers,
    /// Restarting processes; taken out of the supervisor.
    Restart,
    /// Taking a bad release back; taken out of the controller.
    Rollback,
}

impl Healing {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Retries,
        Self::OutlierDetection,
        Self::ActiveChecks,
        Self::Timeouts,
        Self::Breakers,
        Self::Restart,
        Self::Rollback,
    ];

    /// The word that names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Retries => "retries",
            Self::OutlierDetection => "outlier-detection",
            Self::ActiveChecks => "active-checks",
            Self::Timeouts => "timeouts",
            Self::Breakers => "breakers",
            Self::Restart => "restart",
            Self::Rollback => "rollback",
        }
    }

    /// True if these policies hold any of it. Retries always do: the mesh has a default. Restart and rollback are no matter of policies.
    pub fn present_in(self, policies: &Policies) -> bool {
        let routes = || policies.virtual_services.iter().flat_map(|service| &service.routes);
        let traffic = || policies.destination_rules.iter().flat_map(DestinationRule::traffic_policies);
        match self {
            Self::Retries => true,
            Self::OutlierDetection => traffic().any(|policy| policy.outlier.is_some()),
            Self::ActiveChecks => !policies.health_checks.is_empty(),
            Self::Timeouts => routes().any(|route| route.timeout.is_some() || route.retry.per_try_timeout.is_some()),
            Self::Breakers => traffic().any(|policy| policy.pool.without_limits() != policy.pool),
            Self::Restart | Self::Rollback => false,
        }
    }
}

impl fmt::Display for Healing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that names no healing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no healing: expected one of retries, outlier-detection, active-checks, timeouts, breakers, restart, rollback"
)]
pub struct UnknownHealing(String);

impl FromStr for Healing {
    type Err = UnknownHealing;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|healing| healing.word() == text).ok_or_else(|| UnknownHealing(text.to_owned()))
    }
}

/// Takes healing out of resolved policies. What a policy changes besides stays as it was *with* the healing: a detector that is taken
/// out does not turn the panic threshold back on.
///
/// Deleting `retries` from the YAML would turn the mesh's default on; here it means no retry on any route, the default one included.
pub fn disarm(policies: &mut Policies, without: &[Healing]) {
    let has = |healing| without.contains(&healing);
    for route in policies.virtual_services.iter_mut().flat_map(|service| &mut service.routes) {
        if has(Healing::Retries) {
            // Without a retry a per-try time-out still bounds the only try.
            let per_try_timeout = route.retry.per_try_timeout;
            route.retry = RetryPolicy { per_try_timeout, ..RetryPolicy::none() };
        }
        if has(Healing::Timeouts) {
            route.timeout = None;
            route.retry.per_try_timeout = None;
        }
    }
    for policy in policies.destination_rules.iter_mut().flat_map(DestinationRule::traffic_policies_mut) {
        if has(Healing::OutlierDetection) {
            policy.outlier = None;
        }
        if has(Healing::Breakers) {
            policy.pool = policy.pool.without_limits();
        }
    }
    if has(Healing::ActiveChecks) {
        policies.health_checks.clear();
    }
    policies.disarmed = without.to_vec();
}
