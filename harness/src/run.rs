//! A run: every scenario of a command line, deployed, broken, loaded, judged, recorded.
//!
//! Read in this order: [`run`] is the life of a run; [`scenario`] the life of a scenario, its control and its tries; [`arm`] the life
//! of one deployment under one load. [`events`] is all that outputs see of it.

mod arm;
mod budget;
mod calibrate;
pub mod events;
mod folder;
pub mod machine;
mod resume;
pub mod safety;
mod scenario;
mod secrets;
pub mod stop;

use crate::process::{self, Spawner};
use crate::recover;
use crate::scenario::resolved::Scenario;
use crate::seed;
use budget::Budget;
use events::RunEvent;
use folder::RunFolder;
use safety::Safety;
use scenario::Pending;
use squall_reports::artifacts::Recorded;
use squall_reports::record::Verdict;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use stop::Stop;

/// Exit code of a run that was told to stop.
pub const ABORTED: i32 = 105;

/// What the command line asks of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder that holds the folders of runs.
    pub out: PathBuf,
    /// Seed; drawn if absent.
    pub seed: Option<u64>,
    /// Most arms at once.
    pub jobs: Option<u32>,
    /// Marked in records; the phases were already shortened when the scenarios were resolved.
    pub quick: bool,
    /// Run control arms.
    pub control: bool,
    /// Run arms again that were INVALID for the machine's sake.
    pub rerun: bool,
    /// Repetitions.
    pub repeat: u32,
    /// Leave the arm as written up after its report, for a look.
    pub keep: bool,
    /// Folder of an earlier run, whose cells of the same sweeps are taken over.
    pub resume: Option<PathBuf>,
    /// `--set` as given, for the record.
    pub set: Vec<String>,
    /// Draw the reports, beside each record and of the run.
    pub reports: bool,
    /// Further `JUnit` file.
    pub junit: Option<PathBuf>,
    /// Further overview page.
    pub html: Option<PathBuf>,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The worst verdict.
    pub worst: Verdict,
    /// What could not be undone, with the command that cleans up.
    pub dirty: Vec<String>,
}

