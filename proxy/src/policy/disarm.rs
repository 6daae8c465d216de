//! Taking healing out of a configuration, for the control arm of an experiment.

use super::{Config, PoolLimits, RetryPolicy};
use serde::{Serialize, Serializer};
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
    /// Going on with the configuration that works when a new one does not; taken out by starting proxies anew for each.
    LastGood,
}

impl Healing {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Retries,
        Self::OutlierDetection,
        Self::ActiveChecks,
        Self::Timeouts,
        Self::Breakers,
        Self::Restart,
        Self::Rollback,
        Self::LastGood,
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
            Self::LastGood => "last-good",
        }
    }

    /// True if this configuration has any of it. What is done to processes and files from outside is no matter of a data plane.
    pub fn present_in(self, config: &Config) -> bool {
        let mut forwards = config.routes().filter_map(|route| route.forward());
        let mut clusters = config.clusters.iter();
        match self {
            Self::Retries => forwards.any(|forward| forward.retry.attempts > 0),
            Self::OutlierDetection => clusters.any(|cluster| cluster.outlier.is_some()),
            Self::ActiveChecks => clusters.any(|cluster| !cluster.health_checks.is_empty()),
            Self::Timeouts => {
                forwards.any(|forward| forward.timeout.is_some() || forward.retry.per_try_timeout.is_some())
            }
            Self::Breakers => clusters.any(|cluster| {
                [cluster.limits, cluster.high_limits].iter().any(|limits| *limits != PoolLimits::unlimited())
            }),
            Self::Restart | Self::Rollback | Self::LastGood => false,
        }
    }
}

impl Serialize for Healing {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

impl fmt::Display for Healing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that names no healing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no healing: expected one of {all}", all = Healing::ALL.map(Healing::word).join(", "))]
pub struct UnknownHealing(String);

impl FromStr for Healing {
    type Err = UnknownHealing;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|healing| healing.word() == text).ok_or_else(|| UnknownHealing(text.to_owned()))
    }
}

/// Takes healing out of a resolved configuration. What a policy changes besides stays as it was *with* the healing: a detector that is
/// taken out does not turn the panic threshold back on.
///
/// Deleting `retries` from the YAML would turn the mesh's default on; here it means no retry on any route, the default one included.
pub fn disarm(config: &mut Config, without: &[Healing]) {
    let has = |healing| without.contains(&healing);
    for forward in config.routes_mut().filter_map(super::Route::forward_mut) {
        if has(Healing::Retries) {
            // Without a retry a per-try time-out still bounds the only try.
            let per_try_timeout = forward.retry.per_try_timeout;
            forward.retry = RetryPolicy { per_try_timeout, ..RetryPolicy::none() };
        }
        if has(Healing::Timeouts) {
            forward.timeout = None;
            forward.retry.per_try_timeout = None;
        }
    }
    for cluster in &mut config.clusters {
        if has(Healing::OutlierDetection) {
            cluster.outlier = None;
        }
        if has(Healing::ActiveChecks) {
            cluster.health_checks.clear();
        }
        if has(Healing::Breakers) {
            cluster.limits = PoolLimits::unlimited();
            cluster.high_limits = PoolLimits::unlimited();
        }
    }
    config.disarmed = without.to_vec();
}
