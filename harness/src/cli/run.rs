//! `squall run`.

use super::{Exit, complain, live};
use crate::output::{Format, Outputs};
use crate::run::{self, Options};
use crate::scenario::{
    self,
    resolved::{Alarm, Scenario},
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `squall run`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  squall run scenarios/ --filter ejection\n  squall run scenarios/ejection/one-instance-fails.yaml --seed 7 --json"
)]
pub(super) struct Args {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Where to deploy
    #[arg(long, value_enum, default_value_t = Platform::Local)]
    platform: Platform,

    /// Folder for records and reports
    #[arg(long, value_name = "DIR", default_value = "squall-out", env = "SQUALL_OUT")]
    out: PathBuf,

    /// Seed of everything that is drawn; drawn itself and printed if absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Only scenarios whose title, file or tags contain this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,

    /// Arms that run side by side; by default as many as the processor carries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: Option<u32>,

    /// What standard output carries
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,

    /// The same as --format jsonl
    #[arg(long)]
    json: bool,

    /// Also write JUnit XML here
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Also write the overview page here
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// No control arm, and a recovery just long enough to judge; marked as quick
    #[arg(long)]
    quick: bool,

    /// Do not run the control arms; verdicts are marked so
    #[arg(long)]
    no_control: bool,

    /// Do not run an arm again that was INVALID for the machine's sake
    #[arg(long)]
    no_rerun: bool,

    /// Run everything so many times; PASS only if all pass
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,

    /// Go on from an earlier run: cells of the same sweep that it has measured are taken over
    #[arg(long, value_name = "RUN", conflicts_with = "repeat")]
    resume: Option<PathBuf>,

    /// Let scenarios start the programs of their `abort-when`
    #[arg(long)]
    allow_commands: bool,

    /// Records only; nothing is drawn (for `squall selftest`)
    #[arg(long, hide = true)]
    no_report: bool,

    /// Change a value of every scenario, as in load.rate=800/s; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// After the report leave everything up for a look, until Enter or Ctrl-C; for one scenario
    #[arg(long)]
    keep: bool,

    #[command(flatten)]
    live: live::Args,
}

/// What to say of a scenario that is not for this machine alone.
fn running(scenario: &Scenario) -> Option<String> {
    let service = scenario.services.iter().find(|service| service.is_running())?;
    let (title, name) = (&scenario.title, &service.name);
    Some(format!("`{title}` loads `{name}`, which runs already: if that is meant, say --platform external"))
}

/// What to say of a scenario that starts programs of somebody's choosing.
fn commands(scenario: &Scenario) -> Option<String> {
    let program = scenario.abort_when.iter().find_map(|condition| match &condition.alarm {
        Alarm::Command { command, .. } => Some(command.join(" ")),
        _ => None,
    })?;
    Some(format!("`{}` starts `{program}`: if that is meant, say --allow-commands", scenario.title))
}

/// Where to deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Platform {
    /// Processes of this machine on loopback; no root.
    Local,
    /// As local, but services with `at` run already, here or wherever `allow` says; they are asked and judged, never started or ended.
    External,
}

/// Loads, plans, runs.
pub(super) fn main(args: Args, color: super::color::When) -> Exit {
    let format = if args.json { Format::Jsonl } else { args.format };
    let shown = match live::options(args.live, format, args.keep, color) {
        Ok(shown) => shown,
        Err(error) => {
            complain(&error);
            return Exit::Usage;
        }
    };
    let loaded = match scenario::load(
        &args.paths,
        &scenario::LoadOptions { set: args.set.clone(), quick: args.quick, ..Default::default() },
    ) {
        Ok(loaded) => loaded,
        Err(findings) => {
            scenario::finding::print(&findings);
            return Exit::BadInput;
        }
    };
    scenario::finding::print(&loaded.warnings);
    let mut scenarios = loaded.scenarios;
    if let Some(text) = &args.filter {
        scenarios.retain(|scenario| scenario.matches(text));
    }
    if scenarios.is_empty() {
        complain(&super::nothing_selected(&args.paths, args.filter.as_deref()));
        return Exit::NothingSelected;
    }
    if let Some(running) = scenarios.iter().filter(|_| args.platform == Platform::Local).find_map(running) {
        complain(&running);
        return Exit::BadInput;
    }
    if let Some(commands) = scenarios.iter().filter(|_| !args.allow_commands).find_map(commands) {
        complain(&commands);
        return Exit::BadInput;
    }
    let sweeps = scenarios.iter().filter(|scenario| scenario.sweep.is_some()).count();
    if args.keep && (scenarios.len() != 1 || sweeps > 0 || args.repeat > 1) {
        complain(&format!(
            "--keep leaves one timeline up, once: {} scenarios are selected, {sweeps} of them sweeps, to be run {} times; \
             select one with --filter",
            scenarios.len(),
            args.repeat
        ));
        return Exit::Usage;
    }
    if let Some(timeline) = scenarios.iter().find(|scenario| args.resume.is_some() && scenario.sweep.is_none()) {
        complain(&format!("--resume is for sweeps, and `{}` is none; select the sweep with --filter", timeline.title));
        return Exit::Usage;
    }
    let options = Options {
        out: args.out,
        seed: args.seed,
        jobs: args.jobs,
        quick: args.quick,
        control: !args.no_control && !args.quick,
        rerun: !args.no_rerun,
        repeat: args.repeat,
        keep: args.keep,
        resume: args.resume,
        set: args.set,
        reports: !args.no_report,
        junit: args.junit,
        html: args.html,
    };
    // Where Ctrl-C is a key, it means what the signal means.
    let outputs = Arc::new(Outputs::new(shown, || {
        // A signal to oneself arrives.
        let _ = kill(Pid::this(), Signal::SIGINT);
    }));
    let said = Arc::clone(&outputs);
    let say: run::Say = Arc::new(move |event| said.event(event));
    let ran = run::run(&scenarios, &options, &say);
    outputs.close();
    match ran {
        Ok(summary) => Exit::of(summary.worst, !summary.dirty.is_empty()),
        Err(error) => {
            complain(&error);
            if matches!(error, run::Error::Resume(_)) { Exit::BadInput } else { Exit::Error }
        }
    }
}