/// Why a run could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder for the run could not be made.
    #[error("{path}: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A report could not be written.
    #[error("the report could not be written: {0}")]
    Report(#[from] squall_reports::artifacts::Error),
    /// The list of runs, by which what a run has left is found, cannot be read or written.
    #[error(
        "the list of runs cannot be kept, so nothing was started: {0}; set SQUALL_STATE_DIR to a folder that can be written"
    )]
    Recover(#[from] recover::Error),
    /// The journal or the guardian could not be set up.
    #[error(transparent)]
    Safety(#[from] safety::Error),
    /// It cannot go on from an earlier run.
    #[error(transparent)]
    Resume(#[from] resume::Error),
    /// The system refused something.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

/// Runs scenarios to their verdicts.
///
/// Must be called from the main thread before any other exists: children are forked from it, and die with it.
pub fn run(scenarios: &[Scenario], options: &Options, say: &Say) -> Result<Summary, Error> {
    let signalled = Arc::clone(say);
    machine::raise_descriptors();
    let stop = stop::listen(move |again| signalled(if again { RunEvent::Leaving } else { RunEvent::Stopping }))?;
    process::host(|spawner| carry_out(scenarios, options, say, &spawner, &stop))
}

/// Where events go.
pub type Say = Arc<dyn Fn(RunEvent) + Send + Sync>;

fn carry_out(
    scenarios: &[Scenario],
    options: &Options,
    say: &Say,
    spawner: &Spawner,
    stop: &Stop,
) -> Result<Summary, Error> {
    let started = crate::clock::now();
    for earlier in recover::run()?.iter().filter(|earlier| !earlier.is_clean()) {
        anstream::eprintln!("an earlier run is not undone: {earlier}");
    }
    for wanted in options.junit.iter().chain(&options.html) {
        // Now, not after the whole run.
        let file = std::fs::File::options().create(true).append(true).open(wanted);
        file.map_err(|source| Error::Folder { path: wanted.clone(), source })?;
    }
    let earlier = earlier(scenarios, options)?;
    let seed = earlier.as_ref().map(|earlier| earlier.seed).or(options.seed).unwrap_or_else(seed::draw);
    let folder = RunFolder::create(&options.out, &jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC), seed)
        .map_err(|source| Error::Folder { path: options.out.clone(), source })?;
    let safety = Safety::begin(&folder.path, spawner)?;
    say(RunEvent::Begins {
        id: folder.id.clone(),
        seed,
        folder: folder.path.clone(),
        scenarios: scenarios.iter().map(|scenario| scenario.title.clone()).collect(),
    });

    let context = scenario::Context {
        options,
        folder: &folder,
        earlier: earlier.as_ref().map(|earlier| earlier.folder.as_path()),
        seed,
        budget: Budget::new(machine::cores(), options.jobs, calibrate::cost_of_a_request()),
        machine: machine::describe(),
        spawner,
        safety: &safety,
        stop: stop.clone(),
        say: say.as_ref(),
    };
    let mut settled = all(&context, scenarios);
    let dirty = safety.end();
    settled.iter_mut().try_for_each(|settled| settled.tell(&dirty, say.as_ref()))?;
    let records: Vec<_> = settled.into_iter().map(|settled| (settled.record, settled.folder)).collect();

    let worst = records.iter().map(|(record, _)| record.verdict).max().unwrap_or(Verdict::Error);
    if options.reports {
        let index_file = report(&records, &folder, options)?;
        let seconds = crate::clock::now().since(started).as_secs_f64();
        say(RunEvent::Ends { worst, index_file, dirty: dirty.clone(), seconds });
    }
    Ok(Summary { worst, dirty })
}

/// A run from which this one goes on.
struct Earlier {
    /// Where it is, whatever `latest` points to from now on.
    folder: PathBuf,
    seed: u64,
}

/// The run that is to be gone on from, if its sweeps are the same.
fn earlier(scenarios: &[Scenario], options: &Options) -> Result<Option<Earlier>, resume::Error> {
    let Some(folder) = &options.resume else { return Ok(None) };
    let folder = folder.canonicalize().map_err(|source| resume::Error::Unreadable { path: folder.clone(), source })?;
    let mut seed = options.seed;
    for scenario in scenarios {
        let begun = resume::Begun::read(&folder.join(&scenario.slug))?;
        let now = scenario::begun(scenario, options, *seed.get_or_insert(begun.seed));
        begun.check(&now, &scenario.title)?;
    }
    Ok(seed.map(|seed| Earlier { folder, seed }))
}

/// Draws the run as a whole; gives its overview.
fn report(records: &[Recorded], folder: &RunFolder, options: &Options) -> Result<PathBuf, Error> {
    let root = std::env::current_dir().unwrap_or_default();
    let index = squall_reports::artifacts::write_run(records, &folder.path, &root)?;
    if let Some(wanted) = &options.junit {
        std::fs::copy(&index.junit, wanted).map_err(|source| Error::Folder { path: wanted.clone(), source })?;
    }
    if let Some(wanted) = &options.html {
        // Drawn for where it will lie, so that its links lead somewhere.
        let wanted = std::path::absolute(wanted)?;
        let page = squall_reports::index::page(records, wanted.parent().unwrap_or(&wanted))?;
        std::fs::write(&wanted, page).map_err(|source| Error::Folder { path: wanted, source })?;
    }
    Ok(index.html)
}

/// Timelines side by side, longest first; sweeps after them, each alone; what must be run again last, alone too.
fn all(context: &scenario::Context<'_>, scenarios: &[Scenario]) -> Vec<scenario::Settled> {
    let mut work: Vec<(usize, u32)> =
        (0..scenarios.len()).flat_map(|index| (1..=context.options.repeat).map(move |time| (index, time))).collect();
    let (sweeps, mut timelines): (Vec<_>, Vec<_>) =
        work.drain(..).partition(|(index, _)| scenarios[*index].sweep.is_some());
    timelines.sort_by_key(|(index, time)| (*time, std::cmp::Reverse(length(&scenarios[*index]))));

    let mut pending: Vec<Pending<'_>> = std::thread::scope(|scope| {
        let threads: Vec<_> = timelines
            .iter()
            .map(|(index, time)| scope.spawn(|| scenario::first_try(context, &scenarios[*index], *index, *time)))
            .collect();
        let joined = threads.into_iter().zip(&timelines);
        joined
            .map(|(thread, (index, time))| {
                let panicked = |_| Pending::panicked(context, &scenarios[*index], *index, *time);
                thread.join().unwrap_or_else(panicked)
            })
            .collect()
    });
    pending.extend(sweeps.iter().map(|(index, time)| scenario::first_try(context, &scenarios[*index], *index, *time)));
    pending.sort_by_key(|pending| (pending.index, pending.time));
    pending.into_iter().map(|pending| pending.settle(context)).collect()
}

fn length(scenario: &Scenario) -> Duration {
    scenario.timeline.iter().map(|phase| phase.lasting).sum()
}
