//! Faults of an arm: told to the relay, or done to the process, and taken back in the reverse order.

use super::Setting;
use super::deployment::{self, Deployment};
use super::instances;
use super::sidecar::Sidecar;
use crate::clock::{Nanos, now};
use crate::control::relays::RelayError;
use crate::fault::spec::Kind;
use crate::scenario::resolved::{PlannedFault, Strikes};

/// Why a fault could not be injected or cleared.
#[derive(Debug, thiserror::Error)]
pub(in crate::run) enum Error {
    /// The relay did not do it.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The process could not be started again.
    #[error(transparent)]
    Instance(#[from] instances::Error),
    /// The process could not be limited, or what it is told not be written.
    #[error(transparent)]
    System(#[from] std::io::Error),
    /// What was struck could not be reached again.
    #[error(transparent)]
    Deployment(#[from] Box<deployment::Error>),
    /// There is no such instance, or no relay in front of it.
    #[error("nothing to hit: `{0}` is not deployed here")]
    NoTarget(String),
}

/// Begins a fault; injected once this returns, existing connections included. Gives the moment of its effect where that is known at once.
pub(super) async fn inject(
    deployment: &mut Deployment,
    setting: &Setting<'_>,
    id: u32,
    fault: &PlannedFault,
) -> Result<Option<Nanos>, Error> {
    let (instance, no_target) = target(deployment, fault);
    let instance = instance.ok_or_else(no_target)?;
    match (&fault.fault.kind, fault.strikes) {
        (Kind::Kill { .. } | Kind::Pause, Strikes::Sidecar) => {
            let sidecar = deployment.instances[instance].sidecar.as_mut().ok_or_else(no_target)?;
            if fault.fault.kind == Kind::Pause {
                return Ok(Some(sidecar.pause().await));
            }
            let gone = sidecar.kill().await;
            deployment.refuse(instance).await?;
            Ok(Some(gone))
        }
        (Kind::Limit(limit), strikes) => {
            deployment.limit(id, instance, strikes, limit)?;
            Ok(Some(now()))
        }
        // It is gone when it is; the drive looks after that.
        (Kind::Terminate { .. }, _) => {
            deployment.instances[instance].terminate();
            Ok(None)
        }
        (Kind::Kill { .. } | Kind::CrashLoop { .. }, _) => {
            let gone = deployment.instances[instance].kill(setting).await;
            deployment.refuse(instance).await?;
            Ok(Some(gone))
        }
        (Kind::Pause, _) => Ok(Some(deployment.instances[instance].pause().await)),
        (kind, _) if kind.is_listing() => {
            deployment.misinform(instance, kind)?;
            // The proxies tell when they have heard; what is withheld, when there is something to tell.
            Ok(None)
        }
        (_, strikes) => {
            let relays = deployment.relays.as_ref().ok_or_else(no_target)?;
            let relay = match strikes {
                Strikes::BehindSidecar => deployment.hook(instance).ok_or_else(no_target)?,
                Strikes::Instance | Strikes::Sidecar => instance,
            };
            relays.inject(id, relay, fault.fault.clone()).await?;
            Ok(None)
        }
    }
}

/// Ends a fault; gives when that was confirmed, or nothing where a fresh process has yet to be ready. Ending it twice, or when its process has
/// been replaced, changes nothing.
pub(super) async fn clear(
    deployment: &mut Deployment,
    setting: &Setting<'_>,
    id: u32,
    fault: &PlannedFault,
) -> Result<Option<Nanos>, Error> {
    let (instance, no_target) = target(deployment, fault);
    let instance = instance.ok_or_else(no_target)?;
    match (&fault.fault.kind, fault.strikes) {
        (Kind::Kill { .. }, Strikes::Sidecar) => {
            deployment.instances[instance].launch_sidecar(setting)?;
            deployment.watch_sidecar(instance);
            deployment.admit(instance).await.map_err(Box::new)?;
            Ok(Some(now()))
        }
        (Kind::Limit(_), _) => {
            deployment.lift_limits(id)?;
            Ok(Some(now()))
        }
        (Kind::Pause, Strikes::Sidecar) => {
            deployment.instances[instance].sidecar.iter().for_each(Sidecar::resume);
            Ok(Some(now()))
        }
        // By the kubelet's rules the supervisor has long started it again, or never will.
        (kind, _) if kind.is_restarted() || matches!(kind, Kind::CrashLoop { .. }) => Ok(Some(now())),
        (Kind::Kill { .. } | Kind::Terminate { .. }, _) => {
            if deployment.instances[instance].process.is_some() {
                deployment.instances[instance].kill(setting).await;
                deployment.refuse(instance).await?;
            }
            deployment.start_again(setting, instance)?;
            Ok(None)
        }
        (Kind::Pause, _) => {
            deployment.instances[instance].resume();
            Ok(Some(now()))
        }
        (kind, _) if kind.is_listing() => {
            deployment.inform(instance)?;
            Ok(Some(now()))
        }
        _ => {
            let relays = deployment.relays.as_ref().ok_or_else(no_target)?;
            Ok(Some(relays.clear(id).await?))
        }
    }
}

fn target<'f>(deployment: &Deployment, fault: &'f PlannedFault) -> (Option<usize>, impl Fn() -> Error + Copy + 'f) {
    (deployment.index(&fault.target), || Error::NoTarget(fault.target.to_string()))
}
