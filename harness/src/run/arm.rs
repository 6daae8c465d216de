//! The life of one deployment under one load: deploy, load, break, observe, undo.
//!
//! Everything here runs on one thread with a runtime of its own, so arms side by side do not wait for one another.

mod asked;
mod deployment;
mod drive;
mod faults;
mod findings;
mod instances;
pub(super) mod keep;
mod plan;
mod progress;
mod proxy;
mod release;
mod sidecar;
mod timeline;

pub(super) use plan::{ArmPlan, plans, shuffled};

use super::events::ArmEvent;
use super::stop::Stop;
use crate::journal::{Journal, Undo};
use crate::process::{Launch, Process, SpawnError, Spawner};
use crate::scenario::resolved::Scenario;
use crate::seed::Seed;
use deployment::Deployment;
use squall_reports::record::{Arm, stream::Writer};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::task::LocalSet;

/// What an arm is given.
pub(super) struct Setting<'a> {
    pub(super) scenario: &'a Scenario,
    /// Mark of the run, carried by every process.
    pub(super) run: &'a str,
    /// The arm's own folder, below the scenario's.
    pub(super) folder: PathBuf,
    pub(super) seed: Seed,
    pub(super) spawner: &'a Spawner,
    pub(super) journal: &'a Mutex<Journal>,
    pub(super) stop: Stop,
    pub(super) stream: &'a Mutex<Writer>,
    pub(super) say: &'a dyn Fn(ArmEvent),
    pub(super) try_number: u32,
    /// After the load everything stays up until somebody has had a look.
    pub(super) keep: Option<keep::Keep>,
}

impl Setting<'_> {
    /// Starts a process, and notes it in the journal: what it starts itself may lose the mark of the run. One that cannot be noted is ended.
    fn spawn(&self, launch: &Launch) -> Result<Noted, SpawnError> {
        let process = self.spawner.spawn(launch)?;
        let undo = Undo::Kill { pid: process.pid, start_time: process.start_time };
        let noted = self.journal().intend(undo);
        let journal_id = noted.map_err(|source| SpawnError { name: launch.name.clone(), source })?;
        Ok(Noted { process, journal_id })
    }

    /// Notes that a process is gone. Where that cannot be noted, its undo has become a kill of nobody.
    fn gone(&self, journal_id: u64) {
        let _ = self.journal().undone(journal_id);
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log of a process.
    fn log(&self, name: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{}.log", name.replace(['/', ' '], "-")))
    }

    /// The seed of everything that the load draws.
    fn load_seed(&self) -> u64 {
        self.seed.child("load").0
    }
}

/// A process that stands in the journal.
struct Noted {
    process: Process,
    journal_id: u64,
}

/// Why an arm could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// Something did not start.
    #[error(transparent)]
    Deploy(#[from] deployment::Error),
    /// Something went wrong under way.
    #[error(transparent)]
    Drive(#[from] drive::Error),
    /// It was told to stop before everything was up.
    #[error("stopped before everything was up")]
    Stopped,
    /// The system refused something.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

/// Runs one arm to its end. Whatever it started is gone when this returns, whether it succeeds or not.
pub(super) fn run(setting: &Setting<'_>, plan: &ArmPlan) -> Result<Arm, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let phases = plan.phases(setting.scenario);
        (setting.say)(ArmEvent::Deploying { lasting: phases.iter().map(|phase| phase.lasting).sum() });
        let stop = &setting.stop;
        let mut deployment = tokio::select! {
            deployment = Deployment::start(setting, plan, &phases) => deployment?,
            () = stop.asked() => return Err(Error::Stopped),
        };
        let arm = drive::drive(setting, plan, &phases, &mut deployment).await;
        if let (Some(keep), Ok(arm)) = (&setting.keep, &arm) {
            keep.hold(arm.clone(), deployment.addresses()).await;
        }
        deployment.end(setting).await;
        Ok(arm?)
    })
}
